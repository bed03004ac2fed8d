//! BPE left to right: take the longest token that stays beside the last one, step back when stuck.
//!
//! Definition: a depth-first search for the sequence of reachable tokens that covers the piece and
//! whose neighbours all stay; by the theorem in `validity` that sequence is BPE's, for every list.
//! Invariant: the ids so far are the encoding of the bytes before `at`, and no longer choice for
//! any of them leads to the end. By uniqueness a place is reached with one sequence only, so no
//! place is searched twice and none need be marked: the memory is the output.
//! Complexity: O(n) for a given vocabulary: each place is left at most once for each token that is
//! a prefix of its longest match, after a test of at most the depth of two derivations.
//! Source: github/rust-gems, crates/bpe (idea; it marks dead places and asks for proper lists).

use super::atoms::Atoms;
use super::longest_match::LongestMatch;
use super::table::{TokenTable, NO_ID};
use super::validity::Validity;

/// What the search looks up.
pub(super) struct Backtrack<A: Atoms> {
    matcher: LongestMatch,
    validity: Validity<A>,
    /// Longest prefix of each token whose first atom is first merged elsewhere.
    other_heads: Box<[u32]>,
}

/// How far a search is: it may be left and taken up again.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// Where this piece's ids begin in the output.
    first: usize,
    /// The place in the piece that the ids so far reach; it falls only while the search runs.
    pub(super) at: usize,
}

impl Search {
    /// A search from `at` on, whose ids will follow the `first` ones in the output.
    pub(super) fn new(first: usize, at: usize) -> Self {
        Self { first, at }
    }
}

impl<A: Atoms> Backtrack<A> {
    pub(super) fn new(table: &TokenTable, validity: Validity<A>) -> Self {
        let ids = (0..table.len() as u32).filter(|&id| validity.is_reachable(id));
        let matcher = LongestMatch::new(table, ids.collect());
        let other_heads = other_heads(table, &matcher, &validity);
        Self { matcher, validity, other_heads }
    }

    /// Whether some token begins with this, an atom's bytes.
    pub(super) fn begins_token(&self, atom: &[u8]) -> bool {
        self.matcher.longest(atom) != NO_ID
    }

    /// Whether two reachable tokens stay side by side.
    pub(super) fn stay(&self, left: u32, right: u32, table: &TokenTable) -> bool {
        !self.validity.border_merges(left, right) && self.validity.stay(left, right, table)
    }

    /// Goes on until the ids in `out` reach `until` or the end of `piece`. What follows `until`
    /// counts as well: where the search stops is part of a longer one's way. Where not every
    /// character is an atom, it also stops before one that is none: no token holds that.
    #[inline]
    pub(super) fn run(
        &self,
        table: &TokenTable,
        piece: &[u8],
        search: &mut Search,
        until: usize,
        out: &mut Vec<u32>,
    ) {
        while search.at < until.min(piece.len()) {
            let mut candidate = self.matcher.longest(&piece[search.at..]);
            if A::PARTIAL && candidate == NO_ID {
                return;
            }
            while let Some(&last) = out[search.first..].last() {
                if candidate == NO_ID {
                    // Stuck: give the last token back and try a shorter one in its place.
                    out.pop();
                    search.at -= table.bytes(last).len();
                    candidate = self.matcher.shorter(last);
                } else if self.validity.border_merges(last, candidate) {
                    candidate = self.other_heads[candidate as usize];
                } else if self.validity.stay(last, candidate, table) {
                    break;
                } else {
                    candidate = self.matcher.shorter(candidate);
                }
            }
            // The first token has no neighbour to fail, and one always leads on: see `validity`.
            debug_assert_ne!(candidate, NO_ID);
            out.push(candidate);
            search.at += table.bytes(candidate).len();
        }
    }
}

/// Shorter tokens first, as each takes over its prefix's answer where the heads agree.
fn other_heads<A: Atoms>(
    table: &TokenTable,
    matcher: &LongestMatch,
    validity: &Validity<A>,
) -> Box<[u32]> {
    let mut ids: Vec<u32> = (0..table.len() as u32).collect();
    ids.sort_unstable_by_key(|&id| table.token_len(id));
    let mut others = vec![NO_ID; table.len()];
    for id in ids {
        let shorter = matcher.shorter(id);
        let same = shorter != NO_ID && validity.head_grows(shorter) == validity.head_grows(id);
        others[id as usize] = if same { others[shorter as usize] } else { shorter };
    }
    others.into()
}
