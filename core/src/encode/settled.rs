//! The ids that a text's beginning has whatever follows: for texts that come in parts.
//!
//! With a splitter the text is cut at its last safe place. Without one, all but the last stretch is
//! settled, the *reach* of the merge list. *Theorem.* If the list is proper (no merge is ranked before
//! one that makes either of its parts), encode(w) and encode(wx) have the same tokens up to the byte
//! |w| - reach at least, where reach is the sum of the lengths of all merges' left parts. *Proof.* A
//! run of a proper list takes the merges in the order of rank and replaces each everywhere, from left
//! to right. Compare the runs on w and wx; before the first merge they agree on all of w. Where they
//! agree on tokens t1 .. tk, the next merge does the same to t1 .. tk in both, but that tk, if it is
//! the merge's left part, may be joined to what follows in one of them. So each merge shortens what
//! they agree on by its left part at the most. ∎ And the rest may be encoded without what is before:
//! neighbours in it stay, which decides its encoding (see `validity`).
//!
//! Complexity: that of encoding; the part that is not settled is encoded again with what follows it.

use super::batch::Batch;
use super::ranks::Ranks;
use super::table::TokenTable;
use super::{Encoder, Pieces};
use crate::error::Error;
use crate::progress::Progress;

impl Encoder {
    /// The settled ids of a text that begins with `data`, and how many bytes they are; the text's
    /// other ids are those of what comes behind these bytes. None are settled where a list is not
    /// proper, or a splitter knows no safe cut.
    ///
    /// # Errors
    /// As `encode_batch`.
    pub fn encode_settled(
        &self,
        pieces: &impl Pieces,
        data: &[u8],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<(Vec<u32>, usize), Error> {
        if !pieces.is_whole() {
            let end = pieces.last_safe_cut(data).unwrap_or(0);
            let (ids, _) = self.encode_batch(pieces, &[&data[..end]], threads, progress)?;
            return Ok((ids, end));
        }
        // A document that is one token is that token where merges are ignored.
        let reach = self.reach.filter(|_| !self.ignore_merges());
        let Some(limit) = reach.and_then(|reach| data.len().checked_sub(reach)) else {
            return Ok((Vec::new(), 0));
        };
        let batch = self.encode_batch(pieces, &[data], threads, progress)?;
        Ok(self.up_to(batch, limit))
    }

    /// Keeps the ids that end at `limit` or before.
    fn up_to(&self, (mut ids, _): Batch, limit: usize) -> (Vec<u32>, usize) {
        let mut end = ids.iter().map(|&id| self.token_len(id)).sum();
        while end > limit {
            end -= ids.pop().map_or(end, |id| self.token_len(id));
        }
        (ids, end)
    }
}

/// How far back from its end a text's ids may change when it goes on; None if the list is not proper.
pub(super) fn reach(ranks: &Ranks, table: &TokenTable) -> Option<usize> {
    // The last rank at which each token is made: with another order of the run the proof fails.
    let mut made = vec![0; table.len()];
    for (_, _, product) in ranks.iter() {
        made[product.id as usize] = product.rank.max(made[product.id as usize]);
    }
    let is_proper = ranks
        .iter()
        .all(|(left, right, product)| made[left as usize].max(made[right as usize]) < product.rank);
    is_proper.then(|| ranks.iter().map(|(left, _, _)| table.token_len(left)).sum())
}
