//! Distinct sequences of ids with their counts: words whose letters are tokens.

use super::counts::WordCounts;
use crate::error::Error;

/// Sequences over a vocabulary of at most that many ids, each with a 64-bit count.
///
/// Kept as words of two bytes an id, or four where ids are large: the same table, the same merging.
pub struct SequenceCounts {
    counts: WordCounts,
    wide: bool,
    word: Vec<u8>,
}

impl SequenceCounts {
    /// An empty table for ids below `vocab_size`; `expected_bytes`: about how much text is to come.
    pub fn new(vocab_size: usize, expected_bytes: usize) -> Self {
        let mut counts = WordCounts::new();
        counts.expect(expected_bytes);
        Self { counts, wide: vocab_size > 1 << 16, word: Vec::new() }
    }

    /// Adds `count` occurrences of a sequence.
    pub fn add(&mut self, ids: &[u32], count: u64) -> Result<(), Error> {
        self.word.clear();
        for id in ids.iter().map(|id| id.to_le_bytes()) {
            self.word.extend_from_slice(if self.wide { &id } else { &id[..2] });
        }
        self.counts.add(&self.word, count)
    }

    /// Adds all sequences of another table over the same vocabulary.
    pub fn absorb(&mut self, other: &SequenceCounts) -> Result<(), Error> {
        self.counts.absorb(&other.counts)
    }

    /// Distinct sequences.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Ids of all distinct sequences.
    pub fn distinct_ids(&self) -> usize {
        self.counts.distinct_bytes() / self.id_bytes()
    }

    /// The sequences as bytes, which [`SequenceCounts::ids`] reads, with their counts.
    pub(super) fn words(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.counts.iter()
    }

    /// The ids of a sequence.
    pub(super) fn ids<'a>(&self, word: &'a [u8]) -> impl ExactSizeIterator<Item = u32> + 'a {
        word.chunks_exact(self.id_bytes())
            .map(|id| id.iter().rev().fold(0, |id, &byte| id << 8 | u32::from(byte)))
    }

    pub(super) fn id_bytes(&self) -> usize {
        if self.wide {
            4
        } else {
            2
        }
    }
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
            let (word, count) = counts.words().next().unwrap();
            assert_eq!((counts.ids(word).collect::<Vec<_>>(), count), (vec![1, 65535, 256], 5));
            assert_eq!((counts.len(), counts.distinct_ids()), (1, 3));
        }
    }
}
