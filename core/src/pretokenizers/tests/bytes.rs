//! What holds for any bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Splitter, NAMES};
use super::{named, REPRESENTATIVES};
use crate::error::Error;

/// Valid characters, parts of characters, surrogates and bytes that never occur in UTF-8.
fn broken_text() -> impl Strategy<Value = Vec<u8>> {
    let character = select(REPRESENTATIVES).prop_map(|c| c.to_string().into_bytes());
    let torn = (select(REPRESENTATIVES), 1..4usize).prop_map(|(c, keep)| {
        let bytes = c.to_string().into_bytes();
        bytes[..keep.min(bytes.len())].to_vec()
    });
    let bad = select(vec![vec![0xFF], vec![0x80], vec![0xC0, 0xAF], vec![0xED, 0xA0, 0x80]]);
    let any_bytes = vec(any::<u8>(), 0..4);
    vec(prop_oneof![4 => character, 1 => torn, 1 => bad, 1 => any_bytes], 0..12)
        .prop_map(|parts| parts.concat())
}

fn splitters() -> Vec<Splitter> {
    let regexes = [r"\p{N}", r"a*", r"\s+(?!\S)|\w+", r"(?=(\d{3})+(?!\d))", r"x"];
    let regexes = regexes.iter().map(|p| Splitter::regex(p).unwrap());
    let mut all: Vec<_> = NAMES.iter().map(|name| named(name)).chain(regexes).collect();
    all.push(Splitter::sequence(all.clone()));
    all.push(Splitter::sequence(vec![]));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn pieces_cover_the_input(data in broken_text()) {
        for splitter in splitters_once() {
            let mut at = 0;
            for (start, end) in splitter.split(&data).unwrap() {
                prop_assert_eq!(start, at);
                prop_assert!(start < end);
                at = end;
            }
            prop_assert_eq!(at, data.len());
        }
    }

    #[test]
    fn valid_stretches_are_texts_of_their_own(data in broken_text()) {
        for name in NAMES {
            let (splitter, mut expected, mut base) = (named(name), vec![], 0);
            for chunk in data.utf8_chunks() {
                let inner = splitter.split(chunk.valid().as_bytes()).unwrap();
                expected.extend(inner.into_iter().map(|(start, end)| (base + start, base + end)));
                base += chunk.valid().len();
                for _ in chunk.invalid() {
                    expected.push((base, base + 1));
                    base += 1;
                }
            }
            prop_assert_eq!(splitter.split(&data).unwrap(), expected);
        }
    }
}

fn splitters_once() -> &'static [Splitter] {
    static ALL: std::sync::OnceLock<Vec<Splitter>> = std::sync::OnceLock::new();
    ALL.get_or_init(splitters)
}

#[test]
fn invalid_bytes_join_no_word() {
    let pieces = named("gpt2").split(b"ab\xFF\xFEcd \xE4\xB8").unwrap();
    assert_eq!(pieces, [(0, 2), (2, 3), (3, 4), (4, 6), (6, 7), (7, 8), (8, 9)]);
}

#[test]
fn nothing_makes_no_piece() {
    for splitter in splitters() {
        assert_eq!(splitter.split(b"").unwrap(), []);
    }
}

#[test]
fn no_stage_leaves_the_data_whole() {
    assert_eq!(Splitter::sequence(vec![]).split(b"a b\xFF").unwrap(), [(0, 4)]);
}

#[test]
fn an_error_of_the_caller_stops_the_walk() {
    for splitter in splitters() {
        let mut calls = 0;
        let stopped = splitter.for_each_piece(b"a 1 b\n\xFF", |_, _| {
            calls += 1;
            Err(Error::Interrupted)
        });
        assert_eq!((stopped, calls), (Err(Error::Interrupted), 1));
    }
}

#[test]
fn splitters_cross_threads() {
    fn crosses<T: Send + Sync + Clone>() {}
    crosses::<Splitter>();
}
