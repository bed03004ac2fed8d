//! Encodes many documents, or one large unsplit one, on several threads.
//!
//! Definition: the ids of all documents end to end, and where each begins; the same for every
//! number of threads. Work is cut into jobs of about a megabyte: a run of documents, or a segment of
//! a document that is one piece. Invariant: jobs are joined in their order, as soon as they can be.
//!
//! Segments: each is searched from its start up to the next one's start, seeing what follows. To
//! join, the search of the left one goes on until its last token is also one of the right one's:
//! from there on the neighbours stay, so the right one's tokens follow as they are, and its search
//! is taken over with them (see `validity`). Nearly always that is a few tokens; if it never
//! happens, the left search has done the work and is right as well.
//! Complexity: linear, twice the work at most; memory is the output and the jobs not yet joined.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::merge_backtrack::Search;
use super::words::Words;
use super::{Encoder, Pieces};
use crate::error::Error;
use crate::progress::{Progress, Ticker};

const PHASE: &str = "encode";
/// Small in tests, so that short texts have many borders.
const JOB_BYTES: usize = if cfg!(test) { 16 } else { 1 << 20 };
/// How long the calling thread waits for results before it reports.
const WAIT: Duration = Duration::from_millis(50);

/// All ids end to end, and the documents' boundaries in them: one more than there are documents.
pub type Batch = (Vec<u32>, Vec<u64>);

/// What one thread does at a time.
enum Job {
    Documents(Range<usize>),
    /// Bytes of a document that is one piece.
    Segment(usize, Range<usize>),
}

/// Ids of a job; ends of its documents in them, or where the search of a segment stopped.
struct Done {
    ids: Vec<u32>,
    ends: Vec<u64>,
    at: usize,
}

type Outcome = (usize, Result<Done, Error>);

/// What all threads look at.
struct Shared<'a, P> {
    encoder: &'a Encoder,
    pieces: &'a P,
    docs: &'a [&'a [u8]],
    jobs: Vec<Job>,
    next_job: AtomicUsize,
    bytes_done: AtomicU64,
    stop: AtomicBool,
}

impl Encoder {
    /// Encodes documents on `threads` threads (at least one). Only the calling thread reports
    /// progress; an error from it stops all threads within about a millisecond.
    ///
    /// # Errors
    /// Those of `pieces` (the first in document order) and of `progress`.
    pub fn encode_batch(
        &self,
        pieces: &impl Pieces,
        docs: &[&[u8]],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Batch, Error> {
        let total: usize = docs.iter().map(|doc| doc.len()).sum();
        let mut ticker = Ticker::new(progress, PHASE, total as u64);
        let batch = if threads <= 1 || total <= JOB_BYTES {
            self.encode_in_turn(pieces, docs, &mut ticker)
        } else {
            self.encode_on_threads(pieces, docs, threads, &mut ticker)
        }?;
        ticker.finish()?;
        Ok(batch)
    }

    fn encode_in_turn(
        &self,
        pieces: &impl Pieces,
        docs: &[&[u8]],
        ticker: &mut Ticker,
    ) -> Result<Batch, Error> {
        let (mut ids, mut bounds, mut done) = (Vec::new(), vec![0], 0);
        let mut words = Words::for_bytes(docs.iter().map(|doc| doc.len()).sum());
        for doc in docs {
            let beat = &mut |at| ticker.tick(done + at);
            self.encode_next(pieces, doc, &mut words, beat, &mut ids)?;
            bounds.push(ids.len() as u64);
            done += doc.len() as u64;
        }
        Ok((ids, bounds))
    }

    fn encode_on_threads<P: Pieces>(
        &self,
        pieces: &P,
        docs: &[&[u8]],
        threads: usize,
        ticker: &mut Ticker,
    ) -> Result<Batch, Error> {
        let shared = Shared {
            encoder: self,
            pieces,
            docs,
            jobs: cut_jobs(docs, pieces.is_whole() && !self.ignore_merges()),
            next_job: AtomicUsize::new(0),
            bytes_done: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            for _ in 0..threads.min(shared.jobs.len()) {
                let (sender, shared) = (sender.clone(), &shared);
                scope.spawn(move || shared.work(sender));
            }
            drop(sender);
            let batch = shared.join_all(receiver, ticker);
            shared.stop.store(true, Relaxed);
            batch
        })
    }
}

/// Cuts documents into jobs; those that are one piece into segments, if allowed.
fn cut_jobs(docs: &[&[u8]], may_segment: bool) -> Vec<Job> {
    let (mut jobs, mut run, mut run_bytes) = (Vec::new(), 0, 0);
    for (index, doc) in docs.iter().enumerate() {
        let is_long = may_segment && doc.len() >= 2 * JOB_BYTES;
        if run < index && (is_long || run_bytes + doc.len() > JOB_BYTES) {
            jobs.push(Job::Documents(run..index));
            (run, run_bytes) = (index, 0);
        }
        if is_long {
            let starts = (0..doc.len()).step_by(JOB_BYTES);
            jobs.extend(starts.map(|start| {
                let end = doc.len().min(start + JOB_BYTES);
                Job::Segment(index, start..end)
            }));
            run = index + 1;
        } else {
            run_bytes += doc.len();
        }
    }
    if run < docs.len() {
        jobs.push(Job::Documents(run..docs.len()));
    }
    jobs
}

impl<P: Pieces> Shared<'_, P> {
    /// Does jobs until none is left, or nobody wants the results any more.
    fn work(&self, sender: Sender<Outcome>) {
        let mut words = Words::for_bytes(usize::MAX);
        while !self.stop.load(Relaxed) {
            let index = self.next_job.fetch_add(1, Relaxed);
            let Some(job) = self.jobs.get(index) else {
                return;
            };
            if sender.send((index, self.run(job, &mut words))).is_err() {
                return;
            }
        }
    }

    fn run(&self, job: &Job, words: &mut Words) -> Result<Done, Error> {
        match job {
            Job::Documents(range) => self.run_documents(range.clone(), words),
            Job::Segment(doc, range) => self.run_segment(self.docs[*doc], range.clone()),
        }
    }

    fn run_documents(&self, range: Range<usize>, words: &mut Words) -> Result<Done, Error> {
        let (mut ids, mut ends) = (Vec::new(), Vec::new());
        for doc in &self.docs[range] {
            let mut seen = 0;
            let beat = &mut |at| self.advance(at, &mut seen);
            self.encoder.encode_next(self.pieces, doc, words, beat, &mut ids)?;
            self.advance(doc.len() as u64, &mut seen)?;
            ends.push(ids.len() as u64);
        }
        Ok(Done { ids, ends, at: 0 })
    }

    fn run_segment(&self, doc: &[u8], range: Range<usize>) -> Result<Done, Error> {
        let (mut ids, mut seen) = (Vec::new(), range.start as u64);
        let mut search = Search::new(0, range.start);
        let beat = &mut |at: usize| self.advance(at as u64, &mut seen);
        self.encoder.search_beating(doc, &mut search, range.end, beat, &mut ids)?;
        Ok(Done { ids, ends: Vec::new(), at: search.at })
    }

    /// Counts the bytes from `seen` to `at`, and says whether to stop.
    fn advance(&self, at: u64, seen: &mut u64) -> Result<(), Error> {
        self.bytes_done.fetch_add(at.saturating_sub(*seen), Relaxed);
        *seen = at.max(*seen);
        if self.stop.load(Relaxed) {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// Joins the jobs' results in order as they come in.
    fn join_all(&self, receiver: Receiver<Outcome>, ticker: &mut Ticker) -> Result<Batch, Error> {
        let (mut waiting, mut next) = (BTreeMap::new(), 0);
        let mut joiner = Joiner::default();
        while next < self.jobs.len() {
            match receiver.recv_timeout(WAIT) {
                Ok((index, outcome)) => drop(waiting.insert(index, outcome)),
                Err(RecvTimeoutError::Timeout) => {}
                // A thread panicked: the scope passes its panic on.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            ticker.tick(self.bytes_done.load(Relaxed))?;
            while let Some(outcome) = waiting.remove(&next) {
                self.join(&mut joiner, &self.jobs[next], outcome?, ticker)?;
                next += 1;
            }
        }
        Ok((joiner.ids, joiner.bounds))
    }

    fn join(
        &self,
        joiner: &mut Joiner,
        job: &Job,
        done: Done,
        ticker: &mut Ticker,
    ) -> Result<(), Error> {
        let Job::Segment(doc, range) = job else {
            joiner.join_documents(&done);
            return Ok(());
        };
        let doc = self.docs[*doc];
        if range.start == 0 {
            joiner.search = Search::new(joiner.ids.len(), 0);
        }
        let beat = &mut || ticker.tick(self.bytes_done.load(Relaxed));
        joiner.join_segment(self.encoder, doc, range, &done, beat)?;
        if range.end == doc.len() {
            joiner.bounds.push(joiner.ids.len() as u64);
        }
        Ok(())
    }
}

/// The result so far, and the search in the document that is being joined.
struct Joiner {
    ids: Vec<u32>,
    bounds: Vec<u64>,
    search: Search,
}

impl Default for Joiner {
    fn default() -> Self {
        Self { ids: Vec::new(), bounds: vec![0], search: Search::new(0, 0) }
    }
}

impl Joiner {
    fn join_documents(&mut self, done: &Done) {
        let before = self.ids.len() as u64;
        self.ids.extend_from_slice(&done.ids);
        self.bounds.extend(done.ends.iter().map(|end| before + end));
    }

    /// Takes over a segment's ids from the first token that both searches have.
    fn join_segment(
        &mut self,
        encoder: &Encoder,
        doc: &[u8],
        range: &Range<usize>,
        done: &Done,
        beat: &mut impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        if range.start == 0 {
            self.ids.extend_from_slice(&done.ids);
            self.search.at = done.at;
            return Ok(());
        }
        let (mut next, mut at) = (0, range.start);
        while next < done.ids.len() {
            while next < done.ids.len() && at < self.search.at {
                at += encoder.token_len(done.ids[next]);
                next += 1;
            }
            if at == self.search.at && next > 0 && self.ids.last() == Some(&done.ids[next - 1]) {
                self.ids.extend_from_slice(&done.ids[next..]);
                self.search.at = done.at;
                return Ok(());
            }
            let until = self.search.at + 1;
            encoder.run(doc, &mut self.search, until, &mut self.ids);
            beat()?;
        }
        // No token in common: this search goes on alone up to the next segment.
        let (search, ids) = (&mut self.search, &mut self.ids);
        encoder.search_beating(doc, search, range.end, &mut |_| beat(), ids)
    }
}
