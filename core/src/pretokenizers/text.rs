//! Walking over valid UTF-8 by classes: the pieces that the patterns have in common.
//!
//! Invariant: every position handed in or out is the start of a character or the end of the text.
//! Each function looks at each byte of what it returns once; nothing here allocates.

use super::classes::{Class, Classes, ASCII, NEWLINE, NUMBER, WHITESPACE};

/// A stretch of valid UTF-8 and the classes to read it by.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    classes: &'static Classes,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), classes: Classes::get() }
    }

    /// The same text, ended at `end`; positions keep their meaning.
    #[inline]
    pub(super) fn until(&self, end: usize) -> Self {
        Self { bytes: self.bytes.get(..end).unwrap_or(self.bytes), classes: self.classes }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes from `at` on.
    #[inline]
    pub(super) fn rest(&self, at: usize) -> &'a [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// The byte at `at`, if the text goes that far.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Class of the character at `at` and where the next one starts; no flag at the end of text.
    #[inline]
    pub(super) fn step(&self, at: usize) -> (Class, usize) {
        match self.byte(at) {
            Some(byte) if byte < 0x80 => (ASCII[usize::from(byte)], at + 1),
            Some(_) => self.step_wide(at),
            None => (0, at),
        }
    }

    #[inline]
    fn step_wide(&self, at: usize) -> (Class, usize) {
        let (code_point, len) = match *self.rest(at) {
            [a, b, ..] if a < 0xE0 => (bits(a, 0x1F) << 6 | bits(b, 0x3F), 2),
            [a, b, c, ..] if a < 0xF0 => {
                (bits(a, 0x0F) << 12 | bits(b, 0x3F) << 6 | bits(c, 0x3F), 3)
            }
            [a, b, c, d, ..] => {
                let high = bits(a, 0x07) << 18 | bits(b, 0x3F) << 12;
                (high | bits(c, 0x3F) << 6 | bits(d, 0x3F), 4)
            }
            // Not reached in valid UTF-8; a step forward keeps even a broken caller from looping.
            _ => (u32::MAX, 1),
        };
        (self.classes.of(code_point), at + len)
    }

    /// The end of the run of characters of any class in `mask` that starts at `at`.
    #[inline]
    pub(super) fn skip(&self, mut at: usize, mask: Class) -> usize {
        loop {
            let (class, next) = self.step(at);
            if class & mask == 0 {
                return at;
            }
            at = next;
        }
    }

    /// [`Text::skip`] of `mask`, which holds all letters, eight ASCII letters at a time.
    #[inline]
    pub(super) fn skip_letters(&self, at: usize, mask: Class) -> usize {
        let letters = |eight| within::<b'a', b'z'>(eight | CASE_BITS);
        self.skip(self.skip_eight(at, letters), mask)
    }

    /// [`Text::skip`] of `mask`, which holds the lower-case letters, eight ASCII ones at a time.
    #[inline]
    pub(super) fn skip_lower(&self, at: usize, mask: Class) -> usize {
        self.skip(self.skip_eight(at, within::<b'a', b'z'>), mask)
    }

    /// The first ASCII digit or non-ASCII character from `at` on, or a place not far before it.
    #[inline]
    pub(super) fn near_digit_or_wide(&self, at: usize) -> usize {
        self.skip_eight(at, |eight| !within::<b'0', b'9'>(eight) & !eight)
    }

    /// Past the bytes whose top bit `hits` sets, until one has it clear or fewer than eight remain.
    #[inline]
    fn skip_eight(&self, mut at: usize, hits: impl Fn(u64) -> u64) -> usize {
        while let Some(eight) = self.rest(at).first_chunk::<8>() {
            let misses = !hits(u64::from_le_bytes(*eight)) & TOP_BITS;
            if misses != 0 {
                return at + (misses.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        at
    }

    /// The end of `[\p{N}]{0,limit}` at `at`.
    #[inline]
    pub(super) fn skip_numbers(&self, mut at: usize, limit: usize) -> usize {
        for _ in 0..limit {
            let (class, next) = self.step(at);
            if class & NUMBER == 0 {
                break;
            }
            at = next;
        }
        at
    }

    /// The whitespace run at `start`, which is not empty.
    #[inline]
    pub(super) fn whitespace(&self, start: usize) -> Whitespace {
        let mut run = Whitespace { start, last: start, after_newline: None, end: start };
        loop {
            let (class, next) = self.step(run.end);
            if class & WHITESPACE == 0 {
                return run;
            }
            if class & NEWLINE != 0 {
                run.after_newline = Some(next);
            }
            (run.last, run.end) = (run.end, next);
        }
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d` with the apostrophe at `at - 1`: where it ends, if it is one.
    #[inline]
    pub(super) fn contraction(&self, at: usize) -> Option<usize> {
        match self.rest(at) {
            [b's' | b't' | b'm' | b'd', ..] => Some(at + 1),
            [b'r' | b'v', b'e', ..] | [b'l', b'l', ..] => Some(at + 2),
            _ => None,
        }
    }

    /// [`Text::contraction`] under `(?i:)`, which by Unicode folding takes U+017F (ſ) for an s.
    #[inline]
    pub(super) fn contraction_any_case(&self, at: usize) -> Option<usize> {
        match *self.rest(at) {
            [b's' | b't' | b'm' | b'd' | b'S' | b'T' | b'M' | b'D', ..] => Some(at + 1),
            [b'r' | b'v' | b'R' | b'V', b'e' | b'E', ..] => Some(at + 2),
            [b'l' | b'L', b'l' | b'L', ..] | [0xC5, 0xBF, ..] => Some(at + 2),
            _ => None,
        }
    }
}

/// The top bit of each of eight bytes.
const TOP_BITS: u64 = u64::from_le_bytes([0x80; 8]);
/// What makes an ASCII letter lower-case, and makes none of what is no letter.
const CASE_BITS: u64 = u64::from_le_bytes([0x20; 8]);

/// Sets the top bit of each byte in `FIRST..=LAST`, both ASCII. The sums stay below 0x100, so no
/// byte carries over into the next.
#[inline]
fn within<const FIRST: u8, const LAST: u8>(eight: u64) -> u64 {
    let low = eight & !TOP_BITS;
    let from_first = low + u64::from_le_bytes([0x80 - FIRST; 8]);
    let past_last = low + u64::from_le_bytes([0x7F - LAST; 8]);
    from_first & !past_last & !eight
}

#[inline]
fn bits(byte: u8, mask: u8) -> u32 {
    u32::from(byte & mask)
}

/// A maximal run of whitespace.
pub(super) struct Whitespace {
    start: usize,
    /// Where its last character starts.
    last: usize,
    /// The end of its last CR or LF.
    after_newline: Option<usize>,
    end: usize,
}

impl Whitespace {
    /// `\s+(?!\S)|\s+`: at the end of the text the whole run, else all but the last character, which
    /// is left to the word behind it; a single character is taken whatever follows.
    #[inline]
    pub(super) fn spared(&self, text: &Text) -> usize {
        if self.end == text.len() || self.last == self.start {
            self.end
        } else {
            self.last
        }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break, if there is one.
    #[inline]
    pub(super) fn by_line(&self, text: &Text) -> usize {
        self.after_newline.unwrap_or_else(|| self.spared(text))
    }

    /// `\s++$|\s*[\r\n]|\s+(?!\S)|\s`: as [`Whitespace::by_line`], but whole at the end of the text.
    #[inline]
    pub(super) fn by_line_or_to_end(&self, text: &Text) -> usize {
        if self.end == text.len() {
            self.end
        } else {
            self.by_line(text)
        }
    }
}

/// Calls `f` with every piece from `start` to the end of the text, shifted by `base`.
#[inline]
pub(super) fn walk<E>(
    text: Text,
    mut start: usize,
    base: usize,
    piece_end: impl Fn(&Text, usize) -> usize,
    f: &mut impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    while start < text.len() {
        let end = piece_end(&text, start);
        f(base + start, base + end)?;
        start = end;
    }
    Ok(())
}
