//! Counting words in bounded memory: full tables are sorted and written down, and merged at the end.
//!
//! Invariant: the words of all runs and tables, added up, are those that were counted; so what is
//! learned does not depend on when or how often a table was full. A table's memory is reserved once
//! and never grows, words longer than all of it aside.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::count_file::merge::{write_unnamed, CountFiles, Source, FAN_IN};
use super::count_file::write::{cannot_write, CountWriter};
use super::counts::WordCounts;
use super::stretches::{for_each_stretch, Beat};
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::{Progress, Silent};

/// Bytes a table needs for a word: its entry, its place in the index just behind a doubling, 16 letters.
const WORD_BYTES: usize = 56;
/// Letters that are reserved for a word.
const LETTERS: usize = 16;
/// Fewer words at a time would only make more runs.
const FEWEST_WORDS: usize = 64;

/// Where full tables go.
pub struct Spill {
    folder: PathBuf,
    /// Whether runs keep their names, so that another process may go on with them.
    named: bool,
    runs: Mutex<Vec<Source>>,
    next: AtomicU64,
}

impl Spill {
    /// Writes to `folder`; the first `done` named runs are there already.
    pub fn new(folder: &Path, named: bool, done: u64) -> Self {
        let runs = (0..done).map(|run| Source::Named(run_path(folder, run))).collect();
        Self { folder: folder.into(), named, runs: Mutex::new(runs), next: AtomicU64::new(done) }
    }

    /// Where runs are written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs written so far.
    pub fn runs(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Writes a table's words as a run and empties it.
    pub fn take(&self, table: &mut WordCounts) -> Result<(), Error> {
        if table.is_empty() {
            return Ok(());
        }
        let run = if self.named {
            self.write_named(table)?
        } else {
            write_unnamed(&self.folder, |out| {
                table.drain_sorted(|word, count| out.put(word, count))
            })?
        };
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(run);
        if !self.named && runs.len() >= FAN_IN {
            // Unnamed files stay open, and a process may open few.
            let files = CountFiles::new(std::mem::take(&mut runs));
            let fill = |out: &mut CountWriter<File>| {
                files.for_each(&Silent, |word, count| out.put(word, count))
            };
            runs.push(write_unnamed(&self.folder, fill)?);
        }
        Ok(())
    }

    /// Everything written, to be read as one.
    pub fn files(&self) -> CountFiles {
        CountFiles::new(self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn write_named(&self, table: &mut WordCounts) -> Result<Source, Error> {
        let path = run_path(&self.folder, self.next.fetch_add(1, Ordering::Relaxed));
        let place = path.display().to_string();
        let file = File::create(&path).map_err(|error| cannot_write(&error, &place))?;
        let mut out = CountWriter::new(file, &place, b"")?;
        table.drain_sorted(|word, count| out.put(word, count))?;
        out.finish()?.sync_all().map_err(|error| cannot_write(&error, &place))?;
        Ok(Source::Named(path))
    }
}

/// The file of a named run.
fn run_path(folder: &Path, run: u64) -> PathBuf {
    folder.join(format!("run-{run:06}.counts"))
}

/// Tables for that many threads which together take about `bytes`.
pub fn tables(threads: usize, bytes: usize) -> Vec<WordCounts> {
    let words = (bytes / threads / WORD_BYTES).max(FEWEST_WORDS);
    (0..threads).map(|_| WordCounts::with_room(words, LETTERS * words)).collect()
}

/// As [`super::counts::count_documents`], writing down each table that is full.
pub fn count_spilling(
    tables: &mut [WordCounts],
    spill: &Spill,
    splitter: &Splitter,
    documents: &[&[u8]],
    weight: u64,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let total: usize = documents.iter().map(|document| document.len()).sum();
    tables.iter_mut().for_each(|table| table.expect(total));
    let work = |table: &mut WordCounts, splitter: &Splitter, stretch: &[u8], beat: Beat| {
        let mut pieces = 0u32;
        splitter.for_each_piece(stretch, |start, end| {
            pieces = pieces.wrapping_add(1);
            if pieces.is_multiple_of(4096) {
                beat(end)?;
            }
            let word = &stretch[start..end];
            if table.lacks_room_for(word) {
                spill.take(table)?;
            }
            table.add(word, weight)
        })
    };
    for_each_stretch(tables, splitter, documents, ("count", progress), work)
}
