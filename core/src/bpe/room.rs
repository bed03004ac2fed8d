//! How many occurrences may be listed within a bound of memory.
//!
//! The array of the corpus, its weights and the cells of a scan have known sizes; what a bound leaves
//! beside them goes to the lists of occurrences, and so does what the corpus itself held, once it is laid
//! out. Fewer lists mean more scans and the same merges: see [`super::scan`]. Where the array, or not even
//! short lists, fit, training is refused before anything is allocated.

use super::cells::most_cells;
use super::positions::Id;
use super::train::is_narrow;
use crate::error::{Error, Message};

/// Copies of a listed occurrence there may be: in a vector that doubles, in what a merge gathers.
const COPIES: u64 = 4;
/// At the least, one place in this many is listed: about as many as the most frequent pair has after
/// the sweeps, which take those above one in 256 tokens.
const SCARCE: u64 = 16;

/// The bound, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    bytes: Option<u64>,
    threads: u64,
}

impl Room {
    /// At most that many bytes with that many threads.
    pub fn new(bytes: Option<u64>, threads: usize) -> Self {
        Self { bytes, threads: threads.max(1) as u64 }
    }

    /// Occurrences that may be listed with an array of `places`, made from what holds `freed` bytes
    /// outside of the bound until then.
    pub fn listed<I: Id>(&self, places: usize, freed: usize) -> Result<usize, Error> {
        let Some(bytes) = self.bytes else { return Ok(usize::MAX) };
        let (fixed, freed) = (self.fixed::<I>(places), freed as u64);
        let least = (places as u64 / SCARCE + 1) * occurrence_bytes(places);
        let needed = fixed.max((fixed + least).saturating_sub(freed));
        if bytes < needed {
            return Err(too_little(needed, bytes, places));
        }
        let listed = (bytes + freed - fixed) / occurrence_bytes(places);
        Ok(usize::try_from(listed).unwrap_or(usize::MAX))
    }

    /// Places of unsplit documents that can be held, laid out and trained on within the bound.
    pub fn documents(&self, vocab_size: usize) -> usize {
        let Some(bytes) = self.bytes else { return usize::MAX };
        let id = if is_narrow(vocab_size) { 2 } else { 4 };
        let bytes = bytes.saturating_sub(cell_bytes(usize::MAX / 4)); // one thread has them in any case
                                                                      // An id and two bytes of the shortest lists; half a byte is left for classes and more threads' cells.
        usize::try_from(bytes * 2 / (2 * id + 5)).unwrap_or(usize::MAX)
    }

    /// Threads whose cells take an eighth of the bound at the most.
    pub fn threads(&self, places: usize) -> usize {
        let Some(bytes) = self.bytes else { return self.threads as usize };
        (bytes / 8 / cell_bytes(places)).clamp(1, self.threads) as usize
    }

    /// The array, a class for each 64 places, and the cells of a scan.
    pub fn fixed<I: Id>(&self, places: usize) -> u64 {
        let array = (places * size_of::<I>() + places / 16) as u64;
        array + self.threads(places) as u64 * cell_bytes(places)
    }
}

/// Bytes that an occurrence takes, copies included.
pub fn occurrence_bytes(places: usize) -> u64 {
    COPIES * if u32::try_from(places).is_ok() { 4 } else { 8 }
}

fn cell_bytes(places: usize) -> u64 {
    4 * most_cells(places) as u64
}

fn too_little(needed: u64, bytes: u64, places: usize) -> Error {
    let short = (needed - bytes).div_ceil(1_000_000);
    Error::Config(Message::new(
        format!(
            "the corpus takes {places} places, for which training needs {} MB, and {} MB are left of memory",
            needed.div_ceil(1_000_000),
            bytes / 1_000_000
        ),
        format!("raise memory by {short} MB or more, or train on a sample"),
    ))
}
