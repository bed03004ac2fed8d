//! What becomes of text that no token covers.
//!
//! The tokens of its bytes, if bytes are fallen back to and all of them have one; else the unknown token;
//! else nothing at all. Several unknown characters in a row may count as one (`fuse_unk`): the models see
//! to that. Sources: Hugging Face `tokenizers`, models/{bpe,unigram}/model.rs; sentencepiece,
//! `PopulateSentencePieceText`.

use super::table::NO_ID;

/// How a model spells the unknown.
pub struct Unknown {
    /// The token of each byte, if bytes are fallen back to; `u32::MAX` for a byte that has none.
    pub byte_ids: Option<Box<[u32; 256]>>,
    /// The unknown token.
    pub unk_id: Option<u32>,
    /// Whether unknown characters in a row are one unknown token.
    pub fuse_unk: bool,
}

impl Unknown {
    /// Whether every byte has a token, so that no text is without.
    pub(super) fn spells_all(&self) -> bool {
        self.byte_ids.as_ref().is_some_and(|ids| !ids.contains(&NO_ID))
    }

    /// Appends the tokens of the text's bytes; tells whether all have one.
    pub(super) fn fall_back(&self, text: &[u8], out: &mut Vec<u32>) -> bool {
        let Some(ids) = &self.byte_ids else {
            return false;
        };
        let before = out.len();
        out.extend(text.iter().map(|&byte| ids[usize::from(byte)]));
        let is_spelled = out[before..].iter().all(|&id| id != NO_ID);
        if !is_spelled {
            out.truncate(before);
        }
        is_spelled
    }

    /// Appends what unknown text becomes.
    pub(super) fn spell(&self, text: &[u8], out: &mut Vec<u32>) {
        if !self.fall_back(text, out) {
            out.extend(self.unk_id);
        }
    }
}
