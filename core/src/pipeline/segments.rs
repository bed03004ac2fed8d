//! A document's added tokens, and what lies between, normalised.
//!
//! Two passes, as in Hugging Face: tokens that are not `normalized` are found in the raw text, then each
//! gap is normalised and searched for the others. Within a pass the leftmost match wins, then the longest.
//! Linear in the text for a given set of tokens. The twin in Python, which byte-level models use as well, is
//! `tokforge/tokenizer/segments.py`. Source: huggingface/tokenizers, added_vocabulary.rs.

use super::find::{first_character, last_character, Finder};
use super::normalize::Normalizer;
use crate::error::Error;

/// An added token.
#[derive(Clone, Copy)]
pub struct Added {
    /// Its id.
    pub id: u32,
    /// Its place in the mask that says which tokens count.
    pub place: usize,
    /// Whether it swallows white space before it.
    pub lstrip: bool,
    /// Whether it swallows white space after it.
    pub rstrip: bool,
    /// Whether it counts only where no word character stands beside it.
    pub single_word: bool,
}

/// The tokens that are looked for together, each with its text.
#[derive(Default)]
pub struct Pass {
    finder: Option<Finder>,
    tokens: Vec<Added>,
}

/// A part of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'t> {
    /// An added token.
    Token(u32),
    /// Normalised text, and how many bytes at its beginning come from the document's first character: 0
    /// unless these were asked for.
    Text(&'t [u8], usize),
}

/// The two passes and the normaliser between. Immutable; threads may share it.
#[derive(Default)]
pub struct Segments {
    /// Tokens that are found in raw text.
    pub raw: Pass,
    /// What is done to the gaps.
    pub normalizer: Normalizer,
    /// Tokens that are found in normalised text.
    pub normalized: Pass,
}

type Emit<'f> = &'f mut dyn FnMut(Segment) -> Result<(), Error>;

impl Pass {
    /// A pass over texts and their tokens; of equal texts the first counts.
    ///
    /// # Errors
    /// `Format` if the set is too large.
    pub fn new(tokens: &[(Vec<u8>, Added)]) -> Result<Self, Error> {
        let texts = tokens.iter().map(|(text, _)| text.as_slice());
        let finder = if tokens.is_empty() { None } else { Some(Finder::new(texts)?) };
        Ok(Self { finder, tokens: tokens.iter().map(|&(_, token)| token).collect() })
    }

    /// Calls `f` with the tokens of `data` that count, and with each gap between that is not empty.
    fn for_each(&self, data: &[u8], origin: usize, counts: &[bool], f: Emit) -> Result<(), Error> {
        let mut done = 0;
        for found in self.finder.iter().flat_map(|finder| finder.find(data)) {
            let token = self.tokens[found.index as usize];
            let is_text = !counts.get(token.place).copied().unwrap_or(true);
            if is_text || (token.single_word && found.touches_word) {
                continue; // it still hides shorter tokens inside it, as in Hugging Face
            }
            let before = &data[done.min(found.range.start)..found.range.start];
            let start = found.range.start - if token.lstrip { spaces_behind(before) } else { 0 };
            let end = found.range.end;
            let end = end + if token.rstrip { spaces_before(&data[end..]) } else { 0 };
            if start > done {
                f(Segment::Text(&data[done..start], origin.saturating_sub(done)))?;
            }
            f(Segment::Token(token.id))?;
            done = end;
        }
        if done < data.len() {
            f(Segment::Text(&data[done..], origin.saturating_sub(done)))?;
        }
        Ok(())
    }
}

impl Segments {
    /// Calls `f` with the segments in order. `counts[place]`: whether a token's text is the token; one
    /// without an entry counts. `origin`: bytes of the first character, 0 if nobody asks what comes from it.
    ///
    /// # Errors
    /// Those of `f`; `Pattern` where a regex of the normaliser spends its budget.
    pub fn for_each(
        &self,
        data: &[u8],
        origin: usize,
        counts: &[bool],
        f: Emit,
    ) -> Result<(), Error> {
        self.raw.for_each(data, origin, counts, &mut |segment| {
            let Segment::Text(gap, origin) = segment else { return f(segment) };
            let (gap, origin) = self.normalizer.apply_with_origin(gap, origin)?;
            self.normalized.for_each(&gap, origin, counts, f)
        })
    }
}

/// Bytes of white space that `text` ends in.
fn spaces_behind(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(space) = last_character(&text[..end]).filter(|c| c.is_whitespace()) {
        end -= space.len_utf8();
    }
    text.len() - end
}

/// Bytes of white space that `text` begins with.
fn spaces_before(text: &[u8]) -> usize {
    let mut start = 0;
    while let Some(space) = first_character(&text[start..]).filter(|c| c.is_whitespace()) {
        start += space.len_utf8();
    }
    start
}
