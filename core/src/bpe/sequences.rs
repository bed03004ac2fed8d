//! Distinct sequences of ids with their counts: words whose letters are tokens.

use super::counts::WordCounts;
use crate::error::Error;

/// Ids from which on a sequence is hardly met twice: it is kept as it is, beside the table, which would
/// take twice its memory and the search for it.
const LONG: usize = 7;
/// What a table takes for a word beside its letters: an entry, and its place in the index.
const WORD_BYTES: usize = 32;

/// Sequences over a vocabulary of at most that many ids, each with a 64-bit count; long ones may be in it
/// several times.
///
/// Kept as words of two bytes an id, or four where ids are large: the same table, the same merging.
pub struct SequenceCounts {
    counts: WordCounts,
    wide: bool,
    /// Ids from which on a sequence that comes once is kept as it is.
    long_from: usize,
    word: Vec<u8>,
    long: Vec<u8>,
    /// Where each long sequence ends.
    ends: Vec<usize>,
}

impl SequenceCounts {
    /// An empty table for ids below `vocab_size`; `expected_bytes`: about how much text is to come.
    pub fn new(vocab_size: usize, expected_bytes: usize) -> Self {
        let mut counts = WordCounts::new();
        counts.expect(expected_bytes);
        let wide = vocab_size > 1 << 16;
        let (word, long, ends) = (Vec::new(), Vec::new(), Vec::new());
        Self { counts, wide, long_from: LONG, word, long, ends }
    }

    /// An empty table in which each sequence is once, however long.
    pub fn distinct(vocab_size: usize) -> Self {
        Self { long_from: usize::MAX, ..Self::new(vocab_size, 0) }
    }

    /// Adds `count` occurrences of a sequence.
    pub fn add(&mut self, ids: &[u32], count: u64) -> Result<(), Error> {
        if count == 1 && ids.len() >= self.long_from {
            let wide = self.wide;
            let bytes = ids
                .iter()
                .flat_map(|id| id.to_le_bytes().into_iter().take(2 + 2 * usize::from(wide)));
            self.long.extend(bytes);
            self.ends.push(self.long.len());
            return Ok(());
        }
        self.word.clear();
        for id in ids.iter().map(|id| id.to_le_bytes()) {
            self.word.extend_from_slice(if self.wide { &id } else { &id[..2] });
        }
        self.counts.add(&self.word, count)
    }

    /// Sequences.
    pub fn len(&self) -> usize {
        self.counts.len() + self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About the bytes that all of it takes, room for what is to come included.
    pub(super) fn held_bytes(&self) -> usize {
        let vectors = self.long.capacity() + self.ends.capacity() * size_of::<usize>();
        vectors + 2 * (self.counts.len() * WORD_BYTES + self.counts.distinct_bytes())
    }

    /// Places that the sequences take in an array, with the gaps between them.
    pub(super) fn places(&self) -> usize {
        1 + (self.counts.distinct_bytes() + self.long.len()) / self.id_bytes() + self.len()
    }

    /// Whether ids take four bytes.
    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }

    /// The sequences as bytes, which [`sequence_ids`] reads, with their counts.
    pub(super) fn words(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let long = starts.zip(&self.ends).map(|(start, &end)| (&self.long[start..end], 1));
        self.counts.iter().chain(long)
    }

    /// Bytes of an id.
    pub(super) fn id_bytes(&self) -> usize {
        if self.wide {
            4
        } else {
            2
        }
    }
}

/// The ids of a sequence whose ids take `id_bytes` each.
pub(super) fn sequence_ids(
    word: &[u8],
    id_bytes: usize,
) -> impl ExactSizeIterator<Item = u32> + '_ {
    word.chunks_exact(id_bytes)
        .map(|id| id.iter().rev().fold(0, |id, &byte| id << 8 | u32::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_come_back_in_both_widths() {
        for vocab_size in [1 << 16, 1 << 20] {
            let mut counts = SequenceCounts::new(vocab_size, 0);
            counts.add(&[1, 65535, 256], 2).unwrap();
            counts.add(&[1, 65535, 256], 3).unwrap();
            let long: Vec<u32> = (0..9).collect();
            counts.add(&long, 1).unwrap();
            let (word, count) = counts.words().last().unwrap();
            let ids = sequence_ids(word, counts.id_bytes()).collect::<Vec<_>>();
            assert_eq!((ids, count), (long, 1));
            let (word, count) = counts.words().next().unwrap();
            let ids = sequence_ids(word, counts.id_bytes()).collect::<Vec<_>>();
            assert_eq!((ids, count, counts.len()), (vec![1, 65535, 256], 5, 2));
        }
    }
}
