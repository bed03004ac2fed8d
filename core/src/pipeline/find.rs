//! Finds fixed texts: from the left, the longest at each place, without overlaps.
//!
//! O(n) for a given set: a walk of at most the longest text from each byte that one begins with.

use std::ops::Range;

use super::classes::{class_of, WORD};
use crate::encode::TextMatch;
use crate::error::Error;

/// A set of texts to look for. Immutable; threads may share it.
pub struct Finder {
    texts: TextMatch,
}

/// A text that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub range: Range<usize>,
    /// Its number in the set.
    pub index: u32,
    /// Whether a word character stands beside it.
    pub touches_word: bool,
}

impl Finder {
    /// The set; a text that stands in it twice has the first number.
    ///
    /// # Errors
    /// `Format` if the set is too large.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Result<Self, Error> {
        Ok(Self { texts: TextMatch::new(texts)? })
    }

    /// All texts found in `data`.
    pub fn find(&self, data: &[u8]) -> Vec<Found> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < data.len() {
            let Some((index, len)) = self.texts.longest(&data[at..]) else {
                at += 1;
                continue;
            };
            let range = at..at + len;
            let touches_word = is_word(last_character(&data[..range.start]))
                || is_word(first_character(&data[range.end..]));
            at = range.end;
            found.push(Found { range, index, touches_word });
        }
        found
    }
}

fn is_word(character: Option<char>) -> bool {
    character.is_some_and(|c| class_of(c) & WORD != 0)
}

pub(super) fn first_character(data: &[u8]) -> Option<char> {
    data.get(..4).unwrap_or(data).utf8_chunks().next()?.valid().chars().next()
}

pub(super) fn last_character(data: &[u8]) -> Option<char> {
    let tail = &data[data.len().saturating_sub(4)..];
    let chunk = tail.utf8_chunks().last()?;
    chunk.valid().chars().next_back().filter(|_| chunk.invalid().is_empty())
}
