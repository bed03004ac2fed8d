//! Stages in turn: each cuts the pieces of the one before, and may rewrite or drop text.
//!
//! Invariant: no piece is empty. Linear in the text. `origin` bytes at a piece's beginning come
//! from the document's first character: Metaspace may treat the pieces that have some alone.
//! Source of the rules: Hugging Face `tokenizers`, pre_tokenizers/.

use super::classes::{class_of, Class, PUNCTUATION, SPACE, WORD};
use super::split::Split;
use crate::encode::character_len;
use crate::error::Error;
use crate::pretokenizers::Splitter;

/// One stage.
pub enum Stage {
    /// Keeps every byte.
    Splitter(Splitter),
    /// Cuts at a pattern.
    Split(Split),
    /// Drops white space; `punctuation` marks are pieces of their own (BERT), or like any character.
    Words {
        /// Whether punctuation is isolated.
        punctuation: bool,
    },
    /// `\w+|[^\w\s]+`.
    Runs,
    /// Spells spaces.
    Metaspace(Metaspace),
    /// Puts a space before a piece that does not begin with one.
    PrefixSpace,
}

/// When Metaspace puts its mark in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepend {
    /// To every piece.
    Always,
    /// To those that begin with what the document's first character became.
    First,
    /// To none.
    Never,
}

/// Replaces spaces by a mark, prepends one, and cuts before each.
pub struct Metaspace {
    /// The mark, one character.
    pub replacement: Box<[u8]>,
    /// When one is put in front.
    pub prepend: Prepend,
    /// Whether to cut.
    pub split: bool,
}

/// Takes a piece, and its bytes of origin.
type EmitPiece<'f> = &'f mut dyn FnMut(&[u8], usize) -> Result<(), Error>;
type Emit<'f> = &'f mut dyn FnMut(&[u8]) -> Result<(), Error>;

/// Stages in turn; without any, a text is one piece. Immutable; threads may share it.
#[derive(Default)]
pub struct Stages {
    stages: Vec<Stage>,
}

impl Stages {
    /// The stages, in order.
    pub fn new(stages: Vec<Stage>) -> Self {
        Self { stages }
    }

    /// Whether a stage asks for the bytes of origin.
    pub fn ask_for_origin(&self) -> bool {
        let asks = |stage: &Stage| match stage {
            Stage::Metaspace(metaspace) => metaspace.prepend == Prepend::First,
            _ => false,
        };
        self.stages.iter().any(asks)
    }

    /// Calls `f` with every piece, in order. `origin`: bytes of `text` that come from the first character.
    ///
    /// # Errors
    /// Those of `f`; `Pattern` where a regex spends its budget.
    pub fn for_each_piece(&self, text: &[u8], origin: usize, f: Emit) -> Result<(), Error> {
        cascade(&self.stages, text, origin, f)
    }
}

fn cascade(stages: &[Stage], text: &[u8], origin: usize, f: Emit) -> Result<(), Error> {
    let [stage, later @ ..] = stages else {
        return if text.is_empty() { Ok(()) } else { f(text) };
    };
    if later.is_empty() {
        return stage.for_each_piece(text, origin, &mut |piece, _| f(piece));
    }
    stage.for_each_piece(text, origin, &mut |piece, origin| cascade(later, piece, origin, f))
}

impl Stage {
    /// Calls `f` with each piece, and its bytes of origin.
    fn for_each_piece(&self, text: &[u8], origin: usize, f: EmitPiece) -> Result<(), Error> {
        let starts = |start: usize| origin.saturating_sub(start);
        match self {
            Stage::Splitter(splitter) => {
                splitter.for_each_piece(text, |from, to| f(&text[from..to], starts(from)))
            }
            Stage::Split(split) => split
                .for_each_piece(text, &mut |range| f(&text[range.clone()], starts(range.start))),
            Stage::Words { punctuation } => {
                let isolated = if *punctuation { PUNCTUATION } else { 0 };
                words(text, isolated, &mut |from, to| f(&text[from..to], starts(from)))
            }
            Stage::Runs => runs(text, &mut |from, to| f(&text[from..to], starts(from))),
            Stage::Metaspace(metaspace) => metaspace.for_each_piece(text, origin, f),
            Stage::PrefixSpace if text.is_empty() => Ok(()),
            Stage::PrefixSpace if text[0] == b' ' => f(text, origin),
            Stage::PrefixSpace => f(&[b" ", text].concat(), in_front(1, origin)),
        }
    }
}

/// Bytes of origin behind what is put in front, which shares the first character's.
fn in_front(len: usize, origin: usize) -> usize {
    if origin == 0 {
        0
    } else {
        len + origin
    }
}

/// Class and length of the character that `text`, which is not empty, begins with.
#[inline]
fn next_class(text: &[u8]) -> (Class, usize) {
    if text[0].is_ascii() {
        return (class_of(char::from(text[0])), 1);
    }
    let len = character_len(text);
    let character = std::str::from_utf8(&text[..len]).ok().and_then(|text| text.chars().next());
    (character.map_or(0, class_of), len)
}

/// Runs between white space; each character of class `isolated` alone.
fn words(
    text: &[u8],
    isolated: Class,
    f: &mut dyn FnMut(usize, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let (class, len) = next_class(&text[at..]);
        if class & (SPACE | isolated) != 0 {
            if start < at {
                f(start, at)?;
            }
            start = at + len;
            if class & SPACE == 0 {
                f(at, start)?;
            }
        }
        at += len;
    }
    if start < at {
        f(start, at)?;
    }
    Ok(())
}

/// Runs of word characters, and of others that are no white space.
fn runs(text: &[u8], f: &mut dyn FnMut(usize, usize) -> Result<(), Error>) -> Result<(), Error> {
    let (mut start, mut at, mut before) = (0, 0, SPACE);
    while at < text.len() {
        let (class, len) = next_class(&text[at..]);
        // A space that were a word character would count as one: `\w+` comes first.
        let kind = if class & WORD != 0 { WORD } else { class & SPACE };
        if kind != before {
            if start < at && before != SPACE {
                f(start, at)?;
            }
            (start, before) = (at, kind);
        }
        at += len;
    }
    if start < at && before != SPACE {
        f(start, at)?;
    }
    Ok(())
}

impl Metaspace {
    fn for_each_piece(&self, text: &[u8], origin: usize, f: EmitPiece) -> Result<(), Error> {
        let (spelled, origin) = self.spell(text, origin);
        let (mut start, mut at) = (0, 1.min(spelled.len()));
        while self.split && at < spelled.len() {
            // Its first byte tells nearly all places apart.
            let Some(found) = spelled[at..].iter().position(|&byte| byte == self.replacement[0])
            else {
                break;
            };
            at += found;
            if spelled[at..].starts_with(&self.replacement) {
                f(&spelled[start..at], origin.saturating_sub(start))?;
                start = at;
            }
            at += 1;
        }
        if start < spelled.len() {
            f(&spelled[start..], origin.saturating_sub(start))?;
        }
        Ok(())
    }

    /// The text with its spaces spelled, and one in front if need be; and its bytes of origin.
    fn spell(&self, text: &[u8], origin: usize) -> (Vec<u8>, usize) {
        let head = text[..origin.min(text.len())].iter();
        let spaces = head.filter(|&&byte| byte == b' ').count();
        let mut origin = origin + spaces * (self.replacement.len().saturating_sub(1));
        let mut spelled = Vec::with_capacity(text.len() + text.len() / 2 + self.replacement.len());
        let has_one = text.starts_with(b" ") || text.starts_with(&self.replacement);
        let wanted = match self.prepend {
            Prepend::Always => true,
            Prepend::First => origin > 0,
            Prepend::Never => false,
        };
        if wanted && !has_one && !text.is_empty() {
            spelled.extend_from_slice(&self.replacement);
            origin = in_front(self.replacement.len(), origin);
        }
        for part in text.split_inclusive(|&byte| byte == b' ') {
            match part.split_last() {
                Some((b' ', before)) => {
                    spelled.extend_from_slice(before);
                    spelled.extend_from_slice(&self.replacement);
                }
                _ => spelled.extend_from_slice(part),
            }
        }
        (spelled, origin)
    }
}
