//! Any model behind any pipeline: text -> normalised -> pieces -> ids.
//!
//! Plain byte-level BPE behind a splitter that keeps every byte has its own way ([`super::Encoder`], which
//! gives offsets, too, and shares one document among threads); here text may be rewritten, so ids alone come
//! out, and a document is one thread's work. Added tokens are found, and text is normalised, on the way.

use super::affix_bpe::AffixBpe;
use super::by_words::WordCache;
use super::character_bpe::CharacterBpe;
use super::merge_backtrack::Search;
use super::unigram::{Lattice, Unigram};
use super::whole_tokens::WholeTokens;
use super::word_piece::WordPiece;
use super::words::Words;
use super::{character_len, table::TokenTable, Encoder};
use crate::error::Error;
use crate::pipeline::{Segment, Segments, Stages};

/// Bytes of pieces between two calls of `beat`.
const BEAT_BYTES: usize = 1 << 14;

/// What turns one piece into ids.
pub enum Model {
    /// BPE of bytes.
    Bytes(Encoder),
    /// BPE of bytes, some of which have no token.
    SomeBytes(SomeBytes),
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

/// An encoder of all bytes, and those that stand in it but have no token: they are lost, as in Hugging Face.
pub struct SomeBytes {
    /// Where such a byte has an id that is never given out.
    pub encoder: Encoder,
    /// Whether a byte is lost.
    pub is_lost: Box<[bool; 256]>,
}

impl SomeBytes {
    fn encode_piece(&self, piece: &[u8], out: &mut Vec<u32>) {
        let is_lost = |byte: &u8| self.is_lost[usize::from(*byte)];
        if !piece.iter().any(is_lost) {
            return self.encoder.encode_piece(piece, out);
        }
        if let Some(id) = self.encoder.whole_token(piece).filter(|_| piece.len() > 1) {
            return out.push(id);
        }
        // What stood on either side of a lost byte may merge.
        let kept: Vec<u8> = piece.iter().copied().filter(|byte| !is_lost(byte)).collect();
        let mut search = Search::new(out.len(), 0);
        self.encoder.run(&kept, &mut search, kept.len(), out);
    }
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
    /// Words of longer pieces, of which nothing is known beside them.
    inner: WordCache,
    pub(super) lattice: Lattice,
}

impl Memory {
    /// For texts of that many bytes.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        let inner = WordCache::new(bytes);
        Self { words: Words::for_bytes(bytes), inner, lattice: Lattice::default() }
    }
}

/// A document, or a part of one behind its guard.
#[derive(Clone, Copy)]
pub(super) struct Part<'t> {
    pub(super) text: &'t [u8],
    /// Bytes of pieces at the beginning that are the guard's and become no ids.
    pub(super) guard: usize,
    /// Whether each text between added tokens is one piece, whose sum is carried on from the part before.
    pub(super) carries: bool,
}

/// Bytes of pieces done, and where the next beat is due.
struct Beats {
    bytes: usize,
    next: usize,
}

/// A model and the stages before it. Immutable; threads may share it.
pub struct ModelEncoder {
    /// The model.
    pub model: Model,
    /// What cuts text into pieces.
    pub stages: Stages,
}

impl ModelEncoder {
    /// Appends the ids of a document, or a part of one, to `out`. `counts`: see [`Segments::for_each`]. `memory` holds words of
    /// the documents before; `beat` hears of the bytes done and may stop the work; `out` is unchanged on errors.
    ///
    /// # Errors
    /// Those of the stages, the normaliser and `beat`.
    pub(super) fn encode_next(
        &self,
        (segments, counts): (&Segments, &[bool]),
        mut part: Part,
        memory: &mut Memory,
        beat: &mut dyn FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let (before, document) = (out.len(), part.text);
        let mut done = Beats { bytes: 0, next: BEAT_BYTES };
        let asked = self.stages.ask_for_origin() && !document.is_empty();
        let origin = if asked { character_len(document) } else { 0 };
        let result = segments.for_each(document, origin, counts, &mut |segment| match segment {
            Segment::Token(id) => {
                memory.lattice.sum = 0.0;
                out.push(id);
                Ok(())
            }
            Segment::Text(text, origin) => {
                self.encode_text(Part { text, ..part }, origin, memory, &mut done, beat, out)?;
                part.guard = 0;
                Ok(())
            }
        });
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    /// How many bytes the pieces of a text have in all.
    ///
    /// # Errors
    /// Those of the stages and the normaliser.
    pub(super) fn piece_bytes(
        &self,
        (segments, counts): (&Segments, &[bool]),
        text: &[u8],
    ) -> Result<usize, Error> {
        let origin = if self.stages.ask_for_origin() { text.len().min(1) } else { 0 };
        let mut bytes = 0;
        segments.for_each(text, origin, counts, &mut |segment| match segment {
            Segment::Token(_) => Ok(()),
            Segment::Text(text, origin) => self.stages.for_each_piece(text, origin, &mut |piece| {
                bytes += piece.len();
                Ok(())
            }),
        })?;
        Ok(bytes)
    }

    fn encode_text(
        &self,
        mut part: Part,
        origin: usize,
        memory: &mut Memory,
        done: &mut Beats,
        beat: &mut dyn FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let Memory { words, inner, lattice } = memory;
        self.stages.for_each_piece(part.text, origin, &mut |piece| {
            let (guard, piece) = piece.split_at(part.guard.min(piece.len()));
            part.guard -= guard.len();
            if part.carries {
                self.encode_piece(piece, inner, lattice, out);
            } else if !piece.is_empty() {
                lattice.sum = 0.0;
                words.encode(piece, out, |out| self.encode_piece(piece, inner, lattice, out));
            }
            done.bytes += piece.len();
            if done.bytes >= done.next {
                done.next = done.bytes + BEAT_BYTES;
                beat(done.bytes as u64)?;
            }
            Ok(())
        })
    }

    fn encode_piece(
        &self,
        piece: &[u8],
        inner: &mut WordCache,
        lattice: &mut Lattice,
        out: &mut Vec<u32>,
    ) {
        match &self.model {
            Model::Bytes(encoder) => encoder.encode_piece(piece, out),
            Model::SomeBytes(bpe) => bpe.encode_piece(piece, out),
            Model::Characters(bpe) => bpe.encode_piece(piece, inner, out),
            Model::Affixes(bpe) => bpe.encode_piece(piece, out),
            Model::Unigram(unigram) => unigram.encode_piece(piece, lattice, out),
            Model::WordPiece(words) => words.encode_piece(piece, out),
            Model::WordLevel(words) => {
                out.push(words.tokens.get(piece, &words.table).unwrap_or(words.unk_id));
            }
        }
    }
}
