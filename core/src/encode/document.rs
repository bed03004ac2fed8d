//! Encodes whole documents: a splitter in front, offsets behind.

use super::merge_backtrack::Search;
use super::words::Words;
use super::Encoder;
use crate::error::Error;

/// Bytes between two calls of `beat`: a millisecond or less.
const BEAT_BYTES: usize = 1 << 14;

/// Cuts a document into pieces that are encoded each on its own.
pub trait Pieces: Sync {
    /// Calls `f(start, end)` for all pieces in order; they cover `data` wholly. An error of `f`, or
    /// of the splitter's own, ends it.
    fn for_each_piece(
        &self,
        data: &[u8],
        f: &mut impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Whether a document is always one piece, which several threads may then share.
    fn is_whole(&self) -> bool {
        false
    }

    /// The last place where `data` may be cut so that both parts have the pieces of the whole, whatever
    /// follows `data`.
    fn last_safe_cut(&self, _data: &[u8]) -> Option<usize> {
        None
    }
}

/// No splitter: a document is one piece.
pub struct Whole;

impl Pieces for Whole {
    fn for_each_piece(
        &self,
        data: &[u8],
        f: &mut impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        f(0, data.len())
    }

    fn is_whole(&self) -> bool {
        true
    }
}

impl Encoder {
    /// Appends the ids of a document to `out`; `beat` hears of the bytes done about every
    /// millisecond, inside long pieces too, and may stop the work. `out` is unchanged on errors.
    ///
    /// # Errors
    /// Those of `pieces` and of `beat`.
    pub fn encode_document(
        &self,
        pieces: &impl Pieces,
        data: &[u8],
        beat: &mut impl FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        self.encode_next(pieces, data, &mut Words::for_bytes(data.len()), beat, out)
    }

    /// As `encode_document`, for one of many: `words` holds some of those before.
    pub(super) fn encode_next(
        &self,
        pieces: &impl Pieces,
        data: &[u8],
        words: &mut Words,
        beat: &mut impl FnMut(u64) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let before = out.len();
        let mut next_beat = BEAT_BYTES;
        let result = pieces.for_each_piece(data, &mut |start, end| {
            let piece = &data[start..end];
            if piece.len() <= BEAT_BYTES {
                words.encode(piece, out, |out| self.encode_piece(piece, out));
            } else {
                self.encode_long(piece, &mut |at| beat((start + at) as u64), out)?;
            }
            if end >= next_beat {
                next_beat = end + BEAT_BYTES;
                beat(end as u64)?;
            }
            Ok(())
        });
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    /// As `encode_piece`, but calls `beat` with the bytes done.
    fn encode_long(
        &self,
        piece: &[u8],
        beat: &mut impl FnMut(usize) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        if let Some(id) = self.whole_token(piece) {
            out.push(id);
            return Ok(());
        }
        let mut search = Search::new(out.len(), 0);
        self.search_beating(piece, &mut search, piece.len(), beat, out)
    }

    /// Runs a search up to `until`, in steps of `BEAT_BYTES`.
    pub(super) fn search_beating(
        &self,
        piece: &[u8],
        search: &mut Search,
        until: usize,
        beat: &mut impl FnMut(usize) -> Result<(), Error>,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        while search.at < until {
            self.run(piece, search, until.min(search.at + BEAT_BYTES), out);
            beat(search.at)?;
        }
        Ok(())
    }

    /// The ids of a document, and the offset of each one's first byte.
    ///
    /// # Errors
    /// As `encode_document`.
    pub fn encode_with_offsets(
        &self,
        pieces: &impl Pieces,
        data: &[u8],
        beat: &mut impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<(Vec<u32>, Vec<u64>), Error> {
        let mut ids = Vec::new();
        self.encode_document(pieces, data, beat, &mut ids)?;
        let starts = ids.iter().scan(0, |next, &id| {
            let start = *next;
            *next += self.token_len(id) as u64;
            Some(start)
        });
        let offsets = starts.collect();
        Ok((ids, offsets))
    }
}
