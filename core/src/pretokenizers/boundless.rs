//! BoundlessBPE's pair of splitters: single words, and runs of words.
//!
//! ```text
//! word:  ?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?:['’](?:\p{L}\p{M}*)+)*
//!      | ?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?:['’](?:\p{L}\p{M}*)+)*
//! rest: \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! fine: word|rest   coarse: (?:word)+|rest
//! ```
//! Invariant: a coarse piece is a maximal run of fine words, or one other fine piece; so what is trained
//! on runs of fine words is encoded behind the coarse splitter. Words take a leading space and nothing
//! else, so that a run of words is text without punctuation. Source: kensho-technologies'
//! fastboundlessbpe, python/boundlessbpe/regexconstants.py.

use super::classes::{LETTER, MARK, NUMBER};
use super::o200k::{symbols_end, Shapes};
use super::text::Text;

/// Where the fine piece that starts at `start` ends.
#[inline]
pub(super) fn fine(text: &Text, start: usize) -> usize {
    word_end(text, start).unwrap_or_else(|| rest_end(text, start))
}

/// Where the coarse piece that starts at `start` ends.
#[inline]
pub(super) fn coarse(text: &Text, start: usize) -> usize {
    let Some(mut end) = word_end(text, start) else { return rest_end(text, start) };
    while let Some(next) = word_end(text, end) {
        end = next;
    }
    end
}

#[inline]
fn word_end(text: &Text, start: usize) -> Option<usize> {
    let begin = start + usize::from(text.byte(start) == Some(b' '));
    let shapes = Shapes::scan(text, begin);
    let mut end = shapes.mixed.or(shapes.upper)?;
    while let Some(next) = apostrophe_end(text, end) {
        end = next;
    }
    Some(end)
}

/// `['’](?:\p{L}\p{M}*)+`.
#[inline]
fn apostrophe_end(text: &Text, at: usize) -> Option<usize> {
    let letters = match *text.rest(at) {
        [b'\'', ..] => at + 1,
        [0xE2, 0x80, 0x99, ..] => at + 3,
        _ => return None,
    };
    let (class, next) = text.step(letters);
    (class & LETTER != 0).then(|| text.skip(next, LETTER | MARK))
}

#[inline]
fn rest_end(text: &Text, start: usize) -> usize {
    let (class, next) = text.step(start);
    if class & NUMBER != 0 {
        return text.skip_numbers(next, 2);
    }
    let symbols = symbols_end(text, start, class, next);
    symbols.unwrap_or_else(|| text.whitespace(start).by_line(text))
}
