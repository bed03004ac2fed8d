//! The vocabulary's bytes, flat: id -> bytes, and bytes -> id where a whole piece may be one token.
//!
//! Invariant: `starts` ascends and has one entry more than there are ids; an id without bytes
//! (special or unused) spans nothing and is not `present`. Memory: the bytes, and 5 B an id.

use crate::error::{Error, Message};

/// No token: never a valid id, since a table holds fewer entries.
pub(super) const NO_ID: u32 = u32::MAX;

/// More than any vocabulary has; keeps ids clear of `NO_ID`.
const MAX_IDS: usize = 1 << 31;

/// Bytes of each id, end to end.
pub(super) struct TokenTable {
    bytes: Vec<u8>,
    starts: Vec<u32>,
    present: Vec<bool>,
}

impl TokenTable {
    pub(super) fn new<'t>(
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
    ) -> Result<Self, Error> {
        let mut table = Self { bytes: Vec::new(), starts: vec![0], present: Vec::new() };
        for token in tokens {
            table.bytes.extend_from_slice(token.unwrap_or_default());
            table.present.push(token.is_some());
            let end = u32::try_from(table.bytes.len()).map_err(|_| too_large())?;
            table.starts.push(end);
        }
        if table.len() >= MAX_IDS {
            return Err(too_large());
        }
        Ok(table)
    }

    /// Number of ids, those without bytes included.
    pub(super) fn len(&self) -> usize {
        self.present.len()
    }

    /// Bytes of token `id`; empty where the id has none. The id is in range.
    #[inline]
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        &self.bytes[self.starts[id] as usize..self.starts[id + 1] as usize]
    }

    /// Bytes of token `id`, or nothing where the id is out of range, special or unused.
    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&[u8]> {
        (self.present.get(id as usize) == Some(&true)).then(|| self.bytes(id))
    }

    /// Length in bytes of token `id`; 0 where it has none.
    #[inline]
    pub(super) fn token_len(&self, id: u32) -> usize {
        self.get(id).map_or(0, <[u8]>::len)
    }
}

fn too_large() -> Error {
    Error::Format(Message::new(
        "the vocabulary has 2^31 ids or 2^32 bytes, or more",
        "use a smaller vocabulary",
    ))
}
