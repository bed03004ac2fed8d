//! The ids of words that were met lately, in front of any model.
//!
//! Definition: as the model encodes the word, which must depend on the word alone. Words of up to 16
//! bytes that fall into at most four tokens lie in half a cache line each; those of up to 32 bytes and
//! eight tokens apart, so that they, which come again more seldom, push no short one out.

use super::table::NO_ID;
use crate::recent::Recent;
use crate::short::{Key, Long, Short};

/// Ids of some words, each with `NO_ID` behind where there are fewer.
#[derive(Default)]
pub(super) struct Words {
    short: Recent<Short, [u32; 4]>,
    long: Recent<Long, [u32; 8]>,
}

impl Words {
    /// Makes room that is worth its cost for texts of that many bytes.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        let mut words = Self::default();
        words.short.expect(bytes);
        words.long.expect(bytes / 8);
        words
    }

    /// Appends the ids of a word to `out`: those that are remembered, or what `encode` appends.
    #[inline(always)]
    pub(super) fn encode(
        &mut self,
        word: &[u8],
        out: &mut Vec<u32>,
        encode: impl FnOnce(&mut Vec<u32>),
    ) {
        if let Some(short) = Short::of(word) {
            remembered(&mut self.short, short, out, encode);
        } else if let Some(long) = Long::of(word) {
            remembered(&mut self.long, long, out, encode);
        } else {
            encode(out);
        }
    }
}

#[inline(always)]
fn remembered<K: Key, const N: usize>(
    recent: &mut Recent<K, [u32; N]>,
    word: K,
    out: &mut Vec<u32>,
    encode: impl FnOnce(&mut Vec<u32>),
) where
    [u32; N]: Default,
{
    let before = out.len();
    if let Some(ids) = recent.get(&word) {
        // All of them, as copying a known number is quicker; then those that are there stay.
        out.extend_from_slice(&ids);
        let len = ids.iter().filter(|&&id| id != NO_ID).count();
        return out.truncate(before + len);
    }
    encode(out);
    let mut few = [NO_ID; N];
    if let Some(ids) = few.get_mut(..out.len() - before) {
        ids.copy_from_slice(&out[before..]);
        recent.put(word, few);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_what_the_model_gives(
            texts in vec(vec(0..3u8, 0..36), 1..200), bytes in 0..4000usize, most in 0..10usize,
        ) {
            // Any model will do whose ids depend on the word alone.
            let model = |word: &[u8], out: &mut Vec<u32>| {
                out.extend(word.iter().take(most).map(|&byte| u32::from(byte) + word.len() as u32));
            };
            let mut words = Words::for_bytes(bytes);
            let (mut got, mut expected) = (Vec::new(), Vec::new());
            for text in &texts {
                words.encode(text, &mut got, |out| model(text, out));
                model(text, &mut expected);
                prop_assert_eq!(&got, &expected);
            }
        }
    }
}
