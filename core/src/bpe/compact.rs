//! Rewrites the array so that each token takes one place, joining one pair on the way.
//!
//! Where tokens count one place each, a token's length in the array is that of the tokens it was made
//! of. A merge that spells the bytes of an older token, made of fewer or more, would give one id two
//! lengths; afterwards all ids have length 1 again. Rare, hence a whole pass: linear in the array.

use super::merge::Replacement;
use super::positions::{Id, Positions, Writer};
use super::weights::Weights;

/// The new array, its weights, and the weight of the pairs that were joined.
pub fn compact<I: Id, W: Weights>(
    positions: &Positions<I>,
    lens: &[u32],
    weights: &W,
    replacement: &Replacement,
) -> (Positions<I>, W, u64) {
    let (left, right) = (I::from_u32(replacement.left), I::from_u32(replacement.right));
    let mut array = Writer::new(positions.len());
    let (mut classes, mut replaced): (Vec<(usize, u64)>, u64) = (Vec::new(), 0);
    let mut at = 1;
    while at < positions.len() {
        let Some(id) = positions.token_at(at) else {
            array.gap();
            end_word(&mut classes, array.len(), weights.at(at));
            at += 1;
            continue;
        };
        let joined = id == left && positions.holds(at, left, replacement.left_len, right);
        replaced += if joined { weights.at(at) } else { 0 };
        array.bytes([if joined { I::from_u32(replacement.merged) } else { id }].into_iter());
        let both = replacement.left_len + replacement.right_len;
        at += if joined { both } else { lens[id.index()] as usize };
    }
    (array.finish(), W::of_classes(classes), replaced)
}

/// Notes that a word of this weight ends before `end`.
fn end_word(classes: &mut Vec<(usize, u64)>, end: usize, weight: u64) {
    match classes.last_mut() {
        Some(last) if last.1 == weight => last.0 = end,
        _ => classes.push((end, weight)),
    }
}
