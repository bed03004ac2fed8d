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

impl SentencePiece {
    pub(super) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text;
        if self.remove_extra_whitespaces {
            while let (Cow::Borrowed(b" "), len) = self.prefix(text) {
                text = &text[len..];
            }
        }
        let mut out = Vec::with_capacity(text.len() + text.len() / 2);
        if text.is_empty() {
            return out;
        }
        let space = if self.escape_whitespaces { ESCAPED } else { " " }.as_bytes();
        if self.add_dummy_prefix && !self.treat_whitespace_as_suffix {
            out.extend_from_slice(space);
        }
        self.rewrite(text, space, &mut out);
        if self.remove_extra_whitespaces {
            while out.ends_with(space) {
                out.truncate(out.len() - space.len());
            }
        }
        if self.add_dummy_prefix && self.treat_whitespace_as_suffix {
            out.extend_from_slice(space);
        }
        out
    }

    fn rewrite(&self, mut text: &[u8], space: &[u8], out: &mut Vec<u8>) {
        let mut after_space = self.remove_extra_whitespaces;
        while !text.is_empty() {
            let (replacement, len) = self.prefix(text);
            let mut piece = &replacement[..];
            while let (true, [b' ', rest @ ..]) = (after_space, piece) {
                piece = rest;
            }
            for &byte in piece {
                match byte {
                    b' ' => out.extend_from_slice(space),
                    _ => out.push(byte),
                }
            }
            if !piece.is_empty() {
                after_space = piece.ends_with(b" ");
            }
            after_space &= self.remove_extra_whitespaces;
            text = &text[len..];
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
