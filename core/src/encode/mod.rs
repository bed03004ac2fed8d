//! Applies merges to bytes, and joins tokens back into bytes.
//!
//! Definition: start from the bytes' ids; while some adjacent pair is a merge, apply the one of
//! lowest rank, leftmost first. [`Encoder`] gives exactly this for every merge list, in time linear
//! in the bytes and with no memory but the output.
//!
//! Reading order: `ranks` (the merge list), `atoms` (what merging starts from), `validity` (when two
//! tokens may stand side by side, and why that decides everything), `longest_match`, `merge_backtrack`
//! (the encoder), `merge_heap` (its rival, for pairs that `validity` cannot judge), `merge_reference` (the
//! definition, in tests), `joiner` (for tokens instead of bytes). `document` puts a splitter in front, `words` remembers what was
//! found, `batch` threads beside;
//! `settled` is for texts that come in parts.
//!
//! Other models: `character_bpe`, `affix_bpe`, `unigram`, `word_piece`; `model` puts any pipeline in front
//! of any of them, `model_batch` threads beside.

mod affix_bpe;
mod atoms;
mod batch;
mod by_words;
mod character_bpe;
mod document;
mod joiner;
mod longest_match;
mod marked_words;
mod merge_backtrack;
mod merge_heap;
#[cfg(test)]
mod merge_reference;
mod model;
mod model_batch;
mod ranks;
mod settled;
mod table;
#[cfg(test)]
mod tests;
mod text_match;
mod unigram;
mod unknown;
mod validity;
mod whole_tokens;
mod word_piece;
mod words;

pub use affix_bpe::AffixBpe;
pub(crate) use atoms::character_len;
pub use by_words::WordCache;
pub use character_bpe::CharacterBpe;
pub use document::{Pieces, Whole};
pub use joiner::Joiner;
pub use model::{Model, ModelEncoder, SomeBytes, WordLevel};
pub use model_batch::{Documents, Parts};
pub use text_match::TextMatch;
pub use unigram::Unigram;
pub use unknown::Unknown;
pub use word_piece::WordPiece;

use crate::error::{Error, Message};
use atoms::Bytes;
use merge_backtrack::{Backtrack, Search};
use ranks::Ranks;
use table::TokenTable;
use validity::Validity;
use whole_tokens::WholeTokens;

/// A merge as (left id, right id, merged id); a list of them is in the order of rank.
pub type Merge = (u32, u32, u32);

/// A vocabulary and its merges, ready to encode and decode. Immutable; threads may share it.
pub struct Encoder {
    table: TokenTable,
    backtrack: Backtrack<Bytes>,
    /// There if a piece that is a whole token is that token, whatever the merges say.
    whole_tokens: Option<WholeTokens>,
    reach: Option<usize>,
}

impl Encoder {
    /// Builds an encoder in time and memory linear in its input.
    ///
    /// `tokens[id]` is the bytes of the token, `None` where the id is special or unused; `byte_ids[b]`
    /// is the id of byte `b`. Of a pair that `merges` names twice the last entry counts. `ranks` is
    /// the rank of each merge where some are equal; else a merge's place is its rank. With
    /// `ignore_merges` a piece that is a whole token is that token, at once.
    ///
    /// # Errors
    /// `Format` if a merge names an id without bytes, if a product's bytes are not its parts' bytes,
    /// or if a byte's id is not that byte; the message names the merge, id or byte.
    pub fn new<'t>(
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
        merges: &[Merge],
        ranks: Option<&[u32]>,
        byte_ids: &[u32; 256],
        ignore_merges: bool,
    ) -> Result<Self, Error> {
        let table = TokenTable::new(tokens)?;
        check_bytes(&table, byte_ids)?;
        // How far a merge reaches is worked out for ranks that all differ.
        let is_ranked_by_pair = ranks.is_none();
        let ranks = Ranks::new(merges, ranks, &table)?;
        let reach = settled::reach(&ranks, &table).filter(|_| is_ranked_by_pair);
        let atoms = Bytes::new(byte_ids, &ranks);
        let validity = Validity::new(&table, ranks, atoms);
        Ok(Self {
            backtrack: Backtrack::new(&table, validity),
            whole_tokens: ignore_merges.then(|| WholeTokens::new(&table)),
            table,
            reach,
        })
    }

    /// Appends the ids of one piece of any length to `out`.
    #[inline]
    pub fn encode_piece(&self, piece: &[u8], out: &mut Vec<u32>) {
        if let Some(id) = self.whole_token(piece) {
            return out.push(id);
        }
        let mut search = Search::new(out.len(), 0);
        self.run(piece, &mut search, piece.len(), out);
    }

    #[inline]
    fn whole_token(&self, piece: &[u8]) -> Option<u32> {
        self.whole_tokens.as_ref()?.get(piece, &self.table)
    }

    #[inline]
    fn run(&self, piece: &[u8], search: &mut Search, until: usize, out: &mut Vec<u32>) {
        self.backtrack.run(&self.table, piece, search, until, out);
    }

    #[inline]
    fn ignore_merges(&self) -> bool {
        self.whole_tokens.is_some()
    }

    /// Joins the bytes of `ids`.
    ///
    /// # Errors
    /// `TokenId`, naming the first id that is no token with bytes, and its position.
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, Error> {
        let total = ids.iter().map(|&id| self.token_len(id)).sum();
        let mut bytes = Vec::with_capacity(total);
        for (position, &id) in ids.iter().enumerate() {
            let token = self.table.get(id);
            bytes.extend_from_slice(token.ok_or_else(|| self.no_token(id, position))?);
        }
        Ok(bytes)
    }

    fn no_token(&self, id: u32, position: usize) -> Error {
        let len = self.table.len();
        let (why, hint) = if (id as usize) < len {
            let why = "has no bytes: it is special or unused";
            (why, "leave out special ids before decoding".to_owned())
        } else {
            ("is out of range", format!("valid ids are 0 to {}", len - 1))
        };
        Error::TokenId(Message::new(format!("id {id} at position {position} {why}"), hint))
    }

    /// Length in bytes of token `id`; 0 if it has none.
    #[inline]
    pub fn token_len(&self, id: u32) -> usize {
        self.table.token_len(id)
    }
}

/// Refuses byte ids that are not those of the 256 bytes.
fn check_bytes(table: &TokenTable, byte_ids: &[u32; 256]) -> Result<(), Error> {
    for (byte, &id) in (0..=255u8).zip(byte_ids) {
        if table.get(id) != Some(&[byte]) {
            return Err(Error::Format(Message::new(
                format!("id {id} is given for byte 0x{byte:02X} but is not that byte's token"),
                "the vocabulary must hold each of the 256 bytes as a token",
            )));
        }
    }
    Ok(())
}
