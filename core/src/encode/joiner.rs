//! Applies merges to sequences of tokens that are there already: most of them of two or three.
//!
//! Definition: as [`super::merge_heap`], by which long sequences are merged; short ones by looking for
//! the lowest rank again and again, which allocates nothing.

use super::merge_heap::merge_heap;
use super::ranks::{Ranks, NEVER};
use super::Merge;
use crate::error::Error;

/// Sequences up to this length are searched through at each merge.
const SHORT: usize = 12;

/// A merge list for sequences of tokens.
pub struct Joiner(Ranks);

impl Joiner {
    /// Takes merges in the order of rank, each pair once.
    pub fn new(merges: &[Merge]) -> Result<Self, Error> {
        Ranks::build(merges, None).map(Self)
    }

    /// Replaces `out` by what `ids`, fewer than 2^32, merge to.
    pub fn join(&self, ids: &[u32], out: &mut Vec<u32>) {
        out.clear();
        if ids.len() > SHORT {
            return merge_heap(&self.0, ids.iter().copied(), out);
        }
        out.extend_from_slice(ids);
        while let Some(at) = self.first(out) {
            out[at] = self.0.product(out[at], out[at + 1]).id;
            out.remove(at + 1);
        }
    }

    /// Where the pair of the lowest rank stands first.
    fn first(&self, ids: &[u32]) -> Option<usize> {
        let ranks = ids.windows(2).map(|pair| self.0.rank(pair[0], pair[1]));
        let (rank, at) = ranks.zip(0..).min()?;
        (rank != NEVER).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::merge_reference::merge_ids_slow;
    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            pairs in vec((0..6u32, 0..6u32), 0..8), ids in vec(0..3u32, 0..40),
        ) {
            let mut pairs: Vec<_> = pairs;
            pairs.sort_unstable();
            pairs.dedup();
            let merges: Vec<Merge> = (3..).zip(pairs).map(|(id, (left, right))| (left, right, id)).collect();
            let mut out = Vec::new();
            Joiner::new(&merges).unwrap().join(&ids, &mut out);
            prop_assert_eq!(out, merge_ids_slow(&merges, None, ids));
        }
    }
}
