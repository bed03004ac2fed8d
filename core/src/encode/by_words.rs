//! A long piece, encoded word by word: most words were met before, and then only the seams are new.
//!
//! By the theorem in `validity` tokens that stay pairwise are the encoding. So the ids of a word, known
//! from its last use, follow the ids so far if the two tokens at the seam stay; where they do not, the
//! two words become one, which is encoded afresh, and its own seam is looked at. Words may be any cut of
//! the piece: they change the speed, never the result.
//! Complexity: linear, since the piece is encoded whole once words have grown by four times its length.

use super::merge_backtrack::Search;
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
        let (first, mut start, mut grown) = (out.len(), 0, 0);
        cache.begun.clear();
        for &end in word_ends {
            self.recall(&piece[start..end], cache);
            while !self.follows(&out[first..], cache.ids.first()) {
                let Some((begin, len)) = cache.begun.pop() else { break };
                start = begin;
                grown += end - begin;
                out.truncate(len);
                if grown > 4 * piece.len() {
                    out.truncate(first);
                    return self.encode_piece(piece, out);
                }
                self.encode_word_anew(&piece[begin..end], &mut cache.ids);
            }
            cache.begun.push((start, out.len()));
            out.extend_from_slice(&cache.ids);
            start = end;
        }
    }

    /// Puts the ids of a word into the cache's buffer.
    fn recall(&self, word: &[u8], cache: &mut WordCache) {
        let WordCache { words, ids, .. } = cache;
        ids.clear();
        words.encode(word, ids, |ids| self.encode_word_anew(word, ids));
    }

    fn encode_word_anew(&self, word: &[u8], ids: &mut Vec<u32>) {
        ids.clear();
        self.run(word, &mut Search::new(0, 0), word.len(), ids);
    }

    /// Whether a token may follow those of the piece so far.
    fn follows(&self, before: &[u32], next: Option<&u32>) -> bool {
        let (Some(&last), Some(&next)) = (before.last(), next) else { return true };
        self.backtrack.stay(last, next, &self.table)
    }
}
