//! Merges that were learned already, replayed on a sequence of ids.
//!
//! Definition: each merge in its order replaces its pair everywhere, from left to right; a pair that
//! comes up only after its merge stays. So a sequence becomes what training had made of it, and training
//! may go on. [`crate::encode`]'s own joining ends such a pair too, and takes no pair twice. Complexity: a heap operation a pair, O(n log n) for n ids; a walk of all merges never.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::bpe::Merge;

/// Stands where a token was joined to the one before it, and at both ends.
const NONE: u32 = u32::MAX;

/// Merges by pair.
pub struct Replay {
    merges: Vec<Merge>,
    /// Rank of a pair's first merge.
    first: FxHashMap<(u32, u32), u32>,
    /// By rank, that of the pair's next merge: it may have come up again.
    next: Vec<u32>,
}

/// One thread's working memory.
#[derive(Default)]
pub struct Links {
    due: BinaryHeap<Reverse<(u32, u32)>>,
    before: Vec<u32>,
    after: Vec<u32>,
}

impl Replay {
    /// Takes merges in their order.
    pub fn new(merges: Vec<Merge>) -> Self {
        let mut first = FxHashMap::default();
        let mut next = vec![NONE; merges.len()];
        for (rank, &(left, right, _)) in merges.iter().enumerate().rev() {
            next[rank] = first.insert((left, right), rank as u32).unwrap_or(NONE);
        }
        Self { merges, first, next }
    }

    /// Replaces the ids of a sequence by what the merges make of them.
    pub fn apply(&self, ids: &mut Vec<u32>, links: &mut Links) {
        if self.merges.is_empty() {
            return;
        }
        let len = ids.len() as u32;
        let Links { due, before, after } = links;
        before.clear();
        after.clear();
        before.extend((0..len).map(|at| at.wrapping_sub(1)));
        after.extend((1..=len).map(|at| if at == len { NONE } else { at }));
        let push = |due: &mut BinaryHeap<_>, left: u32, right: u32, ids: &[u32], least: u32| {
            if left != NONE && right != NONE {
                let pair = (ids[left as usize], ids[right as usize]);
                due.extend(self.rank_from(pair, least).map(|rank| Reverse((rank, left))));
            }
        };
        (1..len).for_each(|at| push(due, at - 1, at, ids, 0));
        while let Some(Reverse((rank, at))) = due.pop() {
            let (left, right, merged) = self.merges[rank as usize];
            let gone = after[at as usize];
            if gone == NONE || (ids[at as usize], ids[gone as usize]) != (left, right) {
                continue;
            }
            (ids[at as usize], ids[gone as usize]) = (merged, NONE);
            let behind = after[gone as usize];
            after[at as usize] = behind;
            if behind != NONE {
                before[behind as usize] = at;
            }
            push(due, before[at as usize], at, ids, rank + 1);
            push(due, at, behind, ids, rank + 1);
        }
        ids.retain(|&id| id != NONE);
    }

    /// The rank of a pair's first merge that is not below `least`.
    fn rank_from(&self, pair: (u32, u32), least: u32) -> Option<u32> {
        let mut rank = *self.first.get(&pair)?;
        while rank < least {
            rank = self.next[rank as usize];
        }
        Some(rank).filter(|&rank| rank != NONE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// One merge after the other on the whole sequence.
    fn replayed_slowly(merges: &[Merge], ids: &[u32]) -> Vec<u32> {
        merges.iter().fold(ids.to_vec(), |ids, &(left, right, merged)| {
            let (mut out, mut rest) = (Vec::new(), &ids[..]);
            while let [first, tail @ ..] = rest {
                let is_hit = *first == left && tail.first() == Some(&right);
                out.push(if is_hit { merged } else { *first });
                rest = &tail[usize::from(is_hit)..];
            }
            out
        })
    }

    proptest! {
        #[test]
        fn agrees_with_one_merge_after_the_other(
            pairs in vec((0..9u32, 0..9u32, any::<bool>()), 0..12), ids in vec(0..4u32, 0..60),
        ) {
            // Ids are as long as their parts together; some merges make an older id of that length.
            let mut lens = vec![1u32, 1, 1, 1];
            let mut merges = Vec::new();
            for (left, right, again) in pairs {
                let known = lens.len() as u32;
                let (left, right) = (left % known, right % known);
                let len = lens[left as usize] + lens[right as usize];
                let older = lens.iter().position(|&other| other == len).filter(|_| again);
                let merged = older.map_or(known, |id| id as u32);
                if merged == known { lens.push(len); }
                merges.push((left, right, merged));
            }
            let mut fast = ids.clone();
            Replay::new(merges.clone()).apply(&mut fast, &mut Links::default());
            prop_assert_eq!(fast, replayed_slowly(&merges, &ids));
        }
    }
}
