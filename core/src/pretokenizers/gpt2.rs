//! gpt2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.

use super::classes::{Class, LETTER, MARK, NUMBER, OTHER, PUNCTUATION, WHITESPACE};
use super::text::Text;

/// Where the piece that starts at `start` ends.
#[inline]
pub(super) fn piece_end(text: &Text, start: usize) -> usize {
    let (class, next) = text.step(start);
    let first = text.byte(start);
    if first == Some(b' ') {
        let (following, after) = text.step(next);
        if following & !WHITESPACE != 0 {
            return run_end(text, after, following);
        }
    }
    if class & WHITESPACE != 0 {
        return text.whitespace(start).spared(text);
    }
    if first == Some(b'\'') {
        if let Some(end) = text.contraction(next) {
            return end;
        }
    }
    run_end(text, next, class)
}

/// The end of the run at `at` of characters alike to one of `class`.
#[inline]
fn run_end(text: &Text, at: usize, class: Class) -> usize {
    if class & LETTER != 0 {
        text.skip_letters(at, LETTER)
    } else if class & NUMBER != 0 {
        text.skip(at, NUMBER)
    } else {
        text.skip(at, MARK | PUNCTUATION | OTHER)
    }
}
