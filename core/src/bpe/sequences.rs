//! Distinct sequences of ids with their counts: words whose letters are tokens.
//!
//! Most sequences occur once, and a table of them would take several times their own room. So a table
//! that is full writes down what occurred once and keeps the rest; memory is that of what repeats.

use std::path::Path;

use super::counts::WordCounts;
use super::spool::{Spool, Spooled};
use crate::error::Error;

/// Ids from which on a sequence is hardly met twice: it is written down at once.
const LONG: usize = 7;
/// Sequences at which a table counts as full at first, about 6 MB; later ones were half empty before.
const FULL: usize = 1 << 17;
/// What a table takes for a word beside its letters: an entry, and its place in the index.
const WORD_BYTES: usize = 32;
/// Text that a table makes room for at first, to look up its sequences.
const EXPECTED_BYTES: usize = 1 << 24;

/// Sequences that are being counted, in words of two bytes an id, or four where ids are large.
pub struct SequenceCounts {
    counts: WordCounts,
    wide: bool,
    word: Vec<u8>,
    full: usize,
    /// Where a full table's sequences go; None: it never counts as full.
    once: Option<Spool>,
}

/// Sequences, each with a 64-bit count; one may be there several times.
pub struct Sequences {
    counts: WordCounts,
    wide: bool,
    /// Those that count once.
    once: Option<Spooled>,
}

impl SequenceCounts {
    /// An empty table for ids below `vocab_size`, which writes to `folder`.
    pub fn new(vocab_size: usize, folder: &Path) -> Result<Self, Error> {
        let mut table = Self::distinct(vocab_size);
        table.counts.expect(EXPECTED_BYTES);
        table.once = Some(Spool::new(folder, vocab_size)?);
        Ok(table)
    }

    /// An empty table that writes nothing: each sequence is in it once.
    pub fn distinct(vocab_size: usize) -> Self {
        let wide = vocab_size > 1 << 16;
        Self { counts: WordCounts::new(), wide, word: Vec::new(), full: FULL, once: None }
    }

    /// Adds `count` occurrences of a sequence.
    pub fn add(&mut self, ids: &[u32], count: u64) -> Result<(), Error> {
        if let Some(once) = &mut self.once {
            if count == 1 && ids.len() >= LONG {
                return once.add(ids);
            }
            if self.counts.len() >= self.full {
                self.full = write_down(&mut self.counts, self.wide, once)?;
            }
        }
        self.word.clear();
        for id in ids.iter().map(|id| id.to_le_bytes()) {
            self.word.extend_from_slice(if self.wide { &id } else { &id[..2] });
        }
        self.counts.add(&self.word, count)
    }

    /// Ends the counting.
    pub fn finish(self) -> Result<Sequences, Error> {
        let Self { counts, wide, once, .. } = self;
        Ok(Sequences { counts, wide, once: once.map(Spool::finish).transpose()? })
    }

    /// About the bytes that the table takes, room for what is to come included.
    pub(super) fn held_bytes(&self) -> usize {
        2 * (self.counts.len() * WORD_BYTES + self.counts.distinct_bytes())
    }

    /// Places that the sequences of the table take in an array, with the gaps between them.
    pub(super) fn places(&self) -> usize {
        let id_bytes = if self.wide { 4 } else { 2 };
        1 + self.counts.distinct_bytes() / id_bytes + self.counts.len()
    }

    /// Whether ids take four bytes.
    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }
}

/// Writes down what occurred once; returns the sequences at which the table counts as full again.
fn write_down(counts: &mut WordCounts, wide: bool, once: &mut Spool) -> Result<usize, Error> {
    let mut ids = Vec::new();
    counts.drain_single(|word| {
        read_ids(word, wide, &mut ids);
        once.add(&ids)
    })?;
    Ok(FULL.max(2 * counts.len()))
}

/// Told each sequence with its count.
pub(super) type VisitSequence<'a> = &'a mut dyn FnMut(&[u32], u64) -> Result<(), Error>;

impl Sequences {
    /// Sequences.
    pub fn len(&self) -> usize {
        self.counts.len() + self.once.as_ref().map_or(0, Spooled::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit(ids, count)` for each, in the same order whenever it is called.
    pub(super) fn for_each(&self, visit: VisitSequence<'_>) -> Result<(), Error> {
        let mut ids = Vec::new();
        for (word, count) in self.counts.iter() {
            read_ids(word, self.wide, &mut ids);
            visit(&ids, count)?;
        }
        let Some(once) = &self.once else { return Ok(()) };
        once.for_each(|_| Ok(()), |ids| visit(ids, 1))
    }
}

/// Puts the ids of a word into a buffer.
fn read_ids(word: &[u8], wide: bool, ids: &mut Vec<u32>) {
    let id = |id: &[u8]| id.iter().rev().fold(0, |id, &byte| id << 8 | u32::from(byte));
    ids.clear();
    ids.extend(word.chunks_exact(if wide { 4 } else { 2 }).map(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(counts: SequenceCounts) -> Vec<(Vec<u32>, u64)> {
        let mut got = Vec::new();
        let keep = &mut |ids: &[u32], count| {
            got.push((ids.to_vec(), count));
            Ok(())
        };
        counts.finish().unwrap().for_each(keep).unwrap();
        got
    }

    #[test]
    fn sequences_come_back_in_both_widths() {
        for vocab_size in [1 << 16, 1 << 20] {
            let mut counts = SequenceCounts::new(vocab_size, &std::env::temp_dir()).unwrap();
            counts.add(&[1, 65534, 256], 2).unwrap();
            counts.add(&[1, 65534, 256], 3).unwrap();
            let long: Vec<u32> = (0..9).collect();
            counts.add(&long, 1).unwrap();
            assert_eq!(all(counts), [(vec![1, 65534, 256], 5), (long, 1)]);
        }
    }

    #[test]
    fn a_full_table_keeps_what_repeats_and_loses_nothing() {
        let mut counts = SequenceCounts::new(1 << 20, &std::env::temp_dir()).unwrap();
        counts.full = 4;
        for id in [7, 7, 8, 9, 10, 11, 7, 8, 12, 13, 14, 7] {
            counts.add(&[id, 1], 1).unwrap();
        }
        let mut total = std::collections::BTreeMap::new();
        let got = all(counts);
        got.iter().for_each(|(ids, count)| *total.entry(ids[0]).or_insert(0) += count);
        let expected = [(7, 4), (8, 2), (9, 1), (10, 1), (11, 1), (12, 1), (13, 1), (14, 1)];
        assert_eq!(total, expected.into());
        assert!(got.contains(&(vec![7, 1], 4)));
    }
}
