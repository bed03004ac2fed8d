//! What the tests share: small vocabularies of the kinds that break encoders.

mod agreement;
mod by_words;
mod documents;
mod limits;
mod models;
mod settled;

use std::collections::HashMap;
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

use super::merge_heap::merge_heap;
use super::merge_reference::merge_slow;
use super::ranks::Ranks;
use super::table::TokenTable;
use super::{Encoder, Merge};

/// A vocabulary under construction: the 256 bytes at ids 3..259, after three specials.
struct Vocabulary {
    tokens: Vec<Option<Vec<u8>>>,
    merges: Vec<Merge>,
    /// Ranks of the merges, if some are equal.
    ranks: Option<Vec<u32>>,
    byte_ids: [u32; 256],
}

impl Vocabulary {
    fn new() -> Self {
        let bytes = (0..=255u8).map(|byte| Some(vec![byte]));
        Self {
            tokens: vec![None; 3].into_iter().chain(bytes).collect(),
            merges: Vec::new(),
            ranks: None,
            byte_ids: std::array::from_fn(|byte| byte as u32 + 3),
        }
    }

    /// Adds a merge; its product is a new id unless the bytes have one (as in HF) and `reuse`.
    fn merge(&mut self, left: u32, right: u32, reuse: bool) -> u32 {
        let part = |id: u32| self.tokens[id as usize].clone().unwrap();
        let bytes = [part(left), part(right)].concat();
        let known = self.tokens.iter().position(|t| t.as_deref() == Some(&bytes[..]));
        let id = known.filter(|_| reuse).unwrap_or(self.tokens.len());
        if id == self.tokens.len() {
            self.tokens.push(Some(bytes));
        }
        self.merges.push((left, right, id as u32));
        id as u32
    }

    fn encoder(&self, ignore_merges: bool) -> Encoder {
        let tokens = self.tokens.iter().map(|token| token.as_deref());
        Encoder::new(tokens, &self.merges, self.ranks.as_deref(), &self.byte_ids, ignore_merges)
            .unwrap()
    }

    fn slow(&self, piece: &[u8]) -> Vec<u32> {
        merge_slow(&self.merges, self.ranks.as_deref(), &self.byte_ids, piece)
    }

    fn heap(&self, piece: &[u8]) -> Vec<u32> {
        let tokens = self.tokens.iter().map(|token| token.as_deref());
        let ranks =
            Ranks::new(&self.merges, self.ranks.as_deref(), &TokenTable::new(tokens).unwrap())
                .unwrap();
        let mut out = Vec::new();
        merge_heap(&ranks, piece.iter().map(|&b| self.byte_ids[usize::from(b)]), &mut out);
        out
    }

    fn size(&self) -> u32 {
        self.tokens.len() as u32
    }
}

impl fmt::Debug for Vocabulary {
    /// The merges alone, by their bytes: what a failing case needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |id: u32| {
            let bytes = self.tokens[id as usize].as_deref().unwrap_or_default();
            String::from_utf8_lossy(bytes)
        };
        let merges = self.merges.iter();
        f.debug_list()
            .entries(merges.map(|&(l, r, id)| format!("{} {} -> {id}", text(l), text(r))))
            .finish()
    }
}

pub(super) fn encode(encoder: &Encoder, piece: &[u8]) -> Vec<u32> {
    let mut out = Vec::new();
    encoder.encode_piece(piece, &mut out);
    out
}

/// BPE training by its definition: most frequent pair, ties to the smaller one.
fn train(text: &[u8], merges: usize) -> Vocabulary {
    let mut vocabulary = Vocabulary::new();
    let mut ids: Vec<u32> = text.iter().map(|&b| u32::from(b) + 3).collect();
    for _ in 0..merges {
        let mut counts = HashMap::new();
        for pair in ids.windows(2) {
            *counts.entry((pair[0], pair[1])).or_insert(0) += 1;
        }
        let best = counts.into_iter().max_by_key(|&(pair, n)| (n, std::cmp::Reverse(pair)));
        let Some(((left, right), _)) = best else {
            break;
        };
        let merged = vocabulary.merge(left, right, true);
        let mut at = 0;
        while at + 1 < ids.len() {
            if (ids[at], ids[at + 1]) == (left, right) {
                ids.splice(at..at + 2, [merged]);
            }
            at += 1;
        }
    }
    vocabulary
}

/// Few symbols: ties and runs are the hard cases, and wide alphabets rarely make them.
fn text(symbols: u8, len: usize) -> impl Strategy<Value = Vec<u8>> {
    vec((0..symbols).prop_map(|s| b'a' + s), 1..len)
}

fn trained() -> impl Strategy<Value = Vocabulary> {
    trained_on(1..40)
}

fn trained_on(merges: std::ops::Range<usize>) -> impl Strategy<Value = Vocabulary> {
    (1..5u8, merges)
        .prop_flat_map(|(symbols, merges)| (text(symbols, 120), Just(merges)))
        .prop_map(|(text, merges)| train(&text, merges))
}

/// Any pairs of known tokens, in any order: parts made after their products, products made twice
/// or under two ids, pairs named twice.
fn improper() -> impl Strategy<Value = Vocabulary> {
    let picks = vec((any::<u32>(), any::<u32>(), any::<bool>()), 1..24);
    (1..4u32, picks, any::<u64>()).prop_map(|(symbols, picks, seed)| {
        let mut vocabulary = Vocabulary::new();
        for (left, right, reuse) in picks {
            let made = vocabulary.size() - 259;
            let pick = |n: u32| match n % (symbols + made) {
                byte if byte < symbols => u32::from(b'a') + byte + 3,
                token => 259 + token - symbols,
            };
            let (left, right) = (pick(left), pick(right));
            let len = |id: u32| vocabulary.tokens[id as usize].as_ref().unwrap().len();
            if len(left) + len(right) <= 24 {
                vocabulary.merge(left, right, reuse);
            }
        }
        shuffle(&mut vocabulary.merges, seed);
        vocabulary
    })
}

/// Any list, neighbours in it made equal in rank: all pairs of one product, or any.
fn tied() -> impl Strategy<Value = Vocabulary> {
    (improper(), vec(any::<bool>(), 24), any::<bool>()).prop_map(
        |(mut vocabulary, ties, by_product)| {
            if by_product {
                let mut first = HashMap::new();
                let all = vocabulary.merges.clone();
                for (at, merge) in all.iter().enumerate() {
                    first.entry(merge.2).or_insert(at);
                }
                vocabulary.merges.sort_by_key(|merge| first[&merge.2]);
            }
            let (mut rank, mut ranks) = (0, Vec::new());
            for (at, merge) in vocabulary.merges.iter().enumerate() {
                let same = at > 0 && vocabulary.merges[at - 1].2 == merge.2;
                let tie = if by_product { same } else { ties[at % ties.len()] };
                rank += u32::from(at > 0 && !tie);
                ranks.push(rank);
            }
            vocabulary.ranks = Some(ranks);
            vocabulary
        },
    )
}

/// Leaves a third of the lists as they are, swaps neighbours in a third, shuffles the rest.
fn shuffle(merges: &mut [Merge], seed: u64) {
    let mut state = seed | 1;
    for at in 1..merges.len() {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let pick = (state >> 33) as usize;
        match seed % 3 {
            0 => {}
            1 if pick.is_multiple_of(4) => merges.swap(at, at - 1),
            1 => {}
            _ => merges.swap(at, pick % (at + 1)),
        }
    }
}
