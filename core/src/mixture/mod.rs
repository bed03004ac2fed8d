//! Data mixture inference: what the merges of a tokenizer say about the data it was trained on.
//!
//! A BPE trainer merges the pair that is most frequent in its data at that moment. If the data were a
//! mixture of known categories with shares a, then at each step t the merged pair m(t) had at least the
//! mixed count of every other pair p: sum_i a_i c_i,m / N_i >= sum_i a_i c_i,p / N_i, with c_i,p the
//! count of p in category i after t merges and N_i the pairs of category i at the start. This module
//! makes those counts and finds the inequalities that given shares violate; `tokforge.mixture` solves
//! for the shares. Source: Hayase et al., arXiv 2407.16607.
//!
//! * [`table`] holds distinct words with a count for each column (a shard of a category);
//! * [`mod@replay`] applies the merges to all columns at once and notes every change of a pair's count;
//! * [`history`] keeps those changes in compact arrays and answers two questions about them: which
//!   pairs outrank a merge under given shares ([`history::History::sweep`]), and what their counts are.
//!
//! Results depend on the multiset of documents alone, never on threads, shards' order or hashing.

mod heap;
pub mod history;
#[cfg(test)]
mod reference;
pub mod replay;
mod sequence;
pub mod table;
#[cfg(test)]
mod tests;

pub use history::{History, Sweep, Violation};
pub use replay::{replay, Merges};
pub use table::{Columns, Table};
