//! Bindings of [`crate::masking`]. Numbers cross as native-endian bytes, which numpy reads in place.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyString};

use super::buffers::{as_bytes, Borrowed};
use super::errors::ConfigError;
use crate::error::{Error, Message};
use crate::masking::{self, words, Options, Random, Replacement};

type Array<'py> = Bound<'py, PyByteArray>;

/// Masks examples by unit.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Masker {
    replacement: Replacement,
    span_weights: Vec<f64>,
    split_units: bool,
}

#[pymethods]
impl Masker {
    #[new]
    #[pyo3(signature = (*, mask_id, random_ids, mask_share, random_share, span_weights, split_units, by_unit))]
    fn new(
        mask_id: i64,
        random_ids: Borrowed<i64>,
        mask_share: f64,
        random_share: f64,
        span_weights: Vec<f64>,
        split_units: bool,
        by_unit: bool,
    ) -> Self {
        let random_ids = random_ids.as_slice().to_vec();
        let replacement = Replacement { mask_id, random_ids, mask_share, random_share, by_unit };
        Self { replacement, span_weights, split_units }
    }

    fn mask<'py>(
        &self,
        py: Python<'py>,
        ids: Borrowed<i64>,
        units: Borrowed<i64>,
        probability: f64,
        key: Vec<u64>,
    ) -> PyResult<(Array<'py>, Array<'py>, usize, usize)> {
        let (ids, units) = (ids.as_slice(), units.as_slice());
        if ids.len() != units.len() {
            let problem = format!("{} ids have {} units", ids.len(), units.len());
            return Err(ConfigError::new_err((problem, "give each id one")));
        }
        let options = Options {
            probability,
            span_weights: self.span_weights.clone(),
            split_units: self.split_units,
        };
        let (masked, choice) = py.detach(|| {
            let mut random = Random::keyed(&key);
            let choice = masking::choose(units, &options, &mut random);
            (masking::mask(ids, &choice, &self.replacement, &mut random), choice)
        });
        let arrays = [&masked.ids, &masked.labels].map(|one| PyByteArray::new(py, as_bytes(one)));
        let [ids, labels] = arrays;
        Ok((ids, labels, choice.maskable, choice.budget))
    }
}

/// Joins tokens into units that are masked together.
#[pyfunction]
pub fn align_words<'py>(
    py: Python<'py>,
    tokens: Borrowed<u32>,
    special: Borrowed<u8>,
    words: Borrowed<u32>,
) -> PyResult<(Array<'py>, Array<'py>)> {
    let (tokens, _) = tokens.as_slice().as_chunks();
    let (words, _) = words.as_slice().as_chunks();
    let found = py.detach(|| masking::align(tokens, special.as_slice(), words))?;
    let units = PyByteArray::new(py, as_bytes(&found.units));
    Ok((units, PyByteArray::new(py, as_bytes(&found.words))))
}

/// Cuts text into the spans of its words.
#[pyfunction]
pub fn word_spans<'py>(
    py: Python<'py>,
    text: Bound<'py, PyString>,
    by: &str,
) -> PyResult<Array<'py>> {
    let cut = match by {
        "unicode" => words::unicode,
        "code" => words::code,
        "characters" => words::characters,
        _ => {
            let hint = "use one of: characters, code, unicode";
            return Err(Error::UnknownName(Message::new(
                format!("segmenter has no '{by}'"),
                hint,
            )))?;
        }
    };
    let text = text.to_cow()?;
    let spans = py.detach(|| cut(&text));
    Ok(PyByteArray::new(py, as_bytes(spans.as_flattened())))
}
