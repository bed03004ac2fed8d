//! The pairs that are tracked, and a bound on how many occurrences they list.
//!
//! Invariant: `listed` is the length of all lists. Where a merge makes it pass the bound, the rarest pairs
//! are let go until half is left, and the floor rises above them: exact, as any floor is (see
//! [`super::scan`]). Sorting then costs little a merge, since half the bound must be listed anew before the next.

use rustc_hash::FxHashMap;

use super::scan::{Pairs, Tracked};

/// Tracked pairs by key.
pub struct Tracking<P> {
    pairs: Pairs<P>,
    listed: usize,
    most_listed: usize,
}

impl<P> Tracking<P> {
    /// Tracks nothing; lists at most so many occurrences.
    pub fn new(most_listed: usize) -> Self {
        Self { pairs: FxHashMap::default(), listed: 0, most_listed }
    }

    /// Occurrences that may be listed.
    pub fn most_listed(&self) -> usize {
        self.most_listed
    }

    /// Lets go of all pairs.
    pub fn clear(&mut self) {
        self.pairs = FxHashMap::default();
        self.listed = 0;
    }

    /// Tracks these pairs alone.
    pub fn replace(&mut self, pairs: Pairs<P>) {
        self.pairs = pairs;
        self.listed = self.pairs.values().map(|pair| pair.offsets.len()).sum();
    }

    /// Each pair's key and count.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.pairs.iter().map(|(&key, pair)| (key, pair.count))
    }

    /// A pair, if it is tracked.
    pub fn get(&self, key: u64) -> Option<&Tracked<P>> {
        self.pairs.get(&key)
    }

    /// Lets go of a pair and returns its occurrences.
    pub fn remove(&mut self, key: u64) -> Vec<P> {
        let offsets = self.pairs.remove(&key).map(|pair| pair.offsets).unwrap_or_default();
        self.listed -= offsets.len();
        offsets
    }

    /// Takes `weight` from a pair's count; one that falls below the floor is let go.
    pub fn lose(&mut self, key: u64, weight: u64, floor: u64) {
        let Some(pair) = self.pairs.get_mut(&key) else { return };
        pair.count -= weight;
        if pair.count < floor {
            self.remove(key);
        }
    }

    /// Tracks one more pair.
    pub fn gain(&mut self, key: u64, pair: Tracked<P>) {
        self.listed += pair.offsets.len();
        self.pairs.insert(key, pair);
    }

    /// Keeps within the bound; returns the new floor if pairs were let go.
    pub fn fit(&mut self) -> Option<u64> {
        if self.listed <= self.most_listed {
            return None;
        }
        let mut pairs: Vec<_> =
            self.pairs.values().map(|pair| (pair.count, pair.offsets.len())).collect();
        pairs.sort_unstable_by_key(|&(count, _)| std::cmp::Reverse(count));
        let mut floor = pairs.first()?.0;
        let mut kept = 0;
        for (count, sites) in pairs {
            kept += sites;
            // All pairs of a count stay or go together, and those of the highest always stay.
            if kept > self.most_listed / 2 && count < floor {
                break;
            }
            floor = count;
        }
        self.pairs.retain(|_, pair| pair.count >= floor);
        self.listed = self.pairs.values().map(|pair| pair.offsets.len()).sum();
        Some(floor)
    }
}
