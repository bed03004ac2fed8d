//! Every code point: its class against the engine's, and its splits alone and between neighbours.

use super::super::classes::{self, Classes};
use super::super::{unicode_version, NAMES};
use super::{named, twin};

fn all_characters() -> impl Iterator<Item = char> {
    '\0'..=char::MAX
}

/// The table is built from regex-syntax; this asks the engine that matches instead.
#[test]
fn classes_are_the_regex_engines() {
    let masks = [
        (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}]", classes::UPPER),
        (r"[\p{Ll}\p{Lm}\p{Lo}]", classes::LOWER),
        (r"\p{M}", classes::MARK),
        (r"\p{N}", classes::NUMBER),
        (r"\s", classes::WHITESPACE),
        (r"[\r\n]", classes::NEWLINE),
        (r"[\p{P}\p{S}]", classes::PUNCTUATION),
        (r"[^\p{L}\p{M}\p{N}\p{P}\p{S}\s]", classes::OTHER),
    ];
    let (text, table): (String, _) = (all_characters().collect(), Classes::get());
    for (pattern, mask) in masks {
        let regex = fancy_regex::Regex::new(pattern).unwrap();
        let found = regex.find_iter(&text).map(|m| m.unwrap().as_str().chars().next());
        let ours = all_characters().filter(|&c| table.of(c as u32) & mask != 0);
        assert!(found.eq(ours.map(Some)), "{pattern}");
    }
}

#[test]
fn ascii_table_is_the_big_one() {
    for byte in 0..0x80u8 {
        assert_eq!(classes::ASCII[usize::from(byte)], Classes::get().of(byte.into()));
    }
    assert_eq!(classes::ASCII[0x80..], [0; 0x80]);
}

/// U+1C89 came with Unicode 16, U+088F with 17.
#[test]
fn unicode_version_is_the_tables() {
    let assigned = |c: char| {
        let regex = fancy_regex::Regex::new(r"\P{Cn}").unwrap();
        regex.is_match(&c.to_string()).unwrap()
    };
    assert_eq!(unicode_version(), "16.0.0");
    assert!(assigned('\u{1C89}') && !assigned('\u{88F}'));
}

/// Splits each text and its twin's, and says which differ.
fn differing(name: &str, texts: impl Iterator<Item = String>) -> Vec<String> {
    let (fast, slow) = (named(name), twin(name));
    texts.filter(|t| fast.split(t.as_bytes()) != slow.split(t.as_bytes())).collect()
}

const NEIGHBOURS: [&str; 9] = ["a", "A", "\u{4E2D}", "1", " ", "\n", "!", "'", "\u{301}"];

/// Contexts of three characters, contractions, and words long enough to be read eight at a time.
fn between_neighbours(c: char) -> impl Iterator<Item = String> {
    let pairs = NEIGHBOURS.into_iter().flat_map(|l| NEIGHBOURS.map(|r| (l, r)));
    let contractions = ["'{}", "a'{}e", "'r{}", "'{}{}"];
    let long_words = ["abc{}defghijkl", "{}bcdefghijkl", "ABC{}DEFGHIJKL", "    {}    ....    "];
    let templates = contractions.into_iter().chain(long_words).chain(["{}"]);
    pairs
        .map(move |(left, right)| format!("{left}{c}{right}"))
        .chain(templates.map(move |template| template.replace("{}", &c.to_string())))
}

/// The first and last character of each run of one class, where an error by one would show, and the
/// first 0x250 code points, in every context.
#[test]
fn characters_at_class_borders_split_alike_in_context() {
    let class = |c: char| Classes::get().of(c as u32);
    let mut previous = '\0';
    let mut chosen: Vec<char> = vec![];
    for c in all_characters() {
        if class(c) != class(previous) {
            chosen.extend([previous, c]);
        }
        previous = c;
    }
    chosen.retain(|&c| (c as u32).is_multiple_of(16));
    chosen.extend('\0'..'\u{250}');
    chosen.extend(['\u{3040}', '\u{30FF}', '\u{3100}', '\u{303F}', '\u{9FA5}', '\u{9FA6}']);
    for name in NAMES {
        let texts = chosen.iter().flat_map(|&c| between_neighbours(c));
        assert_eq!(differing(name, texts), [""; 0], "{name}");
    }
}

/// All of them, the contexts of one character joined into one text: minutes, in release
/// (`cargo test --release -- --ignored every_code_point`).
#[test]
#[ignore = "minutes"]
fn every_code_point_splits_alike_in_context() {
    std::thread::scope(|scope| {
        for name in NAMES {
            scope.spawn(move || {
                let alone = all_characters().map(String::from);
                assert_eq!(differing(name, alone), [""; 0], "{name}");
                let joined = |c| between_neighbours(c).collect::<Vec<_>>().join("\n");
                assert_eq!(differing(name, all_characters().map(joined)), [""; 0], "{name}");
            });
        }
    });
}
