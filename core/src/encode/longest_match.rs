//! The longest reachable token at a place: a trie in a double array.
//!
//! Invariant: the child of node `n` by byte `b` is node `c = base[n] ^ b`, and is there exactly if
//! `labels[c] == b`. No two nodes share a base, so a label tells its parent; an unused place
//! bears a label that leads to a base which no node has. Each node knows the longest token that is
//! a prefix of it, so a match walks as far as it can and looks once; the labels, one byte each, are
//! what the failing last step reads. The first two bytes take one table look-up.
//! Complexity: one node a byte of the match; 9 B a node and 256 KiB. A node is placed in one of the
//! last two blocks of 256 or in a new one, so building is linear in the bytes of the vocabulary.
//! Source: double array, Aoe 1989; XOR form and single-byte check as in darts-clone (ideas).

use super::table::{TokenTable, NO_ID};

/// The base of a leaf: past every label, so that no byte leads on.
const LEAF: u32 = !0xFF;
const BLOCK: usize = 256;
const OPEN_BLOCKS: usize = 2;
const WORD: usize = u64::BITS as usize;

/// A node with what a walk needs of it side by side.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Node {
    base: u32,
    /// Longest token that is a prefix of the node.
    longest: u32,
}

const EMPTY: Node = Node { base: LEAF, longest: NO_ID };

/// Matches the tokens it was built of.
pub(super) struct LongestMatch {
    labels: Vec<u8>,
    nodes: Vec<Node>,
    /// Node of each first two bytes; 0, which is the root, where there is none.
    second: Box<[u32]>,
    first: [u32; 256],
    /// Longest other token that is a prefix of each token.
    shorter: Box<[u32]>,
}

impl LongestMatch {
    /// Builds the trie of `ids`, whose bytes are not empty; of ids with the same bytes the least counts.
    pub(super) fn new(table: &TokenTable, mut ids: Vec<u32>) -> Self {
        ids.sort_unstable_by_key(|&id| (table.bytes(id), id));
        ids.dedup_by_key(|id| table.bytes(*id));
        let mut trie = Builder::new(table, &ids).build();
        trie.fill_first_bytes();
        trie
    }

    /// Copies the nodes at depth 1 and 2 into tables.
    fn fill_first_bytes(&mut self) {
        for byte in 0..BLOCK {
            let Some(node) = self.child(0, byte as u8) else {
                continue;
            };
            self.first[byte] = self.nodes[node as usize].longest;
            for next in 0..BLOCK {
                self.second[byte << 8 | next] = self.child(node, next as u8).unwrap_or(0);
            }
        }
    }

    #[inline]
    fn child(&self, node: u32, byte: u8) -> Option<u32> {
        let at = self.nodes[node as usize].base ^ u32::from(byte);
        (self.labels.get(at as usize) == Some(&byte)).then_some(at)
    }

    /// The longest token that `data`, which is not empty, begins with; `NO_ID` if there is none.
    #[inline(always)]
    pub(super) fn longest(&self, data: &[u8]) -> u32 {
        let [first, second, rest @ ..] = data else {
            return self.first[usize::from(data[0])];
        };
        let mut node = self.second[usize::from(*first) << 8 | usize::from(*second)];
        if node == 0 {
            return self.first[usize::from(*first)];
        }
        for &byte in rest {
            match self.child(node, byte) {
                Some(child) => node = child,
                None => break,
            }
        }
        self.nodes[node as usize].longest
    }

    /// The longest other token that is a prefix of token `id`; `NO_ID` where there is none.
    #[inline]
    pub(super) fn shorter(&self, id: u32) -> u32 {
        self.shorter[id as usize]
    }
}

/// A node whose children are still to be placed: the tokens below it are `ids[lo..hi]`.
#[derive(Clone)]
struct Pending {
    at: u32,
    lo: usize,
    hi: usize,
    depth: usize,
    longest: u32,
}

/// The pending nodes by the first id among their tokens, which is one node's alone, as no two have a token in
/// common.
type Waiting = [Option<Pending>];

struct Builder<'a> {
    table: &'a TokenTable,
    ids: &'a [u32],
    trie: LongestMatch,
    /// A bit for each place, set where a node stands.
    taken: Vec<u64>,
    is_base: Vec<bool>,
}

impl<'a> Builder<'a> {
    fn new(table: &'a TokenTable, ids: &'a [u32]) -> Self {
        let trie = LongestMatch {
            labels: vec![0; BLOCK],
            nodes: vec![EMPTY; BLOCK],
            second: vec![0; BLOCK * BLOCK].into(),
            first: [NO_ID; 256],
            shorter: vec![NO_ID; table.len()].into(),
        };
        let mut taken = vec![0; BLOCK / WORD];
        taken[0] = 1; // the root
        Self { table, ids, trie, taken, is_base: vec![false; BLOCK] }
    }

    /// Places the nodes by the first id below them: early merges are met most often, and nodes that are
    /// placed one after the other share cache lines. A child's first id is never before its parent's, so
    /// one pass over the ids meets every node.
    fn build(mut self) -> LongestMatch {
        let mut waiting = vec![None; self.table.len()];
        let root = Pending { at: 0, lo: 0, hi: self.ids.len(), depth: 0, longest: NO_ID };
        self.place(root, &mut waiting);
        for id in 0..waiting.len() {
            while let Some(node) = waiting[id].take() {
                self.place(node, &mut waiting);
            }
        }
        self.label_unused();
        self.trie
    }

    fn place(&mut self, mut node: Pending, waiting: &mut Waiting) {
        self.accept(&mut node);
        self.place_children(&node, waiting);
    }

    /// Notes the token that ends at this node, if one does, and the longest up to here.
    fn accept(&mut self, node: &mut Pending) {
        if let Some(&id) = self.ids[node.lo..node.hi].first() {
            if self.table.token_len(id) == node.depth {
                self.trie.shorter[id as usize] = node.longest;
                node.longest = id;
                node.lo += 1;
            }
        }
        self.trie.nodes[node.at as usize].longest = node.longest;
    }

    fn place_children(&mut self, node: &Pending, waiting: &mut Waiting) {
        let byte = |&id: &u32| self.table.bytes(id)[node.depth];
        let tokens = &self.ids[node.lo..node.hi];
        let groups: Vec<_> = tokens.chunk_by(|a, b| byte(a) == byte(b)).collect();
        let labels: Vec<u8> = groups.iter().map(|group| byte(&group[0])).collect();
        if labels.is_empty() {
            return;
        }
        let base = self.find_base(&labels);
        self.is_base[base as usize] = true;
        self.trie.nodes[node.at as usize].base = base;
        let mut lo = node.lo;
        for (group, &label) in groups.iter().zip(&labels) {
            let at = base ^ u32::from(label);
            self.take(at as usize);
            self.trie.labels[at as usize] = label;
            let first = group.iter().copied().min().unwrap_or(NO_ID);
            let hi = lo + group.len();
            let child = Pending { at, lo, hi, depth: node.depth + 1, longest: node.longest };
            waiting[first as usize] = Some(child);
            lo = hi;
        }
    }

    /// A base of no other node whose places for all `labels` are free; in a new block if need be.
    fn find_base(&mut self, labels: &[u8]) -> u32 {
        let end = self.taken.len() * WORD;
        let first_word = self.taken.len().saturating_sub(OPEN_BLOCKS * BLOCK / WORD);
        for word in first_word..self.taken.len() {
            let mut free = !self.taken[word];
            while free != 0 {
                let base = (word * WORD + free.trailing_zeros() as usize) ^ usize::from(labels[0]);
                let is_free = |&label: &u8| !self.is_taken(base ^ usize::from(label));
                if !self.is_base[base] && labels[1..].iter().all(is_free) {
                    return base as u32;
                }
                free &= free - 1;
            }
        }
        self.taken.resize(self.taken.len() + BLOCK / WORD, 0);
        self.is_base.resize(end + BLOCK, false);
        self.trie.labels.resize(end + BLOCK, 0);
        self.trie.nodes.resize(end + BLOCK, EMPTY);
        end as u32
    }

    fn is_taken(&self, at: usize) -> bool {
        self.taken[at / WORD] >> (at % WORD) & 1 != 0
    }

    fn take(&mut self, at: usize) {
        self.taken[at / WORD] |= 1 << (at % WORD);
    }

    /// Gives each unused place a label under which no node looks. There is one: a block with a
    /// place to spare has fewer than 256 children, hence fewer than 256 bases.
    fn label_unused(&mut self) {
        let places = 0..self.taken.len() * WORD;
        for at in places.filter(|&at| at == 0 || !self.is_taken(at)).collect::<Vec<_>>() {
            let unused = (0..=255u8).find(|&label| !self.is_base[at ^ usize::from(label)]);
            self.trie.labels[at] = unused.unwrap_or(0);
        }
    }
}
