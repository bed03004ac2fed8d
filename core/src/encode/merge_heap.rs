//! BPE by a priority queue: the definition at O(n log n), for every merge list.
//!
//! Definition: while some adjacent pair is a merge, apply the one of lowest rank, leftmost first.
//! Invariant: the queue holds (rank, offset) of every adjacent pair that is a merge, and of some
//! that are gone; an entry counts only if the pair now at its offset has its rank.
//! Symbols stand at the offset of their first atom; a swallowed symbol's id is `NO_ID`.
//! Complexity: O(n log n) time, 12 B an atom for the symbols and at most 8 B x 3 for the queue.
//! Source: Hugging Face `tokenizers`, `models/bpe/word.rs` (the order; the layout is our own).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ranks::{Ranks, NEVER};
use super::table::NO_ID;

#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    /// Offset of the symbol before; the first symbol's is unused.
    before: u32,
    /// Offset of the symbol after; the last symbol's is the number of atoms.
    after: u32,
}

struct Heap<'a> {
    ranks: &'a Ranks,
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

/// Appends what `atoms`, fewer than 2^32 ids, merge to.
pub(super) fn merge_heap(ranks: &Ranks, atoms: impl Iterator<Item = u32>, out: &mut Vec<u32>) {
    let symbols = (0u32..).zip(atoms).map(|(at, id)| Symbol {
        id,
        before: at.wrapping_sub(1),
        after: at + 1,
    });
    let mut heap = Heap { ranks, symbols: symbols.collect(), queue: BinaryHeap::new() };
    (0..heap.symbols.len() as u32).for_each(|at| heap.push(at));
    while let Some(Reverse((rank, at))) = heap.queue.pop() {
        heap.merge(rank, at);
    }
    let ids = heap.symbols.iter().map(|symbol| symbol.id);
    out.extend(ids.filter(|&id| id != NO_ID));
}

impl Heap<'_> {
    /// Id at offset `at`; `NO_ID`, which is in no merge, past the end.
    fn id(&self, at: u32) -> u32 {
        self.symbols.get(at as usize).map_or(NO_ID, |symbol| symbol.id)
    }

    /// Queues the pair that begins at `at`, if it is a merge.
    fn push(&mut self, at: u32) {
        let rank = self.rank(at);
        if rank != NEVER {
            self.queue.push(Reverse((rank, at)));
        }
    }

    fn rank(&self, at: u32) -> u32 {
        let symbol = self.symbols[at as usize];
        self.ranks.rank(symbol.id, self.id(symbol.after))
    }

    /// Merges the pair at `at` unless the entry is out of date, and queues its new neighbours.
    fn merge(&mut self, rank: u32, at: u32) {
        let left = self.symbols[at as usize];
        if left.id == NO_ID || self.rank(at) != rank {
            return;
        }
        let right = self.symbols[left.after as usize];
        self.symbols[left.after as usize].id = NO_ID;
        self.symbols[at as usize].id = self.ranks.product(left.id, right.id).id;
        self.symbols[at as usize].after = right.after;
        if let Some(next) = self.symbols.get_mut(right.after as usize) {
            next.before = at;
        }
        self.push(at);
        if at > 0 {
            self.push(left.before);
        }
    }
}
