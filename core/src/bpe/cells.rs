//! Counts of pairs from above: a table of cells, each of which several pairs may share.
//!
//! Invariant: no pair occurs more often than its cell says. Source: a count-min sketch of one row
//! (Cormode and Muthukrishnan 2005). A *hot* cell is one that reaches a floor.

use super::positions::Id;
use super::scan::pair_key;

/// Cells of the first pass, as powers of two: 256 KiB to 16 MiB a thread. With fewer, the first scan
/// of unsplit bytes cannot tell the pairs of bytes apart.
const CELL_BITS: std::ops::RangeInclusive<u32> = 16..=22;

/// Cells that a scan of that many places has at the most.
pub fn most_cells(places: usize) -> usize {
    1 << twice(places).min(*CELL_BITS.end())
}

/// Two cells a place, as a power of two.
fn twice(places: usize) -> u32 {
    (2 * places.max(1)).ilog2()
}

/// Maps a pair to its cell.
#[derive(Clone, Copy)]
pub struct Cells {
    bits: u32,
}

impl Cells {
    /// For pairs below a `ceiling` that have about that `weight` together, in an array of `places`.
    ///
    /// With a hundred cells for each pair that can stand above the ceiling, the rare pairs in a cell
    /// seldom add up to the next floor; more cells would only be slower to reach, and more than twice
    /// the places of the array are never of use.
    pub fn new(weight: u64, ceiling: u64, places: usize) -> Self {
        let frequent = 2 * (weight / ceiling.max(1)) + 1;
        let bits = frequent.saturating_mul(128).ilog2().max(*CELL_BITS.start());
        Self { bits: bits.min(twice(places)).min(*CELL_BITS.end()) }
    }

    /// For that many tokens, as many as fit in that many bytes.
    pub fn within(bytes: u64, tokens: u64) -> Self {
        let bits = (bytes / size_of::<u32>() as u64).max(1).ilog2();
        let bits = bits.clamp(*CELL_BITS.start(), *CELL_BITS.end());
        Self { bits: bits.min(twice(tokens as usize)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        1 << self.bits
    }

    /// Fibonacci hashing: the top bits of a product with 2^64 / phi.
    #[inline(always)]
    pub fn index<I: Id>(&self, left: I, right: I) -> usize {
        let key = pair_key(left.index() as u32, right.index() as u32);
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - self.bits)) as usize
    }
}

/// Adds to a cell, which stays at 2^32 - 1: it bounds the counts below that.
#[inline(always)]
pub fn add(cell: &mut u32, weight: u64) {
    *cell = cell.saturating_add(u32::try_from(weight).unwrap_or(u32::MAX));
}

/// Whether the pairs of a cell may have that count.
#[inline(always)]
pub fn reaches(cell: u64, count: u64) -> bool {
    cell >= count.min(u64::from(u32::MAX))
}

/// The cells that reach the floor, numbered from 0: a bit each, so that the second pass reads from
/// the cache, and the hot cells before each word of bits.
pub struct HotCells {
    words: Vec<(u64, u32)>,
    len: usize,
}

impl HotCells {
    /// Those of `cells` that reach `floor`.
    pub fn new(cells: &[u32], floor: u64) -> Self {
        let mut len = 0;
        let word = |cells: &[u32]| {
            let bit = |&cell: &u32| u64::from(reaches(u64::from(cell), floor));
            let word = cells.iter().rev().fold(0, |word, cell| word << 1 | bit(cell));
            let before = len;
            len += word.count_ones();
            (word, before)
        };
        Self { words: cells.chunks(64).map(word).collect(), len: len as usize }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether a cell is hot.
    #[inline(always)]
    pub fn holds(&self, cell: usize) -> bool {
        self.words[cell / 64].0 >> (cell % 64) & 1 == 1
    }

    /// The number of a hot cell.
    #[inline(always)]
    pub fn rank(&self, cell: usize) -> usize {
        let (word, before) = self.words[cell / 64];
        let below = word & ((1u64 << (cell % 64)) - 1);
        before as usize + below.count_ones() as usize
    }
}
