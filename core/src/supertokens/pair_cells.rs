//! Counts of pairs from above, in fixed memory: several pairs may share a cell.
//!
//! Invariant: no pair occurs more often than its cell says, short of the 2^16 - 1 at which cells stay: such
//! a pair is always frequent. In a corpus of 100 GB that is as rare as what the last merges join.

/// Cells, as a power of two: 8 MiB a thread.
const BITS: u32 = 22;

/// Counts of (left, right) pairs of ids.
pub struct PairCells(Vec<u16>);

impl Default for PairCells {
    fn default() -> Self {
        Self(vec![0; 1 << BITS])
    }
}

impl PairCells {
    /// Counts one pair.
    #[inline]
    pub fn add(&mut self, left: u32, right: u32) {
        let cell = &mut self.0[cell_of(left, right)];
        *cell = cell.saturating_add(1);
    }

    /// Adds all counts of another.
    pub fn absorb(&mut self, other: &PairCells) {
        self.0.iter_mut().zip(&other.0).for_each(|(cell, more)| *cell = cell.saturating_add(*more));
    }

    /// The count that about `pairs` pairs reach: that of the cell in this place, the greatest first.
    pub fn reached_by(&self, pairs: usize) -> u64 {
        let mut cells = self.0.clone();
        let place = pairs.clamp(1, cells.len()) - 1;
        u64::from(*cells.select_nth_unstable_by(place, |a, b| b.cmp(a)).1)
    }

    /// The pairs whose cells reach `least`.
    pub fn frequent(&self, least: u64) -> FrequentPairs {
        let least = least.min(u64::from(u16::MAX));
        let bit = |cell: &u16| u64::from(u64::from(*cell) >= least);
        let word = |cells: &[u16]| cells.iter().rev().fold(0, |word, cell| word << 1 | bit(cell));
        FrequentPairs(self.0.chunks(64).map(word).collect())
    }
}

/// A set of pairs that holds some others besides: a bit a cell, so that it stays in the cache.
pub struct FrequentPairs(Vec<u64>);

impl FrequentPairs {
    /// Whether the pair may be in the set; surely not if it says no.
    #[inline]
    pub fn holds(&self, left: u32, right: u32) -> bool {
        let cell = cell_of(left, right);
        self.0[cell / 64] >> (cell % 64) & 1 == 1
    }
}

/// Fibonacci hashing: the top bits of a product with 2^64 / phi.
#[inline]
fn cell_of(left: u32, right: u32) -> usize {
    let key = u64::from(left) << 32 | u64::from(right);
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_bound_counts_from_above() {
        let mut cells = PairCells::default();
        for left in 0..1000 {
            (0..=left).for_each(|_| cells.add(left, 7));
        }
        let frequent = cells.frequent(500);
        assert!((499..1000).all(|left| frequent.holds(left, 7)));
        assert!((0..400).filter(|&left| frequent.holds(left, 7)).count() < 5);
        assert!((985..=1000).contains(&cells.reached_by(10)));
    }
}
