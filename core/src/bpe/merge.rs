//! Replacing one pair everywhere, and what that does to the pairs beside it.
//!
//! Merging (a, b) into n between neighbours l and r turns the pair (l, a) into (l, n) and (b, r) into
//! (n, r). All lost pairs hold a or b and all gained ones hold n, so each is known by its other half
//! alone, and two arrays of vocabulary size count them: no hashing in the inner loop.
//!
//! The one exception is a chain, `a b a b`: the first replacement gains (n, a), which the second turns
//! into (n, n). There the second site takes back what the first had gained.

use super::positions::{Id, Offset, Positions};
use super::weights::Weights;
use crate::error::Error;
use crate::progress::Ticker;

/// Offsets that are looked at together.
const BLOCK: usize = 64;

/// A replaced occurrence and its neighbours; GAP where there is none (or a chain took it).
struct Site<I, P> {
    offset: P,
    left: I,
    right: I,
}

/// What a neighbour's pair with the merged one amounts to.
#[derive(Clone, Copy, Default)]
struct Neighbour {
    weight: u64,
    sites: u32,
    /// Index of the list that gathers the pair's offsets, plus one; 0 where the pair is too rare.
    list: u32,
}

/// Neighbours on one side, with the list of those that have any weight.
struct Side {
    neighbours: Vec<Neighbour>,
    touched: Vec<u32>,
}

impl Side {
    fn new() -> Self {
        Self { neighbours: Vec::new(), touched: Vec::new() }
    }

    #[inline(always)]
    fn add(&mut self, id: usize, weight: u64) {
        let neighbour = &mut self.neighbours[id];
        if neighbour.sites == 0 {
            self.touched.push(id as u32);
        }
        neighbour.weight += weight;
        neighbour.sites += 1;
    }

    fn clear(&mut self) {
        for id in self.touched.drain(..) {
            self.neighbours[id as usize] = Neighbour::default();
        }
    }
}

/// The pair that is merged, the new token, and the lengths of the two parts in bytes.
#[derive(Clone, Copy)]
pub struct Replacement {
    /// Left id.
    pub left: u32,
    /// Right id.
    pub right: u32,
    /// Id of the token that replaces both.
    pub merged: u32,
    /// Bytes of the left token.
    pub left_len: usize,
    /// Bytes of the right token.
    pub right_len: usize,
    /// Ids in use: a merge may make a token that stood in the table before its neighbours did.
    pub ids: usize,
}

/// A pair that a merge made, with its weight and its offsets in ascending order.
pub struct Gained<P> {
    /// (left, right) ids.
    pub pair: (u32, u32),
    /// Weighted occurrences.
    pub count: u64,
    /// Where its left token starts.
    pub offsets: Vec<P>,
}

/// Working memory of merges: reused, so that a merge allocates nothing but its results.
pub struct Merger<I, P> {
    /// Room for the offsets of the current block at which the pair stands.
    standing: [P; BLOCK],
    sites: Vec<Site<I, P>>,
    left: Side,
    right: Side,
    /// Weight of the gained pairs (n, a) that chains took back.
    chained: u64,
}

impl<I: Id, P: Offset> Merger<I, P> {
    /// Holds nothing yet: room grows with the ids that are made, not with those that are asked for.
    pub fn new() -> Self {
        Self {
            standing: [P::from_usize(0); BLOCK],
            sites: Vec::new(),
            left: Side::new(),
            right: Side::new(),
            chained: 0,
        }
    }

    /// Replaces the pair at those `offsets` where it still stands; returns the weight replaced.
    pub fn replace<W: Weights>(
        &mut self,
        positions: &mut Positions<I>,
        weights: &W,
        replacement: &Replacement,
        offsets: &[P],
        ticker: &mut Ticker<'_>,
        done: u64,
    ) -> Result<u64, Error> {
        self.clear();
        for side in [&mut self.left, &mut self.right] {
            side.neighbours
                .resize(side.neighbours.len().max(replacement.ids), Neighbour::default());
        }
        let (left, right) = (I::from_u32(replacement.left), I::from_u32(replacement.right));
        let left_len = replacement.left_len;
        let mut replaced = 0;
        // Large merges are cut so that an interruption is answered in time.
        for stretch in offsets.chunks(1 << 16) {
            // Looking at a block of offsets before changing any lets the processor wait for many of
            // them at once: each is a cache miss. No branch depends on what is found.
            for block in stretch.chunks(BLOCK) {
                let mut standing = 0;
                for &offset in block {
                    self.standing[standing] = offset;
                    let holds = positions.holds(offset.index(), left, left_len, right);
                    standing += usize::from(holds);
                }
                for at in 0..standing {
                    let offset = self.standing[at];
                    // The one before may have taken this one's left token: `a a a`.
                    if positions.holds(offset.index(), left, left_len, right) {
                        replaced += self.replace_at(positions, weights, replacement, offset);
                    }
                }
            }
            ticker.tick(done)?;
        }
        Ok(replaced)
    }

    #[inline(always)]
    fn replace_at<W: Weights>(
        &mut self,
        positions: &mut Positions<I>,
        weights: &W,
        replacement: &Replacement,
        offset: P,
    ) -> u64 {
        let &Replacement { merged, left_len, right_len, .. } = replacement;
        let start = offset.index();
        let merged = I::from_u32(merged);
        let weight = weights.at(start);
        let (before, after) = positions.around(start, start + left_len + right_len);
        positions.join(start, left_len, right_len, merged);
        if before == merged {
            self.take_back(start - left_len - right_len, weight);
        }
        if before != I::GAP {
            self.left.add(before.index(), weight);
        }
        if after != I::GAP {
            self.right.add(after.index(), weight);
        }
        self.sites.push(Site { offset, left: before, right: after });
        weight
    }

    /// Undoes the pair (n, a) that the site at `previous` gained, if that is the site in front.
    #[inline(always)]
    fn take_back(&mut self, previous: usize, weight: u64) {
        if let Some(site) = self.sites.last_mut() {
            if site.offset.index() == previous {
                site.right = I::GAP;
                self.chained += weight;
            }
        }
    }

    /// Calls `lose(left, right, weight)` for each pair that was lost, the merged pair aside.
    pub fn lost(&self, replacement: &Replacement, mut lose: impl FnMut(u32, u32, u64)) {
        for &before in &self.left.touched {
            lose(before, replacement.left, self.left.neighbours[before as usize].weight);
        }
        for &after in &self.right.touched {
            lose(replacement.right, after, self.right.neighbours[after as usize].weight);
        }
    }

    /// Returns the gained pairs for which `keep(left, right, count)` holds.
    pub fn gained(
        &mut self,
        replacement: &Replacement,
        lens: &[u32],
        keep: impl Fn(u32, u32, u64) -> bool,
    ) -> Vec<Gained<P>> {
        let merged = replacement.merged;
        let mut gained = Vec::new();
        let mut open = |pair: (u32, u32), count: u64, sites: u32| {
            if count == 0 || !keep(pair.0, pair.1, count) {
                return 0;
            }
            gained.push(Gained { pair, count, offsets: Vec::with_capacity(sites as usize) });
            gained.len() as u32
        };
        for &before in &self.left.touched {
            let Neighbour { weight, sites, list } = &mut self.left.neighbours[before as usize];
            *list = open((before, merged), *weight, *sites);
        }
        for &after in &self.right.touched {
            let taken = if after == replacement.left { self.chained } else { 0 };
            let Neighbour { weight, sites, list } = &mut self.right.neighbours[after as usize];
            *list = open((merged, after), *weight - taken, *sites);
        }
        if !gained.is_empty() {
            self.gather(lens, &mut gained);
        }
        gained
    }

    fn gather(&self, lens: &[u32], gained: &mut [Gained<P>]) {
        for site in &self.sites {
            if site.left != I::GAP {
                let list = self.left.neighbours[site.left.index()].list as usize;
                if list > 0 {
                    let start = site.offset.index() - lens[site.left.index()] as usize;
                    gained[list - 1].offsets.push(P::from_usize(start));
                }
            }
            if site.right != I::GAP {
                let list = self.right.neighbours[site.right.index()].list as usize;
                if list > 0 {
                    gained[list - 1].offsets.push(site.offset);
                }
            }
        }
    }

    fn clear(&mut self) {
        self.sites.clear();
        self.left.clear();
        self.right.clear();
        self.chained = 0;
    }
}
