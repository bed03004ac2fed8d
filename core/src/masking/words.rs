//! Cuts text into words where no dictionary is needed; spans are in characters, spaces are in none.
//!
//! `unicode`: words of Unicode's annex 29, where each Han character is a word. `code`: identifiers whole
//! (`snake_case`, `$name`), numbers, operators. `characters`: user-perceived characters (annex 29's
//! extended grapheme clusters). All O(length).

use unicode_segmentation::UnicodeSegmentation;

use super::align::Span;

/// Operators of more than one character that are one word, longest first.
const OPERATORS: [&str; 38] = [
    ">>>=", "<<=", ">>=", ">>>", "**=", "//=", "...", "===", "!==", "<=>", "&&=", "||=", "??=",
    "==", "!=", "<=", ">=", "->", "=>", "::", ":=", "++", "--", "&&", "||", "??", "?.", "<<", ">>",
    "**", "//", "+=", "-=", "*=", "/=", "%=", "|=", "/*",
];

/// Words of Unicode's annex 29, marks included, spaces not.
pub fn unicode(text: &str) -> Vec<Span> {
    spans(text.split_word_bounds())
}

/// User-perceived characters, spaces not.
pub fn characters(text: &str) -> Vec<Span> {
    spans(text.graphemes(true))
}

/// Identifiers, numbers and operators of most programming languages.
pub fn code(text: &str) -> Vec<Span> {
    let mut rest = text;
    spans(std::iter::from_fn(|| {
        let length = lexeme_length(rest)?;
        let (lexeme, after) = rest.split_at(length);
        rest = after;
        Some(lexeme)
    }))
}

fn lexeme_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let until = |stop: fn(char) -> bool| text.find(stop).unwrap_or(text.len());
    if first.is_ascii_digit() {
        return Some(until(|c| !(c.is_alphanumeric() || c == '_' || c == '.')));
    }
    if in_name(first) {
        return Some(until(|c| !in_name(c)));
    }
    let operator = OPERATORS.iter().find(|one| text.starts_with(**one));
    Some(operator.map_or(first.len_utf8(), |one| one.len()))
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn spans<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<Span> {
    let mut at = 0;
    let mut found = Vec::new();
    for piece in pieces {
        let length = piece.chars().count() as u32;
        if !piece.chars().all(char::is_whitespace) {
            found.push([at, at + length]);
        }
        at += length;
    }
    found
}
