//! Documents cut into chunks of random length, by a seed and a document's own content.
//!
//! Definition: until nothing is left, a range of lengths is drawn by its weight, then a length in it
//! evenly, clipped to what is left; a remainder below the least length is the last chunk. Lengths count
//! characters; a byte that is no UTF-8 counts as one. Invariant: the chunks of a document depend on its
//! bytes and the seed alone, not on its place or on threads. Complexity: linear, constant memory.
//! Source: TokenAdapt, arXiv 2505.09738, Tinycompany-AI/SuperTokenizer; there unseeded. The generator is
//! splitmix64 (Steele, Lea and Flood 2014), keyed by FNV-1a of the content (Fowler, Noll, Vo).

use crate::bpe::WordCounts;
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// Lengths from `low` to `high`, both inclusive, with their weight among all ranges.
pub type Range = (u32, u32, f64);

/// A checked table of ranges and a seed.
pub struct Chunker {
    /// Low, high, and the sum of the weights up to here.
    ranges: Vec<(u32, u32, f64)>,
    seed: u64,
}

impl Chunker {
    /// Takes ranges of lengths whose weights need not sum to 1.
    ///
    /// # Errors
    /// `Config` if there are none, or one is empty, starts at 0 or weighs nothing finite.
    pub fn new(ranges: &[Range], seed: u64) -> Result<Self, Error> {
        let bad = |&&(low, high, weight): &&Range| {
            low == 0 || high < low || !(0.0..f64::MAX).contains(&weight)
        };
        if let Some((low, high, weight)) = ranges.iter().find(bad) {
            return Err(refused(format!("chunk lengths {low}-{high} weigh {weight}")));
        }
        let mut sum = 0.0;
        let add = |&(low, high, weight): &Range| {
            sum += weight;
            (low, high, sum)
        };
        let ranges: Vec<_> = ranges.iter().map(add).collect();
        if ranges.is_empty() || sum <= 0.0 {
            return Err(refused("the table of chunk lengths weighs nothing".into()));
        }
        Ok(Self { ranges, seed })
    }

    /// Calls `f(start, end)` for each chunk, in order.
    pub fn for_each_chunk(
        &self,
        data: &[u8],
        mut f: impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut random = SplitMix(self.seed ^ fnv1a(data));
        let mut start = 0;
        while start < data.len() {
            let end = characters_end(data, start, self.draw(&mut random));
            f(start, end)?;
            start = end;
        }
        Ok(())
    }

    fn draw(&self, random: &mut SplitMix) -> usize {
        let total = self.ranges.last().map_or(0.0, |range| range.2);
        let at = random.unit() * total;
        let found = self.ranges.iter().find(|range| at < range.2).or(self.ranges.last());
        let (low, high) = found.map_or((1, 1), |range| (range.0, range.1));
        let width = f64::from(high - low + 1);
        low as usize + (random.unit() * width) as usize
    }
}

/// Counts the chunks of documents.
pub fn count_chunks(
    table: &mut WordCounts,
    chunker: &Chunker,
    documents: &[&[u8]],
    progress: &dyn Progress,
) -> Result<(), Error> {
    let total: usize = documents.iter().map(|document| document.len()).sum();
    let mut ticker = Ticker::new(progress, "chunk", total as u64);
    let mut done = 0;
    for document in documents {
        let mut chunks = 0u32;
        chunker.for_each_chunk(document, |start, end| {
            chunks = chunks.wrapping_add(1);
            if chunks.is_multiple_of(4096) {
                ticker.tick(done + end as u64)?;
            }
            table.add(&document[start..end], 1)
        })?;
        done += document.len() as u64;
    }
    Ok(())
}

/// The end of that many characters from `start` on, or of the data.
fn characters_end(data: &[u8], start: usize, characters: usize) -> usize {
    (0..characters).fold(start, |at, _| at + character_len(data.get(at..).unwrap_or_default()))
}

/// Bytes of the first character; 1 where there is none that is valid, 0 at the end.
fn character_len(data: &[u8]) -> usize {
    let Some(first) = data.first() else { return 0 };
    let len = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let is_valid = data.get(..len).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok());
    if is_valid {
        len
    } else {
        1
    }
}

fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

struct SplitMix(u64);

impl SplitMix {
    /// The next number from 0 to below 1, of 53 bits.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ bits >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn refused(problem: String) -> Error {
    Error::Config(Message::new(problem, "give ranges such as 4-5 a weight above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(chunker: &Chunker, data: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        let add = |start, end| {
            lengths.push(end - start);
            Ok(())
        };
        chunker.for_each_chunk(data, add).unwrap();
        lengths
    }

    #[test]
    fn chunks_cover_a_document_and_depend_on_it_and_the_seed() {
        let (text, other) = ([b'a'; 1000], [b'b'; 1000]);
        let table = [(4, 5, 0.25), (6, 9, 0.75)];
        let chunker = Chunker::new(&table, 7).unwrap();
        let lengths = chunks(&chunker, &text);
        assert_eq!(lengths.iter().sum::<usize>(), 1000);
        assert!(lengths[..lengths.len() - 1].iter().all(|len| (4..=9).contains(len)));
        assert_eq!(lengths, chunks(&chunker, &text));
        assert_ne!(lengths, chunks(&chunker, &other));
        assert_ne!(lengths, chunks(&Chunker::new(&table, 8).unwrap(), &text));
    }

    #[test]
    fn lengths_count_characters() {
        let chunker = Chunker::new(&[(2, 2, 1.0)], 0).unwrap();
        assert_eq!(chunks(&chunker, "aé中😀b".as_bytes()), [3, 7, 1]);
        assert_eq!(chunks(&chunker, b"\xFFa\xE4b"), [2, 2]);
    }

    #[test]
    fn refuses_tables_that_say_nothing() {
        for table in [&[][..], &[(0, 3, 1.0)], &[(5, 4, 1.0)], &[(1, 2, 0.0)], &[(1, 2, f64::NAN)]]
        {
            assert!(matches!(Chunker::new(table, 0), Err(Error::Config(_))), "{table:?}");
        }
    }
}
