//! Writes counts files.

use std::io::{self, Write};

use super::crc::Crc;
use super::{BLOCK, LONGEST_HEADER, MAGIC};
use crate::error::{Error, Message};

/// Writes words in ascending order.
pub struct CountWriter<W> {
    out: W,
    place: String,
    buffer: Vec<u8>,
    crc: Crc,
    previous: Vec<u8>,
    words: u64,
}

impl<W: Write> CountWriter<W> {
    /// Starts a file; `place` names it in errors.
    pub fn new(out: W, place: &str, header: &[u8]) -> Result<Self, Error> {
        let len = u32::try_from(header.len()).ok().filter(|&len| len <= LONGEST_HEADER);
        let len = len.ok_or_else(|| {
            let problem = format!("a header of {} bytes is too long", header.len());
            Error::Config(Message::new(problem, "use at most 1 MiB"))
        })?;
        let buffer = [&MAGIC[..], &len.to_le_bytes(), header].concat();
        let crc = Crc::default();
        Ok(Self { out, place: place.into(), buffer, crc, previous: Vec::new(), words: 0 })
    }

    /// Adds a word, which must be greater than the one before, with a count of 1 or more.
    pub fn put(&mut self, word: &[u8], count: u64) -> Result<(), Error> {
        debug_assert!(self.words == 0 || *self.previous < *word, "words must ascend");
        let shared = word.iter().zip(&self.previous).take_while(|(new, old)| new == old).count();
        self.number(shared as u64);
        self.number((word.len() - shared) as u64);
        self.buffer.extend_from_slice(&word[shared..]);
        self.number(count);
        self.previous.truncate(shared);
        self.previous.extend_from_slice(&word[shared..]);
        self.words += 1;
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the file and gives back where it was written.
    pub fn finish(mut self) -> Result<W, Error> {
        self.buffer.extend_from_slice(&[0, 0]);
        self.buffer.extend_from_slice(&self.words.to_le_bytes());
        self.flush()?;
        self.buffer.extend_from_slice(&self.crc.value().to_le_bytes());
        self.flush()?;
        self.out.flush().map_err(|error| cannot_write(&error, &self.place))?;
        Ok(self.out)
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.buffer.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.buffer.push(number as u8);
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.crc.update(&self.buffer);
        self.out.write_all(&self.buffer).map_err(|error| cannot_write(&error, &self.place))?;
        self.buffer.clear();
        Ok(())
    }
}

/// The error for what the system said of a file that is written.
pub fn cannot_write(error: &io::Error, place: &str) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or write (and set TMPDIR for temporary files) where there is room"
        }
        _ => "write to another folder",
    };
    Error::Output(Message::new(format!("cannot be written: {error}"), hint).at(place))
}
