//! A short word as three numbers, so that two are compared without a loop.

/// A word of 1 to 16 bytes: its first and its last bytes, which may overlap, and its length.
/// The default has length 0, as no word has.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Short {
    first: u64,
    last: u64,
    len: u32,
}

impl Short {
    /// Returns None for a word that is empty or longer than 16 bytes.
    #[inline]
    pub fn of(word: &[u8]) -> Option<Self> {
        let (first, last) = match word {
            _ if word.len() > 16 => return None,
            _ if word.len() >= 8 => (eight(word.first_chunk()), eight(word.last_chunk())),
            _ if word.len() >= 4 => (four(word.first_chunk()), four(word.last_chunk())),
            [a, b, c] => (u64::from(*a), u64::from(*b) << 8 | u64::from(*c)),
            [a, b] => (u64::from(*a), u64::from(*b)),
            [a] => (u64::from(*a), 0),
            _ => return None,
        };
        Some(Self { first, last, len: word.len() as u32 })
    }

    /// A number below `2^bits`, spread evenly; `bits` is 1 to 64.
    #[inline]
    pub fn hash(&self, bits: u32) -> usize {
        // Fibonacci hashing; a rotation keeps equal halves from cancelling out.
        let mixed = (self.first ^ self.last.rotate_left(29)).wrapping_add(u64::from(self.len));
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
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
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        // Few letters, so that words often differ in their length or middle alone.
        fn equal_words_alone_are_equal(a in vec(0..2u8, 0..20), b in vec(0..2u8, 0..20)) {
            let is_short = |word: &[u8]| (1..=16).contains(&word.len());
            prop_assert_eq!(Short::of(&a).is_some(), is_short(&a));
            if is_short(&a) && is_short(&b) {
                prop_assert_eq!(Short::of(&a) == Short::of(&b), a == b);
            }
        }
    }
}
