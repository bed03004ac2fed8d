//! Bindings of [`crate::encode`] and [`crate::pretokenizers`].

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes};

use super::buffers::{as_bytes, Borrowed};
use super::errors::FormatError;
use super::loading::MergeList;
use super::progress::Callback;
use crate::encode::{self, Whole};
use crate::error::{Error, Message};
use crate::pretokenizers;
use crate::progress::Ticker;

/// Token bytes by id, None where the id is special or unused.
#[derive(FromPyObject)]
#[pyo3(transparent)]
pub struct Tokens(Vec<Option<PyBackedBytes>>);

impl Tokens {
    /// The tokens by id.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.0.iter().map(|token| token.as_deref())
    }

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

    fn safe_cut(&self, data: Borrowed<u8>, near: usize) -> Option<usize> {
        self.0.safe_cut(data.as_slice(), near)
    }

    fn split(&self, py: Python<'_>, data: Borrowed<u8>) -> PyResult<Vec<(usize, usize)>> {
        let data = data.as_slice();
        Ok(py.detach(|| self.0.split(data))?)
    }
}

/// A named splitter, or `regex:PATTERN`.
pub fn stage_of(stage: &str) -> Result<pretokenizers::Splitter, Error> {
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

/// A splitter, or none: then a document is one piece.
enum Pieces {
    Whole(Whole),
    Split(pretokenizers::Splitter),
}

impl encode::Pieces for Pieces {
    fn for_each_piece(
        &self,
        data: &[u8],
        f: &mut impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Whole(whole) => whole.for_each_piece(data, f),
            Self::Split(splitter) => splitter.for_each_piece(data, f),
        }
    }

    fn last_safe_cut(&self, data: &[u8]) -> Option<usize> {
        match self {
            Self::Whole(_) => None,
            Self::Split(splitter) => splitter.last_safe_cut(data),
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

/// Applies merges to bytes.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Encoder {
    encoder: encode::Encoder,
    pieces: Pieces,
}

#[pymethods]
impl Encoder {
    #[new]
    #[pyo3(signature = (tokens, merges, *, byte_ids, ranks=None, ignore_merges=false, splitter=None))]
    fn new(
        tokens: Tokens,
        merges: MergeList,
        byte_ids: Vec<u32>,
        ranks: Option<Vec<u32>>,
        ignore_merges: bool,
        splitter: Option<Py<Splitter>>,
    ) -> PyResult<Self> {
        let byte_ids = self::byte_ids(&byte_ids)?;
        let encoder = encode::Encoder::new(
            tokens.iter(),
            &merges.0,
            ranks.as_deref(),
            &byte_ids,
            ignore_merges,
        )?;
        let pieces = match splitter {
            Some(splitter) => Pieces::Split(splitter.get().0.clone()),
            None => Pieces::Whole(Whole),
        };
        Ok(Self { encoder, pieces })
    }

    fn encode<'py>(
        &self,
        py: Python<'py>,
        data: Borrowed<u8>,
    ) -> PyResult<Bound<'py, PyByteArray>> {
        let data = data.as_slice();
        let ids = Callback::new(None).run(py, |progress| {
            let mut ticker = Ticker::new(progress, "encode", data.len() as u64);
            let mut ids = Vec::new();
            let beat = &mut |done| ticker.tick(done);
            self.encoder.encode_document(&self.pieces, data, beat, &mut ids)?;
            Ok(ids)
        })?;
        Ok(PyByteArray::new(py, as_bytes(&ids)))
    }

    fn encode_offsets<'py>(
        &self,
        py: Python<'py>,
        data: Borrowed<u8>,
    ) -> PyResult<(Bound<'py, PyByteArray>, Bound<'py, PyByteArray>)> {
        let data = data.as_slice();
        let (ids, offsets) = Callback::new(None).run(py, |progress| {
            let mut ticker = Ticker::new(progress, "encode", data.len() as u64);
            self.encoder.encode_with_offsets(&self.pieces, data, &mut |done| ticker.tick(done))
        })?;
        Ok((PyByteArray::new(py, as_bytes(&ids)), PyByteArray::new(py, as_bytes(&offsets))))
    }

    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        docs: Vec<Borrowed<u8>>,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyByteArray>, Bound<'py, PyByteArray>)> {
        let docs: Vec<&[u8]> = docs.iter().map(Borrowed::as_slice).collect();
        let (ids, bounds) = Callback::new(None).run(py, |progress| {
            self.encoder.encode_batch(&self.pieces, &docs, threads, progress)
        })?;
        Ok((PyByteArray::new(py, as_bytes(&ids)), PyByteArray::new(py, as_bytes(&bounds))))
    }

    fn encode_settled<'py>(
        &self,
        py: Python<'py>,
        data: Borrowed<u8>,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyByteArray>, usize)> {
        let data = data.as_slice();
        let (ids, bytes) = Callback::new(None).run(py, |progress| {
            self.encoder.encode_settled(&self.pieces, data, threads, progress)
        })?;
        Ok((PyByteArray::new(py, as_bytes(&ids)), bytes))
    }

    fn decode<'py>(&self, py: Python<'py>, ids: Borrowed<u32>) -> PyResult<Bound<'py, PyBytes>> {
        let ids = ids.as_slice();
        let bytes = py.detach(|| self.encoder.decode(ids))?;
        Ok(PyBytes::new(py, &bytes))
    }
}
