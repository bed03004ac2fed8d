//! Reads counts files, and refuses every one that is not whole.

use std::io::Read;

use super::crc::Crc;
use super::{BLOCK, LONGEST_HEADER, MAGIC};
use crate::error::{Error, Message};

/// Reads words in their order.
///
/// The checksum stands at the end: what is read is certain only when [`CountReader::advance`] has
/// returned false.
pub struct CountReader {
    source: Box<dyn Read + Send>,
    place: String,
    buffer: Vec<u8>,
    at: usize,
    crc: Crc,
    header: Vec<u8>,
    word: Vec<u8>,
    count: u64,
    words: u64,
}

impl CountReader {
    /// Reads the header; `place` names the file in errors.
    pub fn open(source: Box<dyn Read + Send>, place: &str) -> Result<Self, Error> {
        let (buffer, crc) = (Vec::with_capacity(BLOCK), Crc::default());
        let (header, word) = (Vec::new(), Vec::new());
        let place = place.into();
        let mut reader =
            Self { source, place, buffer, at: 0, crc, header, word, count: 0, words: 0 };
        let magic: [u8; 8] = reader.array()?;
        if magic[..6] != MAGIC[..6] || magic[7] != MAGIC[7] {
            return Err(reader.error("is no counts file", "give what `tokforge count` wrote"));
        }
        if magic != *MAGIC {
            let problem = format!("is a counts file of version {}, and this reads 1", magic[6]);
            return Err(reader.error(problem, "use the release that wrote it, or count again"));
        }
        let len = u32::from_le_bytes(reader.array()?);
        if len > LONGEST_HEADER {
            return Err(reader.malformed("its header is too long"));
        }
        reader.header = (0..len).map(|_| reader.byte()).collect::<Result<_, _>>()?;
        Ok(reader)
    }

    /// What the writer said of how the words were cut.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Goes to the next word; false behind the last one, once the checksum is found to be right.
    pub fn advance(&mut self) -> Result<bool, Error> {
        let (shared, rest) = (self.number()?, self.number()?);
        if (shared, rest) == (0, 0) {
            return self.end().map(|()| false);
        }
        let shared = usize::try_from(shared).unwrap_or(usize::MAX);
        if shared > self.word.len() || rest == 0 {
            return Err(self.malformed("a word shares more than there is"));
        }
        let next = self.word.get(shared).copied();
        self.word.truncate(shared);
        self.append(rest)?;
        // The first new byte alone decides the order.
        if self.words > 0 && next.is_some_and(|old| self.word[shared] <= old) {
            return Err(self.malformed("its words are not in order"));
        }
        self.count = self.number()?;
        if self.count == 0 {
            return Err(self.malformed("a word occurs 0 times"));
        }
        self.words += 1;
        Ok(true)
    }

    /// The current word.
    pub fn word(&self) -> &[u8] {
        &self.word
    }

    /// Its count.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn end(&mut self) -> Result<(), Error> {
        let words = u64::from_le_bytes(self.array()?);
        self.crc.update(&self.buffer[..self.at]);
        self.buffer.drain(..self.at);
        self.at = 0;
        let found = self.crc.value();
        let crc = u32::from_le_bytes(self.array()?);
        if words != self.words || crc != found {
            return Err(self.malformed("its checksum is wrong"));
        }
        if self.at < self.buffer.len() || self.fill()? {
            return Err(self.malformed("bytes follow its end"));
        }
        Ok(())
    }

    /// Adds the next `rest` bytes to the word, a block at a time: a false length allocates nothing.
    fn append(&mut self, mut rest: u64) -> Result<(), Error> {
        while rest > 0 {
            if self.at == self.buffer.len() && !self.fill()? {
                return Err(self.ends_early());
            }
            let here = &self.buffer[self.at..];
            let taken = here.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
            self.word.extend_from_slice(&here[..taken]);
            self.at += taken;
            rest -= taken as u64;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<u64, Error> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number exceeds 64 bits"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Error> {
        if self.at == self.buffer.len() && !self.fill()? {
            return Err(self.ends_early());
        }
        self.at += 1;
        Ok(self.buffer[self.at - 1])
    }

    /// Replaces the buffer, all of which was read, by the next block; false at the end.
    fn fill(&mut self) -> Result<bool, Error> {
        self.crc.update(&self.buffer);
        self.buffer.clear();
        self.at = 0;
        let read = self.source.by_ref().take(BLOCK as u64).read_to_end(&mut self.buffer);
        read.map_err(|error| {
            let problem = format!("cannot be read: {error}");
            self.error(problem, "check the disk it is on")
        })?;
        Ok(!self.buffer.is_empty())
    }

    fn ends_early(&self) -> Error {
        self.malformed("it ends early")
    }

    fn malformed(&self, what: &str) -> Error {
        self.error(format!("is damaged: {what}"), "copy it again, or count again")
    }

    fn error(&self, problem: impl Into<String>, hint: &str) -> Error {
        Error::Input(Message::new(problem, hint).at(&*self.place))
    }
}
