//! sentencepiece's normaliser as it stands: charsmap and white space in one pass.
//!
//! Source: sentencepiece, normalizer.cc, `Normalizer::Normalize`.

use std::borrow::Cow;

use super::charsmap::Charsmap;
use crate::encode::{character_len, TextMatch};

const ESCAPED: &str = "\u{2581}";

/// The rules of a model's normalizer_spec.
pub struct SentencePiece {
    /// Replacements of prefixes, the longest first.
    pub charsmap: Option<Charsmap>,
    /// A space in front (or behind) of all text.
    pub add_dummy_prefix: bool,
    /// No spaces at the ends, no two in a row.
    pub remove_extra_whitespaces: bool,
    /// U+2581 for each space.
    pub escape_whitespaces: bool,
    /// The dummy goes behind.
    pub treat_whitespace_as_suffix: bool,
    /// Texts that are left as they are, the longest first.
    pub user_defined: Option<TextMatch>,
}

/// What is written and, if it is asked for, where in the original each of its bytes comes from.
struct Written {
    text: Vec<u8>,
    places: Option<Vec<usize>>,
}

impl Written {
    fn push(&mut self, bytes: &[u8], place: usize) {
        self.text.extend_from_slice(bytes);
        if let Some(places) = &mut self.places {
            places.resize(self.text.len(), place);
        }
    }

    /// Shortens it to `len`; returns where what is dropped came from.
    fn truncate(&mut self, len: usize) -> usize {
        let places = self.places.iter_mut();
        let place = places.map(|places| places.drain(len..).next().unwrap_or(0)).sum();
        self.text.truncate(len);
        place
    }
}

impl SentencePiece {
    pub(super) fn apply(&self, text: &[u8]) -> Vec<u8> {
        self.run(text, Written { text: Vec::new(), places: None }).text
    }

    /// The text, and for each of its bytes and its end the place in the original, as sentencepiece counts:
    /// a byte's span ends where the next one's begins.
    pub fn places(&self, text: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let written = self.run(text, Written { text: Vec::new(), places: Some(Vec::new()) });
        (written.text, written.places.unwrap_or_default())
    }

    fn run(&self, text: &[u8], mut out: Written) -> Written {
        let mut consumed = if self.remove_extra_whitespaces { self.leading(text) } else { 0 };
        if consumed < text.len() {
            out.text.reserve(text.len() + text.len() / 2);
            let space = if self.escape_whitespaces { ESCAPED } else { " " }.as_bytes();
            if self.add_dummy_prefix && !self.treat_whitespace_as_suffix {
                out.push(space, consumed);
            }
            self.rewrite(text, consumed, space, &mut out);
            consumed = text.len();
            while self.remove_extra_whitespaces && out.text.ends_with(space) {
                consumed = out.truncate(out.text.len() - space.len());
            }
            if self.add_dummy_prefix && self.treat_whitespace_as_suffix {
                out.push(space, consumed);
            }
        }
        if let Some(places) = &mut out.places {
            places.push(consumed);
        }
        out
    }

    /// Bytes of leading spaces, or what becomes one.
    fn leading(&self, text: &[u8]) -> usize {
        let mut at = 0;
        while let (Cow::Borrowed(b" "), len) = self.prefix(&text[at..]) {
            at += len;
        }
        at
    }

    fn rewrite(&self, text: &[u8], mut at: usize, space: &[u8], out: &mut Written) {
        let mut after_space = self.remove_extra_whitespaces;
        while at < text.len() {
            let (replacement, len) = self.prefix(&text[at..]);
            let mut piece = &replacement[..];
            while let (true, [b' ', rest @ ..]) = (after_space, piece) {
                piece = rest;
            }
            for byte in piece {
                let spelled = if *byte == b' ' { space } else { std::slice::from_ref(byte) };
                out.push(spelled, at);
            }
            if !piece.is_empty() {
                after_space = piece.ends_with(b" ");
            }
            after_space &= self.remove_extra_whitespaces;
            at += len;
        }
    }

    /// What the beginning of `text`, which may be empty, becomes, and its length.
    fn prefix<'t>(&'t self, text: &'t [u8]) -> (Cow<'t, [u8]>, usize) {
        let named = self.user_defined.as_ref().filter(|_| !text.is_empty());
        if let Some((_, len)) = named.and_then(|named| named.longest(text)) {
            return (Cow::Borrowed(&text[..len]), len);
        }
        if let Some((len, replacement)) = self.charsmap.as_ref().and_then(|map| map.longest(text)) {
            return (Cow::Borrowed(replacement.as_bytes()), len);
        }
        let len = character_len(text);
        let is_valid = std::str::from_utf8(&text[..len]).is_ok();
        (Cow::Borrowed(if is_valid { &text[..len] } else { "\u{FFFD}".as_bytes() }), len)
    }
}
