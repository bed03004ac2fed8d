//! Occurrences of each character in counted words.
//!
//! What is no UTF-8 belongs to no character and is left out. O(bytes of distinct words).

use std::collections::HashMap;

use super::counts::too_many;
use crate::error::Error;

/// Characters with their 64-bit counts.
#[derive(Default)]
pub struct Characters(HashMap<char, u64>);

impl Characters {
    /// Adds the characters of a word that occurs `count` times.
    pub fn add(&mut self, word: &[u8], count: u64) -> Result<(), Error> {
        for character in word.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
            let total = self.0.entry(character).or_default();
            *total = total.checked_add(count).ok_or_else(too_many)?;
        }
        Ok(())
    }

    /// All of them, most frequent first, ties by code point.
    pub fn sorted(self) -> Vec<(char, u64)> {
        let mut found: Vec<_> = self.0.into_iter().collect();
        found.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }
}
