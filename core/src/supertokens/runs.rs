//! Gathers sequences of tokens that superwords are learned from; the mathematics stands in the module above.
//!
//! Two kinds of sequence: SuperBPE's are the tokens of each piece of the coarse splitter, which are the
//! word stage's merges applied to the whole piece, as encoding will apply them; BoundlessBPE's are
//! maximal runs of pretokens that are one token each and *eligible*. Both are cut where no merge can be.
//! Complexity: linear, the corpus is read and encoded twice; memory: cells, and the distinct sequences.

use super::pair_cells::{FrequentPairs, PairCells};
use crate::bpe::stretches::{for_each_stretch, Beat};
use crate::bpe::{Merge, Rules, SequenceCounts, Veto, Vocabulary};
use crate::encode::{Encoder, WordCache};
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::Progress;

/// Bytes between two calls of a beat.
const BEAT_BYTES: usize = 1 << 16;
/// The least count is that of the pair in the place of the last merge, divided by this: room for the
/// merges that take pairs away from each other. Too little is found out and costs another pass.
const MARGIN: u64 = 3;

/// How text becomes sequences.
pub struct Gatherer {
    encoder: Encoder,
    /// Cuts documents into pieces (SuperBPE) or pretokens (BoundlessBPE).
    splitter: Splitter,
    /// Cuts pieces into words that are likely to be met again; only speed depends on it.
    words: Option<Splitter>,
    /// By id, whether a pretoken that is this token may be part of a run; None: pieces are sequences.
    eligible: Option<Vec<bool>>,
    veto: Veto,
    vocab_size: usize,
}

/// One thread's memory of words, and its buffers.
pub struct Reader {
    cache: WordCache,
    ids: Vec<u32>,
    ends: Vec<usize>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { cache: WordCache::new(usize::MAX), ids: Vec::new(), ends: Vec::new() }
    }
}

impl Gatherer {
    /// A gatherer of pieces, or with `eligible` of runs of whole-token pretokens.
    pub fn new(
        vocabulary: &Vocabulary,
        merges: &[Merge],
        splitter: Splitter,
        words: Option<Splitter>,
        eligible: Option<Vec<bool>>,
        rules: Rules,
    ) -> Result<Self, Error> {
        let tokens = || vocabulary.tokens().iter().map(Option::as_deref);
        let encoder = Encoder::new(tokens(), merges, None, vocabulary.byte_ids(), false)?;
        let veto = Veto::new(rules, tokens())?;
        Ok(Self { encoder, splitter, words, eligible, veto, vocab_size: vocabulary.len() })
    }

    /// Counts the pairs of documents in `cells`, one a thread.
    pub fn survey(
        &self,
        readers: &mut [Reader],
        cells: &mut [PairCells],
        documents: &[&[u8]],
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        self.visit("survey", readers, cells, documents, progress, |cells, sequence| {
            for pair in sequence.windows(2) {
                if self.veto.allows(pair[0], pair[1]) {
                    cells.add(pair[0], pair[1]);
                }
            }
            Ok(())
        })
    }

    /// Adds the sequences of documents, cut at pairs that are not `frequent`, to `tables`, one a thread.
    pub fn gather(
        &self,
        readers: &mut [Reader],
        tables: &mut [SequenceCounts],
        frequent: &FrequentPairs,
        documents: &[&[u8]],
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        self.visit("gather", readers, tables, documents, progress, |table, sequence| {
            let joins = |l: &u32, r: &u32| self.veto.allows(*l, *r) && frequent.holds(*l, *r);
            sequence
                .chunk_by(joins)
                .filter(|run| run.len() > 1)
                .try_for_each(|run| table.add(run, 1))
        })
    }

    /// An empty table for what this gathers.
    pub fn table(&self, expected_bytes: usize) -> SequenceCounts {
        SequenceCounts::new(self.vocab_size, expected_bytes)
    }

    fn visit<S: Send>(
        &self,
        phase: &'static str,
        readers: &mut [Reader],
        states: &mut [S],
        documents: &[&[u8]],
        progress: &dyn Progress,
        visit: impl Fn(&mut S, &[u32]) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let work = |(reader, state): &mut (&mut Reader, &mut S),
                    splitter: &Splitter,
                    stretch: &[u8],
                    beat: Beat| {
            let mut visit = |sequence: &[u32]| visit(state, sequence);
            match &self.eligible {
                None => self.pieces(splitter, stretch, reader, beat, &mut visit),
                Some(eligible) => self.runs(splitter, stretch, eligible, reader, beat, &mut visit),
            }
        };
        let mut states: Vec<_> = readers.iter_mut().zip(states).collect();
        for_each_stretch(&mut states, &self.splitter, documents, (phase, progress), work)
    }

    fn pieces(
        &self,
        splitter: &Splitter,
        stretch: &[u8],
        reader: &mut Reader,
        beat: Beat,
        visit: &mut impl FnMut(&[u32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Reader { cache, ids, ends } = reader;
        let words = self.words.clone();
        let mut next_beat = BEAT_BYTES;
        splitter.for_each_piece(stretch, |start, end| {
            let piece = &stretch[start..end];
            ids.clear();
            ends.clear();
            match &words {
                None => ends.push(piece.len()),
                Some(words) => words.for_each_piece(piece, |_, end| {
                    ends.push(end);
                    Ok::<_, Error>(())
                })?,
            }
            self.encoder.encode_by_words(piece, ends, cache, ids);
            if end >= next_beat {
                next_beat = end + BEAT_BYTES;
                beat(end)?;
            }
            visit(ids)
        })
    }

    fn runs(
        &self,
        splitter: &Splitter,
        stretch: &[u8],
        eligible: &[bool],
        reader: &mut Reader,
        beat: Beat,
        visit: &mut impl FnMut(&[u32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Reader { cache, ids, .. } = reader;
        let mut run = Vec::new();
        let mut next_beat = BEAT_BYTES;
        splitter.for_each_piece(stretch, |start, end| {
            let pretoken = &stretch[start..end];
            ids.clear();
            self.encoder.encode_by_words(pretoken, &[pretoken.len()], cache, ids);
            match ids[..] {
                [id] if eligible[id as usize] => run.push(id),
                _ => visit(&std::mem::take(&mut run))?,
            }
            if end >= next_beat {
                next_beat = end + BEAT_BYTES;
                beat(end)?;
            }
            Ok::<_, Error>(())
        })?;
        visit(&run)
    }
}

/// A least count for that many `merges`, never below the one that is asked for: see `MARGIN`.
pub fn least_count(cells: &PairCells, merges: usize, min_frequency: u64) -> u64 {
    (cells.reached_by(merges) / MARGIN).max(min_frequency).max(1)
}
