//! Finding the pairs that are frequent enough to be merged soon, with all their occurrences.
//!
//! Only a pair whose count reaches a *floor* is tracked; all others are neither counted nor listed,
//! which keeps memory near the size of the corpus. That is exact: a pair's count can only grow in the
//! merge that makes its younger token, where it is counted anew; afterwards it only falls. So a pair
//! below the floor stays below it, and when no tracked pair is left, the floor is lowered and the
//! array scanned again.
//!
//! A scan makes two passes. The first adds each pair's weight to a cell of a table, several pairs to
//! a cell where there are more pairs than cells; a cell is thus an upper bound. From the cells follows
//! the next floor: as low as memory allows, but no lower than the merges that are still wanted need.
//! The second pass collects the occurrences of the pairs whose cell reaches the floor, and then drops
//! those that fall short on their own.
//!
//! Tried and dropped: one large table at every scan, whose cache misses took 60% of the training time
//! on executables; floors in fixed steps, which overshot at the end and doubled the memory.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustc_hash::FxHashMap;

use super::positions::{Id, Offset, Positions};
use super::weights::Weights;
use crate::error::Error;
use crate::progress::{Progress, Ticker};

/// Most cells of the first pass, as a power of two: 32 MiB a thread.
const MOST_CELL_BITS: u32 = 22;

/// A pair that is tracked.
#[derive(Debug)]
pub struct Tracked<P> {
    /// Weighted occurrences now.
    pub count: u64,
    /// Offsets at which the pair stood once, ascending; some may have been merged away since.
    pub offsets: Vec<P>,
}

impl<P> Default for Tracked<P> {
    fn default() -> Self {
        Self { count: 0, offsets: Vec::new() }
    }
}

/// A pair as one number, in the order of (left, right).
#[inline(always)]
pub fn pair_key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Which pairs a scan looks for.
pub struct Wanted {
    /// The floor of the scan before: no pair reaches it any more.
    pub ceiling: u64,
    /// Least count that is of any use.
    pub least: u64,
    /// About how many pairs are wanted at the most.
    pub pairs: u64,
    /// About how much weight they may have together.
    pub weight: u64,
    /// Greatest length of the merged token in bytes.
    pub max_token_bytes: u32,
    /// Threads to scan with.
    pub threads: usize,
}

/// Pairs by [`pair_key`].
pub type Pairs<P> = FxHashMap<u64, Tracked<P>>;

/// Chooses a floor and returns it with every pair that reaches it. The same for any number of threads.
pub fn frequent_pairs<I: Id, P: Offset, W: Weights>(
    positions: &Positions<I>,
    lens: &[u32],
    weights: &W,
    wanted: &Wanted,
    progress: &dyn Progress,
) -> Result<(u64, Pairs<P>), Error> {
    let place = Cells::new(wanted, positions.len());
    let fits =
        |left: I, right: I| lens[left.index()] + lens[right.index()] <= wanted.max_token_bytes;
    let count = |cells: &mut Vec<u64>, range| {
        cells.resize(place.len(), 0);
        positions.for_each_pair(lens, range, |offset, left, right| {
            if fits(left, right) {
                cells[place.index(left, right)] += weights.at(offset);
            }
        });
    };
    let cells = sum(in_parallel(positions, wanted.threads, "scan", progress, count)?);
    let floor = choose_floor(&cells, wanted);
    let hot = Bits::new(&cells, floor);
    drop(cells);
    let collect = |found: &mut Pairs<P>, range| {
        positions.for_each_pair(lens, range, |offset, left, right| {
            if fits(left, right) && hot.get(place.index(left, right)) {
                let key = pair_key(left.index() as u32, right.index() as u32);
                let pair = found.entry(key).or_default();
                pair.count += weights.at(offset);
                pair.offsets.push(P::from_usize(offset));
            }
        });
    };
    let mut parts = in_parallel(positions, wanted.threads, "scan", progress, collect)?.into_iter();
    let mut found = parts.next().unwrap_or_default();
    parts.for_each(|part| append(&mut found, part));
    found.retain(|_, pair| pair.count >= floor);
    found.values_mut().for_each(|pair| pair.offsets.shrink_to_fit());
    Ok((floor, found))
}

/// Finds the floor above which pairs have about the wanted number and weight.
///
/// Cells are sorted into classes an eighth of an octave wide: exact enough, and one pass. The floor at
/// least halves from scan to scan, so there are few scans even where a single cell is too heavy.
fn choose_floor(cells: &[u64], wanted: &Wanted) -> u64 {
    const CLASSES: usize = 64 * 8;
    let mut pairs = [0u64; CLASSES];
    let mut weights = [0u64; CLASSES];
    for &cell in cells {
        let class = class_of(cell);
        pairs[class] += 1;
        weights[class] = weights[class].saturating_add(cell);
    }
    let (mut all_pairs, mut all_weight) = (0u64, 0u64);
    let first = (0..CLASSES).rev().find(|&class| {
        all_pairs += pairs[class];
        all_weight = all_weight.saturating_add(weights[class]);
        all_pairs > wanted.pairs || all_weight > wanted.weight
    });
    let floor = first.map_or(0, |class| least_of(class + 1));
    floor.min(wanted.ceiling / 2).max(wanted.least)
}

/// Class of a cell: its highest bit and the three below.
fn class_of(cell: u64) -> usize {
    let cell = cell.max(8);
    let octave = cell.ilog2();
    (octave as usize) * 8 + (cell >> (octave - 3) & 7) as usize
}

/// Least cell of a class.
fn least_of(class: usize) -> u64 {
    let (octave, eighth) = (class as u32 / 8, class as u64 % 8);
    match octave {
        0..3 => 0,
        3..64 => (8 + eighth) << (octave - 3),
        _ => u64::MAX,
    }
}

/// Runs `work` over the whole array, one range and one result a thread, in the order of the ranges.
fn in_parallel<I: Id, T: Default + Send>(
    positions: &Positions<I>,
    threads: usize,
    phase: &'static str,
    progress: &dyn Progress,
    work: impl Fn(&mut T, Range<usize>) + Sync,
) -> Result<Vec<T>, Error> {
    let stop = AtomicBool::new(false);
    // The calling thread alone reports, on its own share, which is the same as all others'.
    let run = |share: &[Range<usize>], mut ticker: Option<Ticker<'_>>| {
        let mut result = T::default();
        for range in share {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            work(&mut result, range.clone());
            if let Some(ticker) = &mut ticker {
                ticker.tick((range.end * threads).min(positions.len()) as u64)?;
            }
        }
        Ok(result)
    };
    // Small pieces, so that an interruption is answered in time.
    let pieces = positions.ranges((positions.len() >> 20).max(threads));
    let mut shares = pieces.chunks(pieces.len().div_ceil(threads));
    let (run, stop) = (&run, &stop);
    thread::scope(|scope| {
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> = shares.map(|share| scope.spawn(move || run(share, None))).collect();
        let ticker = Ticker::new(progress, phase, positions.len() as u64);
        let own = run(own, Some(ticker)).inspect_err(|_| stop.store(true, Ordering::Relaxed));
        let others =
            others.into_iter().map(|other| other.join().unwrap_or(Err(Error::Interrupted)));
        std::iter::once(own).chain(others).collect()
    })
}

fn sum(tables: Vec<Vec<u64>>) -> Vec<u64> {
    let mut tables = tables.into_iter();
    let mut total = tables.next().unwrap_or_default();
    for table in tables {
        // A thread without a range has no cells.
        total.iter_mut().zip(&table).for_each(|(total, cell)| *total += cell);
    }
    total
}

/// Appends a later range's occurrences, so that offsets stay ascending.
fn append<P>(found: &mut Pairs<P>, part: Pairs<P>) {
    for (key, mut pair) in part {
        let known = found.entry(key).or_default();
        known.count += pair.count;
        known.offsets.append(&mut pair.offsets);
    }
}

/// Maps a pair to its cell.
struct Cells {
    bits: u32,
}

impl Cells {
    /// With a hundred cells for each pair that can stand above the ceiling, the rare pairs in a cell
    /// seldom add up to the next floor; more cells would only be slower to reach, and more than twice
    /// the places of the array are never of use.
    fn new(wanted: &Wanted, places: usize) -> Self {
        let frequent = 2 * (wanted.weight / wanted.ceiling.max(1)) + 1;
        let cells = frequent.saturating_mul(128).min(2 * places as u64).max(2);
        Self { bits: cells.ilog2().min(MOST_CELL_BITS) }
    }

    fn len(&self) -> usize {
        1 << self.bits
    }

    /// Fibonacci hashing: the top bits of a product with 2^64 / phi.
    #[inline(always)]
    fn index<I: Id>(&self, left: I, right: I) -> usize {
        let key = pair_key(left.index() as u32, right.index() as u32);
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - self.bits)) as usize
    }
}

/// Which cells reach the floor: a bit each, so that the second pass reads from the cache.
struct Bits(Vec<u64>);

impl Bits {
    fn new(cells: &[u64], floor: u64) -> Self {
        let word = |cells: &[u64]| {
            cells.iter().rev().fold(0, |word, &cell| word << 1 | u64::from(cell >= floor))
        };
        Self(cells.chunks(64).map(word).collect())
    }

    #[inline(always)]
    fn get(&self, cell: usize) -> bool {
        self.0[cell / 64] >> (cell % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_start_where_they_say() {
        for cell in (8..5000).chain([1 << 40, (1 << 40) + (1 << 37), u64::MAX - 1]) {
            let class = class_of(cell);
            assert!((least_of(class)..least_of(class + 1)).contains(&cell));
            assert_eq!(class_of(least_of(class)), class, "cell {cell}");
        }
    }
}
