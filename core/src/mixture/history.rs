//! How the counts of all pairs change from merge to merge, in compact arrays.
//!
//! Invariant: state 0 plus the changes of steps 0..t gives the counts that merge t is judged by.
//! Memory: about 16 bytes for each (pair, category) whose count a step changes.

use rustc_hash::FxHashMap;

use super::heap::Pairs;
use super::replay::{key, Changes};

/// A merge whose pair occurs in no category.
pub const ABSENT: u32 = u32::MAX;

/// Counts of pairs by category at the start, and their changes by step.
pub struct History {
    categories: usize,
    columns: usize,
    ids: FxHashMap<u64, u32>,
    pairs: Vec<(u32, u32)>,
    totals: Vec<u64>,
    merge_pairs: Vec<u32>,
    merge_counts: Vec<u64>,
    /// End of the changes of state 0, then of each step.
    ends: Vec<usize>,
    changed: Vec<u32>,
    category: Vec<u32>,
    by: Vec<i64>,
}

/// A pair that outranks a merge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Violation {
    /// The step.
    pub step: u32,
    /// The pair.
    pub pair: u32,
    /// By how much.
    pub excess: f64,
}

/// What to look for: see [`History::sweep`].
pub struct Sweep<'a> {
    /// What one occurrence counts in each category.
    pub scale: &'a [f64],
    /// Slack of each step.
    pub step_slack: &'a [f64],
    /// Slack of each pair.
    pub pair_slack: &'a [f64],
    /// Steps to judge: from the first to the last, exclusive.
    pub steps: std::ops::Range<usize>,
    /// Every so many steps.
    pub stride: usize,
    /// Excess that is taken as none.
    pub tolerance: f64,
    /// Violations to report at each step.
    pub per_step: usize,
    /// Whether a reported pair has its excess added to its slack for the steps behind.
    pub charged: bool,
}

impl History {
    /// An empty history.
    pub fn new(categories: usize, columns: usize) -> Self {
        Self {
            categories,
            columns,
            ids: FxHashMap::default(),
            pairs: Vec::new(),
            totals: vec![0; columns],
            merge_pairs: Vec::new(),
            merge_counts: Vec::new(),
            ends: Vec::new(),
            changed: Vec::new(),
            category: Vec::new(),
            by: Vec::new(),
        }
    }

    /// Columns of the counts of merges.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Pairs of all words at the start, by column.
    pub fn totals(&self) -> &[u64] {
        &self.totals
    }

    /// (left, right) ids of each pair.
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// The pair of each merge, [`ABSENT`] where no category holds it at that step.
    pub fn merge_pairs(&self) -> &[u32] {
        &self.merge_pairs
    }

    /// Count of each merge's pair when it is merged, by column: steps x columns.
    pub fn merge_counts(&self) -> &[u64] {
        &self.merge_counts
    }

    pub(super) fn begin(&mut self, changes: &mut Changes, totals: Vec<u64>) {
        self.totals = totals;
        self.record(changes);
    }

    /// Notes which pair is merged next, and lends its counts to be filled in.
    pub(super) fn next_merge(&mut self, left: u32, right: u32) -> &mut [u64] {
        self.merge_pairs.push(self.ids.get(&key(left, right)).copied().unwrap_or(ABSENT));
        let start = self.merge_counts.len();
        self.merge_counts.resize(start + self.columns, 0);
        &mut self.merge_counts[start..]
    }

    /// Takes the changes of one step.
    pub(super) fn record(&mut self, changes: &mut Changes) {
        changes.drain(|key, sums| {
            if sums.iter().all(|&sum| sum == 0) {
                return;
            }
            let Self { ids, pairs, changed, category, by, .. } = self;
            let next = pairs.len() as u32;
            let pair = *ids.entry(key).or_insert(next);
            if pair == next {
                pairs.push(((key >> 32) as u32, key as u32));
            }
            for (at, &sum) in sums.iter().enumerate().filter(|(_, &sum)| sum != 0) {
                changed.push(pair);
                category.push(at as u32);
                by.push(sum);
            }
        });
        self.ends.push(self.changed.len());
        self.settle_absent();
    }

    /// A pair that is known but was gone when it was merged counts as absent too.
    fn settle_absent(&mut self) {
        let start = self.merge_counts.len().saturating_sub(self.columns);
        if let Some(last) = self.merge_pairs.last_mut() {
            if self.merge_counts[start..].iter().all(|&count| count == 0) {
                *last = ABSENT;
            }
        }
    }

    /// Finds, step by step, the pairs that outrank the merge under given shares and slacks.
    ///
    /// With s_p = sum over categories of `scale` x count: pair p violates step t where
    /// s_p - pair_slack_p > s_m + step_slack_t + tolerance. The worst `per_step` are reported, worst
    /// first, ties by pair. Steps whose merge is absent are skipped. With `charged` a pair comes again only
    /// where it outranks by more than before: what is reported of it adds up to its worst excess.
    /// Complexity: O(changes + reported x log pairs).
    pub fn sweep(&self, sweep: &Sweep<'_>) -> Vec<Violation> {
        let mut shares = vec![0.0; self.pairs.len()];
        self.apply(0, sweep.scale, &mut shares, |_, _| {});
        let mut slack = sweep.pair_slack.to_vec();
        slack.resize(self.pairs.len(), 0.0);
        let start = shares.iter().enumerate().filter(|(_, &share)| share > 0.0);
        let mut queue = Pairs::new(start.map(|(pair, &share)| (pair as u32, share - slack[pair])));
        let mut found: Vec<Violation> = Vec::new();
        for step in 0..sweep.steps.end.min(self.merge_pairs.len()) {
            let merged = self.merge_pairs[step];
            let judged = step >= sweep.steps.start
                && (step - sweep.steps.start).is_multiple_of(sweep.stride.max(1));
            if judged && merged != ABSENT {
                let own = sweep.step_slack.get(step).copied().unwrap_or_default();
                let cutoff = shares[merged as usize] + own + sweep.tolerance;
                let mut left = sweep.per_step;
                let (before, priority) =
                    (found.len(), |pair: u32| shares[pair as usize] - slack[pair as usize]);
                queue.above(cutoff, priority, |pair, priority| {
                    if pair != merged {
                        let excess = priority - (cutoff - sweep.tolerance);
                        found.push(Violation { step: step as u32, pair, excess });
                        left -= 1;
                    }
                    left > 0
                });
                for one in found[before..].iter().filter(|_| sweep.charged) {
                    slack[one.pair as usize] += one.excess;
                }
            }
            self.apply(step + 1, sweep.scale, &mut shares, |pair, share| {
                queue.push(pair, share - slack[pair as usize]);
            });
        }
        found
    }

    /// Adds the changes that lead to a state; calls `risen` for each pair whose share grew.
    fn apply(
        &self,
        state: usize,
        scale: &[f64],
        shares: &mut [f64],
        mut risen: impl FnMut(u32, f64),
    ) {
        let end = self.ends.get(state).copied().unwrap_or_default();
        let mut at = state.checked_sub(1).map_or(0, |before| self.ends[before]);
        while at < end {
            let pair = self.changed[at];
            let mut by = 0.0;
            while at < end && self.changed[at] == pair {
                by += scale[self.category[at] as usize] * self.by[at] as f64;
                at += 1;
            }
            let share = &mut shares[pair as usize];
            *share += by;
            if by > 0.0 {
                risen(pair, *share);
            }
        }
    }

    /// Counts of pairs at steps, queries x categories. Steps must ascend.
    pub fn counts(&self, queries: &[(u32, u32)]) -> Vec<i64> {
        let n = self.categories;
        let mut slots = vec![u32::MAX; self.pairs.len()];
        let mut sums: Vec<i64> = Vec::new();
        for &(_, pair) in queries {
            if let Some(slot) = slots.get_mut(pair as usize).filter(|slot| **slot == u32::MAX) {
                *slot = (sums.len() / n.max(1)) as u32;
                sums.resize(sums.len() + n, 0);
            }
        }
        let mut counts = vec![0; queries.len() * n];
        let (mut state, mut at) = (0, 0);
        for (&(step, pair), out) in queries.iter().zip(counts.chunks_mut(n.max(1))) {
            while state <= step as usize && state < self.ends.len() {
                for change in at..self.ends[state] {
                    let slot = slots[self.changed[change] as usize];
                    if slot != u32::MAX {
                        let to = slot as usize * n + self.category[change] as usize;
                        sums[to] += self.by[change];
                    }
                }
                at = self.ends[state];
                state += 1;
            }
            if let Some(&slot) = slots.get(pair as usize).filter(|slot| **slot != u32::MAX) {
                out.copy_from_slice(&sums[slot as usize * n..(slot as usize + 1) * n]);
            }
        }
        counts
    }
}
