//! The corpus as one array by byte offset, with a token's id at its first and its last byte.
//!
//! Invariants, for a token of `n` bytes at offset `p`:
//! * `ids[p]` and `ids[p + n - 1]` hold its id; the bytes between hold [`Id::GAP`];
//! * the next token starts at `p + n`, the one before ends at `p - 1`, unless a GAP stands there,
//!   which separates documents (or words) and stands at both ends of the array.
//!
//! So `ids[p] == a && ids[p + len(a)] == b` decides whether a remembered occurrence of the pair
//! (a, b) at `p` still stands: tokens only grow, hence an offset at which `a` once started holds `a`
//! again only if it still starts there. That is what lets occurrence lists be validated lazily.
//!
//! An offset alone does not tell whether a token starts there, so threads could not start reading in
//! the middle; anchors, one a block, are kept up to date for them.

use std::ops::Range;

/// An id as it is stored in the array: 16 bits where the vocabulary allows it.
pub trait Id: Copy + PartialEq + Send + Sync {
    /// Stands between documents and inside tokens; no token has this id.
    const GAP: Self;
    /// Converts from an id that is known to fit.
    fn from_u32(id: u32) -> Self;
    /// Converts to an index.
    fn index(self) -> usize;
}

macro_rules! impl_id {
    ($type:ty) => {
        impl Id for $type {
            const GAP: Self = <$type>::MAX;
            #[inline(always)]
            fn from_u32(id: u32) -> Self {
                id as Self
            }
            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

impl_id!(u16);
impl_id!(u32);

/// A byte offset as it is stored in occurrence lists: 32 bits where the corpus allows it.
pub trait Offset: Copy + Ord + Send + Sync {
    /// Converts from an offset that is known to fit.
    fn from_usize(offset: usize) -> Self;
    /// Converts to an index.
    fn index(self) -> usize;
}

macro_rules! impl_offset {
    ($type:ty) => {
        impl Offset for $type {
            #[inline(always)]
            fn from_usize(offset: usize) -> Self {
                offset as Self
            }
            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

impl_offset!(u32);
impl_offset!(u64);

/// Offsets are grouped in blocks of this many bits, each with the first token that starts in it.
const BLOCK_BITS: u32 = 16;

/// Says that no token starts in a block.
const NOWHERE: usize = usize::MAX;

/// The array, and where in it reading may start.
#[derive(PartialEq)]
pub struct Positions<I> {
    ids: Vec<I>,
    /// First offset of each block at which a token or a gap between documents starts.
    anchors: Vec<usize>,
}

impl<I> Default for Positions<I> {
    fn default() -> Self {
        Self { ids: Vec::new(), anchors: Vec::new() }
    }
}

/// Writes the array from its start; each token or gap is noted as it is written.
pub struct Writer<I>(Positions<I>);

impl<I: Id> Writer<I> {
    /// Starts an array with a gap; `space` is about how many places are to come.
    pub fn new(space: usize) -> Self {
        let mut ids = Vec::with_capacity(space + 1);
        ids.push(I::GAP);
        Self(Positions { ids, anchors: vec![0] })
    }

    /// Appends tokens of one byte each.
    pub fn bytes(&mut self, tokens: impl ExactSizeIterator<Item = I>) {
        if tokens.len() == 0 {
            return;
        }
        self.note_start();
        let Positions { ids, anchors } = &mut self.0;
        ids.extend(tokens);
        let blocks = ((ids.len() - 1) >> BLOCK_BITS) + 1;
        anchors.extend((anchors.len()..blocks).map(|block| block << BLOCK_BITS));
    }

    /// Appends a token of `len` bytes.
    pub fn token(&mut self, id: I, len: usize) {
        self.note_start();
        let ids = &mut self.0.ids;
        let start = ids.len();
        ids.resize(start + len, I::GAP);
        ids[start] = id;
        ids[start + len - 1] = id;
    }

    /// Ends a document or word.
    pub fn gap(&mut self) {
        self.note_start();
        self.0.ids.push(I::GAP);
    }

    /// Places so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The array, which must end in a gap.
    pub fn finish(self) -> Positions<I> {
        debug_assert!(self.0.ids.last() == Some(&I::GAP));
        self.0
    }

    fn note_start(&mut self) {
        let Positions { ids, anchors } = &mut self.0;
        let block = ids.len() >> BLOCK_BITS;
        if block >= anchors.len() {
            anchors.resize(block, NOWHERE);
            anchors.push(ids.len());
        }
    }
}

/// Writes the array in any order; what is never written is a gap between words.
pub struct Placed<I>(Positions<I>);

impl<I: Id> Placed<I> {
    /// An array of that many places, all of them gaps.
    pub fn new(places: usize) -> Self {
        let anchors = vec![NOWHERE; ((places.max(1) - 1) >> BLOCK_BITS) + 1];
        let mut array = Self(Positions { ids: vec![I::GAP; places], anchors });
        array.note_start(0);
        array
    }

    /// Puts a word of tokens of one byte each at `start`, with a gap behind it.
    pub fn bytes(&mut self, start: usize, tokens: impl ExactSizeIterator<Item = I>) {
        let end = start + tokens.len();
        let places = &mut self.0.ids[start..end];
        places.iter_mut().zip(tokens).for_each(|(place, token)| *place = token);
        for block in start >> BLOCK_BITS..=end >> BLOCK_BITS {
            self.note_start(start.max(block << BLOCK_BITS));
        }
    }

    /// Puts a token of `len` bytes at `start`; behind it stands another, or a gap.
    pub fn token(&mut self, start: usize, id: I, len: usize) {
        self.0.ids[start] = id;
        self.0.ids[start + len - 1] = id;
        self.note_start(start);
        self.note_start(start + len);
    }

    /// The array, which must end in a gap.
    pub fn finish(self) -> Positions<I> {
        debug_assert!(self.0.ids.last() == Some(&I::GAP));
        self.0
    }

    fn note_start(&mut self, start: usize) {
        let anchor = &mut self.0.anchors[start >> BLOCK_BITS];
        *anchor = start.min(*anchor);
    }
}

impl<I: Id> Positions<I> {
    /// The ids of all tokens and gaps in order; all tokens must be single bytes.
    pub fn into_bytes(self) -> Vec<I> {
        self.ids
    }

    /// The array from the ids of all tokens and gaps in order, which stand at `runs` in memory that is
    /// as long as the array, none behind the place of its first byte.
    pub fn spread(
        mut ids: Vec<I>,
        runs: impl DoubleEndedIterator<Item = Range<usize>>,
        lens: &[u32],
    ) -> Self {
        let mut anchors = vec![NOWHERE; ((ids.len().max(1) - 1) >> BLOCK_BITS) + 1];
        let mut end = ids.len();
        // From the end, so that what is written is never still to be read.
        for at in runs.rev().flat_map(Range::rev) {
            let id = ids[at];
            let len = if id == I::GAP { 1 } else { lens[id.index()] as usize };
            let start = end - len;
            ids[start..end].fill(I::GAP);
            (ids[start], ids[end - 1]) = (id, id);
            anchors[start >> BLOCK_BITS] = start;
            end = start;
        }
        Self { ids, anchors }
    }

    /// Places in the array, gaps included.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the token `left` starts at `start` with `right` behind it.
    #[inline(always)]
    pub fn holds(&self, start: usize, left: I, left_len: usize, right: I) -> bool {
        // Not `&&`: the answer is hard to guess, and so the second read need not wait for the first.
        (self.ids[start] == left) & (self.ids[start + left_len] == right)
    }

    /// The token that starts at an offset where one or a gap does, if it is no gap.
    pub fn token_at(&self, start: usize) -> Option<I> {
        Some(self.ids[start]).filter(|&id| id != I::GAP)
    }

    /// The token or gap that ends before `start`, and the one that starts at `end`.
    #[inline(always)]
    pub fn around(&self, start: usize, end: usize) -> (I, I) {
        (self.ids[start - 1], self.ids[end])
    }

    /// Joins the token of `left_len` bytes at `start` with the one of `right_len` bytes behind it.
    #[inline(always)]
    pub fn join(&mut self, start: usize, left_len: usize, right_len: usize, id: I) {
        let middle = start + left_len;
        let end = middle + right_len;
        // The inner ends first: in a token of one byte they are also the outer ones.
        self.ids[middle - 1] = I::GAP;
        self.ids[middle] = I::GAP;
        self.ids[start] = id;
        self.ids[end - 1] = id;
        let anchor = &mut self.anchors[middle >> BLOCK_BITS];
        if *anchor == middle {
            let same_block = end >> BLOCK_BITS == middle >> BLOCK_BITS;
            *anchor = if same_block { end } else { NOWHERE };
        }
    }

    /// Cuts the array into at most `parts` ranges of about equal length, none through a token.
    pub fn ranges(&self, parts: usize) -> Vec<Range<usize>> {
        let blocks = self.anchors.len();
        let mut ends: Vec<usize> = (1..parts)
            .filter_map(|part| {
                let rest = &self.anchors[blocks * part / parts..];
                rest.iter().copied().find(|&anchor| anchor != NOWHERE)
            })
            .collect();
        ends.push(self.ids.len());
        ends.dedup();
        let starts = std::iter::once(0).chain(ends.clone());
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    #[inline(always)]
    fn for_each_token(&self, lens: &[u32], range: Range<usize>, mut visit: impl FnMut(usize, I)) {
        let mut next = range.start;
        while next < range.end {
            let id = self.ids[next];
            if id == I::GAP {
                next += 1;
                continue;
            }
            visit(next, id);
            next += lens[id.index()] as usize;
        }
    }

    /// Calls `visit(offset, left, right)` for each pair whose left token starts in `range`.
    #[inline(always)]
    pub fn for_each_pair(
        &self,
        lens: &[u32],
        range: Range<usize>,
        mut visit: impl FnMut(usize, I, I),
    ) {
        self.for_each_token(lens, range, |offset, left| {
            // A gap ends the array, so there is always something behind a token.
            let right = self.ids[offset + lens[left.index()] as usize];
            if right != I::GAP {
                visit(offset, left, right);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_cover_all_pairs_whatever_was_joined(
            tokens in vec(1..40_000usize, 1..40), joins in vec(0..40usize, 0..30), parts in 1..9usize,
        ) {
            // Ids are made up: token number i has id i + 1, a joined one the next free id.
            let mut lens: Vec<u32> = std::iter::once(0).chain(tokens.iter().map(|&len| len as u32)).collect();
            let mut writer = Writer::new(0);
            let mut sequence = Vec::new();
            for (token, &len) in tokens.iter().enumerate() {
                let id = token as u32 + 1;
                sequence.push((writer.len(), id));
                if len == 1 { writer.bytes([id].into_iter()) } else { writer.token(id, len) }
            }
            writer.gap();
            let mut positions = writer.finish();
            for at in joins {
                if at + 1 >= sequence.len() { continue; }
                let ((start, left), (_, right)) = (sequence[at], sequence.remove(at + 1));
                let parts = (lens[left as usize], lens[right as usize]);
                sequence[at].1 = lens.len() as u32;
                positions.join(start, parts.0 as usize, parts.1 as usize, lens.len() as u32);
                lens.push(parts.0 + parts.1);
            }
            let mut seen = Vec::new();
            for range in positions.ranges(parts) {
                positions.for_each_pair(&lens, range, |offset, left, right| seen.push((offset, left, right)));
            }
            let expected: Vec<_> =
                sequence.windows(2).map(|pair| (pair[0].0, pair[0].1, pair[1].1)).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
