//! Stages and normalisers against the rules they stand for; `tests/oracle/test_hf_models.py` holds them to
//! Hugging Face's own.

use proptest::prelude::*;
use unicode_normalization_alignments::UnicodeNormalization;

use super::*;
use crate::error::Error;
use crate::pipeline::split::Pattern;

/// Characters that compose, decompose, or stop others from doing so.
fn text() -> impl Strategy<Value = String> {
    let hard = "aéÅ\u{301}\u{308}\u{327}\u{1100}\u{1161}\u{11A8}가ﬁ中\u{95C}\u{93C}क \u{D4}";
    let hard: Vec<char> = hard.chars().collect();
    proptest::collection::vec(prop_oneof![proptest::sample::select(hard), any::<char>()], 0..16)
        .prop_map(|chars| chars.into_iter().collect())
}

fn normalized(step: Step, text: &str) -> String {
    let changed = Normalizer::new(vec![step]).apply(text.as_bytes()).unwrap().into_owned();
    String::from_utf8(changed).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn forms_cut_into_runs_are_the_forms(text in text()) {
        let whole = |chars: Vec<(char, isize)>| chars.into_iter().map(|(c, _)| c).collect::<String>();
        prop_assert_eq!(normalized(Step::Form(Form::Nfc), &text), whole(text.nfc().collect()));
        prop_assert_eq!(normalized(Step::Form(Form::Nfd), &text), whole(text.nfd().collect()));
        prop_assert_eq!(normalized(Step::Form(Form::Nfkc), &text), whole(text.nfkc().collect()));
        prop_assert_eq!(normalized(Step::Form(Form::Nfkd), &text), whole(text.nfkd().collect()));
    }

    #[test]
    fn any_bytes_are_cut_without_loss(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let isolated = Split {
            pattern: Pattern::of_class(Flag::Punctuation),
            behavior: Behavior::Isolated,
            invert: false,
        };
        let mut joined = Vec::new();
        let stages = Stages::new(vec![Stage::Split(isolated)]);
        stages
            .for_each_piece(&bytes, 0, &mut |piece| {
                assert!(!piece.is_empty());
                joined.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        prop_assert_eq!(joined, bytes);
    }

    #[test]
    fn hostile_charsmaps_end_a_match_and_no_more(data in proptest::collection::vec(any::<u8>(), 0..64), text in text()) {
        if let Ok(map) = Charsmap::new(&data) {
            normalized(Step::Precompiled(map), &text);
        }
    }
}

#[test]
fn texts_are_found_from_the_left_longest_first() {
    let finder = Finder::new([&b"ab"[..], b"abc", b"b", b""]).unwrap();
    let found: Vec<_> =
        finder.find(b"xabcab b").into_iter().map(|f| (f.range, f.index, f.touches_word)).collect();
    assert_eq!(found, [(1..4, 1, true), (4..6, 0, true), (7..8, 2, false)]);
}

#[test]
fn an_empty_text_has_no_piece_with_a_prefix_space_either() {
    let stages = Stages::new(vec![Stage::PrefixSpace]);
    let none = stages.for_each_piece(b"", 0, &mut |_| Err(Error::Interrupted));
    assert!(none.is_ok());
}
