//! Splitters (pre-tokenizers): they cut bytes into pretokens, which no token then crosses.
//!
//! The known patterns are state machines over bytes, one file a family; [`pattern`] gives the regexes
//! they stand for, and the tests hold each to its own. Any other pattern runs on a regex engine.
//!
//! Invariant: pieces cover the input wholly and in order, none is empty, and none crosses an invalid
//! byte. Bytes need not be UTF-8: each maximal valid stretch is split as a text of its own, whose
//! end is an end of text, and each byte between is a piece of its own, which joins no word.
//!
//! Time is linear in the input for the hand-written splitters, memory constant.

mod boundless;
mod cl100k;
mod classes;
mod cut;
mod deepseek_v3;
mod gpt2;
mod o200k;
mod patterns;
mod regex;
mod superbpe;
mod text;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::error::Error;
use text::{walk, Text};

pub use classes::unicode_version;
pub use patterns::{pattern, NAMES};
pub use regex::Regex;

/// Cuts bytes into pretokens, by one stage or several in turn. Immutable, `Send + Sync`, cheap to
/// clone; clone it for each thread where a regex may be in it.
#[derive(Clone, Debug)]
pub struct Splitter {
    stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
enum Stage {
    Gpt2,
    Cl100k,
    Cl100kHf,
    O200k,
    Qwen2,
    DeepseekV3,
    SuperBpeWords,
    SuperBpe,
    BoundlessWords,
    Boundless,
    Regex(regex::Regex),
}

impl Splitter {
    /// The hand-written splitter of that name, one of [`NAMES`].
    ///
    /// `cl100k` is tiktoken's current form, `cl100k-hf` (also `llama3`) the original one, which
    /// Hugging Face files hold; they differ on whitespace with line breaks at the end of a text.
    pub fn named(name: &str) -> Option<Self> {
        let stage = match name {
            "gpt2" => Stage::Gpt2,
            "cl100k" => Stage::Cl100k,
            "cl100k-hf" | "llama3" => Stage::Cl100kHf,
            "o200k" => Stage::O200k,
            "qwen2" => Stage::Qwen2,
            "deepseek-v3" => Stage::DeepseekV3,
            "superbpe-words" => Stage::SuperBpeWords,
            "superbpe" => Stage::SuperBpe,
            "boundless-words" => Stage::BoundlessWords,
            "boundless" => Stage::Boundless,
            _ => return None,
        };
        Some(Self { stages: vec![stage] })
    }

    /// Any regex: its matches and the gaps between them are the pieces. An empty match makes no
    /// piece, but cuts the gap it stands in.
    ///
    /// Fails with [`Error::Pattern`] if `pattern` is invalid or compiles to too much.
    pub fn regex(pattern: &str) -> Result<Self, Error> {
        let stage = Stage::Regex(regex::Regex::new(pattern)?);
        Ok(Self { stages: vec![stage] })
    }

    /// Applies splitters in turn, each to every piece of the one before as a text of its own. Without
    /// any, the data is one piece.
    pub fn sequence(splitters: Vec<Splitter>) -> Self {
        let stages = splitters.into_iter().flat_map(|s| s.stages).collect();
        Self { stages }
    }

    /// Calls `f(start, end)` for each piece, in order. Stops at the first error, of `f` or, only with
    /// a regex, [`Error::Pattern`] if its backtracking budget is spent.
    pub fn for_each_piece<E: From<Error>>(
        &self,
        data: &[u8],
        mut f: impl FnMut(usize, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.stages.as_slice() {
            // The usual case, monomorphic in `f`: nothing is called through a pointer.
            [stage] => stage.for_each_piece(data, 0..data.len(), &mut f),
            stages => cascade(stages, data, 0..data.len(), &mut f),
        }
    }

    /// All pieces as (start, end).
    pub fn split(&self, data: &[u8]) -> Result<Vec<(usize, usize)>, Error> {
        let mut pieces = Vec::new();
        self.for_each_piece(data, |start, end| {
            pieces.push((start, end));
            Ok::<_, Error>(())
        })?;
        Ok(pieces)
    }
}

/// Several stages nest, and a closure type cannot nest in itself: `f` becomes a pointer here.
fn cascade<E: From<Error>>(
    stages: &[Stage],
    data: &[u8],
    range: Range<usize>,
    f: &mut dyn FnMut(usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    match stages {
        [] if range.is_empty() => Ok(()),
        [] => f(range.start, range.end),
        [stage, later @ ..] => {
            stage.for_each_piece(data, range, &mut |start, end| cascade(later, data, start..end, f))
        }
    }
}

impl Stage {
    /// Decides once which machine runs; its loop is compiled for it and for `f`.
    fn for_each_piece<E: From<Error>>(
        &self,
        data: &[u8],
        range: Range<usize>,
        f: &mut impl FnMut(usize, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Stage::Gpt2 => by_machine(data, range, gpt2::piece_end, f),
            Stage::Cl100k => by_machine(data, range, cl100k::cl100k, f),
            Stage::Cl100kHf => by_machine(data, range, cl100k::cl100k_hf, f),
            Stage::O200k => by_machine(data, range, o200k::piece_end, f),
            Stage::Qwen2 => by_machine(data, range, cl100k::qwen2, f),
            Stage::SuperBpeWords => by_machine(data, range, superbpe::word_piece_end, f),
            Stage::SuperBpe => by_machine(data, range, superbpe::piece_end, f),
            Stage::BoundlessWords => by_machine(data, range, boundless::fine, f),
            Stage::Boundless => by_machine(data, range, boundless::coarse, f),
            Stage::DeepseekV3 => by_stretch(data, range, f, |text, base, f| {
                deepseek_v3::for_each_piece(Text::new(text), base, f)
            }),
            Stage::Regex(regex) => {
                by_stretch(data, range, f, |text, base, f| regex.for_each_piece(text, base, f))
            }
        }
    }
}

#[inline]
fn by_machine<E, F: FnMut(usize, usize) -> Result<(), E>>(
    data: &[u8],
    range: Range<usize>,
    piece_end: impl Fn(&Text, usize) -> usize,
    f: &mut F,
) -> Result<(), E> {
    by_stretch(data, range, f, |text, base, f| walk(Text::new(text), 0, base, &piece_end, f))
}

/// Cuts `data[range]` into valid UTF-8, which `split` cuts further, and single invalid bytes.
#[inline]
fn by_stretch<E, F: FnMut(usize, usize) -> Result<(), E>>(
    data: &[u8],
    range: Range<usize>,
    f: &mut F,
    split: impl Fn(&str, usize, &mut F) -> Result<(), E>,
) -> Result<(), E> {
    let mut base = range.start;
    let data = data.get(range).unwrap_or_default();
    // Almost all input is valid, and this check is several times faster than `utf8_chunks`.
    if let Ok(text) = std::str::from_utf8(data) {
        return split(text, base, f);
    }
    for chunk in data.utf8_chunks() {
        split(chunk.valid(), base, f)?;
        base += chunk.valid().len();
        for _ in chunk.invalid() {
            f(base, base + 1)?;
            base += 1;
        }
    }
    Ok(())
}
