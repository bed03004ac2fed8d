//! Texts by number, matched by their longest: the trie of the encoders for other uses.

use super::longest_match::LongestMatch;
use super::table::{TokenTable, NO_ID};
use crate::error::Error;

/// A set of texts.
pub struct TextMatch {
    table: TokenTable,
    matcher: LongestMatch,
}

impl TextMatch {
    /// The set; of equal texts the first one counts, an empty one is never found.
    ///
    /// # Errors
    /// `Format` if the set is too large.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Result<Self, Error> {
        let table = TokenTable::new(texts.into_iter().map(Some))?;
        let mut ids: Vec<u32> =
            (0..table.len() as u32).filter(|&id| table.token_len(id) > 0).collect();
        ids.sort_by_key(|&id| table.bytes(id));
        ids.dedup_by_key(|id| table.bytes(*id));
        Ok(Self { matcher: LongestMatch::new(&table, ids), table })
    }

    /// Number and length of the longest text that `data`, which is not empty, begins with.
    #[inline]
    pub fn longest(&self, data: &[u8]) -> Option<(u32, usize)> {
        let id = self.matcher.longest(data);
        (id != NO_ID).then(|| (id, self.table.token_len(id)))
    }
}
