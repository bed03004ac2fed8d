//! The cl100k family: cl100k, cl100k-hf (llama3) and qwen2.
//!
//! ```text
//! (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//!     | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//! qwen2 takes one digit at a time; tiktoken's cl100k keeps whitespace whole at the end of the text.

use super::classes::{Class, LETTER, MARK, NEWLINE, NUMBER, OTHER, PUNCTUATION};
use super::text::Text;

/// `[^\s\p{L}\p{N}]`.
const SYMBOL: Class = MARK | PUNCTUATION | OTHER;

/// tiktoken's current form.
#[inline]
pub(super) fn cl100k(text: &Text, start: usize) -> usize {
    piece_end::<3>(text, start).unwrap_or_else(|| text.whitespace(start).by_line_or_to_end(text))
}

/// The original form, which is Hugging Face's and Llama 3's.
#[inline]
pub(super) fn cl100k_hf(text: &Text, start: usize) -> usize {
    piece_end::<3>(text, start).unwrap_or_else(|| text.whitespace(start).by_line(text))
}

/// One digit at a time.
#[inline]
pub(super) fn qwen2(text: &Text, start: usize) -> usize {
    piece_end::<1>(text, start).unwrap_or_else(|| text.whitespace(start).by_line(text))
}

/// Where the piece that starts at `start` ends; none if it is whitespace alone.
#[inline]
fn piece_end<const DIGITS: usize>(text: &Text, start: usize) -> Option<usize> {
    let (class, next) = text.step(start);
    if class & LETTER != 0 {
        return Some(text.skip_letters(next, LETTER));
    }
    if class & NUMBER != 0 {
        return Some(text.skip_numbers(next, DIGITS - 1));
    }
    if class & NEWLINE != 0 {
        return None;
    }
    if text.byte(start) == Some(b'\'') {
        if let Some(end) = text.contraction_any_case(next) {
            return Some(end);
        }
    }
    let (following, after) = text.step(next);
    if following & LETTER != 0 {
        return Some(text.skip_letters(after, LETTER));
    }
    let (class, symbols) = match text.byte(start) {
        Some(b' ') => (following, after),
        _ => (class, next),
    };
    if class & SYMBOL == 0 {
        return None;
    }
    Some(text.skip(text.skip(symbols, SYMBOL), NEWLINE))
}
