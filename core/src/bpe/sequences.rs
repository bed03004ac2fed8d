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

    /// Distinct sequences.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The sequences as bytes, which [`sequence_ids`] reads, with their counts.
    pub(super) fn words(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.counts.iter()
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
            let (word, count) = counts.words().next().unwrap();
            let ids = sequence_ids(word, counts.id_bytes()).collect::<Vec<_>>();
            assert_eq!((ids, count, counts.len()), (vec![1, 65535, 256], 5, 1));
        }
    }
}
