//! The slow twin: BPE as it is defined, recounting every pair before every merge.

use std::collections::BTreeMap;

use super::queue::Order;
use super::train::Options;
use super::veto::Rules;
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
        let bytes = |pair: &(u32, u32)| (vocabulary.bytes(pair.0), vocabulary.bytes(pair.1));
        let tie = |a: &(u32, u32), b: &(u32, u32)| match options.order {
            Order::HuggingFace => b.cmp(a),
            Order::Boundless => bytes(b).cmp(&bytes(a)),
        };
        let best = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(tie(a.0, b.0)));
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
        let mut taken = usize::MAX;
        for (at, pair) in sequence.windows(2).enumerate() {
            // In BoundlessBPE's order `a a a` holds one pair, not two.
            let overlaps = at > 0 && taken == at - 1 && sequence[at - 1..=at] == *pair;
            if overlaps && options.order == Order::Boundless {
                continue;
            }
            taken = at;
            let len = vocabulary.token_len(pair[0]) + vocabulary.token_len(pair[1]);
            let forbidden = vocabulary.product(pair[0], pair[1]) == Product::Forbidden;
            let joined = [vocabulary.bytes(pair[0]), vocabulary.bytes(pair[1])].concat();
            if !forbidden
                && allows_slow(&options.rules, &joined)
                && options.max_token_bytes.is_none_or(|most| len <= most as usize)
            {
                *counts.entry((pair[0], pair[1])).or_insert(0) += weight;
            }
        }
    }
    counts
}

/// The veto rules as they are defined, on the bytes of the new token.
pub fn allows_slow(rules: &Rules, token: &[u8]) -> bool {
    let words = token.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).count();
    let holds = |text: &Vec<u8>| token.windows(text.len()).any(|window| window == &text[..]);
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    rules.max_words.is_none_or(|most| words <= most as usize)
        && !rules.excluded.iter().any(holds)
        && !(rules.digits_apart && digits > 0 && digits < token.len())
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
