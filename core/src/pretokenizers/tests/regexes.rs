//! The splitter for any pattern.

use super::super::Splitter;
use super::pieces;
use crate::error::Error;

fn split<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    pieces(&Splitter::regex(pattern).unwrap(), text)
}

#[test]
fn matches_and_gaps_are_pieces() {
    assert_eq!(split(r"\d+", "ab12cd3"), ["ab", "12", "cd", "3"]);
    assert_eq!(split("x", "abc"), ["abc"]);
}

/// As Hugging Face's Split does (checked there): an empty match cuts, and is itself no piece.
#[test]
fn empty_matches_cut_but_make_no_piece() {
    assert_eq!(split("a*", "bcaab"), ["b", "c", "aa", "b"]);
    assert_eq!(split(r"(?=(\d{3})+(?!\d))", "x 1234567"), ["x 1", "234", "567"]);
}

#[test]
fn stages_see_pieces_as_texts() {
    let stages = [r"\p{N}", r"\s+(?!\S)|\s|\S+"].map(|p| Splitter::regex(p).unwrap());
    assert_eq!(
        pieces(&Splitter::sequence(stages.to_vec()), "a  1  b"),
        ["a", "  ", "1", " ", " ", "b"]
    );
}

/// `\K` moves a match's start back over the last match; pieces still do not overlap.
#[test]
fn a_match_that_starts_in_the_last_one_is_cut() {
    assert_eq!(split(r"a|(?<=\Ka)b", "xab"), ["x", "a", "b"]);
}

fn problem(error: Error) -> String {
    match error {
        Error::Pattern(message) => message.problem,
        other => panic!("{other:?} is no pattern error"),
    }
}

#[test]
fn a_pattern_that_is_invalid_or_too_large_is_named_with_the_reason() {
    let refusals = [
        ("(", "Parsing error at position 1: Opening parenthesis without closing parenthesis"),
        ("[z-a]", "invalid character class range, the start must be <= the end"),
        (r"\p{Nope}", "Unicode property not found"),
        (r"(?=a)\p{Nope}(?!b)", "Unicode property not found"),
        (r"(?<=a)\2", "Invalid back reference to group 2"),
        (r"(?:\w{1000}){1000}", "its repeats compile to more than 16777216 bytes"),
    ];
    for (pattern, reason) in refusals {
        let said = problem(Splitter::regex(pattern).err().unwrap());
        assert_eq!(said, format!("`{pattern}` is no usable regex: {reason}"));
    }
}

#[test]
fn a_spent_budget_is_an_error_that_says_where() {
    let pattern = r"b|(?:a|aa)+(?!a|$)";
    let data = ["\u{FF}b".as_bytes(), b"\xFF", b"b", "a".repeat(64).as_bytes()].concat();
    let said = problem(Splitter::regex(pattern).unwrap().split(&data).unwrap_err());
    assert_eq!(
        said,
        format!(
            "regex `{pattern}` gave up at byte 5: \
             Error executing regex: Max limit for backtracking count exceeded"
        )
    );
}
