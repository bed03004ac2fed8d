//! BPE that starts from characters: sentencepiece's, and what Hugging Face made of it.
//!
//! Definition: the piece's `user_defined` tokens are found from the left, the longest at each place; what
//! lies between is cut into runs of characters that are tokens (atoms) and unknown ones; each run is
//! encoded by `merge_backtrack`, each unknown character as `unknown` says. No token holds an unknown
//! character and user-defined ones never merge, so nothing crosses these borders and the runs are
//! independent. Complexity: as `merge_backtrack`, O(n).

use super::atoms::{character_len, characters, Characters};
use super::longest_match::LongestMatch;
use super::merge_backtrack::{Backtrack, Search};
use super::ranks::Ranks;
use super::table::{TokenTable, NO_ID};
use super::unknown::Unknown;
use super::validity::Validity;
use super::whole_tokens::WholeTokens;
use super::Merge;
use crate::error::Error;

/// Merges characters.
pub struct CharacterBpe {
    table: TokenTable,
    backtrack: Backtrack<Characters>,
    whole_tokens: Option<WholeTokens>,
    user_defined: Option<LongestMatch>,
    unknown: Unknown,
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
        Ok(Self {
            backtrack: Backtrack::new(&table, validity),
            whole_tokens: ignore_merges.then(|| WholeTokens::new(&table)),
            user_defined: (!named.is_empty()).then(|| LongestMatch::new(&table, named)),
            table,
            unknown,
        })
    }

    pub(super) fn encode_piece(&self, piece: &[u8], out: &mut Vec<u32>) {
        if let Some(id) = self.whole_tokens.as_ref().and_then(|w| w.get(piece, &self.table)) {
            return out.push(id);
        }
        let Some(matcher) = &self.user_defined else {
            return self.encode_run(piece, out);
        };
        let (mut done, mut at) = (0, 0);
        while at < piece.len() {
            let id = matcher.longest(&piece[at..]);
            if id == NO_ID {
                at += character_len(&piece[at..]);
            } else {
                self.encode_run(&piece[done..at], out);
                out.push(id);
                at += self.table.token_len(id);
                done = at;
            }
        }
        self.encode_run(&piece[done..], out);
    }

    /// Encodes what holds no user-defined token. Where unknown characters are lost, what stood beside them
    /// may merge.
    fn encode_run(&self, run: &[u8], out: &mut Vec<u32>) {
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
