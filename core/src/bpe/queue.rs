//! Which pair is merged next: the order of merges, decided in one place.
//!
//! Hugging Face's order is (count descending, left id, right id). BoundlessBPE's is (count descending,
//! bytes of the left token, bytes of the right one), with `a a a` counted as one pair `a a`. Bytes are
//! compared only among pairs of equal count: those form a *level*, sorted when it is reached.
//! Complexity: a heap operation a pair and count; on a level a comparison of bytes each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::Vocabulary;

/// Rule that picks each merge, and what counts as an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Ties by ids, every adjacency counts.
    #[default]
    HuggingFace,
    /// Ties by the tokens' bytes, occurrences do not overlap.
    Boundless,
}

type Bytes = Box<[u8]>;

/// Pairs by count; an entry may be stale.
pub struct Queue {
    order: Order,
    heap: BinaryHeap<(u64, Reverse<u64>)>,
    /// The pairs of the highest count, if they are sorted by bytes.
    level: BinaryHeap<Reverse<(Bytes, Bytes, u64)>>,
    level_count: u64,
}

impl Queue {
    /// Holds nothing yet.
    pub fn new(order: Order) -> Self {
        Self { order, heap: BinaryHeap::new(), level: BinaryHeap::new(), level_count: 0 }
    }

    /// Forgets all pairs and takes these, each a key and its count.
    pub fn refill(&mut self, pairs: impl Iterator<Item = (u64, u64)>) {
        self.level.clear();
        self.heap = pairs.map(|(key, count)| (count, Reverse(key))).collect();
    }

    /// Adds a pair.
    pub fn push(&mut self, key: u64, count: u64) {
        self.heap.push((count, Reverse(key)));
    }

    /// Takes the first pair: its key and the count it was put in with.
    pub fn pop(&mut self, vocabulary: &Vocabulary) -> Option<(u64, u64)> {
        if self.order == Order::HuggingFace {
            return self.heap.pop().map(|(count, Reverse(key))| (key, count));
        }
        self.fill_level(vocabulary);
        self.level.pop().map(|Reverse((_, _, key))| (key, self.level_count))
    }

    /// Brings all pairs of the highest count to the level.
    fn fill_level(&mut self, vocabulary: &Vocabulary) {
        let bytes = |id: u64| Bytes::from(vocabulary.bytes(id as u32));
        while let Some(&(count, Reverse(key))) = self.heap.peek() {
            if !self.level.is_empty() && count < self.level_count {
                return;
            }
            self.heap.pop();
            if count != self.level_count {
                let lower =
                    self.level.drain().map(|Reverse((_, _, key))| (self.level_count, Reverse(key)));
                self.heap.extend(lower);
                self.level_count = count;
            }
            self.level.push(Reverse((bytes(key >> 32), bytes(key & 0xFFFF_FFFF), key)));
        }
    }
}
