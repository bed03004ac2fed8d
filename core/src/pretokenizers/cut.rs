//! Where a text may be cut so that its parts can be split apart from each other: on other threads, or
//! before the rest has been read.
//!
//! Two places are safe for every splitter into words, since no pattern looks past them from the left
//! or behind them from the right:
//! * between a letter and an ASCII white space: a piece ends at the letter whether the text goes on or
//!   not, and one starts at the white space, which could belong to the left only behind punctuation;
//! * behind a line feed that follows no white space, in front of a letter: the line feed ends a piece,
//!   its own or that of the punctuation before it, and the letter starts one.
//!
//! (Elsewhere at white space it would not be safe: there a piece depends on what follows, up to the end
//! of the text; and o200k's punctuation takes line feeds and slashes along.)
//!
//! Splitters into runs of words have fewer: `boundless` those at a line break or tab, and `superbpe`
//! those between a letter and a match, as its matches hold no letter: in front of a number, two marks
//! or two spaces.

use super::classes::{Class, Classes, LETTER, NUMBER, WHITESPACE};
use super::o200k::SYMBOL;
use super::{Splitter, Stage};

impl Splitter {
    /// Returns the first safe cut at or after `near`, if this splitter has safe cuts and there is one.
    pub fn safe_cut(&self, data: &[u8], near: usize) -> Option<usize> {
        self.has_safe_cuts()
            .then(|| (near.max(1)..data.len()).find(|&at| self.is_safe(data, at)))?
    }

    /// Returns the last safe cut.
    pub fn last_safe_cut(&self, data: &[u8]) -> Option<usize> {
        self.has_safe_cuts().then(|| (1..data.len()).rev().find(|&at| self.is_safe(data, at)))?
    }

    /// Whether nothing but the hand-written splitters is at work.
    fn has_safe_cuts(&self) -> bool {
        !self.stages.is_empty() && !self.stages.iter().any(|stage| matches!(stage, Stage::Regex(_)))
    }

    fn is_safe(&self, data: &[u8], at: usize) -> bool {
        self.stages.iter().all(|stage| match stage {
            Stage::SuperBpe => is_before_match(data, at),
            Stage::Boundless => data[at] != b' ' && is_between_words(data, at),
            _ => is_between_words(data, at),
        })
    }
}

/// Whether a letter ends at `at` and a match of `superbpe` begins there, whatever follows `data`.
fn is_before_match(data: &[u8], at: usize) -> bool {
    let behind = &data[at..];
    let (first, second) = match behind {
        [b' ', b' ', ..] => (SYMBOL, SYMBOL),
        [b' ', rest @ ..] => two_classes_behind(rest),
        _ => two_classes_behind(behind),
    };
    let are_symbols = first & SYMBOL != 0 && second & SYMBOL != 0;
    let is_match = are_symbols || first & NUMBER != 0 && behind[0] != b' ';
    is_match && class_before(&data[..at]) & LETTER != 0
}

/// Classes of the first two characters, 0 for one that is not there or not valid.
fn two_classes_behind(data: &[u8]) -> (Class, Class) {
    let head = &data[..data.len().min(8)];
    let mut chars = head.utf8_chunks().next().map_or("", |chunk| chunk.valid()).chars();
    (class_of(chars.next()), class_of(chars.next()))
}

fn is_between_words(data: &[u8], at: usize) -> bool {
    match (data[at - 1], data[at]) {
        (b'\n', _) => {
            let before = class_before(&data[..at - 1]);
            before != 0 && before & WHITESPACE == 0 && class_behind(&data[at..]) & LETTER != 0
        }
        (_, b' ' | b'\t' | b'\n' | b'\r') => class_before(&data[..at]) & LETTER != 0,
        _ => false,
    }
}

/// Class of the last character, 0 if there is none or it is no valid UTF-8.
fn class_before(data: &[u8]) -> u8 {
    let tail = &data[data.len().saturating_sub(4)..];
    let chunk = tail.utf8_chunks().last().filter(|chunk| chunk.invalid().is_empty());
    class_of(chunk.and_then(|chunk| chunk.valid().chars().last()))
}

/// Class of the first character, 0 if there is none or it is no valid UTF-8.
fn class_behind(data: &[u8]) -> u8 {
    let head = &data[..data.len().min(4)];
    class_of(head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()))
}

fn class_of(char: Option<char>) -> u8 {
    char.map_or(0, |char| Classes::get().of(u32::from(char)))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::NAMES;
    use super::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let parts = [
            "a", "B", "s", " ", " ", "\n", "\n", "\r", "'", "!", "/", "1", "é", "中", "。",
            "\u{301}", "\t", "ǅ", "ʰ", "か", "\u{a0}",
        ];
        let bytes = parts.iter().map(|part| part.as_bytes()).chain([&b"\xE4"[..], b"\x80"]);
        vec(prop::sample::select(bytes.map(<[u8]>::to_vec).collect::<Vec<_>>()), 0..60)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn parts_split_as_the_whole(text in text(), near in 0..40usize) {
            for name in NAMES {
                let splitter = Splitter::named(name).unwrap();
                let first = splitter.safe_cut(&text, near);
                prop_assert!(first.is_none_or(|at| at >= near));
                for at in first.into_iter().chain(splitter.last_safe_cut(&text)) {
                    let (left, right) = text.split_at(at);
                    let mut parts = splitter.split(left).unwrap();
                    parts.extend(splitter.split(right).unwrap().iter().map(|&(start, end)| (start + at, end + at)));
                    prop_assert_eq!(parts, splitter.split(&text).unwrap(), "{}", name);
                }
            }
        }
    }

    #[test]
    fn finds_cuts_in_text_without_spaces() {
        let splitter = Splitter::named("o200k").unwrap();
        let text = "中文。\n中文".as_bytes();
        assert_eq!(splitter.safe_cut(text, 1), Some("中文。\n".len()));
        assert_eq!(splitter.last_safe_cut("中文\n".as_bytes()), Some("中文".len()));
    }

    #[test]
    fn regexes_have_no_known_cuts() {
        assert_eq!(Splitter::regex(r"\w+").unwrap().safe_cut(b"a b c d", 1), None);
        assert_eq!(Splitter::named("gpt2").unwrap().safe_cut(b"abc def", 0), Some(3));
    }
}
