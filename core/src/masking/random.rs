//! SplitMix64 (Steele, Lea and Flood 2014): a counter through a mixer, so that any key starts a stream.
//!
//! Streams of different (seed, epoch, example) are independent for every practical purpose; the Python
//! twin repeats it in ten lines, which is why it is not a library's.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers that depends on its key alone.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts the stream of a key.
    pub fn keyed(key: &[u64]) -> Self {
        Self(key.iter().fold(0, |state, &part| mixed(state.wrapping_add(STEP) ^ part)))
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number below `bound`, which is not 0; uneven by less than `bound` / 2^64.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A number in [0, 1) with 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
