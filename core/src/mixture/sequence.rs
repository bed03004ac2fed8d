//! All words in one array by byte offset, the neighbours of any token found without links.
//!
//! A token of id x that covers bytes [o, o + len) has x at its first and at its last byte, and
//! [`INSIDE`] between; words stand between [`GAP`]s. So the token behind one starts at `o + len`, and
//! the token before it ends at `o - 1` (Re-Pair; Larsson and Moffat 1999).

use super::table::Table;
use crate::error::{Error, Message};

/// Between words.
pub const GAP: u32 = u32::MAX;
const INSIDE: u32 = u32::MAX - 1;

/// The words as tokens.
pub struct Sequence {
    ids: Vec<u32>,
    /// Offset of the gap behind each word.
    ends: Vec<u32>,
    /// Number of the first word that ends in or behind each block of offsets.
    blocks: Vec<u32>,
}

const BLOCK_BITS: u32 = 5;

impl Sequence {
    /// Lays out the words of a table, one token a byte.
    pub fn new(table: &Table, byte_ids: &[u32; 256]) -> Result<Self, Error> {
        let space = table.bytes.len() + table.word_ends.len() + 1;
        if space >= INSIDE as usize {
            return Err(Error::Config(Message::new(
                format!("the distinct words hold {} bytes, more than 4 GiB", table.bytes.len()),
                "give smaller references",
            )));
        }
        let mut ids = Vec::with_capacity(space);
        let mut ends = Vec::with_capacity(table.word_ends.len());
        ids.push(GAP);
        for (word, _) in table.words() {
            ids.extend(word.iter().map(|&byte| byte_ids[usize::from(byte)]));
            ends.push(ids.len() as u32);
            ids.push(GAP);
        }
        let mut word = 0;
        let blocks = (0..=ids.len() >> BLOCK_BITS)
            .map(|block| {
                while word < ends.len() && (ends[word] as usize) < block << BLOCK_BITS {
                    word += 1;
                }
                word as u32
            })
            .collect();
        Ok(Self { ids, ends, blocks })
    }

    /// Number of the word that an offset lies in.
    #[inline]
    pub fn word_at(&self, offset: usize) -> usize {
        let mut word = self.blocks[offset >> BLOCK_BITS] as usize;
        while (self.ends[word] as usize) < offset {
            word += 1;
        }
        word
    }

    /// Whether `left` stands at `offset` with `right` behind it.
    #[inline]
    pub fn holds(&self, offset: usize, left: u32, left_len: usize, right: u32) -> bool {
        self.ids[offset] == left && self.ids[offset + left_len] == right
    }

    /// The id that ends before an offset, or GAP.
    #[inline]
    pub fn before(&self, offset: usize) -> u32 {
        self.ids[offset - 1]
    }

    /// The id that starts at an offset, or GAP.
    #[inline]
    pub fn at(&self, offset: usize) -> u32 {
        self.ids[offset]
    }

    /// Replaces the two tokens at `offset` by one.
    #[inline]
    pub fn join(&mut self, offset: usize, left_len: usize, right_len: usize, merged: u32) {
        self.ids[offset + left_len - 1] = INSIDE;
        self.ids[offset + left_len] = INSIDE;
        self.ids[offset] = merged;
        self.ids[offset + left_len + right_len - 1] = merged;
    }

    /// Calls `f(offset, left, right)` for all neighbours while every token is one byte.
    pub fn for_each_byte_pair(&self, mut f: impl FnMut(usize, u32, u32)) {
        for (offset, pair) in self.ids.windows(2).enumerate() {
            if pair[0] != GAP && pair[1] != GAP {
                f(offset, pair[0], pair[1]);
            }
        }
    }
}
