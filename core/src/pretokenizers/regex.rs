//! Any other pattern: its matches and the gaps between them are the pieces ("isolated").
//!
//! Runs on fancy-regex, which hands patterns without look-around, back references and possessive
//! repeats to a linear engine and backtracks for the rest, within a budget. A spent budget is an
//! error: a splitter that stopped there silently would leave the rest of the text one huge piece.
//! An empty match makes no piece, but it does cut the gap it stands in, as in Hugging Face's Split
//! (SuperBPE groups digits by `(?=(\d{3})+(?!\d))`).

use std::ops::Range;

use fancy_regex::{CompileError, RegexBuilder};

use crate::error::{Error, Message};

/// Backtracking steps that one match may take; about ten milliseconds.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// Bytes that a compiled part of a pattern may take, so that a hostile `x{1000}{1000}` is refused.
const SIZE_LIMIT: usize = 16 << 20;
/// Instructions of the backtracking program, likewise.
const PROGRAM_LIMIT: usize = 1 << 18;

/// A compiled pattern. A clone costs little and, where the engine is linear, has its own caches:
/// threads that clone do not wait for each other.
#[derive(Clone, Debug)]
pub struct Regex(fancy_regex::Regex);

impl Regex {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// `Pattern` if it is invalid or compiles to too much.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        RegexBuilder::new(pattern)
            .backtrack_limit(BACKTRACK_LIMIT)
            .delegate_size_limit(SIZE_LIMIT)
            .max_prog_size(PROGRAM_LIMIT)
            .build()
            .map(Self)
            .map_err(|cause| refused(pattern, &cause))
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Calls `f` with every match in `text`.
    ///
    /// # Errors
    /// `Pattern` if the backtracking budget is spent.
    pub fn for_each_match(&self, text: &str, mut f: impl FnMut(Range<usize>)) -> Result<(), Error> {
        let mut done = 0;
        for found in self.0.find_iter(text) {
            let found = found.map_err(|cause| self.gave_up(done, &cause))?;
            let start = found.start().max(done);
            done = found.end().max(start);
            f(start..done);
        }
        Ok(())
    }

    /// Calls `f` with every piece of `text`, shifted by `base`.
    pub(super) fn for_each_piece<E: From<Error>>(
        &self,
        text: &str,
        base: usize,
        f: &mut impl FnMut(usize, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut done = 0;
        for found in self.0.find_iter(text) {
            let found = found.map_err(|cause| self.gave_up(base + done, &cause))?;
            // `\K` in a look-behind can put a match's start before the end of the last one.
            let start = found.start().max(done);
            for (from, to) in [(done, start), (start, found.end())] {
                if from < to {
                    f(base + from, base + to)?;
                }
            }
            done = found.end().max(start);
        }
        if done < text.len() {
            f(base + done, base + text.len())?;
        }
        Ok(())
    }

    fn gave_up(&self, at: usize, cause: &fancy_regex::Error) -> Error {
        Error::Pattern(Message::new(
            format!("regex `{}` gave up at byte {at}: {cause}", self.as_str()),
            "make its repeats possessive (`\\s++`) or bounded (`\\s{1,16}`), \
             or name a hand-written splitter",
        ))
    }
}

fn refused(pattern: &str, cause: &fancy_regex::Error) -> Error {
    Error::Pattern(Message::new(
        format!("`{pattern}` is no usable regex: {}", reason(cause)),
        "correct it; the syntax is that of Rust's regex crate, with look-around, back references \
         and possessive repeats",
    ))
}

/// What the engine below says; fancy-regex's own message stops at "error parsing pattern".
fn reason(cause: &fancy_regex::Error) -> String {
    let fancy_regex::Error::CompileError(compile) = cause else {
        return cause.to_string();
    };
    let CompileError::InnerError(inner) = compile.as_ref() else {
        return compile.to_string();
    };
    match inner.syntax_error() {
        Some(regex_syntax::Error::Parse(error)) => error.kind().to_string(),
        Some(regex_syntax::Error::Translate(error)) => error.kind().to_string(),
        _ if inner.size_limit().is_some() => {
            format!("its repeats compile to more than {SIZE_LIMIT} bytes")
        }
        _ => inner.to_string(),
    }
}
