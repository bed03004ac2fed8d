//! Sequences of ids, written down as they are found: read again as often as need be, held by no one.
//!
//! Definition: a file without a name, two bytes an id (four where ids are large), each sequence ended by
//! `END`. What is read is what was added, in its order. About half a byte for each byte of text; nothing
//! is left of it, even after `kill -9`. Complexity: linear; memory: a block.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::count_file::merge::create_unnamed;
use super::count_file::write::cannot_write;
use crate::error::Error;

/// Bytes written or read at a time; a multiple of an id.
const BLOCK: usize = 1 << 18;
/// Behind each sequence; no id is that large.
pub const END: u32 = u32::MAX;

/// Sequences on their way to disk.
pub struct Spool {
    spooled: Spooled,
    block: Vec<u8>,
}

/// Sequences on disk.
pub struct Spooled {
    file: File,
    path: PathBuf,
    wide: bool,
    bytes: u64,
    sequences: usize,
}

impl Spool {
    /// An empty spool in a folder, for ids below `vocab_size`.
    pub fn new(folder: &Path, vocab_size: usize) -> Result<Self, Error> {
        let (file, path) = create_unnamed(folder)?;
        let wide = vocab_size > usize::from(u16::MAX);
        let spooled = Spooled { file, path, wide, bytes: 0, sequences: 0 };
        Ok(Self { spooled, block: Vec::new() })
    }

    /// Adds a sequence.
    pub fn add(&mut self, ids: &[u32]) -> Result<(), Error> {
        self.extend(ids)?;
        self.end()
    }

    /// Adds ids to the sequence that has not ended.
    pub fn extend(&mut self, ids: &[u32]) -> Result<(), Error> {
        for id in ids.iter().map(|id| id.to_le_bytes()) {
            self.block.extend_from_slice(if self.spooled.wide { &id } else { &id[..2] });
        }
        if self.block.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends a sequence.
    pub fn end(&mut self) -> Result<(), Error> {
        self.spooled.sequences += 1;
        self.extend(&[END])
    }

    /// Ends the writing.
    pub fn finish(mut self) -> Result<Spooled, Error> {
        self.flush()?;
        Ok(self.spooled)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let Self { spooled, block } = self;
        spooled.file.write_all(block).map_err(|error| spooled.failed(&error))?;
        spooled.bytes += block.len() as u64;
        block.clear();
        Ok(())
    }
}

impl Spooled {
    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sequences in it.
    pub fn len(&self) -> usize {
        self.sequences
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sequences == 0
    }

    /// Calls `f` with every sequence, and `beat` with the bytes read, now and then.
    pub fn for_each(
        &self,
        beat: impl FnMut(u64) -> Result<(), Error>,
        mut f: impl FnMut(&[u32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut sequence = Vec::new();
        self.for_each_id(beat, |id| {
            if id == END {
                f(&sequence)?;
                sequence.clear();
            } else {
                sequence.push(id);
            }
            Ok(())
        })
    }

    /// Calls `f` with every id, [`END`] behind each sequence, and `beat` as [`Spooled::for_each`] does.
    pub fn for_each_id(
        &self,
        mut beat: impl FnMut(u64) -> Result<(), Error>,
        mut f: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(|error| self.failed(&error))?;
        let (mut block, mut done) = (vec![0; BLOCK], 0);
        while done < self.bytes {
            let len = BLOCK.min((self.bytes - done) as usize);
            file.read_exact(&mut block[..len]).map_err(|error| self.failed(&error))?;
            self.ids(&block[..len]).try_for_each(&mut f)?;
            done += len as u64;
            beat(done)?;
        }
        Ok(())
    }

    fn ids<'a>(&self, block: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let wide = self.wide;
        block.chunks_exact(if wide { 4 } else { 2 }).map(move |id| match *id {
            [a, b, c, d] if wide => u32::from_le_bytes([a, b, c, d]),
            [0xFF, 0xFF] => END,
            [a, b, ..] => u32::from(u16::from_le_bytes([a, b])),
            _ => END,
        })
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        cannot_write(error, &self.path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn gives_back_what_was_added(
            sequences in vec(vec(0..65535u32, 0..3000), 0..120), wide in any::<bool>(),
        ) {
            let vocab_size = if wide { 1 << 17 } else { 65535 };
            let mut spool = Spool::new(&std::env::temp_dir(), vocab_size).unwrap();
            sequences.iter().for_each(|sequence| spool.add(sequence).unwrap());
            let spool = spool.finish().unwrap();
            prop_assert_eq!(spool.len(), sequences.len());
            for _ in 0..2 {
                let (mut got, mut last) = (Vec::new(), 0);
                let keep = |sequence: &[u32]| {
                    got.push(sequence.to_vec());
                    Ok(())
                };
                let beat = |done| {
                    last = done;
                    Ok(())
                };
                spool.for_each(beat, keep).unwrap();
                prop_assert_eq!(&got, &sequences);
                prop_assert_eq!(last, spool.bytes());
            }
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Spool::new(Path::new("/nowhere"), 300).err().unwrap();
        assert!(matches!(error, Error::Output(_)), "{error:?}");
    }
}
