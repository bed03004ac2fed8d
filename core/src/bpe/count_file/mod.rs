//! Counted words outside memory: one file format for spilled tables, checkpoints and shards.
//!
//! A *counts file* holds distinct words in ascending order of their bytes, so that any number of them
//! are merged in one pass that holds a word of each. Layout, numbers little-endian:
//!
//! ```text
//! 8 bytes   "TOKCNT\x01\n": the 7th is the version
//! u32, n    length of a header of n bytes, which says (as JSON) how the words were cut
//! records   varint: bytes shared with the word before; varint: bytes that follow (1 or more);
//!           those bytes; varint: the count (1 or more)
//! 0, 0      a record that adds nothing ends them
//! u64       number of words
//! u32       CRC-32 (as zlib's) of everything before it
//! ```
//!
//! A varint holds seven bits a byte, the lowest first, and bit 7 says that more follow (LEB128).
//! Invariant: what [`read::CountReader`] accepts to its end, [`write::CountWriter`] wrote. Complexity: linear, and
//! merging k files log k comparisons a word.

mod crc;
pub mod merge;
pub mod read;
#[cfg(test)]
mod tests;
pub mod write;

/// The first bytes of every counts file; the last but one is the version.
const MAGIC: &[u8; 8] = b"TOKCNT\x01\n";
/// Bytes that are read or written at once.
const BLOCK: usize = 1 << 16;
/// Longest header: hostile files must not make us allocate.
const LONGEST_HEADER: u32 = 1 << 20;
