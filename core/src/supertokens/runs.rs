//! Gathers sequences of tokens that superwords are learned from; the mathematics stands in the module above.
//!
//! Two kinds of sequence: SuperBPE's are the tokens of each piece of the coarse splitter, which are the
//! word stage's merges applied to the whole piece, as encoding will apply them; BoundlessBPE's are
//! maximal runs of pretokens that are one token each and *eligible*. Both are cut where no merge can be.
//! Complexity: linear: the corpus is read and encoded once, by the survey, which writes its tokens down;
//! each gathering reads those. Memory: cells, a cache of words, and the sequences that repeat.

use std::path::Path;

use super::pair_cells::PairCells;
use super::replay::{Links, Replay};
use crate::bpe::spool::{Spool, Spooled};
use crate::bpe::stretches::{for_each_stretch, on_threads, Beat};
use crate::bpe::{Merge, Rules, SequenceCounts, Sequences, Veto, Vocabulary};
use crate::encode::{Encoder, WordCache};
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::Progress;

/// Bytes between two calls of a beat.
const BEAT_BYTES: usize = 1 << 16;
/// The least count is that of the pair in the place of the last merge, divided by this: room for the
/// merges that take pairs away from each other. Too little is found out and costs another gathering.
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

/// One thread's part of the survey, its memory of words, and its buffers.
pub struct Reader {
    cells: PairCells,
    spool: Spool,
    cache: WordCache,
    ids: Vec<u32>,
    ends: Vec<usize>,
}

impl Reader {
    /// Empty buffers for ids and the ends of words, to be put back.
    fn take_buffers(&mut self) -> (Vec<u32>, Vec<usize>) {
        let (mut ids, mut ends) = (std::mem::take(&mut self.ids), std::mem::take(&mut self.ends));
        ids.clear();
        ends.clear();
        (ids, ends)
    }

    /// Counts the pairs of a sequence, and keeps those stretches of it that may be joined at all.
    fn note(&mut self, ids: &[u32], veto: &Veto) -> Result<(), Error> {
        let joins = |left: &u32, right: &u32| veto.allows(*left, *right);
        for stretch in ids.chunk_by(joins).filter(|stretch| stretch.len() > 1) {
            stretch.windows(2).for_each(|pair| self.cells.add(pair[0], pair[1]));
            self.spool.add(stretch)?;
        }
        Ok(())
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

    /// A thread's reader, which writes to `folder`.
    pub fn reader(&self, folder: &Path) -> Result<Reader, Error> {
        Ok(Reader {
            cells: PairCells::default(),
            spool: Spool::new(folder, self.vocab_size)?,
            cache: WordCache::new(usize::MAX),
            ids: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// Encodes documents, counts their pairs and writes their sequences down, a reader a thread.
    pub fn survey(
        &self,
        readers: &mut [Reader],
        documents: &[&[u8]],
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let work =
            |reader: &mut &mut Reader, splitter: &Splitter, stretch: &[u8], beat: Beat| match &self
                .eligible
            {
                None => self.pieces(splitter, stretch, reader, beat),
                Some(eligible) => self.runs(splitter, stretch, eligible, reader, beat),
            };
        let mut readers: Vec<_> = readers.iter_mut().collect();
        for_each_stretch(&mut readers, &self.splitter, documents, ("survey", progress), work)
    }

    /// Ends the survey: nothing that encodes is held any longer.
    pub fn finish(self, readers: Vec<Reader>) -> Result<Surveyed, Error> {
        let (mut spools, mut all) = (Vec::new(), None::<PairCells>);
        for Reader { cells, spool, .. } in readers {
            spools.push(spool.finish()?);
            match &mut all {
                None => all = Some(cells),
                Some(all) => all.absorb(&cells),
            }
        }
        Ok(Surveyed { spools, cells: all.unwrap_or_default() })
    }

    fn pieces(
        &self,
        splitter: &Splitter,
        stretch: &[u8],
        reader: &mut Reader,
        beat: Beat,
    ) -> Result<(), Error> {
        let words = self.words.clone();
        let mut next_beat = BEAT_BYTES;
        splitter.for_each_piece(stretch, |start, end| {
            let piece = &stretch[start..end];
            let (mut ids, mut ends) = reader.take_buffers();
            match &words {
                None => ends.push(piece.len()),
                Some(words) => words.for_each_piece(piece, |_, end| {
                    ends.push(end);
                    Ok::<_, Error>(())
                })?,
            }
            self.encoder.encode_by_words(piece, &ends, &mut reader.cache, &mut ids);
            reader.note(&ids, &self.veto)?;
            (reader.ids, reader.ends) = (ids, ends);
            if end >= next_beat {
                next_beat = end + BEAT_BYTES;
                beat(end)?;
            }
            Ok(())
        })
    }

    fn runs(
        &self,
        splitter: &Splitter,
        stretch: &[u8],
        eligible: &[bool],
        reader: &mut Reader,
        beat: Beat,
    ) -> Result<(), Error> {
        let mut ids = Vec::new();
        let mut run = Vec::new();
        let mut next_beat = BEAT_BYTES;
        splitter.for_each_piece(stretch, |start, end| {
            let pretoken = &stretch[start..end];
            ids.clear();
            self.encoder.encode_by_words(pretoken, &[pretoken.len()], &mut reader.cache, &mut ids);
            match ids[..] {
                [id] if eligible[id as usize] => run.push(id),
                _ => {
                    reader.note(&run, &self.veto)?;
                    run.clear();
                }
            }
            if end >= next_beat {
                next_beat = end + BEAT_BYTES;
                beat(end)?;
            }
            Ok::<_, Error>(())
        })?;
        reader.note(&run, &self.veto)
    }
}

/// What the survey of a corpus has written down.
pub struct Surveyed {
    spools: Vec<Spooled>,
    cells: PairCells,
}

impl Surveyed {
    /// A least count for that many `merges`, never below the one that is asked for: see `MARGIN`.
    pub fn least_count(&self, merges: usize, min_frequency: u64) -> u64 {
        (self.cells.reached_by(merges) / MARGIN).max(min_frequency).max(1)
    }

    /// Sequences cut at pairs rarer than `least`, with the merges of `replay` made; a table a thread.
    ///
    /// `vocab_size` is above all ids; `folder` takes what occurs once.
    pub fn gather(
        &self,
        least: u64,
        replay: &Replay,
        (vocab_size, folder): (usize, &Path),
        progress: &dyn Progress,
    ) -> Result<Vec<Sequences>, Error> {
        let frequent = self.cells.frequent(least);
        let joins = |left: &u32, right: &u32| frequent.holds(*left, *right);
        let state = |spool| Ok((spool, SequenceCounts::new(vocab_size, folder)?));
        let mut states = self.spools.iter().map(state).collect::<Result<Vec<_>, Error>>()?;
        let own = self.spools.first().map_or(0, Spooled::bytes);
        on_threads(&mut states, own, ("gather", progress), |(spool, table), beat| {
            let (mut links, mut ids) = (Links::default(), Vec::new());
            spool.for_each(beat, |sequence| {
                sequence.chunk_by(joins).filter(|run| run.len() > 1).try_for_each(|run| {
                    ids.clear();
                    ids.extend_from_slice(run);
                    replay.apply(&mut ids, &mut links);
                    if ids.len() > 1 {
                        table.add(&ids, 1)
                    } else {
                        Ok(())
                    }
                })
            })
        })?;
        states.into_iter().map(|(_, table)| table.finish()).collect()
    }
}
