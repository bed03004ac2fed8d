//! Any merge list: refused, or encoded as the definition says, whole and in parts, and decoded again.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::encode::{Encoder, Merge, Whole};
use tokforge_core::progress::Silent;

#[path = "../../src/encode/merge_reference.rs"]
mod merge_reference;

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    merges: Vec<(u8, u8, bool)>,
    /// Ids that the list names wrongly: place, and the id put there.
    faults: Vec<(u8, u32)>,
    ranks: Option<Vec<u8>>,
    ignore_merges: bool,
    text: &'a [u8],
    ids: Vec<u32>,
}

const SYMBOLS: u32 = 4;

/// Few symbols: ties and runs are the hard cases.
fn list(case: &Case) -> (Vec<Vec<u8>>, Vec<Merge>) {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let mut merges = Vec::new();
    for &(left, right, reuse) in case.merges.iter().take(40) {
        let made = tokens.len() as u32 - 256;
        let pick = |n: u8| match u32::from(n) % (SYMBOLS + made) {
            byte if byte < SYMBOLS => byte,
            token => 256 + token - SYMBOLS,
        };
        let (left, right) = (pick(left), pick(right));
        let bytes = [&tokens[left as usize][..], &tokens[right as usize]].concat();
        if bytes.len() > 24 {
            continue;
        }
        let known = tokens.iter().position(|token| *token == bytes).filter(|_| reuse);
        let id = known.unwrap_or(tokens.len());
        if known.is_none() {
            tokens.push(bytes);
        }
        merges.push((left, right, id as u32));
    }
    (tokens, merges)
}

fuzz_target!(|case: Case| {
    let (tokens, mut merges) = list(&case);
    for &(place, id) in case.faults.iter().take(2) {
        let at = usize::from(place) % merges.len().max(1);
        if let Some(merge) = merges.get_mut(at) {
            merge.2 = id;
        }
    }
    let ranks: Option<Vec<u32>> = case.ranks.as_ref().map(|ranks| {
        let mut ranks: Vec<u32> =
            (0..merges.len()).map(|at| u32::from(ranks.get(at).copied().unwrap_or(0))).collect();
        ranks.sort_unstable();
        ranks
    });
    let byte_ids = std::array::from_fn(|byte| byte as u32);
    let all = tokens.iter().map(|token| Some(&token[..]));
    let Ok(encoder) = Encoder::new(all, &merges, ranks.as_deref(), &byte_ids, case.ignore_merges)
    else {
        return;
    };
    let text: Vec<u8> = case.text.iter().take(96).map(|byte| byte % SYMBOLS as u8).collect();
    let mut ids = Vec::new();
    encoder.encode_piece(&text, &mut ids);
    assert_eq!(encoder.decode(&ids).unwrap(), text);
    let whole = tokens.iter().position(|token| *token == text);
    let expected = match whole.filter(|_| case.ignore_merges) {
        Some(_) => None, // the id of one of the tokens of these bytes
        None => Some(merge_reference::merge_slow(&merges, ranks.as_deref(), &byte_ids, &text)),
    };
    match expected {
        Some(expected) => assert_eq!(ids, expected),
        None => assert_eq!(ids.len(), 1),
    }
    let (settled, bytes) = encoder.encode_settled(&Whole, &text, 1, &Silent).unwrap();
    assert_eq!(settled, ids[..settled.len()]);
    assert_eq!(encoder.decode(&settled).unwrap(), text[..bytes]);
    let _ = encoder.decode(&case.ids);
});
