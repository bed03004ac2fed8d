use proptest::collection::vec;
use proptest::prelude::*;

use super::choose::runs_of;
use super::*;

fn options(probability: f64) -> Options {
    Options { probability, span_weights: vec![1.0], split_units: false }
}

/// Runs of the given lengths, a special token behind every third.
fn units(lengths: &[usize]) -> Vec<i64> {
    let mut units = Vec::new();
    for (unit, &length) in lengths.iter().enumerate() {
        units.extend(std::iter::repeat_n(unit as i64, length));
        if unit % 3 == 2 {
            units.push(align::NO_UNIT);
        }
    }
    units
}

#[test]
fn a_token_across_two_words_joins_them() {
    let found = align(&[[0, 2], [2, 5], [5, 6]], &[0; 3], &[[0, 3], [3, 6]]).unwrap();
    assert_eq!(found, Alignment { units: vec![0, 0, 0], words: vec![2] });
}

#[test]
fn bytes_of_one_character_stay_together_outside_words_too() {
    let found = align(&[[0, 1], [0, 1], [0, 1], [1, 2]], &[0; 4], &[]).unwrap();
    assert_eq!(found.units, [0, 0, 0, 1]);
}

#[test]
fn a_special_token_ends_a_unit_and_belongs_to_none() {
    let found = align(&[[0, 1], [0, 0], [1, 2]], &[0, 1, 0], &[[0, 2]]).unwrap();
    assert_eq!(found.units, [0, -1, 1]);
}

#[test]
fn a_space_at_a_tokens_front_does_not_join_the_word_before() {
    let found = align(&[[0, 3], [3, 7], [7, 8]], &[0; 3], &[[0, 3], [4, 8]]).unwrap();
    assert_eq!(found, Alignment { units: vec![0, 1, 1], words: vec![1, 1] });
}

#[test]
fn disorder_is_refused() {
    assert!(align(&[[1, 2], [0, 1]], &[0; 2], &[]).is_err());
    assert!(align(&[[0, 1]], &[0], &[[0, 2], [1, 3]]).is_err());
    assert!(align(&[[0, 1]], &[], &[]).is_err());
}

#[test]
fn streams_of_other_keys_are_others() {
    let first = |key: &[u64]| Random::keyed(key).bits();
    assert_ne!(first(&[0, 0, 1]), first(&[0, 1, 0]));
    assert_ne!(first(&[0]), first(&[0, 0]));
}

#[test]
fn code_keeps_identifiers_and_operators_whole() {
    let text = "snake_case += $x2 ->0x1F.5;";
    let words: Vec<&str> =
        words::code(text).iter().map(|&[from, to]| &text[from as usize..to as usize]).collect();
    assert_eq!(words, ["snake_case", "+=", "$x2", "->", "0x1F.5", ";"]);
}

proptest! {
    #[test]
    fn no_choice_of_whole_units_is_nearer_to_the_budget(
        lengths in vec(1..30usize, 0..40), probability in 0.0..=1.0f64, seed: u64,
    ) {
        let units = units(&lengths);
        let choice = choose(&units, &options(probability), &mut Random::keyed(&[seed]));
        let mut sums = std::collections::BTreeSet::from([0]);
        for length in lengths {
            sums.extend(sums.clone().iter().map(|sum| sum + length));
        }
        let nearest = sums.iter().map(|sum| sum.abs_diff(choice.budget)).min();
        prop_assert_eq!(Some(choice.masked().abs_diff(choice.budget)), nearest);
        let runs = runs_of(&units);
        prop_assert!(choice.runs.iter().all(|run| runs.contains(run)));
    }

    #[test]
    fn with_split_units_the_budget_is_exact(
        lengths in vec(1..9usize, 0..40), probability in 0.0..=1.0f64, seed: u64,
    ) {
        let options = Options { split_units: true, span_weights: vec![0.4, 0.3, 0.3], probability };
        let choice = choose(&units(&lengths), &options, &mut Random::keyed(&[seed]));
        prop_assert_eq!(choice.masked(), choice.budget);
        prop_assert!(choice.runs.windows(2).all(|two| two[0].end <= two[1].start));
    }
}
