//! A long piece, encoded word by word: most words were met before, and then only the seams are new.
//!
//! By the theorem in `validity` tokens that stay pairwise are the encoding. So the ids of a word, known
//! from its last use, follow the ids so far if the two tokens at the seam stay; where they do not, the
//! two words become one, which is encoded afresh, and its own seam is looked at. Words may be any cut of
//! the piece: they change the speed, never the result. Where characters are the atoms, one that is no
//! token becomes the tokens of its bytes, which never merge: a seam beside such a token holds.
//! Complexity: linear, since the piece is encoded whole once words have grown by four times its length.

use super::atoms::Atoms;
use super::merge_backtrack::{Backtrack, Search};
use super::table::TokenTable;
use super::words::Words;
use super::Encoder;

/// Words that were met lately, with their ids.
#[derive(Default)]
pub struct WordCache {
    words: Words,
    ids: Vec<u32>,
    /// Where each word of the current piece begins, in it and in the output.
    begun: Vec<(usize, usize)>,
}

impl WordCache {
    /// A cache for that much text.
    pub fn new(expected_bytes: usize) -> Self {
        Self { words: Words::for_bytes(expected_bytes), ..Self::default() }
    }

    /// Puts the ids of a word into the buffer.
    fn recall(&mut self, word: &[u8], anew: &impl Fn(&[u8], &mut Vec<u32>)) {
        self.ids.clear();
        self.words.encode(word, &mut self.ids, |ids| anew(word, ids));
    }
}

/// What decides a seam.
pub(super) struct Seams<'e, A: Atoms> {
    pub(super) table: &'e TokenTable,
    pub(super) backtrack: &'e Backtrack<A>,
}

impl<A: Atoms> Seams<'_, A> {
    /// Appends the ids of `piece` to `out`; `word_ends` are ascending and the last one is its length.
    /// `anew` appends the ids of a stretch, at least one.
    pub(super) fn encode(
        &self,
        piece: &[u8],
        word_ends: impl IntoIterator<Item = usize>,
        cache: &mut WordCache,
        anew: impl Fn(&[u8], &mut Vec<u32>),
        out: &mut Vec<u32>,
    ) {
        let (first, mut start, mut grown) = (out.len(), 0, 0);
        cache.begun.clear();
        for end in word_ends {
            cache.recall(&piece[start..end], &anew);
            while !self.follows(&out[first..], cache.ids.first()) {
                let Some((begin, len)) = cache.begun.pop() else { break };
                start = begin;
                grown += end - begin;
                out.truncate(len);
                if grown > 4 * piece.len() {
                    out.truncate(first);
                    return anew(piece, out);
                }
                cache.ids.clear();
                anew(&piece[begin..end], &mut cache.ids);
            }
            cache.begun.push((start, out.len()));
            out.extend_from_slice(&cache.ids);
            start = end;
        }
    }

    /// Whether a token may follow those of the piece so far.
    #[inline]
    fn follows(&self, before: &[u32], next: Option<&u32>) -> bool {
        let (Some(&last), Some(&next)) = (before.last(), next) else { return true };
        let falls_back = |id| A::PARTIAL && self.table.token_len(id) == 0;
        falls_back(last) || falls_back(next) || self.backtrack.stay(last, next, self.table)
    }
}

impl Encoder {
    /// Appends the ids of `piece` to `out`; `word_ends` are ascending and the last one is its length.
    pub fn encode_by_words(
        &self,
        piece: &[u8],
        word_ends: &[usize],
        cache: &mut WordCache,
        out: &mut Vec<u32>,
    ) {
        if let Some(id) = self.whole_token(piece) {
            return out.push(id);
        }
        let seams = Seams { table: &self.table, backtrack: &self.backtrack };
        let anew = |word: &[u8], ids: &mut Vec<u32>| {
            self.run(word, &mut Search::new(ids.len(), 0), word.len(), ids);
        };
        seams.encode(piece, word_ends.iter().copied(), cache, anew, out);
    }
}
