//! Any model behind any pipeline: text -> normalised -> pieces -> ids.
//!
//! Plain byte-level BPE behind a splitter that keeps every byte has its own way ([`super::Encoder`], which
//! gives offsets, too, and shares one document among threads); here text may be rewritten, so ids alone come
//! out, and a document is one thread's work.

use super::affix_bpe::AffixBpe;
use super::character_bpe::CharacterBpe;
use super::unigram::{Lattice, Unigram};
use super::whole_tokens::WholeTokens;
use super::word_piece::WordPiece;
use super::words::Words;
use super::{table::TokenTable, Encoder};
use crate::error::Error;
use crate::pipeline::Stages;

/// Bytes of pieces between two calls of `beat`.
const BEAT_BYTES: usize = 1 << 14;

/// What turns one piece into ids.
pub enum Model {
    /// BPE of bytes.
    Bytes(Encoder),
    /// BPE of characters.
    Characters(CharacterBpe),
    /// BPE of spelled characters.
    Affixes(AffixBpe),
    /// Unigram.
    Unigram(Unigram),
    /// WordPiece.
    WordPiece(WordPiece),
    /// A piece is a token or unknown.
    WordLevel(WordLevel),
}

/// Whole pieces.
pub struct WordLevel {
    table: TokenTable,
    tokens: WholeTokens,
    unk_id: u32,
}

impl WordLevel {
    /// Builds an encoder.
    ///
    /// # Errors
    /// `Format` if the vocabulary is too large.
    pub fn new<'t>(
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
        unk_id: u32,
    ) -> Result<Self, Error> {
        let table = TokenTable::new(tokens)?;
        Ok(Self { tokens: WholeTokens::new(&table), table, unk_id })
    }
}

/// What a thread keeps from text to text.
pub(super) struct Memory {
    words: Words,
    lattice: Lattice,
}

impl Memory {
    /// For texts of that many bytes.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        Self { words: Words::for_bytes(bytes), lattice: Lattice::default() }
    }
}

/// A model and the stages before it. Immutable; threads may share it.
pub struct ModelEncoder {
    /// The model.
    pub model: Model,
    /// What cuts text into pieces.
    pub stages: Stages,
}

impl ModelEncoder {
    /// Appends the ids of a text to `out`. `at_start`: whether it is the beginning of what is encoded, and no
    /// gap after an added token. `beat` may stop the work; `out` is unchanged on errors.
    ///
    /// # Errors
    /// Those of the stages and of `beat`.
    pub fn encode(
        &self,
        text: &[u8],
        at_start: bool,
        beat: &mut dyn FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        self.encode_next((text, at_start), &mut Memory::for_bytes(text.len()), beat, out)
    }

    /// As `encode`, for one of many: `memory` holds words of those before.
    pub(super) fn encode_next(
        &self,
        (text, at_start): (&[u8], bool),
        memory: &mut Memory,
        beat: &mut dyn FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let before = out.len();
        let (mut done, mut next_beat) = (0, BEAT_BYTES);
        let Memory { words, lattice } = memory;
        let result = self.stages.for_each_piece(text, at_start, &mut |piece| {
            words.encode(piece, out, |out| self.encode_piece(piece, lattice, out));
            done += piece.len();
            if done >= next_beat {
                next_beat = done + BEAT_BYTES;
                beat(done as u64)?;
            }
            Ok(())
        });
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    fn encode_piece(&self, piece: &[u8], lattice: &mut Lattice, out: &mut Vec<u32>) {
        match &self.model {
            Model::Bytes(encoder) => encoder.encode_piece(piece, out),
            Model::Characters(bpe) => bpe.encode_piece(piece, out),
            Model::Affixes(bpe) => bpe.encode_piece(piece, out),
            Model::Unigram(unigram) => unigram.encode_piece(piece, lattice, out),
            Model::WordPiece(words) => words.encode_piece(piece, out),
            Model::WordLevel(words) => {
                out.push(words.tokens.get(piece, &words.table).unwrap_or(words.unk_id));
            }
        }
    }
}
