//! Bytes -> id, for vocabularies whose pieces may be whole tokens before any merge (`ignore_merges`).
//!
//! Invariant: of tokens with the same bytes the lowest id is held. Complexity: expected O(bytes) a
//! look-up; 8 B or so a token. Source: Hugging Face `tokenizers`, `BPE::ignore_merges`.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::table::TokenTable;

/// All tokens that have bytes, by their bytes.
pub(super) struct WholeTokens {
    ids: HashTable<u32>,
    longest: usize,
}

impl WholeTokens {
    pub(super) fn new(table: &TokenTable) -> Self {
        let mut whole = Self { ids: HashTable::with_capacity(table.len()), longest: 0 };
        for id in (0..table.len() as u32).filter(|&id| table.token_len(id) > 0) {
            let bytes = table.bytes(id);
            whole.longest = whole.longest.max(bytes.len());
            let equal = |&other: &u32| table.bytes(other) == bytes;
            let rehash = |&other: &u32| hash(table.bytes(other));
            whole.ids.entry(hash(bytes), equal, rehash).or_insert(id);
        }
        whole
    }

    /// The token that has exactly these bytes.
    pub(super) fn get(&self, piece: &[u8], table: &TokenTable) -> Option<u32> {
        if piece.len() > self.longest {
            return None;
        }
        let equal = |&id: &u32| table.bytes(id) == piece;
        self.ids.find(hash(piece), equal).copied()
    }
}

fn hash(bytes: &[u8]) -> u64 {
    FxBuildHasher.hash_one(bytes)
}
