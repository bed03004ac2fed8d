//! How often each place of the array counts.
//!
//! Documents count once. Words stand in the array in descending order of their counts, so that equal
//! weights form one stretch, a *class*; the class of an offset is found by a table with one entry for
//! each 64 bytes and at most a few steps from there (a stretch holds a word and a gap at the least, so
//! 32 classes start in 64 bytes at the very most, and only among the most frequent words).

/// Weight of the token pair at an offset.
pub trait Weights: Sync {
    /// Whether a place always counts once, so that weights are numbers of occurrences.
    const EACH_ONCE: bool = false;

    /// Weights of stretches, each an end offset and a weight.
    fn of_classes(classes: Vec<(usize, u64)>) -> Self;

    /// Weight at `offset`.
    fn at(&self, offset: usize) -> u64;

    /// End and weight of each stretch of an array of that length.
    fn stretches(&self, len: usize) -> Vec<(usize, u64)>;
}

/// Each place counts once.
pub struct Once;

impl Weights for Once {
    const EACH_ONCE: bool = true;

    fn of_classes(_: Vec<(usize, u64)>) -> Self {
        Self
    }

    #[inline(always)]
    fn at(&self, _: usize) -> u64 {
        1
    }

    fn stretches(&self, len: usize) -> Vec<(usize, u64)> {
        vec![(len, 1)]
    }
}

const BLOCK_BITS: u32 = 6;

/// Weights of words laid out in descending order of their counts.
pub struct ByClass {
    /// End offset (exclusive) and weight of each class.
    classes: Vec<(usize, u64)>,
    /// First class that reaches into each block.
    blocks: Vec<u32>,
}

impl ByClass {
    /// Takes `(end offset, weight)` of each class, ends ascending; the last end covers the array.
    pub fn new(classes: Vec<(usize, u64)>) -> Self {
        let len = classes.last().map_or(0, |&(end, _)| end);
        let mut class = 0;
        let blocks = (0..=len >> BLOCK_BITS)
            .map(|block| {
                while class + 1 < classes.len() && classes[class].0 <= block << BLOCK_BITS {
                    class += 1;
                }
                class as u32
            })
            .collect();
        Self { classes, blocks }
    }
}

impl Weights for ByClass {
    fn of_classes(classes: Vec<(usize, u64)>) -> Self {
        Self::new(classes)
    }

    #[inline]
    fn at(&self, offset: usize) -> u64 {
        let mut class = self.blocks[offset >> BLOCK_BITS] as usize;
        while self.classes[class].0 <= offset {
            class += 1;
        }
        self.classes[class].1
    }

    fn stretches(&self, _: usize) -> Vec<(usize, u64)> {
        self.classes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_finds_its_class() {
        let ends = [3usize, 5, 6, 70, 71, 200, 1000];
        let weights = ByClass::new(ends.iter().map(|&end| (end, end as u64)).collect());
        for offset in 0..1000 {
            let expected = ends.iter().find(|&&end| offset < end).unwrap();
            assert_eq!(weights.at(offset), *expected as u64, "offset {offset}");
        }
    }
}
