//! What merging starts from: the 256 bytes, or the characters that are tokens.
//!
//! An *edge* is what `validity` keeps of a token's first and last atom, to ask whether the two atoms at
//! a border merge: for bytes the byte itself, which a table of all pairs answers in one load.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::ranks::Ranks;
use super::table::{TokenTable, NO_ID};

/// The smallest symbols of a model.
pub(super) trait Atoms {
    /// What stands for an atom at a token's border.
    type Edge: Copy;
    /// Whether there are characters that are no atom, so that a search may have to stop at one.
    const PARTIAL: bool;

    /// The ids of all atoms.
    fn all(&self) -> Vec<u32>;
    /// The atoms that `bytes` fall into; `NO_ID`, which is in no merge, for what is none.
    fn ids<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = u32> + 'b;
    /// First and last atom of a token.
    fn edges(&self, token: &[u8]) -> (Self::Edge, Self::Edge);
    /// Rank at which two atoms side by side merge.
    fn border_rank(&self, ranks: &Ranks, tail: Self::Edge, head: Self::Edge) -> u32;
}

/// Every byte is an atom.
pub(super) struct Bytes {
    ids: [u32; 256],
    /// Rank of each pair of bytes.
    ranks: Box<[u32]>,
}

impl Bytes {
    pub(super) fn new(ids: &[u32; 256], ranks: &Ranks) -> Self {
        let rank = |pair: usize| ranks.rank(ids[pair >> 8], ids[pair & 0xFF]);
        Self { ids: *ids, ranks: (0..1 << 16).map(rank).collect() }
    }
}

impl Atoms for Bytes {
    type Edge = u8;
    const PARTIAL: bool = false;

    fn all(&self) -> Vec<u32> {
        self.ids.to_vec()
    }

    fn ids<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = u32> + 'b {
        bytes.iter().map(|&byte| self.ids[usize::from(byte)])
    }

    fn edges(&self, token: &[u8]) -> (u8, u8) {
        (token.first().copied().unwrap_or(0), token.last().copied().unwrap_or(0))
    }

    #[inline]
    fn border_rank(&self, _: &Ranks, tail: u8, head: u8) -> u32 {
        self.ranks[usize::from(tail) << 8 | usize::from(head)]
    }
}

/// The characters that are tokens are atoms.
pub(super) struct Characters {
    ids: HashMap<char, u32, FxBuildHasher>,
}

impl Characters {
    /// Every token that is one character, the lowest id of equal ones.
    pub(super) fn new(table: &TokenTable) -> Self {
        let mut ids = HashMap::default();
        for id in 0..table.len() as u32 {
            if let Some(character) = only_character(table.bytes(id)) {
                ids.entry(character).or_insert(id);
            }
        }
        Self { ids }
    }

    fn id(&self, character: Option<char>) -> u32 {
        character.and_then(|c| self.ids.get(&c)).copied().unwrap_or(NO_ID)
    }
}

impl Atoms for Characters {
    type Edge = u32;
    const PARTIAL: bool = true;

    fn all(&self) -> Vec<u32> {
        self.ids.values().copied().collect()
    }

    fn ids<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = u32> + 'b {
        characters(bytes).map(|character| self.id(only_character(character)))
    }

    fn edges(&self, token: &[u8]) -> (u32, u32) {
        let text = std::str::from_utf8(token).unwrap_or_default();
        (self.id(text.chars().next()), self.id(text.chars().next_back()))
    }

    #[inline]
    fn border_rank(&self, ranks: &Ranks, tail: u32, head: u32) -> u32 {
        ranks.rank(tail, head)
    }
}

fn only_character(bytes: &[u8]) -> Option<char> {
    let mut characters = std::str::from_utf8(bytes).ok()?.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Cuts bytes into characters; each byte that is part of none stands alone.
pub(super) fn characters(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (character, rest) = bytes.split_at(character_len(bytes));
        bytes = rest;
        (!character.is_empty()).then_some(character)
    })
}

/// Length of the character that `bytes` begin with; 1 where that is no UTF-8, 0 at the end.
#[inline]
pub(crate) fn character_len(bytes: &[u8]) -> usize {
    let len = match bytes.first() {
        None => return 0,
        Some(0..0x80) => return 1,
        Some(0xC2..0xE0) => 2,
        Some(0xE0..0xF0) => 3,
        Some(0xF0..0xF5) => 4,
        Some(_) => return 1,
    };
    let is_whole = bytes.get(..len).is_some_and(|whole| std::str::from_utf8(whole).is_ok());
    if is_whole {
        len
    } else {
        1
    }
}
