//! What tokens across words are learned from, in bounded memory.
//!
//! A stage behind the word stage merges tokens within long pieces: SuperBPE's lines, BoundlessBPE's runs
//! of whole-word tokens. Kept whole, these are nearly all distinct, and a table of them is the corpus.
//! But a merge at a place between two tokens needs a pair that is at least as rare as the two tokens are
//! side by side: *count(A, B) <= count(last token of A, first token of B)*, in the tokens of the word
//! stage. So sequences may be cut wherever that pair is too rare ever to be merged, and what remains is
//! short, repeated, and counts in a table ([`crate::bpe::SequenceCounts`]).
//!
//! * [`runs`] surveys the pairs of the corpus and writes its tokens down, settles on a least count, and
//!   gathers the sequences cut by it;
//! * [`crate::bpe::spool`] is what they are written to;
//! * [`replay`] repeats on them what was learned before a lower least count was needed;
//! * [`pair_cells`] counts pairs in fixed memory, from above;
//! * [`chunks`] is TokenAdapt's rival: seeded chunks of random length, with no word stage at all.
//!
//! Training that never gets down to the least count is exact; if it does, the caller gathers again with
//! a lower one and goes on behind the merges that were made.

pub mod chunks;
pub mod pair_cells;
pub mod replay;
pub mod runs;
