//! The only pyo3 of the crate: convert arguments, release the GIL, call, map the error.

use pyo3::prelude::*;

#[pymodule]
fn _core(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
