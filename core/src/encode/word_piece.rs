//! WordPiece: the longest token from the left, then the longest continuing one, up to the word's end.
//!
//! A word that cannot be covered so, or is longer than `max_characters`, is the unknown token as a whole.
//! Complexity: O(n) steps of at most the longest token, on words of bounded length.
//! Source: Hugging Face `tokenizers`, models/wordpiece/mod.rs.

use super::atoms::characters;
use super::longest_match::LongestMatch;
use super::table::{TokenTable, NO_ID};
use crate::error::Error;

/// Matches greedily.
pub struct WordPiece {
    first: TokenTable,
    inner: TokenTable,
    first_match: LongestMatch,
    inner_match: LongestMatch,
    unk_id: u32,
    max_characters: usize,
}

impl WordPiece {
    /// Builds an encoder: `first[id]` is what a token that may begin a word is matched by (a word may
    /// begin with the text `##ing`, too), `inner[id]` what one that continues it is matched by.
    ///
    /// # Errors
    /// `Format` if the vocabulary is too large.
    pub fn new<'t>(
        first: impl IntoIterator<Item = Option<&'t [u8]>>,
        inner: impl IntoIterator<Item = Option<&'t [u8]>>,
        unk_id: u32,
        max_characters: usize,
    ) -> Result<Self, Error> {
        let (first, inner) = (TokenTable::new(first)?, TokenTable::new(inner)?);
        let ids = |table: &TokenTable| {
            (0..table.len() as u32).filter(|&id| table.token_len(id) > 0).collect()
        };
        Ok(Self {
            first_match: LongestMatch::new(&first, ids(&first)),
            inner_match: LongestMatch::new(&inner, ids(&inner)),
            first,
            inner,
            unk_id,
            max_characters,
        })
    }

    pub(super) fn encode_piece(&self, piece: &[u8], out: &mut Vec<u32>) {
        let before = out.len();
        if self.is_too_long(piece) || !self.cover(piece, out) {
            out.truncate(before);
            out.push(self.unk_id);
        }
    }

    fn is_too_long(&self, piece: &[u8]) -> bool {
        piece.len() > self.max_characters && characters(piece).count() > self.max_characters
    }

    /// Whether tokens cover the piece; appends them.
    fn cover(&self, piece: &[u8], out: &mut Vec<u32>) -> bool {
        let (mut at, mut matcher, mut table) = (0, &self.first_match, &self.first);
        while at < piece.len() {
            let id = matcher.longest(&piece[at..]);
            if id == NO_ID {
                return false;
            }
            out.push(id);
            at += table.token_len(id);
            (matcher, table) = (&self.inner_match, &self.inner);
        }
        true
    }
}
