//! BPE that starts from characters: sentencepiece's, and what Hugging Face made of it.
//!
//! Definition: the piece's `user_defined` tokens are found from the left, the longest at each place; what
//! lies between is cut into runs of characters that are tokens (atoms) and unknown ones; each run is
//! encoded by `merge_backtrack`, each unknown character as `unknown` says. No token holds an unknown
//! character and user-defined ones never merge, so nothing crosses these borders and the runs are
//! independent. Where every byte has a token, what becomes of a character does not depend on
//! those beside it, and a run is encoded word by word (`by_words`). Complexity: as `merge_backtrack`, O(n).

use super::atoms::{character_len, characters, Characters};
use super::by_words::{Seams, WordCache};
use super::longest_match::LongestMatch;
use super::marked_words::MarkedWords;
use super::merge_backtrack::{Backtrack, Search};
use super::ranks::Ranks;
use super::table::{TokenTable, NO_ID};
use super::unknown::Unknown;
use super::validity::Validity;
use super::whole_tokens::WholeTokens;
use super::Merge;
use crate::error::Error;

/// Ids from which on words pay: the tables of a smaller vocabulary stay in the processor's cache, and searching
/// is quicker than remembering (measured: Llama 2's 32,000 lose a fifth, Gemini's 256,000 gain half).
const WORDS_PAY: usize = if cfg!(test) { 1 } else { 1 << 16 };

/// Merges characters.
pub struct CharacterBpe {
    table: TokenTable,
    backtrack: Backtrack<Characters>,
    whole_tokens: Option<WholeTokens>,
    user_defined: Option<LongestMatch>,
    unknown: Unknown,
    /// How spaces in a row stand to the word behind them; None where words do not pay.
    runs_apart: Option<bool>,
}

impl CharacterBpe {
    /// Builds an encoder. `tokens[id]` is the bytes of a token that text may become, `None` for others,
    /// byte tokens among them; those of one character are the atoms. `user_defined` ids never merge.
    ///
    /// # Errors
    /// `Format` as for [`super::Encoder::new`], bytes apart.
    pub fn new<'t>(
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
        merges: &[Merge],
        ranks: Option<&[u32]>,
        ignore_merges: bool,
        user_defined: &[u32],
        unknown: Unknown,
    ) -> Result<Self, Error> {
        let table = TokenTable::new(tokens)?;
        let ranks = Ranks::new(merges, ranks, &table)?;
        let validity = Validity::new(&table, ranks, Characters::new(&table));
        let named: Vec<u32> =
            user_defined.iter().copied().filter(|&id| table.token_len(id) > 0).collect();
        let mut bpe = Self {
            backtrack: Backtrack::new(&table, validity),
            whole_tokens: ignore_merges.then(|| WholeTokens::new(&table)),
            user_defined: (!named.is_empty()).then(|| LongestMatch::new(&table, named)),
            table,
            unknown,
            runs_apart: None,
        };
        let pays = bpe.table.len() >= WORDS_PAY && bpe.unknown.spells_all();
        bpe.runs_apart = pays.then(|| bpe.keeps_runs_apart());
        Ok(bpe)
    }

    /// Whether spaces in a row are tokens of their own, and the last one belongs to no word.
    fn keeps_runs_apart(&self) -> bool {
        let mut ids = Vec::new();
        self.encode_known("\u{2581}\u{2581}\u{2581}the".as_bytes(), &mut ids);
        let last = ids.last().map_or(&[][..], |&id| self.table.bytes(id));
        !last.starts_with("\u{2581}".as_bytes())
    }

    pub(super) fn encode_piece(&self, piece: &[u8], cache: &mut WordCache, out: &mut Vec<u32>) {
        if let Some(id) = self.whole_tokens.as_ref().and_then(|w| w.get(piece, &self.table)) {
            return out.push(id);
        }
        let Some(matcher) = &self.user_defined else {
            return self.encode_run(piece, cache, out);
        };
        let (mut done, mut at) = (0, 0);
        while at < piece.len() {
            let id = matcher.longest(&piece[at..]);
            if id == NO_ID {
                at += character_len(&piece[at..]);
            } else {
                self.encode_run(&piece[done..at], cache, out);
                out.push(id);
                at += self.table.token_len(id);
                done = at;
            }
        }
        self.encode_run(&piece[done..], cache, out);
    }

    /// Encodes what holds no user-defined token. Where unknown characters are lost, what stood beside them
    /// may merge.
    fn encode_run(&self, run: &[u8], cache: &mut WordCache, out: &mut Vec<u32>) {
        if let Some(runs_apart) = self.runs_apart {
            let seams = Seams { table: &self.table, backtrack: &self.backtrack };
            let words = MarkedWords::new(run, runs_apart);
            return seams.encode(run, words, cache, |word, ids| self.encode_known(word, ids), out);
        }
        if self.unknown.unk_id.is_some() || self.unknown.byte_ids.is_some() {
            return self.encode_known(run, out);
        }
        let known = characters(run).filter(|character| self.backtrack.begins_token(character));
        self.encode_known(&known.collect::<Vec<_>>().concat(), out);
    }

    /// Encodes runs of known characters, and what lies between.
    ///
    /// As in Hugging Face an unknown token is held back until a known character or the end: bytes that an
    /// unknown character after it falls back to come first, where some byte has no token.
    fn encode_known(&self, run: &[u8], out: &mut Vec<u32>) {
        let (mut start, mut held) = (0, None);
        while start < run.len() {
            let first = out.len();
            let mut search = Search::new(first, start);
            self.backtrack.run(&self.table, run, &mut search, run.len(), out);
            if search.at > start {
                out.splice(first..first, held.take().flatten());
                start = search.at;
            }
            if start < run.len() {
                let end = start + character_len(&run[start..]);
                if !self.unknown.fall_back(&run[start..end], out) {
                    let before = held.replace(self.unknown.unk_id).flatten();
                    out.extend(before.filter(|_| !self.unknown.fuse_unk));
                }
                start = end;
            }
        }
        out.extend(held.flatten());
    }
}
