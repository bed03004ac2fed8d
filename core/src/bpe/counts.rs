//! Counting distinct words: one flat table a thread, merged at the end.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::stretches::{for_each_stretch, Beat};
use crate::error::{Error, Message};
use crate::pretokenizers::Splitter;
use crate::progress::Progress;
use crate::recent::Recent;
use crate::short::Short;

/// Distinct words with 64-bit counts.
#[derive(Default)]
pub struct WordCounts {
    index: HashTable<u32>,
    words: Vec<Word>,
    arena: Vec<u8>,
    /// Indices of the words that came last.
    recent: Recent<Short, u32>,
    /// Words and letters at which the table counts as full; 0 for no bound.
    room: (usize, usize),
}

#[derive(Clone, Copy)]
struct Word {
    start: usize,
    len: u32,
    hash: u32,
    count: u64,
}

impl WordCounts {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty table that is full with that many words or letters; their memory is reserved.
    pub fn with_room(words: usize, letters: usize) -> Self {
        Self {
            index: HashTable::with_capacity(words),
            words: Vec::with_capacity(words),
            arena: Vec::with_capacity(letters),
            recent: Recent::default(),
            room: (words, letters),
        }
    }

    /// Whether a word should not be added before the table is emptied; never so without a bound.
    pub fn lacks_room_for(&self, word: &[u8]) -> bool {
        let (words, letters) = self.room;
        let is_full = self.words.len() >= words || self.arena.len() + word.len() > letters;
        words > 0 && is_full && !self.is_empty()
    }

    /// Makes room for looking up words of that many bytes of text.
    pub fn expect(&mut self, bytes: usize) {
        self.recent.expect(bytes);
    }

    /// Distinct words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether no word has been counted.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Bytes of all distinct words.
    pub fn distinct_bytes(&self) -> usize {
        self.arena.len()
    }

    /// Adds `count` occurrences of a word.
    pub fn add(&mut self, word: &[u8], count: u64) -> Result<(), Error> {
        if count == 0 || word.is_empty() {
            return Ok(());
        }
        let Self { index, words, arena, recent, .. } = self;
        let short = Short::of(word);
        let known = short.and_then(|short| recent.get(&short));
        let at = match known {
            Some(at) => at,
            None => find_or_insert(index, words, arena, word)?,
        };
        if let (Some(short), None) = (short, known) {
            recent.put(short, at);
        }
        let total = &mut words[at as usize].count;
        *total = total.checked_add(count).ok_or_else(too_many)?;
        Ok(())
    }

    /// Adds all words of another table.
    pub fn absorb(&mut self, other: &WordCounts) -> Result<(), Error> {
        other.iter().try_for_each(|(word, count)| self.add(word, count))
    }

    /// Words with their counts, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.words.iter().map(|word| (self.bytes(word), word.count))
    }

    /// Words with their counts, most frequent first, ties by bytes.
    pub fn sorted(&self) -> Vec<(&[u8], u64)> {
        let mut words: Vec<_> = self.iter().collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        words
    }

    /// Gives out all words in ascending order and forgets them; their memory stays reserved.
    pub fn drain_sorted(
        &mut self,
        mut visit: impl FnMut(&[u8], u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { index, words, arena, recent, .. } = self;
        let bytes = |word: &Word| &arena[word.start..word.start + word.len as usize];
        words.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        words.iter().try_for_each(|word| visit(bytes(word), word.count))?;
        index.clear();
        words.clear();
        arena.clear();
        recent.forget();
        // One word may have been longer than all the room there was.
        arena.shrink_to(self.room.1);
        Ok(())
    }

    /// Gives out the words that were counted once, and forgets them.
    pub fn drain_single(
        &mut self,
        mut visit: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut kept = Self { room: self.room, ..Self::default() };
        self.iter().try_for_each(|(word, count)| match count {
            1 => visit(word),
            _ => kept.add(word, count),
        })?;
        std::mem::swap(&mut kept.recent, &mut self.recent);
        kept.recent.forget();
        *self = kept;
        Ok(())
    }

    fn bytes(&self, word: &Word) -> &[u8] {
        &self.arena[word.start..word.start + word.len as usize]
    }
}

/// The index of a word, which is added with a count of 0 where it is new.
fn find_or_insert(
    index: &mut HashTable<u32>,
    words: &mut Vec<Word>,
    arena: &mut Vec<u8>,
    word: &[u8],
) -> Result<u32, Error> {
    let hash = hash_of(word);
    let same = |&at: &u32| {
        let known = &words[at as usize];
        known.hash == hash as u32
            && known.len as usize == word.len()
            && &arena[known.start..known.start + word.len()] == word
    };
    if let Some(&at) = index.find(hash, same) {
        return Ok(at);
    }
    let len = u32::try_from(word.len()).map_err(|_| too_long(word.len()))?;
    let at = u32::try_from(words.len()).map_err(|_| too_many())?;
    words.push(Word { start: arena.len(), len, hash: hash as u32, count: 0 });
    arena.extend_from_slice(word);
    // Only the low half of a hash is kept, which is all that growing the table needs again.
    index.insert_unique(hash, at, |&at| spread(words[at as usize].hash));
    Ok(at)
}

/// Splits documents and adds each pretoken `weight` times to `tables`, one table a thread.
///
/// The sum over the tables does not depend on their number.
pub fn count_documents(
    tables: &mut [WordCounts],
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
            table.add(&stretch[start..end], weight)
        })
    };
    for_each_stretch(tables, splitter, documents, ("count", progress), work)
}

/// A hash of a word, the same in every process.
pub fn hash_of(word: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(word);
    spread(hasher.finish() as u32)
}

/// Makes the 64 bits that the table wants of the 32 that a word keeps.
#[inline(always)]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_0000_0000 | u64::from(hash)
}

pub(super) fn too_many() -> Error {
    Error::Config(Message::new(
        "the counts exceed 64 bits, or the distinct words 32 bits",
        "train on a sample",
    ))
}

fn too_long(len: usize) -> Error {
    Error::Config(Message::new(
        format!("a word of {len} bytes exceeds 4 GiB"),
        "use --pretokenizer none for unsplit data",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_32_bits_are_kept() {
        let mut counts = WordCounts::new();
        counts.add(b"ab", 1 << 40).unwrap();
        counts.add(b"ab", 1).unwrap();
        assert_eq!(counts.sorted(), [(&b"ab"[..], (1 << 40) + 1)]);
        assert!(matches!(counts.add(b"ab", u64::MAX), Err(Error::Config(_))));
    }

    #[test]
    fn many_words_survive_growth() {
        let mut counts = WordCounts::new();
        for round in 0..2 {
            for word in 0..50_000u32 {
                counts.add(&word.to_le_bytes(), u64::from(round + word)).unwrap();
            }
        }
        assert_eq!(counts.len(), 50_000);
        assert!(counts.iter().all(|(word, count)| {
            let word = u32::from_le_bytes(word.try_into().unwrap());
            count == u64::from(2 * word + 1)
        }));
    }
}
