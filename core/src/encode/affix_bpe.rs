//! BPE whose words' first, inner or last characters are symbols of their own: `##x`, `x</w>`.
//!
//! Definition: a word's characters are spelled with `prefix` before all but the first and `suffix` after
//! the last; those spellings that are tokens are its atoms. Merges join atoms as their list says; what a
//! product is called no longer follows from its parts' bytes, so the caller gives it and only ids count.
//! Words are short: `merge_heap` merges them, O(n log n).
//! Source: Hugging Face `tokenizers`, models/bpe/model.rs, `merge_word`.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::atoms::character_len;
use super::merge_heap::merge_heap;
use super::ranks::Ranks;
use super::table::TokenTable;
use super::unknown::Unknown;
use super::whole_tokens::WholeTokens;
use super::Merge;
use crate::error::Error;

/// Merges spelled characters.
pub struct AffixBpe {
    table: TokenTable,
    ranks: Ranks,
    ids: HashMap<Box<[u8]>, u32, FxBuildHasher>,
    /// Every byte is an atom, so that text need not be UTF-8.
    by_bytes: bool,
    prefix: Box<[u8]>,
    suffix: Box<[u8]>,
    ignore_merges: Option<WholeTokens>,
    unknown: Unknown,
}

impl AffixBpe {
    /// Builds an encoder; `spelled[id]` is the token with its prefix and suffix.
    ///
    /// # Errors
    /// `Format` if a merge names an id without a token.
    #[expect(clippy::too_many_arguments, reason = "one a field of the model")]
    pub fn new<'t>(
        spelled: impl IntoIterator<Item = Option<&'t [u8]>>,
        merges: &[Merge],
        ranks: Option<&[u32]>,
        ignore_merges: bool,
        by_bytes: bool,
        prefix: &[u8],
        suffix: &[u8],
        unknown: Unknown,
    ) -> Result<Self, Error> {
        let table = TokenTable::new(spelled)?;
        let ids = (0..table.len() as u32).filter(|&id| table.token_len(id) > 0);
        let mut by_spelling = HashMap::default();
        for id in ids {
            by_spelling.entry(table.bytes(id).into()).or_insert(id);
        }
        Ok(Self {
            ranks: Ranks::of_ids(merges, ranks, &table)?,
            ids: by_spelling,
            by_bytes,
            prefix: prefix.into(),
            suffix: suffix.into(),
            ignore_merges: ignore_merges.then(|| WholeTokens::new(&table)),
            table,
            unknown,
        })
    }

    pub(super) fn encode_piece(&self, piece: &[u8], out: &mut Vec<u32>) {
        if let Some(id) = self.ignore_merges.as_ref().and_then(|w| w.get(piece, &self.table)) {
            return out.push(id);
        }
        let mut atoms = Vec::with_capacity(piece.len());
        let (mut at, mut follows) = (0, false);
        while at < piece.len() {
            let len = if self.by_bytes { 1 } else { character_len(&piece[at..]) };
            let spelled = self.spell(piece, at, len);
            let id = self.ids.get(spelled.as_slice());
            match id {
                Some(&id) => atoms.push(id),
                None if follows && self.unknown.fuse_unk && self.unknown.byte_ids.is_none() => {}
                None => self.unknown.spell(&spelled, &mut atoms),
            }
            follows = id.is_none();
            at += len;
        }
        merge_heap(&self.ranks, atoms.into_iter(), out);
    }

    fn spell(&self, piece: &[u8], at: usize, len: usize) -> Vec<u8> {
        let prefix = if at > 0 { &self.prefix[..] } else { &[] };
        let suffix = if at + len == piece.len() { &self.suffix[..] } else { &[] };
        [prefix, &piece[at..at + len], suffix].concat()
    }
}
