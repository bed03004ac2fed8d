//! Pair of ids -> (rank, product): the merge list as a hash table.
//!
//! Invariant: one slot a pair; of a pair that the list names twice the last entry counts, as in
//! Hugging Face's. Ranks count from 1, so that 0 can say "an atom, never merged". Open addressing
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
    ///
    /// `given` is the rank of each merge, where some are equal; else a merge's place is its rank.
    pub(super) fn new(
        merges: &[Merge],
        given: Option<&[u32]>,
        table: &TokenTable,
    ) -> Result<Self, Error> {
        for (place, &merge) in merges.iter().enumerate() {
            check_ids(place, merge, table)?;
            check_bytes(place, merge, table)?;
        }
        Self::build(merges, given)
    }

    /// As `new`, for products whose bytes do not follow from their parts' bytes.
    pub(super) fn of_ids(
        merges: &[Merge],
        given: Option<&[u32]>,
        table: &TokenTable,
    ) -> Result<Self, Error> {
        for (place, &merge) in merges.iter().enumerate() {
            check_ids(place, merge, table)?;
        }
        Self::build(merges, given)
    }

    /// Builds the table of merges that are known to be sound.
    pub(super) fn build(merges: &[Merge], given: Option<&[u32]>) -> Result<Self, Error> {
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
        for (place, &merge) in (0..).zip(merges) {
            let rank = given.map_or(Some(place), |given| given.get(place as usize).copied());
            ranks.insert(rank.filter(|&rank| rank < NEVER - 1).ok_or_else(too_few)? + 1, merge);
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

fn too_few() -> Error {
    let problem = "the ranks do not fit the merges";
    Error::Format(Message::new(problem, "give each merge a rank, below 2^32 - 2"))
}

fn name(place: usize, (left, right, merged): Merge) -> String {
    format!("merge {place} ({left}, {right}) -> {merged}")
}

/// Refuses a merge whose ids have no bytes.
fn check_ids(place: usize, merge: Merge, table: &TokenTable) -> Result<(), Error> {
    for id in [merge.0, merge.1, merge.2] {
        if table.token_len(id) == 0 {
            let problem = format!("{}: id {id} has no bytes in the vocabulary", name(place, merge));
            let hint = "every id of a merge must be a token with bytes";
            return Err(Error::Format(Message::new(problem, hint)));
        }
    }
    Ok(())
}

/// Refuses a merge whose parts' bytes do not add up to its product's.
fn check_bytes(place: usize, merge: Merge, table: &TokenTable) -> Result<(), Error> {
    let (left, right, merged) = merge;
    let (head, tail) = (table.bytes(left), table.bytes(right));
    let whole = table.bytes(merged);
    if whole.len() == head.len() + tail.len() && whole.starts_with(head) && whole.ends_with(tail) {
        return Ok(());
    }
    let problem = format!("{}: the product's bytes are not the parts' bytes", name(place, merge));
    let hint = "a merge must join its parts' bytes end to end";
    Err(Error::Format(Message::new(problem, hint)))
}
