//! Training: exact byte-level BPE on unsplit bytes and on counted words, by one algorithm.
//!
//! BPE repeatedly replaces the most frequent adjacent pair of tokens by a new token. The textbook
//! rescans the corpus for each merge; here a merge touches only the places where its pair occurs:
//!
//! * [`positions`] keeps the whole corpus in one array by byte offset, from which the neighbours of
//!   any token follow without links (Re-Pair; Larsson and Moffat 1999);
//! * [`weights`] lets the same array hold each distinct word once with its count, so that training
//!   on words is training on positions with weights;
//! * [`scan`] finds the pairs that are frequent enough to matter soon, with their occurrences;
//! * [`sweep`] replaces the pairs that are everywhere, before any are looked for;
//! * [`merge`] replaces one pair everywhere and says which pairs were lost and gained;
//! * [`train`] holds the loop, [`queue`] the order of merges, [`veto`] what must not be merged;
//! * [`room`] keeps all of it within a bound of memory, and [`phases`] trains on documents on disk;
//! * [`counts`] counts words, [`spill`] in bounded memory and [`count_file`] on disk, [`sequences`] sequences of tokens ([`spool`] writes them down), [`corpus`] lays words or documents out in the array, and
//!   [`vocabulary`] keeps the table of tokens.
//!
//! The order is Hugging Face's: count descending, then (left id, right id) ascending, with counts of
//! 64 bits. The result depends on the multiset of documents alone, never on threads or their order.

mod cells;
pub mod characters;
mod compact;
pub mod corpus;
pub mod count_file;
pub mod counts;
pub mod disk;
mod merge;
mod phases;
#[cfg(test)]
mod phases_tests;
mod positions;
mod queue;
#[cfg(test)]
mod reference;
mod room;
mod scan;
pub mod sequences;
pub mod spill;
pub mod spool;
pub mod stretches;
mod sweep;
#[cfg(test)]
mod tests;
mod tracking;
pub mod train;
pub mod veto;
pub mod vocabulary;
mod weights;

pub use corpus::{ByteCorpus, Corpus};
pub use count_file::merge::{CountFiles, Source};
pub use counts::WordCounts;
pub use disk::{Documents, Gathered};
pub use phases::train_on_disk;
pub use queue::Order;
pub use room::Room;
pub use sequences::{SequenceCounts, Sequences};
pub use train::{train, Options, Stopped, Training, SWEPT_ABOVE};
pub use veto::{Rules, Veto};
pub use vocabulary::Vocabulary;

pub use crate::encode::Merge;
