//! Many documents on several threads, through any model.
//!
//! Definition: the ids of all texts end to end, and where each begins; the same for every number of threads.
//! A job is a run of texts of about a quarter megabyte; jobs are joined in their order when all are done.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::time::Duration;

use super::batch::Batch;
use super::model::{Memory, Part};
use super::ModelEncoder;
use crate::error::Error;
use crate::pipeline::Segments;
use crate::progress::{Progress, Ticker};

const PHASE: &str = "encode";
const JOB_BYTES: usize = if cfg!(test) { 16 } else { 1 << 18 };
/// How long the calling thread waits for results before it reports.
const WAIT: Duration = Duration::from_millis(50);

/// Documents, and what finds added tokens in them.
#[derive(Clone, Copy)]
pub struct Documents<'a> {
    /// The documents.
    pub texts: &'a [&'a [u8]],
    /// The added tokens and the normaliser.
    pub segments: &'a Segments,
    /// Which added tokens count: see [`Segments::for_each`].
    pub counts: &'a [bool],
}

/// How the texts are parts of one document, cut where nothing in the pipeline sees across.
#[derive(Default)]
pub struct Parts<'a> {
    /// Text that is put before each part, so that none is taken for a document's beginning; its ids, which
    /// what follows leaves alone, are left out.
    pub guard: &'a [u8],
    /// Unigram's sum so far, and afterwards that at the end, where a piece goes on from part to part: one
    /// thread then encodes them in turn.
    pub sum: Option<f64>,
}

/// Ids of a job, and the ends of its texts in them.
type Done = (Vec<u32>, Vec<usize>);

struct Shared<'a> {
    encoder: &'a ModelEncoder,
    documents: Documents<'a>,
    parts: &'a Parts<'a>,
    /// Bytes of the guard's pieces.
    guard: usize,
    jobs: Vec<Range<usize>>,
    next_job: AtomicUsize,
    bytes_done: AtomicU64,
    stop: AtomicBool,
}

impl ModelEncoder {
    /// Encodes texts on `threads` threads (at least one); they are documents, or `parts` of one. Only the calling thread reports progress; an error
    /// from it stops all threads soon.
    ///
    /// # Errors
    /// Those of the stages and the normaliser (the first in order) and of `progress`.
    pub fn encode_batch(
        &self,
        documents: Documents,
        parts: &mut Parts,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Batch, Error> {
        let total: usize = documents.texts.iter().map(|text| text.len()).sum();
        let mut ticker = Ticker::new(progress, PHASE, total as u64);
        let shared = Shared {
            encoder: self,
            documents,
            parts,
            guard: self.piece_bytes((documents.segments, documents.counts), parts.guard)?,
            jobs: cut_jobs(documents.texts),
            next_job: AtomicUsize::new(0),
            bytes_done: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        };
        let mut memory = Memory::for_bytes(total);
        memory.lattice.sum = parts.sum.unwrap_or_default();
        let done = if threads <= 1 || shared.jobs.len() <= 1 || parts.sum.is_some() {
            let tick = &mut |done| ticker.tick(done);
            let jobs = shared.jobs.iter().cloned();
            jobs.map(|job| shared.run(job, &mut memory, tick)).collect::<Result<Vec<_>, _>>()
        } else {
            shared.run_on_threads(threads, &mut ticker)
        }?;
        parts.sum = parts.sum.map(|_| memory.lattice.sum);
        ticker.finish()?;
        Ok(join(done))
    }
}

fn cut_jobs(texts: &[&[u8]]) -> Vec<Range<usize>> {
    let (mut jobs, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (at, text) in texts.iter().enumerate() {
        bytes += text.len();
        if bytes >= JOB_BYTES {
            jobs.push(first..at + 1);
            (first, bytes) = (at + 1, 0);
        }
    }
    if first < texts.len() {
        jobs.push(first..texts.len());
    }
    jobs
}

fn join(done: Vec<Done>) -> Batch {
    let mut ids = Vec::with_capacity(done.iter().map(|(ids, _)| ids.len()).sum());
    let mut bounds = vec![0];
    for (found, ends) in done {
        bounds.extend(ends.iter().map(|end| (ids.len() + end) as u64));
        ids.extend(found);
    }
    (ids, bounds)
}

impl Shared<'_> {
    fn run_on_threads(&self, threads: usize, ticker: &mut Ticker) -> Result<Vec<Done>, Error> {
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            for _ in 0..threads.min(self.jobs.len()) {
                let sender = sender.clone();
                scope.spawn(move || self.work(sender));
            }
            drop(sender);
            let mut done: Vec<Option<Result<Done, Error>>> = Vec::new();
            done.resize_with(self.jobs.len(), || None);
            loop {
                match receiver.recv_timeout(WAIT) {
                    Ok((index, outcome)) => done[index] = Some(outcome),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if let Err(error) = ticker.tick(self.bytes_done.load(Relaxed)) {
                    self.stop.store(true, Relaxed);
                    return Err(error);
                }
            }
            done.into_iter().map(|outcome| outcome.unwrap_or(Err(Error::Interrupted))).collect()
        })
    }

    /// Does jobs until none is left or nobody wants the results.
    fn work(&self, sender: Sender<(usize, Result<Done, Error>)>) {
        let mut memory = Memory::for_bytes(usize::MAX);
        while !self.stop.load(Relaxed) {
            let index = self.next_job.fetch_add(1, Relaxed);
            let Some(job) = self.jobs.get(index) else {
                return;
            };
            let beat =
                &mut |_| if self.stop.load(Relaxed) { Err(Error::Interrupted) } else { Ok(()) };
            if sender.send((index, self.run(job.clone(), &mut memory, beat))).is_err() {
                return;
            }
        }
    }

    fn run(
        &self,
        job: Range<usize>,
        memory: &mut Memory,
        beat: &mut dyn FnMut(u64) -> Result<(), Error>,
    ) -> Result<Done, Error> {
        let (mut ids, mut ends) = (Vec::new(), Vec::new());
        let Documents { texts, segments, counts } = self.documents;
        let (guard, carries) = (self.guard, self.parts.sum.is_some());
        for text in &texts[job] {
            let guarded = match self.parts.guard {
                [] => Cow::Borrowed(*text),
                front => Cow::Owned([front, text].concat()),
            };
            let part = Part { text: &guarded, guard, carries };
            let before = self.bytes_done.load(Relaxed);
            let beat = &mut |done| beat(before + done);
            self.encoder.encode_next((segments, counts), part, memory, beat, &mut ids)?;
            self.bytes_done.fetch_add(text.len() as u64, Relaxed);
            ends.push(ids.len());
        }
        Ok((ids, ends))
    }
}
