//! o200k: words in two shapes, lower-case-ended and all upper, each with its contraction.
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|...)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|...)?
//! \p{N}{1,3}
//!  ?[^\s\p{L}\p{N}]+[\r\n/]*
//! \s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//! The two classes share Lm, Lo and M, so the regex backtracks: where no lower-case letter ends the
//! upper run, the first shape gives characters back until its last one is shared. Here the place is
//! remembered on the way. What is given back holds no shared character, so no character is looked at
//! more than three times.

use super::classes::{Class, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, PUNCTUATION, UPPER};
use super::text::Text;

/// `[^\s\p{L}\p{N}]`.
pub(super) const SYMBOL: Class = MARK | PUNCTUATION | OTHER;

/// Where the piece that starts at `start` ends.
#[inline]
pub(super) fn piece_end(text: &Text, start: usize) -> usize {
    let (class, next) = text.step(start);
    if class & NUMBER != 0 {
        return text.skip_numbers(next, 2);
    }
    if class & NEWLINE == 0 {
        if let Some(end) = word_end(text, start, class, next) {
            return with_contraction(text, end);
        }
        if let Some(end) = symbols_end(text, start, class, next) {
            return end;
        }
    }
    text.whitespace(start).by_line(text)
}

/// The first two alternatives up to the contraction. A character that is no letter goes in front; a
/// mark is both that and a word character, and is a word by itself if no shape follows it.
#[inline]
pub(super) fn word_end(text: &Text, start: usize, class: Class, next: usize) -> Option<usize> {
    if class & LETTER != 0 {
        let shapes = Shapes::scan(text, start);
        return shapes.mixed.or(shapes.upper);
    }
    let shapes = Shapes::scan(text, next);
    if class & MARK != 0 {
        return shapes.mixed.or(Some(next));
    }
    shapes.mixed.or(shapes.upper)
}

/// Where each of the two word shapes would end.
pub(super) struct Shapes {
    /// `[upper]*[lower]+`.
    pub(super) mixed: Option<usize>,
    /// `[upper]+[lower]*`, right only where the first shape fails: then no lower class follows.
    pub(super) upper: Option<usize>,
}

impl Shapes {
    #[inline]
    pub(super) fn scan(text: &Text, start: usize) -> Self {
        let (mut at, mut shared) = (start, None);
        loop {
            let (class, next) = text.step(at);
            if class & (UPPER | MARK) == 0 {
                let mixed = if class & LOWER != 0 {
                    Some(text.skip_lower(next, LOWER | MARK))
                } else {
                    shared
                };
                return Self { mixed, upper: (at > start).then_some(at) };
            }
            if class & (LOWER | MARK) != 0 {
                shared = Some(next);
            }
            at = next;
        }
    }
}

#[inline]
fn with_contraction(text: &Text, end: usize) -> usize {
    match text.byte(end) {
        Some(b'\'') => text.contraction_any_case(end + 1).unwrap_or(end),
        _ => end,
    }
}

/// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`.
#[inline]
pub(super) fn symbols_end(text: &Text, start: usize, class: Class, next: usize) -> Option<usize> {
    let (class, symbols) = match text.byte(start) {
        Some(b' ') => text.step(next),
        _ => (class, next),
    };
    if class & SYMBOL == 0 {
        return None;
    }
    let mut end = text.skip(symbols, SYMBOL);
    while let Some(b'\r' | b'\n' | b'/') = text.byte(end) {
        end += 1;
    }
    Some(end)
}
