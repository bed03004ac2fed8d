//! The slow twin: BPE as it is defined, recounting every pair before every merge.

use std::collections::BTreeMap;

use super::train::Options;
use super::vocabulary::{Product, Vocabulary};
use super::Merge;

/// Trains on weighted sequences of ids; returns the merges and the count of each.
pub fn train_slow(
    mut sequences: Vec<(Vec<u32>, u64)>,
    vocabulary: &mut Vocabulary,
    options: &Options,
) -> Vec<(Merge, u64)> {
    let mut merges = Vec::new();
    while vocabulary.len() < options.vocab_size {
        let counts = count_pairs(&sequences, vocabulary, options);
        let best = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        let Some((&pair, &count)) = best else { break };
        if count < options.min_frequency.max(1) {
            break;
        }
        let id = match vocabulary.product(pair.0, pair.1) {
            Product::Known(id) => id,
            _ => vocabulary.push(pair.0, pair.1),
        };
        merges.push(((pair.0, pair.1, id), count));
        for (sequence, _) in &mut sequences {
            *sequence = replace(sequence, pair, id);
        }
    }
    merges
}

fn count_pairs(
    sequences: &[(Vec<u32>, u64)],
    vocabulary: &Vocabulary,
    options: &Options,
) -> BTreeMap<(u32, u32), u64> {
    let mut counts = BTreeMap::new();
    for (sequence, weight) in sequences {
        for pair in sequence.windows(2) {
            let len = vocabulary.token_len(pair[0]) + vocabulary.token_len(pair[1]);
            let forbidden = vocabulary.product(pair[0], pair[1]) == Product::Forbidden;
            if !forbidden && options.max_token_bytes.is_none_or(|most| len <= most as usize) {
                *counts.entry((pair[0], pair[1])).or_insert(0) += weight;
            }
        }
    }
    counts
}

fn replace(sequence: &[u32], pair: (u32, u32), id: u32) -> Vec<u32> {
    match sequence {
        [left, right, rest @ ..] if (*left, *right) == pair => {
            [vec![id], replace(rest, pair, id)].concat()
        }
        [first, rest @ ..] => [vec![*first], replace(rest, pair, id)].concat(),
        [] => vec![],
    }
}
