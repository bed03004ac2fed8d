//! Where the words that were counted last stand, in front of the table of all words.
//!
//! Most words of a text are among a few thousand, and short: then two numbers are compared in one
//! cache line, where the table of all words needs three lines that are far apart. A direct-mapped
//! cache: a slot holds the last short word that fell into it.

/// Slots, as a power of two: 128 KiB, of which the most frequent words use the most.
const SLOT_BITS: u32 = 12;

/// Places of recent words.
#[derive(Default)]
pub struct Recent {
    /// Empty until the first word.
    slots: Vec<(Short, u32)>,
}

/// A word of at most 16 bytes, as numbers: its first and last bytes, which may overlap. Unused slots
/// have length 0, as no word has.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Short {
    first: u64,
    last: u64,
    len: u32,
}

impl Recent {
    /// The place of `word`, which is not empty; `look_up` finds it where it is not remembered.
    #[inline]
    pub fn find<E>(
        &mut self,
        word: &[u8],
        look_up: impl FnOnce() -> Result<u32, E>,
    ) -> Result<u32, E> {
        let Some(short) = Short::of(word) else { return look_up() };
        if self.slots.is_empty() {
            self.slots.resize(1 << SLOT_BITS, Default::default());
        }
        let slot = &mut self.slots[short.slot()];
        if slot.0 != short {
            *slot = (short, look_up()?);
        }
        Ok(slot.1)
    }
}

impl Short {
    #[inline]
    fn of(word: &[u8]) -> Option<Self> {
        let (first, last) = match word {
            [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, ..] => return None,
            _ if word.len() >= 8 => (eight(word.first_chunk()), eight(word.last_chunk())),
            _ if word.len() >= 4 => (four(word.first_chunk()), four(word.last_chunk())),
            [a, b, c] => (u64::from(*a), u64::from(*b) << 8 | u64::from(*c)),
            [a, b] => (u64::from(*a), u64::from(*b)),
            [a] => (u64::from(*a), 0),
            _ => return None,
        };
        Some(Self { first, last, len: word.len() as u32 })
    }

    #[inline]
    fn slot(&self) -> usize {
        // Fibonacci hashing; a rotation keeps equal halves from cancelling out.
        let mixed = (self.first ^ self.last.rotate_left(29)).wrapping_add(u64::from(self.len));
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOT_BITS)) as usize
    }
}

#[inline]
fn eight(bytes: Option<&[u8; 8]>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn four(bytes: Option<&[u8; 4]>) -> u64 {
    bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_words_are_told_apart(
            // Few letters, so that words often differ by their length alone.
            a in prop::collection::vec(0..2u8, 1..20), b in prop::collection::vec(0..2u8, 1..20),
        ) {
            match (Short::of(&a), Short::of(&b)) {
                (Some(x), Some(y)) => prop_assert_eq!(x == y, a == b),
                _ => prop_assert!(a.len() > 16 || b.len() > 16),
            }
        }

        #[test]
        fn finds_what_was_looked_up(words in prop::collection::vec("[ab]{1,20}", 1..200)) {
            let mut recent = Recent::default();
            for word in &words {
                let right = words.iter().position(|other| other == word).unwrap() as u32;
                prop_assert_eq!(recent.find(word.as_bytes(), || Ok::<_, ()>(right)), Ok(right));
            }
        }
    }
}
