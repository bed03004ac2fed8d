//! Pair of ids -> (rank, product): the merge list as a hash table.
//!
//! Invariant: one slot a pair; of a pair that the list names twice the last entry counts, as in
//! Hugging Face's. Ranks count from 1, so that 0 can say "a byte, never merged". Open addressing
//! with linear probing, at most half full: expected O(1) a lookup, 16 B a slot, built once.

use super::table::{TokenTable, NO_ID};
use super::Merge;
use crate::error::{Error, Message};

/// The rank of a pair that is no merge: later than all.
pub(super) const NEVER: u32 = u32::MAX;

/// The filter has 2^3 bits a slot.
const FILTER_BITS: u32 = 3;

/// What merging a pair gives, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) rank: u32,
    pub(super) id: u32,
}

#[derive(Clone, Copy)]
struct Slot {
    left: u32,
    right: u32,
    product: Product,
}

const EMPTY: Slot = Slot { left: NO_ID, right: NO_ID, product: Product { rank: NEVER, id: NO_ID } };

/// All merges, by pair.
pub(super) struct Ranks {
    slots: Box<[Slot]>,
    shift: u32,
    /// A bit for each of 2^k hashes, set where some pair has it: most look-ups end here, in cache.
    filter: Box<[u64]>,
}

impl Ranks {
    /// Builds the table after checking every merge against the tokens' bytes.
    pub(super) fn new(merges: &[Merge], table: &TokenTable) -> Result<Self, Error> {
        if merges.len() >= NEVER as usize - 1 {
            let problem = format!("{} merges are too many", merges.len());
            return Err(Error::Format(Message::new(problem, "use fewer than 2^32")));
        }
        let bits = (merges.len() * 2).max(8).next_power_of_two().ilog2();
        let mut ranks = Self {
            slots: vec![EMPTY; 1 << bits].into_boxed_slice(),
            shift: 64 - bits,
            filter: vec![0; 1 << (bits + FILTER_BITS - 6)].into(),
        };
        for (rank, &merge) in (1..).zip(merges) {
            check(rank, merge, table)?;
            ranks.insert(rank, merge);
        }
        Ok(ranks)
    }

    fn insert(&mut self, rank: u32, (left, right, id): Merge) {
        let (word, bit) = self.filter_bit(hash(left, right));
        self.filter[word] |= 1 << bit;
        let slot = self.find(left, right);
        self.slots[slot] = Slot { left, right, product: Product { rank, id } };
    }

    /// Index of the pair's slot, or of the empty slot where it would stand.
    #[inline]
    fn find(&self, left: u32, right: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (hash(left, right) >> self.shift) as usize;
        loop {
            let slot = &self.slots[at & mask];
            if (slot.left == left && slot.right == right) || slot.left == NO_ID {
                return at & mask;
            }
            at += 1;
        }
    }

    /// Product of a pair; its rank is `NEVER` where the pair is no merge.
    #[inline]
    pub(super) fn product(&self, left: u32, right: u32) -> Product {
        self.slots[self.find(left, right)].product
    }

    /// Rank of a pair, `NEVER` where it is no merge.
    #[inline]
    pub(super) fn rank(&self, left: u32, right: u32) -> u32 {
        let (word, bit) = self.filter_bit(hash(left, right));
        if self.filter[word] >> bit & 1 == 0 {
            return NEVER;
        }
        self.product(left, right).rank
    }

    /// Where in the filter a hash has its bit.
    #[inline]
    fn filter_bit(&self, hash: u64) -> (usize, u64) {
        let at = hash >> (self.shift - FILTER_BITS);
        ((at >> 6) as usize, at & 63)
    }

    /// Merges in effect, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, Product)> + '_ {
        let used = self.slots.iter().filter(|slot| slot.left != NO_ID);
        used.map(|slot| (slot.left, slot.right, slot.product))
    }
}

#[inline]
fn hash(left: u32, right: u32) -> u64 {
    let key = u64::from(left) << 32 | u64::from(right);
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Refuses a merge whose ids have no bytes, or whose bytes do not add up.
fn check(rank: u32, (left, right, merged): Merge, table: &TokenTable) -> Result<(), Error> {
    let name = || format!("merge {} ({left}, {right}) -> {merged}", rank - 1);
    for id in [left, right, merged] {
        if table.token_len(id) == 0 {
            let problem = format!("{}: id {id} has no bytes in the vocabulary", name());
            let hint = "every id of a merge must be a token with bytes";
            return Err(Error::Format(Message::new(problem, hint)));
        }
    }
    let (head, tail) = (table.bytes(left), table.bytes(right));
    let whole = table.bytes(merged);
    if whole.len() == head.len() + tail.len() && whole.starts_with(head) && whole.ends_with(tail) {
        return Ok(());
    }
    let problem = format!("{}: the product's bytes are not the parts' bytes", name());
    let hint = "a merge must join its parts' bytes end to end";
    Err(Error::Format(Message::new(problem, hint)))
}
