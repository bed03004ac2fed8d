//! Several counts files read as one: a heap with the current word of each.
//!
//! Invariant: each distinct word is visited once, in ascending order, with the sum of its counts. Memory: a
//! block and a word a file; more files than [`FAN_IN`] are first merged in groups (external merge sort).

use std::cmp::Ordering;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::collections::VecDeque;
use std::fs::{remove_file, File};
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::CountReader;
use super::write::{cannot_write, CountWriter};
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// Files that are open at the same time.
pub const FAN_IN: usize = 128;

/// Where counts are read from, as often as needed.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file by its name.
    Named(PathBuf),
    /// A file without a name, which vanishes with the process, however that ends.
    Unnamed(Arc<File>, PathBuf),
    /// A file's bytes.
    Bytes(Arc<[u8]>),
}

impl Source {
    fn open(&self) -> Result<CountReader, Error> {
        let place = self.place();
        let unread = |error: std::io::Error| {
            let problem = format!("cannot be read: {error}");
            Error::Input(Message::new(problem, "check the path").at(&*place))
        };
        let bytes: Box<dyn Read + Send> = match self {
            Self::Named(path) => Box::new(File::open(path).map_err(unread)?),
            Self::Unnamed(file, _) => {
                let mut file = file.try_clone().map_err(unread)?;
                file.rewind().map_err(unread)?;
                Box::new(file)
            }
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
        };
        CountReader::open(bytes, &place)
    }

    fn place(&self) -> String {
        match self {
            Self::Named(path) | Self::Unnamed(_, path) => path.display().to_string(),
            Self::Bytes(_) => "counts in memory".into(),
        }
    }
}

/// Counts files that are read as one.
#[derive(Clone, Debug, Default)]
pub struct CountFiles {
    sources: Vec<Source>,
}

impl CountFiles {
    /// Reads these as one.
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources }
    }

    /// Adds one more.
    pub fn push(&mut self, source: Source) {
        self.sources.push(source);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The header of each file.
    pub fn headers(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.sources.iter().map(|source| Ok(source.open()?.header().to_vec())).collect()
    }

    /// Visits each distinct word with its count; every file is held to its checksum by the end.
    pub fn for_each(
        &self,
        progress: &dyn Progress,
        mut visit: impl FnMut(&[u8], u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut ticker = Ticker::new(progress, "merge counts", 0);
        let mut heads = BinaryHeap::new();
        for source in &self.sources {
            heads.extend(Head::first(source)?);
        }
        let (mut word, mut count, mut words) = (Vec::new(), 0u64, 0u64);
        while let Some(mut head) = heads.peek_mut() {
            if head.0.word() != word {
                if count > 0 {
                    visit(&word, count)?;
                }
                word.clear();
                word.extend_from_slice(head.0.word());
                count = 0;
                words += 1;
                if words.is_multiple_of(1024) {
                    ticker.tick(words)?;
                }
            }
            count = count.checked_add(head.0.count()).ok_or_else(too_many)?;
            if !head.0.advance()? {
                PeekMut::pop(head);
            }
        }
        if count > 0 {
            visit(&word, count)?;
        }
        Ok(())
    }

    /// Merges groups of files until few enough are left; what is made has no name in `folder`.
    pub fn reduced(self, folder: &Path, progress: &dyn Progress) -> Result<Self, Error> {
        let mut sources = VecDeque::from(self.sources);
        while sources.len() > FAN_IN {
            let group = Self::new(sources.drain(..FAN_IN).collect());
            let merged = write_unnamed(folder, |out| {
                group.for_each(progress, |word, count| out.put(word, count))
            })?;
            sources.push_back(merged);
        }
        Ok(Self { sources: sources.into() })
    }

    /// Writes all words to one file.
    pub fn write(
        &self,
        out: File,
        place: &str,
        header: &[u8],
        progress: &dyn Progress,
    ) -> Result<u64, Error> {
        let mut out = CountWriter::new(out, place, header)?;
        let mut words = 0;
        self.for_each(progress, |word, count| {
            words += 1;
            out.put(word, count)
        })?;
        out.finish()?;
        Ok(words)
    }
}

/// Writes a counts file that has no name any more.
pub fn write_unnamed(
    folder: &Path,
    fill: impl FnOnce(&mut CountWriter<File>) -> Result<(), Error>,
) -> Result<Source, Error> {
    let (file, path) = create_unnamed(folder)?;
    let mut out = CountWriter::new(file, &path.display().to_string(), b"")?;
    fill(&mut out)?;
    Ok(Source::Unnamed(Arc::new(out.finish()?), path))
}

/// Creates a file and takes its name away: nothing is left of it, even after `kill -9`.
pub fn create_unnamed(folder: &Path) -> Result<(File, PathBuf), Error> {
    let failed = |error| cannot_write(&error, &folder.display().to_string());
    for attempt in 0u32.. {
        let name = format!(".tokforge-{}-{attempt}.tmp", std::process::id());
        let path = folder.join(name);
        let mut options = File::options();
        match options.read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                remove_file(&path).map_err(failed)?;
                return Ok((file, path));
            }
            // Another thread is between the two calls.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 10_000 => {
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(std::io::ErrorKind::AlreadyExists.into()))
}

/// A file at its current word; the greatest in a heap is the one of the least word.
struct Head(Box<CountReader>);

impl Head {
    fn first(source: &Source) -> Result<Option<Self>, Error> {
        let mut reader = Box::new(source.open()?);
        Ok(reader.advance()?.then_some(Self(reader)))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.word().cmp(self.0.word())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

fn too_many() -> Error {
    Error::Config(Message::new("the counts exceed 64 bits", "train on a sample"))
}
