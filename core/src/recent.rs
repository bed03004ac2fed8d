//! What was found for the words that came last, in front of a slower search.
//!
//! Most words of a text are among a few thousand, and short: then three numbers are compared in one
//! cache line, where a table of all words or a walk through a vocabulary needs several lines that are
//! far apart. A direct-mapped cache: each slot holds the last short word that fell into it.

use crate::short::Key;

/// Most slots, as a power of two.
const MOST_BITS: u32 = 15;
/// Bytes of text for each slot: with more slots they would hardly be used twice.
const BYTES_PER_SLOT: usize = 16;

/// Values of recent words.
pub struct Recent<K, V> {
    slots: Vec<Slot<K, V>>,
    bits: u32,
}

/// Aligned, so that a slot of 32 bytes lies in one cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Slot<K, V> {
    key: K,
    value: V,
}

impl<K, V> Default for Recent<K, V> {
    /// Remembers nothing.
    fn default() -> Self {
        Self { slots: Vec::new(), bits: 1 }
    }
}

impl<K: Key, V: Copy + Default> Recent<K, V> {
    /// Makes room that is worth its cost for words of `bytes` in all, unless there is as much already.
    pub fn expect(&mut self, bytes: usize) {
        let bits = (bytes / BYTES_PER_SLOT).max(1).ilog2().min(MOST_BITS);
        if bits > 0 && self.slots.len() < 1 << bits {
            self.slots = vec![Slot::default(); 1 << bits];
            self.bits = bits;
        }
    }

    /// Forgets all words.
    pub fn forget(&mut self) {
        self.slots.fill(Slot::default());
    }

    /// The value of a word, if it is remembered.
    #[inline(always)]
    pub fn get(&self, word: &K) -> Option<V> {
        let slot = self.slots.get(word.hash(self.bits))?;
        (slot.key == *word).then_some(slot.value)
    }

    /// Remembers the value of a word.
    #[inline]
    pub fn put(&mut self, word: K, value: V) {
        if let Some(slot) = self.slots.get_mut(word.hash(self.bits)) {
            *slot = Slot { key: word, value };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::short::Short;

    proptest! {
        #[test]
        fn gives_what_was_put_for_the_same_word(
            words in vec(vec(1..4u8, 1..17), 1..200), bytes in 0..400usize,
        ) {
            let mut recent = Recent::default();
            recent.expect(bytes);
            for word in &words {
                let short = Short::of(word).unwrap();
                let place = words.iter().position(|other| other == word);
                if let Some(found) = recent.get(&short) {
                    prop_assert_eq!(Some(found), place);
                }
                recent.put(short, place.unwrap());
                prop_assert_eq!(recent.get(&short), place.filter(|_| bytes >= 2 * BYTES_PER_SLOT));
            }
        }
    }
}
