//! Which two tokens may stand side by side: the local test that decides global BPE.
//!
//! **Definitions.** s is a sequence of *atoms* (`atoms`: bytes, or characters). `encode(s)` repeats: of all adjacent pairs that are a merge, apply the one of
//! lowest rank, leftmost first; several pairs may be equal in rank. A token t is *reachable* if encode(bytes of t) = [t]. Two tokens
//! *stay* if encode(bytes of u, then of v) = [u, v]; they *meet* if that run comes by [u, v].
//!
//! **Theorem.** For every merge list and every ranking of it: encode(s) = [t1 .. tn] exactly if every ti is reachable and
//! every two neighbours stay. *Proof.* Call the run on s alone S, the one on ti alone Ti.
//! (if) While no merge has crossed a border between tokens, S is an interleaving of the Ti: each
//! step takes the least head (rank, then place) of all Ti and of the pairs across borders. Which
//! of Ti and Ti+1 goes first depends on their two heads alone, so S passes through the same states
//! of these two as the run on ti ti+1 alone. A pair across their border that was least in S would
//! be least in that run too, where no pair across is ever taken. So none is taken in S, and S ends
//! as all Ti do, with no merge left. (only if) The steps of S inside ti ti+1 are each the least of
//! all in S, hence the least in ti ti+1: they are that run, which so ends in [ti, ti+1]. The same
//! holds for one token. ∎ It follows that the encoding of each prefix is unique among sequences
//! that stay pairwise, and that a reachable token's last merge joins two reachable tokens that meet.
//!
//! **Test.** Call t *regular* if the ranks of its own run never fall: its parts are regular and its
//! last rank is above theirs. For regular u and v both runs go in the order of rank, so one can walk
//! back from [u, v]: undo the younger of the two symbols at the border (of equals the right one, as
//! the left is merged first), and each time ask for the pair now at the border. It was taken, and
//! u and v do not meet, exactly if its rank is below that at which its left symbol went on to grow,
//! and not above that of its right one. The walk ends with the two atoms at the border, which need
//! no walk: they are asked first, as they refuse most of what is refused.
//! Complexity: one look-up for each symbol undone, at most the depth of both tokens. Other tokens
//! (lists whose merges name parts made by later merges) are asked of `merge_heap`.
//!
//! Sources: the walk and the uniqueness for one merge a token in rank order: github/rust-gems,
//! crates/bpe (idea); properness: Berglund and van der Merwe, arXiv 2309.08715. The theorem for
//! every list, by comparing heads, is worked out here; the tests hold it against the definition.

use super::atoms::Atoms;
use super::merge_heap::merge_heap;
use super::ranks::{Product, Ranks, NEVER};
use super::table::{TokenTable, NO_ID};

/// How a regular token comes about; for another token only the bytes count.
#[derive(Clone, Copy)]
struct Derivation<E> {
    /// Parts of the last merge.
    left: u32,
    right: u32,
    /// Rank of the last merge, 0 for an atom.
    birth: u32,
    /// Ranks at which the first and the last atom are first merged, `NEVER` for an atom.
    head_grows: u32,
    tail_grows: u32,
    head: E,
    tail: E,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unreachable,
    Regular,
    Irregular,
}

/// The merges with each token's derivation.
pub(super) struct Validity<A: Atoms> {
    ranks: Ranks,
    atoms: A,
    derivations: Box<[Derivation<A::Edge>]>,
    all_regular: bool,
}

impl<A: Atoms> Validity<A> {
    /// Derives every token, shorter ones first: parts are shorter than what they make.
    pub(super) fn new(table: &TokenTable, ranks: Ranks, atoms: A) -> Self {
        let underived = |id| underived(&atoms, table.bytes(id));
        let mut validity = Self {
            derivations: (0..table.len() as u32).map(underived).collect(),
            all_regular: true,
            ranks,
            atoms,
        };
        for id in validity.atoms.all() {
            validity.derivations[id as usize].kind = Kind::Regular;
        }
        // Keys beside the merges: the table, asked at each comparison, would be most of the sorting.
        let key = |made: Product| (table.token_len(made.id) as u32, made.id, made.rank);
        let mut merges: Vec<_> = validity.ranks.iter().map(|merge| (key(merge.2), merge)).collect();
        merges.sort_unstable_by_key(|&(key, _)| key);
        let merges: Vec<_> = merges.into_iter().map(|(_, merge)| merge).collect();
        for same_product in merges.chunk_by(|a, b| a.2.id == b.2.id) {
            validity.derive(same_product, table);
        }
        validity
    }

    /// Finds how a token comes about, given all merges that make it.
    fn derive(&mut self, merges: &[(u32, u32, Product)], table: &TokenTable) {
        let id = merges[0].2.id;
        let mut doubtful = false;
        for &(left, right, Product { rank, .. }) in merges {
            let (l, r) = (self.of(left), self.of(right));
            if l.kind == Kind::Unreachable || r.kind == Kind::Unreachable {
                continue;
            }
            let both_regular = l.kind == Kind::Regular && r.kind == Kind::Regular;
            if !both_regular || rank < l.birth || rank < r.birth {
                doubtful = true;
            } else if (l.birth == 0 && r.birth == 0)
                || (!self.border_merges(left, right) && self.meet(left, right))
            {
                self.derivations[id as usize] = joined(left, l, right, r, rank);
                return;
            }
        }
        if doubtful && self.merges_to(table.bytes(id), &[id]) {
            let derivation = &mut self.derivations[id as usize];
            derivation.kind = Kind::Irregular;
            (derivation.head_grows, derivation.tail_grows) = (0, 0);
            self.all_regular = false;
        }
    }

    #[inline]
    fn of(&self, id: u32) -> Derivation<A::Edge> {
        self.derivations[id as usize]
    }

    /// Whether the token's own bytes encode to it.
    pub(super) fn is_reachable(&self, id: u32) -> bool {
        self.of(id).kind != Kind::Unreachable
    }

    /// Rank at which the first atom of a token is first merged; 0 if the token is irregular, so
    /// that the border alone says nothing of it.
    pub(super) fn head_grows(&self, id: u32) -> u32 {
        self.of(id).head_grows
    }

    /// Whether the atoms at the border merge before the tokens do: then the two do not stay, nor
    /// does any token with the same first atom and `head_grows` in place of the right one.
    #[inline]
    pub(super) fn border_merges(&self, left: u32, right: u32) -> bool {
        let (l, r) = (self.of(left), self.of(right));
        let rank = self.atoms.border_rank(&self.ranks, l.tail, r.head);
        rank < l.tail_grows && rank <= r.head_grows
    }

    /// Whether the run on two reachable tokens' bytes, whose border does not merge, ends in these two.
    #[inline]
    pub(super) fn stay(&self, left: u32, right: u32, table: &TokenTable) -> bool {
        let is_regular = |id| self.of(id).kind == Kind::Regular;
        if self.all_regular || (is_regular(left) && is_regular(right)) {
            return self.meet(left, right) && self.ranks.rank(left, right) == NEVER;
        }
        let bytes = [table.bytes(left), table.bytes(right)].concat();
        self.merges_to(&bytes, &[left, right])
    }

    fn merges_to(&self, bytes: &[u8], ids: &[u32]) -> bool {
        let mut out = Vec::new();
        merge_heap(&self.ranks, self.atoms.ids(bytes), &mut out);
        out == ids
    }

    /// Whether the run on two regular tokens' bytes, whose border does not merge, comes by these two.
    #[inline]
    fn meet(&self, mut left: u32, mut right: u32) -> bool {
        let (mut l, mut r) = (self.of(left), self.of(right));
        let (mut left_grows, mut right_grows) = (NEVER, NEVER);
        loop {
            if l.birth > r.birth {
                (left, left_grows) = (l.right, l.birth);
                l = self.of(left);
            } else if r.birth > 0 {
                (right, right_grows) = (r.left, r.birth);
                r = self.of(right);
            }
            if l.birth == 0 && r.birth == 0 {
                return true;
            }
            let rank = self.ranks.rank(left, right);
            if rank < left_grows && rank <= right_grows {
                return false;
            }
        }
    }
}

fn underived<A: Atoms>(atoms: &A, bytes: &[u8]) -> Derivation<A::Edge> {
    let (head, tail) = atoms.edges(bytes);
    Derivation {
        left: NO_ID,
        right: NO_ID,
        birth: 0,
        head_grows: NEVER,
        tail_grows: NEVER,
        head,
        tail,
        kind: Kind::Unreachable,
    }
}

fn joined<E>(
    left: u32,
    l: Derivation<E>,
    right: u32,
    r: Derivation<E>,
    birth: u32,
) -> Derivation<E> {
    Derivation {
        left,
        right,
        birth,
        head_grows: l.head_grows.min(birth),
        tail_grows: r.tail_grows.min(birth),
        head: l.head,
        tail: r.tail,
        kind: Kind::Regular,
    }
}
