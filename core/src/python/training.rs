//! Bindings of [`crate::bpe`].

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::buffers::Borrowed;
use super::counting::{CountFiles, WordCounts};
use super::encoding::{byte_ids, Tokens};
use super::errors::ConfigError;
use super::progress::Callback;
use super::supertokens::{ChunkCounts, Runs};
use crate::bpe::disk::DiskDocuments;
use crate::bpe::{
    self, Corpus, Documents, Merge, Options, Order, Room, Rules, Stopped, Vocabulary,
};
use crate::error::{Error, Message};

/// Percent of the pairs that are listed at a time: two bytes of memory for each byte of a corpus.
const TRACKED_PERCENT: u64 = 50;
/// The same of sequences: their lists would be larger than the array, and a scan costs little beside them.
const TRACKED_PERCENT_OF_SEQUENCES: u64 = 25;

pub const CONSUMED: (&str, &str) = ("this corpus has been trained on already", "make a new one");

/// Documents as unsplit bytes.
#[pyclass(module = "tokforge._core")]
pub struct ByteCorpus(Option<bpe::Gathered>);

#[pymethods]
impl ByteCorpus {
    #[new]
    #[pyo3(signature = (expected_bytes=0, *, memory=None, vocab_size=0, folder=None))]
    fn new(
        expected_bytes: usize,
        memory: Option<u64>,
        vocab_size: usize,
        folder: Option<PathBuf>,
    ) -> Self {
        let most = Room::new(memory, 1).documents(vocab_size);
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        Self(Some(bpe::Gathered::new(expected_bytes, most, &folder)))
    }

    #[pyo3(signature = (data, *, more=false))]
    fn add(&mut self, data: Borrowed<u8>, more: bool) -> PyResult<()> {
        let corpus = self.0.as_mut().ok_or_else(|| ConfigError::new_err(CONSUMED))?;
        corpus.extend(data.as_slice())?;
        if !more {
            corpus.end();
        }
        Ok(())
    }

    fn __len__(&self) -> usize {
        self.0.as_ref().map_or(0, bpe::Gathered::len)
    }
}

/// What is trained on, laid out or in phases.
enum Taken {
    Corpus(Corpus),
    Disk(DiskDocuments),
}

#[derive(FromPyObject)]
/// Either kind of corpus.
pub enum AnyCorpus<'py> {
    Files(PyRefMut<'py, CountFiles>),
    Words(PyRefMut<'py, WordCounts>),
    Bytes(PyRefMut<'py, ByteCorpus>),
    Runs(PyRefMut<'py, Runs>),
    Chunks(PyRefMut<'py, ChunkCounts>),
}

impl AnyCorpus<'_> {
    fn take(self) -> PyResult<Taken> {
        let consumed = || ConfigError::new_err(CONSUMED);
        let corpus = match self {
            Self::Files(files) => Corpus::Files(files.0.clone()),
            Self::Words(mut words) => words.take()?,
            Self::Bytes(mut bytes) => match bytes.0.take().ok_or_else(consumed)?.finish() {
                Documents::InMemory(corpus) => Corpus::Bytes(corpus),
                Documents::OnDisk(documents) => return Ok(Taken::Disk(documents)),
            },
            Self::Runs(mut runs) => Corpus::Sequences(runs.take()?),
            Self::Chunks(mut chunks) => Corpus::Words(chunks.table.take().ok_or_else(consumed)?),
        };
        Ok(Taken::Corpus(corpus))
    }
}

/// What a training run learned.
#[pyclass(module = "tokforge._core", frozen, get_all)]
pub struct Training {
    merges: Vec<Merge>,
    counts: Vec<u64>,
    tokens: Vec<u64>,
    stopped: &'static str,
}

impl From<bpe::Training> for Training {
    fn from(training: bpe::Training) -> Self {
        let stopped = match training.stopped {
            Stopped::VocabSize => "vocab_size",
            Stopped::MinFrequency => "min_frequency",
            Stopped::Exhausted => "exhausted",
        };
        let bpe::Training { merges, counts, tokens, .. } = training;
        Self { merges, counts, tokens, stopped }
    }
}

#[pyfunction]
#[pyo3(signature = (
    corpus, *, tokens, byte_ids, vocab_size, merges=vec![], min_frequency=2, max_token_bytes=None,
    forbidden=vec![], max_words=None, excluded=vec![], digits_apart=false, order="hf", rivals=vec![],
    threads=1, memory=None, progress=None, keep=None, keep_seconds=60.0,
))]
#[allow(clippy::too_many_arguments)] // keyword-only in Python
pub fn train(
    py: Python<'_>,
    corpus: AnyCorpus<'_>,
    tokens: Tokens,
    byte_ids: Vec<u32>,
    vocab_size: usize,
    merges: Vec<Merge>,
    min_frequency: u64,
    max_token_bytes: Option<u32>,
    forbidden: Vec<PyBackedBytes>,
    max_words: Option<u32>,
    excluded: Vec<PyBackedBytes>,
    digits_apart: bool,
    order: &str,
    rivals: Vec<u64>,
    threads: usize,
    memory: Option<u64>,
    progress: Option<Py<PyAny>>,
    keep: Option<Py<PyAny>>,
    keep_seconds: f64,
) -> PyResult<Training> {
    let forbidden = forbidden.iter().map(|bytes| bytes[..].into()).collect();
    let mut vocabulary =
        Vocabulary::new(tokens.into_boxes(), self::byte_ids(&byte_ids)?, forbidden)?;
    let corpus = corpus.take()?;
    let tracked_percent = match corpus {
        Taken::Corpus(Corpus::Sequences(_)) => TRACKED_PERCENT_OF_SEQUENCES,
        _ => TRACKED_PERCENT,
    };
    let options = Options {
        vocab_size,
        min_frequency,
        max_token_bytes,
        rules: rules(max_words, &excluded, digits_apart),
        order: order_of(order)?,
        rivals,
        threads,
        tracked_percent,
        memory,
        swept_above: bpe::SWEPT_ABOVE,
    };
    let training = Callback::new(progress).keeping(keep, keep_seconds).run(py, |progress| {
        let vocabulary = &mut vocabulary;
        match corpus {
            Taken::Corpus(corpus) => bpe::train(corpus, vocabulary, &merges, &options, progress),
            Taken::Disk(documents) => {
                bpe::train_on_disk(documents, vocabulary, &merges, &options, progress)
            }
        }
    })?;
    Ok(training.into())
}

/// The veto rules, as Python spells them.
pub fn rules(max_words: Option<u32>, excluded: &[PyBackedBytes], digits_apart: bool) -> Rules {
    Rules { max_words, excluded: excluded.iter().map(|text| text.to_vec()).collect(), digits_apart }
}

fn order_of(name: &str) -> Result<Order, Error> {
    match name {
        "hf" => Ok(Order::HuggingFace),
        "boundless" => Ok(Order::Boundless),
        _ => Err(Error::UnknownName(Message::new(
            format!("there is no order {name:?}"),
            "use one of: hf, boundless",
        ))),
    }
}
