//! Applying merges to the words of all columns at once, and noting what each does to the counts.
//!
//! Definition: the count of a pair is the number of its windows within words (`a a a` holds (a, a)
//! twice), times the word's count. Merge t is judged by the counts before it is applied. An occurrence
//! is replaced from left to right; each replacement takes (x, left), (left, right), (right, y) away and
//! adds (x, merged), (merged, y), so a merge costs only its own occurrences.
//! Complexity: O(bytes of distinct words + replacements x columns of a word), beside the hashing.

use rustc_hash::{FxHashMap, FxHashSet};

use super::history::History;
use super::sequence::{Sequence, GAP};
use super::table::Table;
use crate::bpe::Merge;
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// A merge list and what its ids mean.
pub struct Merges<'a> {
    /// (left, right, merged) ids in the order they are applied.
    pub merges: &'a [Merge],
    /// Bytes of each token; 0 where an id has none.
    pub lens: &'a [u32],
    /// Id of each byte.
    pub byte_ids: &'a [u32; 256],
}

/// Counts by category of a word, as sparse rows.
struct Weights {
    ends: Vec<usize>,
    entries: Vec<(u32, u64)>,
}

impl Weights {
    fn of(&self, word: usize) -> &[(u32, u64)] {
        let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[word]]
    }
}

/// Replays `merges` over the words; `category_of` names the category of each column.
///
/// With `only`, changes are noted for these pairs alone: so many columns cost little.
/// Fails with [`Error::Format`] where a merge names an id without bytes, [`Error::Config`] if a total
/// exceeds 63 bits.
pub fn replay(
    table: &Table,
    category_of: &[u32],
    merges: &Merges<'_>,
    only: Option<&[(u32, u32)]>,
    progress: &dyn Progress,
) -> Result<History, Error> {
    check(merges)?;
    let by_column = weights(table, |column| column);
    let by_category =
        weights(table, |column| category_of.get(column as usize).copied().unwrap_or_default());
    let categories = category_of.iter().max().map_or(0, |&last| last as usize + 1);
    let sequence = Sequence::new(table, merges.byte_ids)?;
    let mut replayer = Replayer {
        sequence,
        by_category,
        by_column,
        wanted: merges.merges.iter().map(|&(left, right, _)| (key(left, right), vec![])).collect(),
        changes: Changes::new(categories, only),
        history: History::new(categories, category_of.len()),
    };
    replayer.begin()?;
    let mut ticker = Ticker::new(progress, "merge", merges.merges.len() as u64);
    for (step, &merge) in merges.merges.iter().enumerate() {
        replayer.step(merge, merges.lens);
        ticker.tick(step as u64)?;
    }
    ticker.finish()?;
    Ok(replayer.history)
}

struct Replayer {
    sequence: Sequence,
    by_category: Weights,
    by_column: Weights,
    /// Offsets of the pairs that are still to be merged; an offset may be stale.
    wanted: FxHashMap<u64, Vec<u32>>,
    changes: Changes,
    history: History,
}

impl Replayer {
    /// Counts the pairs of the unmerged words.
    fn begin(&mut self) -> Result<(), Error> {
        let Self { sequence, by_category, by_column, wanted, changes, history } = self;
        let mut totals = vec![0u64; history.columns()];
        let mut sound = true;
        sequence.for_each_byte_pair(|offset, left, right| {
            let word = sequence.word_at(offset);
            let key = key(left, right);
            if let Some(offsets) = wanted.get_mut(&key) {
                offsets.push(offset as u32);
            }
            changes.add(key, by_category.of(word), 1);
            for &(column, count) in by_column.of(word) {
                let total = &mut totals[column as usize];
                *total = total.saturating_add(count);
                sound &= *total < i64::MAX as u64 / history_headroom();
            }
        });
        if !sound {
            return Err(Error::Config(Message::new(
                "the counts of a category exceed 62 bits",
                "divide all counts by a common factor",
            )));
        }
        history.begin(changes, totals);
        Ok(())
    }

    fn step(&mut self, (left, right, merged): Merge, lens: &[u32]) {
        let len = |id: u32| lens[id as usize] as usize;
        let (left_len, right_len) = (len(left), len(right));
        let mut offsets = self.wanted.remove(&key(left, right)).unwrap_or_default();
        // Only where one token has two merges do its pairs gather over several steps, out of order.
        if !offsets.is_sorted_by(|a, b| a < b) {
            offsets.sort_unstable();
            offsets.dedup();
        }
        offsets.retain(|&at| self.sequence.holds(at as usize, left, left_len, right));
        let counts = self.history.next_merge(left, right);
        for &offset in &offsets {
            for &(column, count) in self.by_column.of(self.sequence.word_at(offset as usize)) {
                counts[column as usize] += count;
            }
        }
        for &offset in &offsets {
            let offset = offset as usize;
            if self.sequence.holds(offset, left, left_len, right) {
                self.replace(offset, (left, left_len), (right, right_len), merged, lens);
            }
        }
        self.history.record(&mut self.changes);
    }

    fn replace(
        &mut self,
        offset: usize,
        (left, left_len): (u32, usize),
        (right, right_len): (u32, usize),
        merged: u32,
        lens: &[u32],
    ) {
        let Self { sequence, by_category, wanted, changes, .. } = self;
        let weights = by_category.of(sequence.word_at(offset));
        let (before, after) = (sequence.before(offset), sequence.at(offset + left_len + right_len));
        sequence.join(offset, left_len, right_len, merged);
        changes.add(key(left, right), weights, -1);
        if before != GAP {
            changes.add(key(before, left), weights, -1);
            changes.add(key(before, merged), weights, 1);
            if let Some(offsets) = wanted.get_mut(&key(before, merged)) {
                offsets.push((offset - lens[before as usize] as usize) as u32);
            }
        }
        if after != GAP {
            changes.add(key(right, after), weights, -1);
            changes.add(key(merged, after), weights, 1);
            if let Some(offsets) = wanted.get_mut(&key(merged, after)) {
                offsets.push(offset as u32);
            }
        }
    }
}

/// Changes of counts within one step, summed by pair.
pub struct Changes {
    categories: usize,
    only: Option<FxHashSet<u64>>,
    slots: FxHashMap<u64, u32>,
    sums: Vec<i64>,
}

impl Changes {
    fn new(categories: usize, only: Option<&[(u32, u32)]>) -> Self {
        let only = only.map(|pairs| pairs.iter().map(|&(left, right)| key(left, right)).collect());
        Self { categories, only, slots: FxHashMap::default(), sums: Vec::new() }
    }

    #[inline]
    fn add(&mut self, key: u64, weights: &[(u32, u64)], sign: i64) {
        if self.only.as_ref().is_some_and(|only| !only.contains(&key)) {
            return;
        }
        let next = (self.sums.len() / self.categories.max(1)) as u32;
        let slot = *self.slots.entry(key).or_insert(next);
        if slot == next {
            self.sums.resize(self.sums.len() + self.categories, 0);
        }
        let start = slot as usize * self.categories;
        let sums = &mut self.sums[start..start + self.categories];
        for &(category, count) in weights {
            sums[category as usize] += sign * count as i64;
        }
    }

    /// Gives out all (pair, sums by category), pairs ascending, and forgets them.
    pub fn drain(&mut self, mut f: impl FnMut(u64, &[i64])) {
        let mut slots: Vec<_> = self.slots.drain().collect();
        slots.sort_unstable();
        for (key, slot) in slots {
            let start = slot as usize * self.categories;
            f(key, &self.sums[start..start + self.categories]);
        }
        self.sums.clear();
    }
}

/// A pair as one number.
#[inline]
pub fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Sums over columns must fit as well; there are far fewer than this many of them.
const fn history_headroom() -> u64 {
    1 << 16
}

fn weights(table: &Table, group: impl Fn(u32) -> u32) -> Weights {
    let (mut ends, mut entries) = (Vec::with_capacity(table.word_ends.len()), Vec::new());
    for (_, columns) in table.words() {
        let start = entries.len();
        for (column, count) in columns {
            let group = group(column);
            match entries[start..].iter_mut().find(|entry: &&mut (u32, u64)| entry.0 == group) {
                Some(entry) => entry.1 += count,
                None => entries.push((group, count)),
            }
        }
        ends.push(entries.len());
    }
    Weights { ends, entries }
}

fn check(merges: &Merges<'_>) -> Result<(), Error> {
    let has_bytes = |id: u32| merges.lens.get(id as usize).is_some_and(|&len| len > 0);
    for (rank, &(left, right, merged)) in merges.merges.iter().enumerate() {
        let sound = [left, right, merged].into_iter().all(has_bytes)
            && merges.lens[left as usize] + merges.lens[right as usize]
                == merges.lens[merged as usize];
        if !sound {
            return Err(Error::Format(Message::new(
                format!("merge {rank} ({left}, {right}) -> {merged} joins no two tokens"),
                "drop the merge",
            )));
        }
    }
    Ok(())
}
