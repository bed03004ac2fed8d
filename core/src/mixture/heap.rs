//! The pairs by their priority, highest first, while priorities fall and rise.
//!
//! Lazy: an entry may hold an older, higher priority; it is put back under its true one when it comes
//! up. A priority that rises is pushed anew. Invariant: every pair that was pushed has an entry at or
//! above its true priority.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

#[derive(Clone, Copy)]
struct Entry {
    priority: f64,
    pair: Reverse<u32>,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.total_cmp(&other.priority).then(self.pair.cmp(&other.pair))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// A queue of pairs.
pub struct Pairs {
    heap: BinaryHeap<Entry>,
    taken: Vec<Entry>,
}

impl Pairs {
    /// Takes the first pairs with their priorities.
    pub fn new(pairs: impl Iterator<Item = (u32, f64)>) -> Self {
        let entries = pairs.map(|(pair, priority)| Entry { priority, pair: Reverse(pair) });
        Self { heap: entries.collect(), taken: Vec::new() }
    }

    /// Adds a pair, or lifts it.
    pub fn push(&mut self, pair: u32, priority: f64) {
        self.heap.push(Entry { priority, pair: Reverse(pair) });
    }

    /// Calls `f` with the highest pairs above `cutoff`, in order, while it returns true.
    pub fn above(
        &mut self,
        cutoff: f64,
        priority_of: impl Fn(u32) -> f64,
        mut f: impl FnMut(u32, f64) -> bool,
    ) {
        while let Some(mut top) = self.heap.pop() {
            if top.priority <= cutoff {
                self.heap.push(top);
                break;
            }
            let pair = top.pair.0;
            let priority = priority_of(pair);
            if priority < top.priority {
                top.priority = priority;
                self.heap.push(top);
                continue;
            }
            // A lifted pair has an older entry too: one that lies below is of no use any more, and one that
            // is equal comes next to its twin.
            let older = priority > top.priority || self.taken.last() == Some(&top);
            if !older {
                self.taken.push(top);
                if !f(pair, priority) {
                    break;
                }
            }
        }
        self.heap.extend(self.taken.drain(..));
    }
}
