//! deepseek-v3: three splits in turn: digits, then Han and kana, then words in what is left.
//!
//! ```text
//! \p{N}{1,3}
//! [\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+
//! [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+
//!     | ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//! Each stage takes the pieces of the one before as texts of their own, so whitespace in front of a
//! digit or a Han character stands at the end of its text. One pass does all three: it finds where
//! the next digit, Han or kana stands, then walks the words up to there.

use super::classes::{LETTER, MARK, NEWLINE, NUMBER, OTHER, PUNCTUATION, WHITESPACE};
use super::text::{walk, Text};

/// `[\p{L}\p{M}]`.
const WORD: u8 = LETTER | MARK;

/// Calls `f` with every piece of `text`, shifted by `base`.
#[inline]
pub(super) fn for_each_piece<E>(
    text: Text,
    base: usize,
    f: &mut impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    let mut start = 0;
    while start < text.len() {
        let (class, next) = text.step(start);
        let end = if class & NUMBER != 0 {
            let end = text.skip_numbers(next, 2);
            f(base + start, base + end)?;
            end
        } else {
            let end = section_end(&text, start);
            walk(text.until(end), start, base, piece_end, f)?;
            end
        };
        start = end;
    }
    Ok(())
}

/// The end of the run of Han and kana at `start`, or of anything but those and digits.
#[inline]
fn section_end(text: &Text, start: usize) -> usize {
    let mut at = start;
    while is_cjk(text.rest(at)) {
        at += 3;
    }
    if at > start {
        return at;
    }
    loop {
        at = text.near_digit_or_wide(at);
        let (class, next) = text.step(at);
        if class == 0 || class & NUMBER != 0 || is_cjk(text.rest(at)) {
            return at;
        }
        at = next;
    }
}

/// `[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]`, read off the bytes, whose order is the characters'.
#[inline]
fn is_cjk(bytes: &[u8]) -> bool {
    match *bytes {
        [a @ 0xE3..=0xE9, b, c, ..] => matches!(
            u32::from_be_bytes([0, a, b, c]),
            0xE38180..=0xE383BF | 0xE4B880..=0xE9BEA5
        ),
        _ => false,
    }
}

/// Where the third split's piece that starts at `start` ends.
#[inline]
fn piece_end(text: &Text, start: usize) -> usize {
    let (class, next) = text.step(start);
    if class & WORD != 0 {
        return text.skip_letters(next, WORD);
    }
    let (following, after) = text.step(next);
    if class & (PUNCTUATION | NEWLINE) == 0 && following & WORD != 0 {
        return text.skip_letters(after, WORD);
    }
    if class & PUNCTUATION != 0 && next == start + 1 && is_ascii_letter(text, next) {
        return ascii_letters_end(text, next);
    }
    let (symbol, symbols) = match text.byte(start) {
        Some(b' ') => (following, after),
        _ => (class, next),
    };
    if symbol & PUNCTUATION != 0 {
        return text.skip(text.skip(symbols, PUNCTUATION), NEWLINE);
    }
    if class & WHITESPACE != 0 {
        return text.whitespace(start).by_line(text);
    }
    gap_end(text, next)
}

#[inline]
fn is_ascii_letter(text: &Text, at: usize) -> bool {
    text.byte(at).is_some_and(|byte| byte.is_ascii_alphabetic())
}

#[inline]
fn ascii_letters_end(text: &Text, mut at: usize) -> usize {
    while is_ascii_letter(text, at) {
        at += 1;
    }
    at
}

/// No alternative takes a control or unassigned character without a word behind it: a run of them is
/// a gap between matches, hence one piece.
fn gap_end(text: &Text, mut at: usize) -> usize {
    loop {
        let (class, next) = text.step(at);
        if class & OTHER == 0 || text.step(next).0 & WORD != 0 {
            return at;
        }
        at = next;
    }
}
