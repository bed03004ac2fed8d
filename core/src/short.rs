//! A short word as two or four numbers, so that two are compared without a loop.
//!
//! A word is filled up with zeros; one that ends in a zero itself, which could then be another's double,
//! is none of these. The default is all zeros, as no word is.

/// A word that is compared and hashed as numbers.
pub trait Key: Copy + Default + PartialEq {
    /// A number below `2^bits`, spread evenly; `bits` is 1 to 64.
    fn hash(&self, bits: u32) -> usize;
}

/// A word of 1 to 16 bytes that does not end in a zero.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Short([u64; 2]);

/// A word of 17 to 32 bytes that does not end in a zero.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Long([u64; 4]);

impl Short {
    /// Returns None for a word that is empty, ends in a zero or is longer than 16 bytes.
    #[inline(always)]
    pub fn of(word: &[u8]) -> Option<Self> {
        let len = word.len();
        if len > 16 || word.last().is_none_or(|&last| last == 0) {
            return None;
        }
        // The last bytes overlap the first ones, which are shifted out.
        Some(Self(match word {
            _ if len >= 8 => {
                let last = eight(word.last_chunk());
                [eight(word.first_chunk()), last.checked_shr(8 * (16 - len as u32)).unwrap_or(0)]
            }
            _ if len >= 4 => {
                let (first, last) = (four(word.first_chunk()), four(word.last_chunk()));
                [first | last << (8 * (len - 4)), 0]
            }
            [a, b, c] => [u64::from(*a) | u64::from(*b) << 8 | u64::from(*c) << 16, 0],
            [a, b] => [u64::from(*a) | u64::from(*b) << 8, 0],
            [a, ..] => [u64::from(*a), 0],
            [] => return None,
        }))
    }
}

impl Long {
    /// Returns None for a word that ends in a zero or does not have 17 to 32 bytes.
    #[inline]
    pub fn of(word: &[u8]) -> Option<Self> {
        if !(17..=32).contains(&word.len()) || word.last() == Some(&0) {
            return None;
        }
        let (first, last) = (word.first_chunk::<16>()?, word.last_chunk::<16>()?);
        let (first, last) = (u128::from_le_bytes(*first), u128::from_le_bytes(*last));
        let rest = last >> (8 * (32 - word.len()));
        Some(Self([first as u64, (first >> 64) as u64, rest as u64, (rest >> 64) as u64]))
    }
}

impl Key for Short {
    #[inline(always)]
    fn hash(&self, bits: u32) -> usize {
        spread(self.0[0] ^ self.0[1].rotate_left(29), bits)
    }
}

impl Key for Long {
    #[inline]
    fn hash(&self, bits: u32) -> usize {
        let [a, b, c, d] = self.0;
        let ends = (a ^ d.rotate_left(41)).wrapping_mul(SPREAD);
        spread(ends ^ b.rotate_left(17) ^ c.rotate_left(31), bits)
    }
}

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Fibonacci hashing; rotations keep equal parts from cancelling out.
#[inline(always)]
fn spread(mixed: u64, bits: u32) -> usize {
    (mixed.wrapping_mul(SPREAD) >> (64 - bits)) as usize
}

#[inline(always)]
fn eight(bytes: Option<&[u8; 8]>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline(always)]
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
        fn equal_words_alone_are_equal(a in vec(0..3u8, 0..35), b in vec(0..3u8, 0..35)) {
            let ends_well = |word: &[u8]| word.last().is_some_and(|&last| last != 0);
            prop_assert_eq!(Short::of(&a).is_some(), ends_well(&a) && a.len() <= 16);
            prop_assert_eq!(Long::of(&a).is_some(), ends_well(&a) && (17..=32).contains(&a.len()));
            if Short::of(&a).is_some() && Short::of(&b).is_some() {
                prop_assert_eq!(Short::of(&a) == Short::of(&b), a == b);
            }
            if Long::of(&a).is_some() && Long::of(&b).is_some() {
                prop_assert_eq!(Long::of(&a) == Long::of(&b), a == b);
            }
        }

        #[test]
        fn one_changed_byte_makes_another_word(a in vec(1..3u8, 1..33), at in 0..32usize) {
            let mut b = a.clone();
            let at = at % a.len();
            b[at] = 3;
            prop_assert!(Short::of(&a) != Short::of(&b) || Long::of(&a) != Long::of(&b));
        }
    }
}
