//! Merging the pairs that cover a large share of the corpus: by sweeping over all of it.
//!
//! Listing the occurrences of a pair costs tens of bytes of memory traffic an occurrence; where a pair
//! is one in a hundred tokens, reading all tokens in order is cheaper and needs no memory at all. This
//! is how training on a few letters (DNA, runs of zeros) begins.
//!
//! The corpus is a plain sequence of ids here, a place a token, in the same memory as the array of
//! [`super::positions`] while all tokens are single bytes: each merge moves the tokens together, and at
//! the end they are moved apart again. The sequence is cut into *segments*, which leave holes behind
//! them. Invariants:
//! * `counts[left][right]` is the exact weight of every pair, overlaps included;
//! * all tokens of a segment have one weight; the neighbour of a segment's last token is the first one
//!   of the next segment that is not empty.
//!
//! A merge of (a, b) into n with neighbours l and r takes (l, a), (a, b) and (b, r) from the sequence as
//! it stands and adds (l, n) and (n, r); read from left to right, with l as it was written and r as it is
//! still to be read, that is exact for chains (`a b a b`) and runs (`a a a`) alike. As these changes only
//! add up, each thread counts its l's and r's. Before a merge, what lies across a
//! border is moved to one side. Time: linear in the sequence a merge; memory: the table of counts.

use std::ops::Range;
use std::thread;

use super::positions::{Id, Positions};

/// Ids that may take part, a power of two: the counts of their pairs are 2 MiB.
pub const IDS: usize = 512;
/// Tokens that are compared at a time.
const BLOCK: usize = 64;
/// Threads are worth starting for this many tokens.
const MANY: usize = 1 << 18;

/// A stretch of the array, tokens at its beginning and a hole behind them.
struct Segment {
    start: usize,
    len: usize,
    weight: u64,
}

/// What one thread changes: the weights of the left and right neighbours of all places it merged.
struct Sides {
    left: Vec<u64>,
    right: Vec<u64>,
    replaced: u64,
}

impl Sides {
    fn new() -> Self {
        Self { left: vec![0; IDS + 1], right: vec![0; IDS + 1], replaced: 0 }
    }
}

/// The pair that is merged and the token that replaces it.
#[derive(Clone, Copy)]
struct Merge<I> {
    left: I,
    right: I,
    merged: I,
}

/// A segment in a merge: its places, the tokens beside it, and what became of it.
struct Part<'a, I> {
    ids: &'a mut [I],
    weight: u64,
    before: I,
    after: I,
    /// Tokens that are left, and whether the first and the last one are new.
    len: usize,
    first_merged: bool,
    last_merged: bool,
}

/// The sequence with the counts of its pairs.
pub struct Sweep<I> {
    ids: Vec<I>,
    segments: Vec<Segment>,
    counts: Vec<u64>,
    threads: usize,
}

impl<I: Id> Sweep<I> {
    /// Takes an array of single bytes whose ids are all below [`IDS`], and the end and weight of each
    /// stretch of equal weights; each but the last ends behind a gap.
    pub fn new(positions: Positions<I>, stretches: &[(usize, u64)], threads: usize) -> Self {
        let ids = positions.into_bytes();
        let longest = ids.len().div_ceil(threads).max(1);
        let mut segments = Vec::new();
        let mut start = 0;
        for &(end, weight) in stretches {
            while start < end.min(ids.len()) {
                let len = longest.min(end - start);
                segments.push(Segment { start, len, weight });
                start += len;
            }
        }
        let mut sweep = Self { ids, segments, counts: Vec::new(), threads };
        sweep.counts = sweep.count();
        sweep
    }

    /// Counts all pairs.
    fn count(&self) -> Vec<u64> {
        let shares = self.shares();
        let count = |share: Range<usize>| {
            let mut counts = vec![0; IDS * IDS];
            for segment in &self.segments[share] {
                let end = (segment.start + segment.len + 1).min(self.ids.len());
                count_pairs(&self.ids[segment.start..end], segment.weight, &mut counts);
            }
            counts
        };
        let mut tables = on_threads(shares, count).into_iter();
        let mut total = tables.next().unwrap_or_else(|| vec![0; IDS * IDS]);
        for table in tables {
            total.iter_mut().zip(table).for_each(|(total, count)| *total += count);
        }
        total
    }

    /// The most frequent pair that is allowed and its count; of equal ones the least (left, right).
    pub fn best(&self, allowed: impl Fn(u32, u32) -> bool) -> Option<(u32, u32, u64)> {
        let mut best = None;
        let mut most = 0;
        for (pair, &count) in self.counts.iter().enumerate() {
            let (left, right) = ((pair / IDS) as u32, (pair % IDS) as u32);
            if count > most && allowed(left, right) {
                (best, most) = (Some((left, right, count)), count);
            }
        }
        best
    }

    /// Replaces a pair everywhere; returns the weight replaced. `merged` is below [`IDS`].
    pub fn merge(&mut self, left: u32, right: u32, merged: u32) -> u64 {
        let merge = Merge {
            left: I::from_u32(left),
            right: I::from_u32(right),
            merged: I::from_u32(merged),
        };
        self.clear_borders(merge.left, merge.right);
        let shares = self.shares();
        let mut parts = self.parts();
        let done = {
            let mut rest = &mut parts[..];
            let cut =
                shares.iter().map(|share| rest.split_off_mut(..share.len()).unwrap_or_default());
            on_threads(cut.collect(), |parts: &mut [Part<I>]| {
                let mut sides = Sides::new();
                parts.iter_mut().for_each(|part| part.sweep(&merge, &mut sides));
                sides
            })
        };
        let mut sides = Sides::new();
        for other in done {
            add(&mut sides.left, &other.left);
            add(&mut sides.right, &other.right);
            sides.replaced += other.replaced;
        }
        correct_borders(&parts, &merge, &mut sides.left);
        let lens: Vec<usize> = parts.iter().map(|part| part.len).collect();
        self.segments.iter_mut().zip(lens).for_each(|(segment, len)| segment.len = len);
        self.change_counts(left, right, merged, &sides);
        sides.replaced
    }

    /// Moves right halves to the end of the segment before, until no pair lies across a border.
    fn clear_borders(&mut self, left: I, right: I) {
        let mut last = 0;
        for at in 1..self.segments.len() {
            let (before, segments) = self.segments.split_at_mut(at);
            let (before, segment) = (&mut before[last], &mut segments[0]);
            while segment.len > 0
                && self.ids[segment.start] == right
                && self.ids[before.start + before.len - 1] == left
            {
                self.ids[before.start + before.len] = right;
                before.len += 1;
                segment.start += 1;
                segment.len -= 1;
            }
            if segment.len > 0 {
                last = at;
            }
        }
        // One that gave everything away would lie inside the one before, if that took more.
        self.segments.retain(|segment| segment.len > 0);
    }

    /// Cuts the segments into a share a thread, of about as many tokens each.
    fn shares(&self) -> Vec<Range<usize>> {
        let tokens: usize = self.segments.iter().map(|segment| segment.len).sum();
        let threads = if tokens < MANY { 1 } else { self.threads };
        let (mut shares, mut first, mut seen) = (Vec::new(), 0, 0);
        for (at, segment) in self.segments.iter().enumerate() {
            seen += segment.len;
            if seen >= tokens * (shares.len() + 1) / threads {
                shares.push(first..at + 1);
                first = at + 1;
            }
        }
        shares.push(first..self.segments.len());
        shares
    }

    /// All segments with the tokens beside them.
    fn parts(&mut self) -> Vec<Part<'_, I>> {
        let edges: Vec<(I, I)> = self.segments.iter().map(|segment| self.edges(segment)).collect();
        let mut parts: Vec<Part<'_, I>> = Vec::with_capacity(self.segments.len());
        let (mut rest, mut at, mut before) = (&mut self.ids[..], 0, I::GAP);
        for (segment, &(_, last)) in self.segments.iter().zip(&edges) {
            rest = &mut rest[segment.start - at..];
            let (ids, behind) = rest.split_at_mut(segment.len);
            let (len, weight) = (segment.len, segment.weight);
            let (first_merged, last_merged) = (false, false);
            parts.push(Part { ids, weight, before, after: I::GAP, len, first_merged, last_merged });
            (rest, at) = (behind, segment.start + segment.len);
            before = if len > 0 { last } else { before };
        }
        let mut after = I::GAP;
        for (part, &(first, _)) in parts.iter_mut().zip(&edges).rev() {
            part.after = after;
            after = if part.len > 0 { first } else { after };
        }
        parts
    }

    fn edges(&self, segment: &Segment) -> (I, I) {
        let ids = &self.ids[segment.start..segment.start + segment.len];
        (ids.first().copied().unwrap_or(I::GAP), ids.last().copied().unwrap_or(I::GAP))
    }

    /// Additions come first: only the end of all changes is sure not to be negative.
    fn change_counts(&mut self, left: u32, right: u32, merged: u32, sides: &Sides) {
        let at = |left: u32, right: u32| left as usize * IDS + right as usize;
        for id in 0..IDS as u32 {
            self.counts[at(id, merged)] += sides.left[id as usize];
            self.counts[at(merged, id)] += sides.right[id as usize];
        }
        for id in 0..IDS as u32 {
            self.counts[at(id, left)] -= sides.left[id as usize];
            self.counts[at(right, id)] -= sides.right[id as usize];
        }
        self.counts[at(left, right)] -= sides.replaced;
    }

    /// Moves the tokens apart to the places of their bytes.
    pub fn finish(self, lens: &[u32]) -> Positions<I> {
        let runs = self.segments.iter().map(|segment| segment.start..segment.start + segment.len);
        Positions::spread(self.ids, runs, lens)
    }
}

impl<I: Id> Part<'_, I> {
    /// Merges everywhere in the part. What is read and written lies in the same places, the writing
    /// never ahead of the reading.
    fn sweep(&mut self, merge: &Merge<I>, sides: &mut Sides) {
        let (mut read, mut written) = (0, 0);
        let len = self.ids.len();
        let mut block = 0;
        while block + 1 < len {
            let mut hits = hits(&self.ids[block..], merge);
            while hits != 0 {
                let at = block + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                if at >= read {
                    written = self.take(read..at, written);
                    self.replace(at, written, merge, sides);
                    (read, written) = (at + 2, written + 1);
                }
            }
            block += BLOCK;
        }
        self.last_merged = read > 0 && read == len;
        self.len = self.take(read..len, written);
    }

    /// Moves tokens to where the next ones are written; returns where those after them are.
    #[inline(always)]
    fn take(&mut self, tokens: Range<usize>, written: usize) -> usize {
        let end = written + tokens.len();
        if tokens.start > written {
            self.ids.copy_within(tokens, written);
        }
        end
    }

    #[inline(always)]
    fn replace(&mut self, at: usize, written: usize, merge: &Merge<I>, sides: &mut Sides) {
        let before = if written > 0 { self.ids[written - 1] } else { self.before };
        let after = self.ids.get(at + 2).copied().unwrap_or(self.after);
        self.first_merged |= written == 0;
        self.ids[written] = merge.merged;
        sides.left[before.index().min(IDS)] += self.weight;
        sides.right[after.index().min(IDS)] += self.weight;
        sides.replaced += self.weight;
    }
}

/// A bit for each of the first tokens, up to [`BLOCK`], at which the pair stands.
#[inline(always)]
fn hits<I: Id>(ids: &[I], merge: &Merge<I>) -> u64 {
    let is_hit = |left: I, right: I| (left == merge.left) & (right == merge.right);
    let rights = ids.get(1..).and_then(|ids| ids.first_chunk::<BLOCK>());
    let (Some(lefts), Some(rights)) = (ids.first_chunk::<BLOCK>(), rights) else {
        let pairs = ids.windows(2).enumerate();
        return pairs.fold(0, |bits, (at, pair)| bits | u64::from(is_hit(pair[0], pair[1])) << at);
    };
    // Bytes first, which the compiler compares many at a time.
    let bytes: [u8; BLOCK] = std::array::from_fn(|at| u8::from(is_hit(lefts[at], rights[at])));
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| bits << 8 | lowest_bits(*word))
}

/// The lowest bits of eight bytes, which are 0 or 1: the product has each of them once in its top byte.
#[inline(always)]
fn lowest_bits(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

fn count_pairs<I: Id>(ids: &[I], weight: u64, counts: &mut [u64]) {
    for pair in ids.windows(2) {
        let (left, right) = (pair[0].index(), pair[1].index());
        if left < IDS && right < IDS {
            counts[left * IDS + right] += weight;
        }
    }
}

/// Where a part ends in a new token and the next one begins with one, the latter took the former's
/// right half for its neighbour.
fn correct_borders<I: Id>(parts: &[Part<I>], merge: &Merge<I>, left: &mut [u64]) {
    let mut ends_merged = false;
    for part in parts.iter().filter(|part| !part.ids.is_empty()) {
        if ends_merged && part.first_merged {
            left[merge.right.index()] -= part.weight;
            left[merge.merged.index()] += part.weight;
        }
        ends_merged = part.last_merged;
    }
}

fn add(totals: &mut [u64], others: &[u64]) {
    totals.iter_mut().zip(others).for_each(|(total, other)| *total += other);
}

/// Does each share of the work, the first one on the calling thread.
fn on_threads<S: Send, T: Send>(shares: Vec<S>, work: impl Fn(S) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let mut shares = shares.into_iter();
        let own = shares.next();
        let others: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        let own = own.map(work);
        let others = others.into_iter().map(|other| match other.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        own.into_iter().chain(others).collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::positions::Writer;
    use super::*;

    /// Tokens of each word after replacing a pair, left to right.
    fn replaced(word: &[u32], left: u32, right: u32, merged: u32) -> Vec<u32> {
        let (mut out, mut rest) = (Vec::new(), word);
        while let [first, tail @ ..] = rest {
            let is_hit = *first == left && tail.first() == Some(&right);
            out.push(if is_hit { merged } else { *first });
            rest = &tail[usize::from(is_hit)..];
        }
        out
    }

    fn counted(words: &[(Vec<u32>, u64)]) -> Vec<u64> {
        let mut counts = vec![0; IDS * IDS];
        for (word, weight) in words {
            word.windows(2)
                .for_each(|pair| counts[pair[0] as usize * IDS + pair[1] as usize] += weight);
        }
        counts
    }

    proptest! {
        #[test]
        fn agrees_with_replacing_in_lists(
            words in vec((prop_oneof![vec(0..3u32, 1..150), vec(0..2u32, 1..16)], 1..4u64), 1..6),
            merges in vec((0..6u32, 0..6u32), 1..8), threads in 1..12usize,
        ) {
            let mut words = words;
            let mut writer = Writer::<u16>::new(0);
            let mut stretches = Vec::new();
            for (word, weight) in &words {
                writer.bytes(word.iter().map(|&id| id as u16));
                writer.gap();
                stretches.push((writer.len(), *weight));
            }
            let mut sweep = Sweep::new(writer.finish(), &stretches, threads);
            let mut lens = vec![1u32; 3];
            for (left, right) in merges {
                let merged = lens.len() as u32;
                if left.max(right) >= merged { continue; }
                let tokens = |words: &[(Vec<u32>, u64)]| -> u64 {
                    words.iter().map(|(word, weight)| word.len() as u64 * weight).sum()
                };
                let before = tokens(&words);
                words.iter_mut().for_each(|(word, _)| *word = replaced(word, left, right, merged));
                prop_assert_eq!(sweep.merge(left, right, merged), before - tokens(&words));
                prop_assert_eq!(&sweep.counts, &counted(&words));
                lens.push(lens[left as usize] + lens[right as usize]);
            }
            let mut expected = Writer::<u16>::new(0);
            for (word, _) in &words {
                word.iter().for_each(|&id| expected.token(id as u16, lens[id as usize] as usize));
                expected.gap();
            }
            prop_assert!(sweep.finish(&lens) == expected.finish());
        }
    }
}
