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
//! The second pass lists the occurrences of the pairs whose cell reaches the floor, by the number of
//! the cell among these, and then drops the pairs that fall short on their own.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustc_hash::FxHashMap;

use super::cells::{add, reaches, Cells, HotCells};
use super::positions::{Id, Offset, Positions};
use super::weights::Weights;
use crate::error::Error;
use crate::progress::{Progress, Ticker};

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
    /// Occurrences that may be listed.
    pub sites: usize,
    /// Threads to scan with.
    pub threads: usize,
}

/// Pairs by [`pair_key`].
pub type Pairs<P> = FxHashMap<u64, Tracked<P>>;

/// Chooses a floor and returns it with every pair that reaches it, of those that may be merged. The same
/// for any number of threads.
pub fn frequent_pairs<I: Id, P: Offset, W: Weights>(
    positions: &Positions<I>,
    lens: &[u32],
    weights: &W,
    wanted: &Wanted,
    allows: impl Fn(u32, u32) -> bool + Sync,
    progress: &dyn Progress,
) -> Result<(u64, Pairs<P>), Error> {
    let place = Cells::new(wanted.weight, wanted.ceiling, positions.len());
    let fits = |left: I, right: I| allows(left.index() as u32, right.index() as u32);
    let count = |cells: &mut Vec<u32>, range| {
        cells.resize(place.len(), 0);
        positions.for_each_pair(lens, range, |offset, left, right| {
            if fits(left, right) {
                add(&mut cells[place.index(left, right)], weights.at(offset));
            }
        });
    };
    let cells = sum(in_parallel(positions, wanted.threads, "scan", progress, count)?, add);
    let mut floor = choose_floor(&cells, wanted);
    let mut hot = HotCells::new(&cells, floor);
    if wanted.sites < positions.len() {
        let sites = if W::EACH_ONCE {
            cells.iter().map(|&cell| u64::from(cell)).filter(|&cell| reaches(cell, floor)).collect()
        } else {
            let count = |sites: &mut Vec<u64>, range| {
                sites.resize(hot.len(), 0);
                positions.for_each_pair(lens, range, |_, left, right| {
                    let cell = place.index(left, right);
                    if hot.holds(cell) && fits(left, right) {
                        sites[hot.rank(cell)] += 1;
                    }
                });
            };
            let parts = in_parallel(positions, wanted.threads, "scan", progress, count)?;
            sum(parts, |total: &mut u64, sites| *total += sites)
        };
        floor = raise_floor(floor, &cells, &sites, wanted);
        hot = HotCells::new(&cells, floor);
    }
    drop(cells);
    let collect = |found: &mut Found<P>, range| {
        found.slots.resize_with(hot.len(), Slot::default);
        let mut hits = Hits::new();
        let mut add = |hit: &Hit| {
            let weight = weights.at(hit.offset);
            found.add(hot.rank(hit.cell), hit.key, weight, P::from_usize(hit.offset));
        };
        positions.for_each_pair(lens, range, |offset, left, right| {
            let cell = place.index(left, right);
            let key = pair_key(left.index() as u32, right.index() as u32);
            hits.put(Hit { offset, cell, key }, hot.holds(cell) & fits(left, right));
            if hits.is_full() {
                hits.drain(&mut add);
            }
        });
        hits.drain(&mut add);
    };
    let parts = in_parallel(positions, wanted.threads, "scan", progress, collect)?;
    Ok((floor, joined(parts, floor)))
}

/// Classes of cells by their weight.
const CLASSES: usize = 64 * 8;

/// Finds the floor above which pairs have about the wanted number and weight.
///
/// Cells are sorted into classes an eighth of an octave wide: exact enough, and one pass. The floor at
/// least halves from scan to scan, so there are few scans even where a single cell is too heavy.
pub fn choose_floor(cells: &[u32], wanted: &Wanted) -> u64 {
    let mut pairs = [0u64; CLASSES];
    let mut weights = [0u64; CLASSES];
    for cell in cells.iter().map(|&cell| u64::from(cell)) {
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

/// Raises a floor until no more than the wanted `sites` are listed, these by hot cell in their order; but
/// it always falls by an eighth from scan to scan, so that training goes on.
fn raise_floor(floor: u64, cells: &[u32], sites: &[u64], wanted: &Wanted) -> u64 {
    let mut by_class = [0u64; CLASSES];
    let hot = cells.iter().map(|&cell| u64::from(cell)).filter(|&cell| reaches(cell, floor));
    hot.zip(sites).for_each(|(cell, &sites)| by_class[class_of(cell)] += sites);
    let mut all = 0u64;
    let first = (0..CLASSES).rev().find(|&class| {
        all += by_class[class];
        all > wanted.sites as u64
    });
    let raised = first.map_or(floor, |class| least_of(class + 1));
    raised.min(wanted.ceiling - wanted.ceiling.div_ceil(8)).max(floor)
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

fn sum<T: Copy + Into<u64>>(tables: Vec<Vec<T>>, add: impl Fn(&mut T, u64)) -> Vec<T> {
    let mut tables = tables.into_iter();
    let mut total = tables.next().unwrap_or_default();
    for table in tables {
        // A thread without a range has no cells.
        total.iter_mut().zip(&table).for_each(|(total, &cell)| add(total, cell.into()));
    }
    total
}

/// Brings the ranges' occurrences together, in order, and drops the pairs that are rare after all.
fn joined<P>(parts: Vec<Found<P>>, floor: u64) -> Pairs<P> {
    let mut pairs: Pairs<P> = FxHashMap::default();
    for (key, mut pair) in parts.into_iter().flat_map(Found::into_pairs) {
        let known = pairs.entry(key).or_default();
        known.count += pair.count;
        if known.offsets.is_empty() {
            known.offsets = pair.offsets;
        } else {
            known.offsets.append(&mut pair.offsets);
        }
    }
    pairs.retain(|_, pair| pair.count >= floor);
    pairs.values_mut().for_each(|pair| pair.offsets.shrink_to_fit());
    pairs
}

/// The pairs of one range: one in the slot of its cell, without hashing; those that share the cell
/// with it, which is rare, apart.
struct Found<P> {
    slots: Vec<Slot<P>>,
    others: Pairs<P>,
}

struct Slot<P> {
    key: u64,
    pair: Tracked<P>,
}

/// The key of no pair: both ids would be the gap's.
const NO_PAIR: u64 = u64::MAX;

impl<P> Default for Slot<P> {
    fn default() -> Self {
        Self { key: NO_PAIR, pair: Tracked::default() }
    }
}

impl<P> Default for Found<P> {
    fn default() -> Self {
        Self { slots: Vec::new(), others: FxHashMap::default() }
    }
}

impl<P> Found<P> {
    #[inline(always)]
    fn add(&mut self, slot: usize, key: u64, weight: u64, offset: P) {
        let slot = &mut self.slots[slot];
        if slot.key == NO_PAIR {
            slot.key = key;
        }
        let pair =
            if slot.key == key { &mut slot.pair } else { self.others.entry(key).or_default() };
        pair.count += weight;
        pair.offsets.push(offset);
    }

    fn into_pairs(self) -> impl Iterator<Item = (u64, Tracked<P>)> {
        let slots = self.slots.into_iter().filter(|slot| slot.key != NO_PAIR);
        slots.map(|slot| (slot.key, slot.pair)).chain(self.others)
    }
}

/// A pair whose cell is hot.
#[derive(Clone, Copy, Default)]
struct Hit {
    offset: usize,
    cell: usize,
    key: u64,
}

/// Hits that are still to be listed. Half of all pairs are hits, at random, so a branch on each would
/// be guessed wrong at every fourth: each pair is put down, and what is no hit is overwritten.
struct Hits {
    hits: [Hit; Self::ROOM],
    len: usize,
}

impl Hits {
    const ROOM: usize = 256;

    fn new() -> Self {
        Self { hits: [Hit::default(); Self::ROOM], len: 0 }
    }

    /// Keeps `pair` if it is a hit; there must be room.
    #[inline(always)]
    fn put(&mut self, pair: Hit, is_hit: bool) {
        self.hits[self.len] = pair;
        self.len += usize::from(is_hit);
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.len == Self::ROOM
    }

    #[inline(always)]
    fn drain(&mut self, visit: impl FnMut(&Hit)) {
        self.hits[..self.len].iter().for_each(visit);
        self.len = 0;
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
