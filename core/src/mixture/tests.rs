//! The replay against its slow twin, and the sweep against a full comparison.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::history::{Sweep, ABSENT};
use super::reference::{replay_slow, Counts};
use super::{replay, Columns, History, Merges, Table, Violation};
use crate::bpe::Merge;
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::Silent;

const COLUMNS: usize = 4;
/// Columns 0 and 1 are shards of one category.
const CATEGORY_OF: [u32; COLUMNS] = [0, 0, 1, 2];

fn byte_ids() -> [u32; 256] {
    std::array::from_fn(|byte| byte as u32)
}

/// Words of two or three letters: runs and overlaps are the hard cases.
fn table() -> impl Strategy<Value = Table> {
    let word = prop_oneof![vec(97..99u8, 1..12), vec(97..100u8, 1..8)];
    vec((word, 0..COLUMNS, 1..5u64), 1..12).prop_map(|words| {
        let mut columns = Columns::new(COLUMNS, 1);
        for (word, column, times) in &words {
            (0..*times).for_each(|_| columns.add(*column, None, &[word], &Silent).unwrap());
        }
        columns.table().unwrap()
    })
}

/// Any merges at all: of tokens that exist, in an order that no trainer would make.
fn merges(choices: &[(usize, usize)]) -> (Vec<Merge>, Vec<u32>) {
    let mut tokens: Vec<Vec<u8>> = (97..100).map(|byte| vec![byte]).collect();
    let mut ids: Vec<u32> = vec![97, 98, 99];
    let mut lens = vec![1; 256];
    let mut merges = Vec::new();
    for &(left, right) in choices {
        let (left, right) = (left % ids.len(), right % ids.len());
        let joined = [&tokens[left][..], &tokens[right][..]].concat();
        let merged = match tokens.iter().position(|token| *token == joined) {
            Some(known) => ids[known], // a second merge of one token
            None => lens.len() as u32,
        };
        if merged as usize == lens.len() {
            lens.push(joined.len() as u32);
            tokens.push(joined);
            ids.push(merged);
        }
        merges.push((ids[left], ids[right], merged));
    }
    (merges, lens)
}

fn by_category(row: &[i64]) -> Vec<i64> {
    let mut sums = vec![0; 3];
    row.iter().zip(CATEGORY_OF).for_each(|(count, at)| sums[at as usize] += count);
    sums
}

fn check_counts(history: &History, states: &[Counts], merges: &[Merge]) {
    let mut queries: Vec<(u32, u32)> = Vec::new();
    for step in 0..merges.len() as u32 {
        queries.extend((0..history.pairs().len() as u32).map(|pair| (step, pair)));
    }
    let counts = history.counts(&queries);
    for (&(step, pair), got) in queries.iter().zip(counts.chunks(3)) {
        let name = history.pairs()[pair as usize];
        let expected = states[step as usize].get(&name).map_or(vec![0; 3], |row| by_category(row));
        assert_eq!(got, expected, "step {step} pair {name:?}");
    }
    for (step, &(left, right, _)) in merges.iter().enumerate() {
        let expected = states[step].get(&(left, right)).cloned().unwrap_or(vec![0; COLUMNS]);
        let got = &history.merge_counts()[step * COLUMNS..(step + 1) * COLUMNS];
        assert_eq!(got.iter().map(|&c| c as i64).collect::<Vec<_>>(), expected);
        let absent = expected.iter().all(|&count| count == 0);
        assert_eq!(history.merge_pairs()[step] == ABSENT, absent);
    }
}

fn check_sweep(history: &History, states: &[Counts], merges: &[Merge], scale: [f64; 3]) {
    let share = |row: &[i64]| by_category(row).iter().zip(scale).map(|(&c, s)| c as f64 * s).sum();
    let swept = |charged| {
        history.sweep(&Sweep {
            scale: &scale,
            step_slack: &vec![0.5; merges.len()],
            pair_slack: &vec![0.25; history.pairs().len()],
            steps: 0..merges.len(),
            stride: 1,
            tolerance: 1e-9,
            per_step: usize::MAX,
            charged,
        })
    };
    let found = swept(false);
    let mut expected = Vec::new();
    for (step, &(left, right, _)) in merges.iter().enumerate() {
        let Some(own) = states[step].get(&(left, right)) else { continue };
        let own: f64 = share(own);
        for (pair, row) in &states[step] {
            let theirs: f64 = share(row);
            if *pair != (left, right) && theirs - 0.25 > own + 0.5 + 1e-9 {
                expected.push((step as u32, *pair));
            }
        }
    }
    let mut got: Vec<_> =
        found.iter().map(|v| (v.step, history.pairs()[v.pair as usize])).collect();
    got.sort_unstable();
    assert_eq!(got, expected);
    check_charged(&found, &swept(true));
}

/// What is charged to a pair adds up to its worst excess, and its last report is of that step.
fn check_charged(all: &[Violation], charged: &[Violation]) {
    let mut worst: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
    for one in all {
        let best = worst.entry(one.pair).or_insert((0.0, 0));
        if one.excess > best.0 + 1e-9 {
            *best = (one.excess, one.step);
        }
    }
    let mut paid: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
    for one in charged {
        let sum = paid.entry(one.pair).or_insert((0.0, 0));
        *sum = (sum.0 + one.excess, one.step);
    }
    assert!(worst.keys().eq(paid.keys()));
    for (expected, got) in worst.values().zip(paid.values()) {
        assert!((expected.0 - got.0).abs() < 1e-6);
        assert_eq!(expected.1, got.1);
    }
}

fn check_part(part: &History, whole: &History, some: &[(u32, u32)], steps: u32) {
    assert_eq!(part.pairs(), some);
    let all: Vec<_> =
        (0..steps).flat_map(|step| (0..some.len() as u32).map(move |pair| (step, pair))).collect();
    assert_eq!(part.counts(&all), whole.counts(&all));
    assert_eq!(part.merge_counts(), whole.merge_counts());
}

proptest! {
    #[test]
    fn replay_and_sweep_equal_the_slow_twin(
        table in table(), choices in vec((0..9usize, 0..9usize), 0..12), scale in [0.0..2.0f64, 0.0..2.0, 0.0..2.0],
    ) {
        let (mut merges, lens) = merges(&choices);
        merges.dedup();
        let bytes = byte_ids();
        let list = Merges { merges: &merges, lens: &lens, byte_ids: &bytes };
        let history = replay(&table, &CATEGORY_OF, &list, None, &Silent).unwrap();
        let unique: std::collections::BTreeSet<_> = merges.iter().collect();
        prop_assume!(unique.len() == merges.len());
        let states = replay_slow(&table, COLUMNS, &merges, &bytes);
        check_counts(&history, &states, &merges);
        check_sweep(&history, &states, &merges, scale);
        let some = &history.pairs()[..history.pairs().len() / 2];
        let part = replay(&table, &CATEGORY_OF, &list, Some(some), &Silent).unwrap();
        check_part(&part, &history, some, merges.len() as u32);
    }

    #[test]
    fn joined_tables_hold_the_columns_of_each(table in table()) {
        let twice = Table::joined(&[(&table, 0), (&table, 0)]).unwrap();
        prop_assert_eq!(twice.counts.iter().sum::<u64>(), 2 * table.counts.iter().sum::<u64>());
        let beside = Table::joined(&[(&table, 0), (&table, COLUMNS as u32)]).unwrap();
        prop_assert_eq!(beside.word_ends.len(), table.word_ends.len());
        prop_assert_eq!(Table::from_parts(table.clone(), COLUMNS).unwrap(), table);
    }
}

#[test]
fn counting_does_not_depend_on_threads() {
    let text: Vec<u8> = (0..200_000u32)
        .map(|i| b"the quick\n brown fox 12"[(i.wrapping_mul(i) % 23) as usize])
        .collect();
    let splitter = Splitter::named("gpt2").unwrap();
    let tables = [1, 3].map(|threads| {
        let mut columns = Columns::new(2, threads);
        columns.add(1, Some(&splitter), &[&text, b"\xff\x00 a"], &Silent).unwrap();
        columns.table().unwrap()
    });
    assert_eq!(tables[0], tables[1]);
    assert!(tables[0].columns.iter().all(|&column| column == 1));
}

#[test]
fn damaged_tables_and_impossible_merges_are_refused() {
    let parts = Table { bytes: b"ab".to_vec(), word_ends: vec![3], ..Table::default() };
    assert!(matches!(Table::from_parts(parts, 1), Err(Error::Format(_))));
    let bytes = byte_ids();
    for merge in [(97, 98, 99), (97, 300, 301), (97, 98, 256)] {
        let lens = [vec![1; 256], vec![3]].concat();
        let list = Merges { merges: &[merge], lens: &lens, byte_ids: &bytes };
        let result = replay(&Table::default(), &CATEGORY_OF, &list, None, &Silent);
        assert!(matches!(result, Err(Error::Format(_))), "{merge:?}");
    }
}
