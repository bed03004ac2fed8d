//! Unigram: the cut into tokens whose scores add up to the most, by Viterbi from the left.
//!
//! Definition: `best[e]` is the highest sum over all ways to cut `piece[..e]`, and the last token of it.
//! From each character's start s every token found there is tried, shorter or longer alike, each to its
//! own end; it replaces what reached that end only if `best[s]` and its score are strictly more. Where no
//! token is exactly the character at s, it may be taken as unknown, at `unk_score`.
//! Sums are f64 as in Hugging Face, or f32 as in sentencepiece (0.2.3, as its ids show: a sum is rounded
//! before it is compared), which decides near ties; so does that f32 sums are counted from zero again
//! where one falls below -100,000, which keeps their precision in long texts (0.2.3, as its ids show).
//! Complexity: O(n) for a given vocabulary: a step for each token that is a prefix of what follows.
//! Sources: sentencepiece, unigram_model.cc, `EncodeOptimized`; Hugging Face, models/unigram/model.rs.

use super::atoms::character_len;
use super::longest_match::LongestMatch;
use super::table::{TokenTable, NO_ID};
use super::unknown::Unknown;
use crate::error::Error;

/// Below this f32 sums are counted from zero again.
const LOWEST_SUM: f64 = -100_000.0;

/// What is known of a token.
#[derive(Clone, Copy)]
struct Scored {
    score: f64,
    len: u32,
}

/// The best way to a place.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    /// Length of the last token, 0 where no way leads here.
    len: u32,
    /// The last token, `NO_ID` where it is unknown.
    id: u32,
}

const NO_WAY: Best = Best { score: 0.0, len: 0, id: NO_ID };

/// Finds the best cut.
pub struct Unigram {
    matcher: LongestMatch,
    tokens: Box<[Scored]>,
    /// Bytes of the longest token or character.
    longest: usize,
    unk_score: f64,
    single_precision: bool,
    unknown: Unknown,
}

/// Room that is kept from piece to piece.
#[derive(Default)]
pub struct Lattice {
    best: Vec<Best>,
    reversed: Vec<(u32, u32)>,
    /// The sum that the next piece begins with, and afterwards the one that it ends with: 0 unless the
    /// piece goes on where one ended, since the sum so far decides how the next ones are rounded.
    pub(super) sum: f64,
}

impl Unigram {
    /// Builds an encoder of the tokens that have a score.
    ///
    /// # Errors
    /// `Format` if the vocabulary is too large.
    pub fn new<'t>(
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
        scores: &[Option<f64>],
        unk_score: f64,
        single_precision: bool,
        user_defined: &[u32],
        unknown: Unknown,
    ) -> Result<Self, Error> {
        let table = TokenTable::new(tokens)?;
        let round = |score: f64| if single_precision { f64::from(score as f32) } else { score };
        let of = |id: u32| scores.get(id as usize).copied().flatten();
        let scored =
            |id: u32| Scored { score: of(id).map_or(0.0, round), len: table.token_len(id) as u32 };
        let mut all: Box<[Scored]> = (0..table.len() as u32).map(scored).collect();
        let named = |&id: &u32| all.get(id as usize).is_some_and(|token| token.len > 0);
        let named: Vec<u32> = user_defined.iter().copied().filter(named).collect();
        let ids = (0..table.len() as u32).filter(|&id| table.token_len(id) > 0);
        let ids: Vec<u32> = ids.filter(|&id| of(id).is_some() || named.contains(&id)).collect();
        for id in named {
            // sentencepiece 0.2.3, as its ids show: above every score, a long token above its parts.
            let token = &mut all[id as usize];
            token.score = f64::from(token.len.saturating_sub(1) as f32 * 0.1);
        }
        let unk_score = round(unk_score);
        let longest = all.iter().map(|token| token.len as usize).max().unwrap_or(0).max(4);
        let matcher = LongestMatch::new(&table, ids);
        Ok(Self { matcher, tokens: all, longest, unk_score, single_precision, unknown })
    }

    pub(super) fn encode_piece(&self, piece: &[u8], lattice: &mut Lattice, out: &mut Vec<u32>) {
        lattice.best.clear();
        lattice.best.resize(piece.len() + 1, NO_WAY);
        let is_low = self.single_precision && lattice.sum < LOWEST_SUM;
        lattice.best[0].score = if is_low { 0.0 } else { lattice.sum };
        let mut start = 0;
        while start < piece.len() {
            let len = character_len(&piece[start..]);
            if self.single_precision && lattice.best[start].score < LOWEST_SUM {
                self.count_from_zero(&mut lattice.best[start..]);
            }
            self.step(piece, start, len, &mut lattice.best);
            start += len;
        }
        lattice.sum = lattice.best[piece.len()].score;
        self.read_back(piece, lattice, out);
    }

    /// Takes the sum at the first place from it and from all that are reached behind.
    fn count_from_zero(&self, best: &mut [Best]) {
        let base = best[0].score;
        for reached in best.iter_mut().take(self.longest + 1).filter(|best| best.len > 0) {
            reached.score = self.round(reached.score - base);
        }
    }

    /// Goes on from `start`, where a character of `character_len` bytes begins.
    #[inline]
    fn step(&self, piece: &[u8], start: usize, character_len: usize, best: &mut [Best]) {
        let till_here = best[start].score;
        let mut is_token = false;
        let mut id = self.matcher.longest(&piece[start..]);
        while id != NO_ID {
            let token = self.tokens[id as usize];
            is_token |= token.len as usize == character_len;
            self.reach(
                &mut best[start + token.len as usize],
                till_here + token.score,
                token.len,
                id,
            );
            id = self.matcher.shorter(id);
        }
        if !is_token {
            let score = self.round(till_here + self.unk_score);
            self.reach(&mut best[start + character_len], score, character_len as u32, NO_ID);
        }
    }

    #[inline]
    fn reach(&self, best: &mut Best, score: f64, len: u32, id: u32) {
        let score = self.round(score);
        if best.len == 0 || score > best.score {
            *best = Best { score, len, id };
        }
    }

    #[inline]
    fn round(&self, score: f64) -> f64 {
        if self.single_precision {
            f64::from(score as f32)
        } else {
            score
        }
    }

    /// Reads the best cut from its end, and appends it from its beginning.
    fn read_back(&self, piece: &[u8], lattice: &mut Lattice, out: &mut Vec<u32>) {
        lattice.reversed.clear();
        let mut end = piece.len();
        while end > 0 {
            let Best { len, id, .. } = lattice.best[end];
            lattice.reversed.push((id, len));
            end -= (len as usize).max(1);
        }
        let (mut start, mut end) = (0, 0);
        for &(id, len) in lattice.reversed.iter().rev() {
            // The text of the unknown token itself is unknown text, too, if other such stands beside it.
            let is_known = id != NO_ID && Some(id) != self.unknown.unk_id;
            if start < end && (is_known || !self.unknown.fuse_unk) {
                self.spell_unknown(&piece[start..end], out);
                start = end;
            }
            end += len as usize;
            if is_known {
                out.push(id);
                start = end;
            }
        }
        if start < end {
            self.spell_unknown(&piece[start..end], out);
        }
    }

    fn spell_unknown(&self, text: &[u8], out: &mut Vec<u32>) {
        let token = self.matcher.longest(text);
        let is_unk = token != NO_ID && Some(token) == self.unknown.unk_id;
        if is_unk && self.tokens[token as usize].len as usize == text.len() {
            out.push(token);
        } else {
            self.unknown.spell(text, out);
        }
    }
}
