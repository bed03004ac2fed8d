//! The table of tokens while it grows: bytes by id, id by bytes.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Message};

/// Tokens by id. A special or unused id has no bytes and never takes part in a merge.
#[derive(Clone)]
pub struct Vocabulary {
    tokens: Vec<Option<Box<[u8]>>>,
    ids: FxHashMap<Box<[u8]>, u32>,
    byte_ids: [u32; 256],
    forbidden: FxHashSet<Box<[u8]>>,
}

/// What merging a pair would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// A token that the table lacks.
    New,
    /// A token that is in the table already: another split of the same bytes made it.
    Known(u32),
    /// Bytes that must never become a token, since a special token is spelled by them.
    Forbidden,
}

impl Vocabulary {
    /// Takes tokens in id order, the id of each byte, and byte strings that must not become tokens.
    pub fn new(
        tokens: Vec<Option<Box<[u8]>>>,
        byte_ids: [u32; 256],
        forbidden: Vec<Box<[u8]>>,
    ) -> Result<Self, Error> {
        let mut ids = FxHashMap::default();
        for (id, token) in tokens.iter().enumerate() {
            let Some(bytes) = token else { continue };
            if ids.insert(bytes.clone(), id as u32).is_some() {
                return Err(malformed(format!(
                    "token {id} spells the same bytes as an earlier one"
                )));
            }
        }
        for (byte, &id) in byte_ids.iter().enumerate() {
            if tokens.get(id as usize).and_then(Option::as_deref) != Some(&[byte as u8]) {
                return Err(malformed(format!("id {id} is not the token of byte {byte}")));
            }
        }
        Ok(Self { tokens, ids, byte_ids, forbidden: forbidden.into_iter().collect() })
    }

    /// Ids in the table, special and unused ones included.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the table is empty (it never is: 256 bytes are always there).
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Id of each byte.
    pub fn byte_ids(&self) -> &[u32; 256] {
        &self.byte_ids
    }

    /// Tokens by id.
    pub fn tokens(&self) -> &[Option<Box<[u8]>>] {
        &self.tokens
    }

    /// Length in bytes of a token; 0 for a special or unused id.
    pub fn token_len(&self, id: u32) -> usize {
        self.tokens.get(id as usize).and_then(Option::as_ref).map_or(0, |bytes| bytes.len())
    }

    /// Bytes of a token; none for a special or unused id.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.tokens.get(id as usize).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Says what a merge of `left` and `right` would give.
    pub fn product(&self, left: u32, right: u32) -> Product {
        let bytes = self.joined(left, right);
        if self.forbidden.contains(&bytes[..]) {
            return Product::Forbidden;
        }
        self.ids.get(&bytes[..]).map_or(Product::New, |&id| Product::Known(id))
    }

    /// Whether any byte string is forbidden; spares the check where none is.
    pub fn has_forbidden(&self) -> bool {
        !self.forbidden.is_empty()
    }

    /// Adds the token that joins `left` and `right` under the next id.
    pub fn push(&mut self, left: u32, right: u32) -> u32 {
        let bytes: Box<[u8]> = self.joined(left, right).into();
        let id = self.tokens.len() as u32;
        self.ids.insert(bytes.clone(), id);
        self.tokens.push(Some(bytes));
        id
    }

    fn joined(&self, left: u32, right: u32) -> Vec<u8> {
        let part = |id: u32| self.tokens[id as usize].as_deref().unwrap_or_default();
        [part(left), part(right)].concat()
    }
}

fn malformed(problem: String) -> Error {
    Error::Format(Message::new(problem, "give every byte one id and every byte string at most one"))
}
