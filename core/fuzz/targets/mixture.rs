//! Counts that came from outside are refused or kept; counts of words are replayed as the slow twin does.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::bpe;
use tokforge_core::mixture::{replay, table, Columns, Merges, Table};
use tokforge_core::progress::Silent;

#[path = "../../src/mixture/reference.rs"]
mod reference;

type Parts = (Vec<u8>, Vec<u64>, Vec<u64>, Vec<u32>, Vec<u64>);

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    parts: Option<Parts>,
    words: Vec<(u8, &'a [u8])>,
    merges: Vec<(u8, u8)>,
}

const COLUMNS: usize = 3;
const SYMBOLS: u32 = 4;

/// Pairs of what there is; a product is a new id.
fn list(picks: &[(u8, u8)]) -> (Vec<bpe::Merge>, Vec<u32>) {
    let (mut merges, mut lens) = (Vec::new(), vec![1; 256]);
    for &(left, right) in picks.iter().take(24) {
        let made = lens.len() as u32 - 256;
        let pick = |n: u8| match u32::from(n) % (SYMBOLS + made) {
            byte if byte < SYMBOLS => byte,
            token => 256 + token - SYMBOLS,
        };
        let (left, right) = (pick(left), pick(right));
        let len = lens[left as usize] + lens[right as usize];
        if len <= 24 {
            merges.push((left, right, lens.len() as u32));
            lens.push(len);
        }
    }
    (merges, lens)
}

fuzz_target!(|case: Case| {
    if let Some((bytes, word_ends, entry_ends, columns, counts)) = case.parts {
        let _ = Table::from_parts(Table { bytes, word_ends, entry_ends, columns, counts }, COLUMNS);
    }
    let mut columns = Columns::new(COLUMNS, 1);
    for &(column, word) in case.words.iter().take(16) {
        let word: Vec<u8> = word.iter().take(48).map(|byte| byte % SYMBOLS as u8).collect();
        columns.add(usize::from(column) % COLUMNS, None, &[&word], &Silent).unwrap();
    }
    let table = columns.table().unwrap();
    let (merges, lens) = list(&case.merges);
    let byte_ids = std::array::from_fn(|byte| byte as u32);
    let states = reference::replay_slow(&table, COLUMNS, &merges, &byte_ids);
    let given = Merges { merges: &merges, lens: &lens, byte_ids: &byte_ids };
    let history = replay(&table, &[0, 1, 2], &given, None, &Silent).unwrap();
    let columns = history.columns();
    for (step, state) in states.iter().enumerate().take(merges.len()) {
        let queries: Vec<_> =
            (0..history.pairs().len() as u32).map(|pair| (step as u32, pair)).collect();
        let counts = history.counts(&queries);
        for (&(_, pair), got) in queries.iter().zip(counts.chunks(columns)) {
            let row = state.get(&history.pairs()[pair as usize]);
            let expected = row.cloned().unwrap_or(vec![0; COLUMNS]);
            assert_eq!(got, expected, "step {step}, pair {:?}", history.pairs()[pair as usize]);
        }
    }
});
