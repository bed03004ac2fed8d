//! Bindings of [`crate::encode`] and [`crate::pretokenizers`].

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::buffers::Borrowed;
use super::errors::FormatError;
use crate::error::{Error, Message};
use crate::pretokenizers;

/// Token bytes by id, None where the id is special or unused.
#[derive(FromPyObject)]
#[pyo3(transparent)]
pub struct Tokens(Vec<Option<PyBackedBytes>>);

impl Tokens {
    /// Copies the bytes out of Python's memory.
    pub fn into_boxes(self) -> Vec<Option<Box<[u8]>>> {
        self.0.into_iter().map(|token| token.map(|bytes| bytes[..].into())).collect()
    }
}

/// Checks that there is one id for each byte.
pub fn byte_ids(ids: &[u32]) -> PyResult<[u32; 256]> {
    ids.try_into().map_err(|_| {
        let problem = format!("byte_ids holds {} ids", ids.len());
        FormatError::new_err((problem, "give the id of each of the 256 bytes"))
    })
}

/// Cuts bytes into pretokens.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Splitter(pub pretokenizers::Splitter);

#[pymethods]
impl Splitter {
    #[new]
    fn new(stages: Vec<String>) -> PyResult<Self> {
        let stages = stages.iter().map(|stage| stage_of(stage)).collect::<Result<_, _>>()?;
        Ok(Self(pretokenizers::Splitter::sequence(stages)))
    }

    fn split(&self, py: Python<'_>, data: Borrowed<u8>) -> PyResult<Vec<(usize, usize)>> {
        let data = data.as_slice();
        Ok(py.detach(|| self.0.split(data))?)
    }
}

fn stage_of(stage: &str) -> Result<pretokenizers::Splitter, Error> {
    if let Some(pattern) = stage.strip_prefix("regex:") {
        return pretokenizers::Splitter::regex(pattern);
    }
    pretokenizers::Splitter::named(stage).ok_or_else(|| {
        Error::UnknownName(Message::new(
            format!("there is no splitter {stage:?}"),
            format!("use one of: {}, or regex:PATTERN", pretokenizers::NAMES.join(", ")),
        ))
    })
}

/// Applies merges to bytes.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Encoder(crate::encode::Encoder);
