//! The slow twin: recounts every pair after every merge.

use std::collections::BTreeMap;

use super::table::Table;
use crate::bpe::Merge;

/// Counts of all pairs by column.
pub type Counts = BTreeMap<(u32, u32), Vec<i64>>;

/// A word as tokens, with its (column, count) entries.
type Word = (Vec<u32>, Vec<(u32, u64)>);

/// Counts before each merge, and after the last.
pub fn replay_slow(
    table: &Table,
    columns: usize,
    merges: &[Merge],
    byte_ids: &[u32; 256],
) -> Vec<Counts> {
    let mut words: Vec<Word> = table
        .words()
        .map(|(word, entries)| {
            (word.iter().map(|&byte| byte_ids[usize::from(byte)]).collect(), entries.collect())
        })
        .collect();
    let mut states = vec![count(&words, columns)];
    for &(left, right, merged) in merges {
        for (word, _) in &mut words {
            *word = join(word, (left, right), merged);
        }
        states.push(count(&words, columns));
    }
    states
}

fn count(words: &[Word], columns: usize) -> Counts {
    let mut counts = Counts::new();
    for (word, entries) in words {
        for pair in word.windows(2) {
            let row = counts.entry((pair[0], pair[1])).or_insert_with(|| vec![0; columns]);
            entries.iter().for_each(|&(column, count)| row[column as usize] += count as i64);
        }
    }
    counts
}

fn join(word: &[u32], pair: (u32, u32), merged: u32) -> Vec<u32> {
    match word {
        [left, right, rest @ ..] if (*left, *right) == pair => {
            [vec![merged], join(rest, pair, merged)].concat()
        }
        [first, rest @ ..] => [vec![*first], join(rest, pair, merged)].concat(),
        [] => vec![],
    }
}
