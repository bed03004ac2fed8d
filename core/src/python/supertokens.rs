//! Bindings of [`crate::supertokens`].

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::buffers::Borrowed;
use super::encoding::{byte_ids, Splitter, Tokens};
use super::errors::ConfigError;
use super::progress::Callback;
use super::training::{rules, CONSUMED};
use crate::bpe::{Merge, Sequences, Vocabulary, WordCounts};
use crate::supertokens::chunks::{count_chunks, Chunker};
use crate::supertokens::replay::Replay;
use crate::supertokens::runs::{Gatherer, Reader, Surveyed};

/// Sequences of tokens that superwords are learned from: survey everything, settle, gather everything.
#[pyclass(module = "tokforge._core")]
pub struct Runs {
    stage: Stage,
    folder: PathBuf,
    tables: Vec<Sequences>,
}

enum Stage {
    Surveying(Box<Gatherer>, Vec<Reader>),
    Surveyed(Surveyed),
    /// The end of the survey failed.
    Failed,
}

impl Runs {
    /// Gives all threads' tables away.
    pub fn take(&mut self) -> PyResult<Vec<Sequences>> {
        let tables = std::mem::take(&mut self.tables);
        if tables.is_empty() {
            return Err(ConfigError::new_err(CONSUMED));
        }
        Ok(tables)
    }

    fn surveyed(&self) -> PyResult<&Surveyed> {
        match &self.stage {
            Stage::Surveyed(surveyed) => Ok(surveyed),
            _ => Err(ConfigError::new_err(UNSETTLED)),
        }
    }
}

const UNSETTLED: (&str, &str) = ("no least count has been settled", "call settle first");
const SETTLED: (&str, &str) = ("a least count has been settled", "survey all documents before");

#[pymethods]
impl Runs {
    #[new]
    #[pyo3(signature = (
        splitter, tokens, merges, *, byte_ids, folder, words=None, eligible=None, max_words=None, excluded=vec![],
        digits_apart=false, threads=1,
    ))]
    #[allow(clippy::too_many_arguments)] // keyword-only in Python
    fn new(
        splitter: Py<Splitter>,
        tokens: Tokens,
        merges: Vec<Merge>,
        byte_ids: Vec<u32>,
        folder: PathBuf,
        words: Option<Py<Splitter>>,
        eligible: Option<Vec<bool>>,
        max_words: Option<u32>,
        excluded: Vec<PyBackedBytes>,
        digits_apart: bool,
        threads: usize,
    ) -> PyResult<Self> {
        let byte_ids = self::byte_ids(&byte_ids)?;
        let vocabulary = Vocabulary::new(tokens.into_boxes(), byte_ids, Vec::new())?;
        let mut eligible = eligible;
        eligible.iter_mut().for_each(|eligible| eligible.resize(vocabulary.len(), false));
        let gatherer = Gatherer::new(
            &vocabulary,
            &merges,
            splitter.get().0.clone(),
            words.map(|words| words.get().0.clone()),
            eligible,
            rules(max_words, &excluded, digits_apart),
        )?;
        let readers: Result<_, _> = (0..threads.max(1)).map(|_| gatherer.reader(&folder)).collect();
        Ok(Self {
            stage: Stage::Surveying(Box::new(gatherer), readers?),
            folder,
            tables: Vec::new(),
        })
    }

    #[pyo3(signature = (docs, progress=None))]
    fn survey(
        &mut self,
        py: Python<'_>,
        docs: Vec<Borrowed<u8>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let docs: Vec<&[u8]> = docs.iter().map(Borrowed::as_slice).collect();
        let Stage::Surveying(gatherer, readers) = &mut self.stage else {
            return Err(ConfigError::new_err(SETTLED));
        };
        Callback::new(progress).run(py, |progress| gatherer.survey(readers, &docs, progress))
    }

    fn settle(&mut self, merges: usize, min_frequency: u64) -> PyResult<u64> {
        if let Stage::Surveying(..) = self.stage {
            let stage = std::mem::replace(&mut self.stage, Stage::Failed);
            if let Stage::Surveying(gatherer, readers) = stage {
                self.stage = Stage::Surveyed(gatherer.finish(readers)?);
            }
        }
        Ok(self.surveyed()?.least_count(merges, min_frequency))
    }

    #[pyo3(signature = (least, vocab_size, merges=vec![], progress=None))]
    fn gather(
        &mut self,
        py: Python<'_>,
        least: u64,
        vocab_size: usize,
        merges: Vec<Merge>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        self.tables.clear();
        let (surveyed, folder, replay) = (self.surveyed()?, &self.folder, Replay::new(merges));
        self.tables = Callback::new(progress)
            .run(py, |progress| surveyed.gather(least, &replay, (vocab_size, folder), progress))?;
        Ok(())
    }

    fn __len__(&self) -> usize {
        self.tables.iter().map(Sequences::len).sum()
    }
}

/// Counts of chunks of random length.
#[pyclass(module = "tokforge._core")]
pub struct ChunkCounts {
    chunker: Chunker,
    /// The chunks; None once they have been trained on.
    pub table: Option<WordCounts>,
}

#[pymethods]
impl ChunkCounts {
    #[new]
    fn new(ranges: Vec<(u32, u32, f64)>, seed: u64) -> PyResult<Self> {
        let chunker = Chunker::new(&ranges, seed)?;
        Ok(Self { chunker, table: Some(WordCounts::new()) })
    }

    fn split(&self, data: Borrowed<u8>) -> PyResult<Vec<(usize, usize)>> {
        let mut chunks = Vec::new();
        self.chunker.for_each_chunk(data.as_slice(), |start, end| {
            chunks.push((start, end));
            Ok(())
        })?;
        Ok(chunks)
    }

    #[pyo3(signature = (docs, progress=None))]
    fn add(
        &mut self,
        py: Python<'_>,
        docs: Vec<Borrowed<u8>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let docs: Vec<&[u8]> = docs.iter().map(Borrowed::as_slice).collect();
        let Self { chunker, table } = self;
        let table = table.as_mut().ok_or_else(|| ConfigError::new_err(CONSUMED))?;
        Callback::new(progress).run(py, |progress| count_chunks(table, chunker, &docs, progress))
    }

    fn __len__(&self) -> usize {
        self.table.as_ref().map_or(0, WordCounts::len)
    }
}
