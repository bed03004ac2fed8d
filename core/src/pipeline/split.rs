//! Cutting at what a pattern matches, and replacing it.
//!
//! Definition: the matches of a pattern and the gaps between them are spans; a behaviour says which spans
//! are joined, and which dropped. Linear in the text but for the regex engine, which has a budget.
//! Source: Hugging Face `tokenizers`, tokenizer/{normalizer,pattern}.rs (`SplitDelimiterBehavior`).

use std::borrow::Cow;
use std::ops::Range;

use super::classes::{class_of, Class, NUMERIC, PUNCTUATION};
use crate::error::Error;
use crate::pretokenizers::Regex;

/// What is looked for.
pub enum Pattern {
    /// These bytes.
    Literal(Box<[u8]>),
    /// A regex, in each valid stretch of text.
    Regex(Regex),
    /// Each character with one of these flags.
    Class(Class),
}

/// A property of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// ASCII's punctuation, and Unicode's.
    Punctuation,
    /// Numbers of any script.
    Numeric,
}

/// What becomes of a delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// A piece of its own.
    Isolated,
    /// Nothing.
    Removed,
    /// The end of the piece before it, unless that is a delimiter.
    MergedWithPrevious,
    /// The beginning of the piece after it, unless that is a delimiter.
    MergedWithNext,
    /// A piece together with the delimiters beside it.
    Contiguous,
}

/// Cuts at a pattern.
pub struct Split {
    /// The delimiters.
    pub pattern: Pattern,
    /// What becomes of them.
    pub behavior: Behavior,
    /// Whether the gaps are the delimiters instead.
    pub invert: bool,
}

/// A match, or a gap.
struct Span {
    range: Range<usize>,
    is_match: bool,
}

impl Pattern {
    /// Each character with this property.
    pub fn of_class(flag: Flag) -> Self {
        Pattern::Class(match flag {
            Flag::Punctuation => PUNCTUATION,
            Flag::Numeric => NUMERIC,
        })
    }

    /// Calls `f` with every match in order. An empty match counts.
    pub(super) fn for_each_match(
        &self,
        text: &[u8],
        f: &mut dyn FnMut(Range<usize>),
    ) -> Result<(), Error> {
        match self {
            Pattern::Literal(literal) => literals(text, literal, f),
            Pattern::Class(flags) => {
                let mut base = 0;
                for chunk in text.utf8_chunks() {
                    let characters = chunk.valid().char_indices();
                    for (at, c) in characters.filter(|&(_, c)| class_of(c) & flags != 0) {
                        f(base + at..base + at + c.len_utf8());
                    }
                    base += chunk.valid().len() + chunk.invalid().len();
                }
            }
            Pattern::Regex(regex) => {
                let mut base = 0;
                for chunk in text.utf8_chunks() {
                    regex.for_each_match(chunk.valid(), |found| {
                        f(base + found.start..base + found.end);
                    })?;
                    base += chunk.valid().len() + chunk.invalid().len();
                }
            }
        }
        Ok(())
    }

    /// Replaces every match by `content`.
    pub(super) fn replace<'t>(
        &self,
        text: &'t [u8],
        content: &[u8],
    ) -> Result<Cow<'t, [u8]>, Error> {
        let (mut changed, mut done) = (Vec::new(), 0);
        self.for_each_match(text, &mut |found| {
            if changed.capacity() == 0 {
                changed.reserve(text.len() + text.len() / 2);
            }
            changed.extend_from_slice(&text[done..found.start]);
            changed.extend_from_slice(content);
            done = found.end;
        })?;
        if changed.is_empty() && done == 0 {
            return Ok(Cow::Borrowed(text));
        }
        changed.extend_from_slice(&text[done..]);
        Ok(Cow::Owned(changed))
    }
}

/// Matches of a literal that is not empty, from the left without overlaps.
fn literals(text: &[u8], literal: &[u8], f: &mut dyn FnMut(Range<usize>)) {
    let Some((&first, rest)) = literal.split_first() else {
        return;
    };
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|&byte| byte == first) {
        let start = at + found;
        at = start + 1;
        if text[at..].starts_with(rest) {
            at = start + literal.len();
            f(start..at);
        }
    }
}

impl Split {
    /// Calls `f` with every piece in order; none is empty.
    pub(super) fn for_each_piece(
        &self,
        text: &[u8],
        f: &mut dyn FnMut(Range<usize>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut spans = self.spans(text)?;
        match self.behavior {
            Behavior::Isolated => {}
            Behavior::Removed => spans.retain(|span| !span.is_match),
            Behavior::Contiguous => join(&mut spans, |before, span| before == span.is_match),
            Behavior::MergedWithPrevious => {
                join(&mut spans, |before, span| span.is_match && !before);
            }
            Behavior::MergedWithNext => return merged_with_next(&spans, f),
        }
        let ranges = spans.into_iter().map(|span| span.range);
        ranges.filter(|range| !range.is_empty()).try_for_each(f)
    }

    /// Matches and gaps, which cover the text.
    fn spans(&self, text: &[u8]) -> Result<Vec<Span>, Error> {
        let (mut spans, mut done, is_match) = (Vec::new(), 0, !self.invert);
        self.pattern.for_each_match(text, &mut |found| {
            if done < found.start {
                spans.push(Span { range: done..found.start, is_match: !is_match });
            }
            done = found.end;
            spans.push(Span { range: found, is_match });
        })?;
        if done < text.len() {
            spans.push(Span { range: done..text.len(), is_match: !is_match });
        }
        Ok(spans)
    }
}

/// Joins a span to the one before it where `joins(was that one's last part a match, the span)`.
fn join(spans: &mut Vec<Span>, joins: impl Fn(bool, &Span) -> bool) {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    let mut before = false;
    for span in spans.drain(..) {
        let is_match = span.is_match;
        match joined.last_mut() {
            Some(last) if joins(before, &span) => last.range.end = span.range.end,
            _ => joined.push(span),
        }
        before = is_match;
    }
    *spans = joined;
}

/// Each gap takes the match just before it; further matches before that one stand alone.
fn merged_with_next(
    spans: &[Span],
    f: &mut dyn FnMut(Range<usize>) -> Result<(), Error>,
) -> Result<(), Error> {
    for (at, span) in spans.iter().enumerate() {
        let next_is_gap = spans.get(at + 1).is_some_and(|next| !next.is_match);
        let before = at.checked_sub(1).map(|before| &spans[before]);
        let start = match before {
            Some(before) if before.is_match && !span.is_match => before.range.start,
            _ => span.range.start,
        };
        if !(span.is_match && next_is_gap) && start < span.range.end {
            f(start..span.range.end)?;
        }
    }
    Ok(())
}
