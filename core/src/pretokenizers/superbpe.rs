//! SuperBPE: words in the first stage, stretches of words in the second.
//!
//! ```text
//! stage 1: o200k's pattern without its contractions
//! stage 2: \p{N}{1,3}| ?[^\s\p{L}\p{N}]{2,}[\r\n/]*| +(?!\S)
//! ```
//! In the second stage the gaps between matches are the pieces that matter: words, single spaces, line
//! breaks and single marks up to the next digit, pair of marks or run of spaces; often a whole document.
//! Each place of a gap is asked once whether a match begins there, which looks two characters ahead, or
//! to the end of a run of spaces, where one does begin: linear. Source: PythonNut/superbpe, scripts/.

use super::classes::{NEWLINE, NUMBER, WHITESPACE};
use super::o200k::{symbols_end, word_end, SYMBOL};
use super::text::Text;

/// Where the first stage's piece that starts at `start` ends.
#[inline]
pub(super) fn word_piece_end(text: &Text, start: usize) -> usize {
    let (class, next) = text.step(start);
    if class & NUMBER != 0 {
        return text.skip_numbers(next, 2);
    }
    if class & NEWLINE == 0 {
        let word = word_end(text, start, class, next);
        if let Some(end) = word.or_else(|| symbols_end(text, start, class, next)) {
            return end;
        }
    }
    text.whitespace(start).by_line(text)
}

/// Where the second stage's piece that starts at `start` ends.
#[inline]
pub(super) fn piece_end(text: &Text, start: usize) -> usize {
    if let Some(end) = match_end(text, start) {
        return end;
    }
    let mut at = text.step(start).1;
    while at < text.len() && match_end(text, at).is_none() {
        at = text.step(at).1;
    }
    at
}

/// The end of the match at `at`, if one begins there.
#[inline]
fn match_end(text: &Text, at: usize) -> Option<usize> {
    let (class, next) = text.step(at);
    if class & NUMBER != 0 {
        return Some(text.skip_numbers(next, 2));
    }
    let is_space = text.byte(at) == Some(b' ');
    let (first, second) = if is_space { text.step(next) } else { (class, next) };
    if first & SYMBOL != 0 && text.step(second).0 & SYMBOL != 0 {
        let mut end = text.skip(second, SYMBOL);
        while let Some(b'\r' | b'\n' | b'/') = text.byte(end) {
            end += 1;
        }
        return Some(end);
    }
    is_space.then(|| spaces_end(text, at)).flatten()
}

/// ` +(?!\S)`: all spaces in front of other white space or the end, else all but the last one.
#[inline]
fn spaces_end(text: &Text, at: usize) -> Option<usize> {
    let run = text.rest(at).iter().take_while(|&&byte| byte == b' ').count();
    let end = at + run;
    if end == text.len() || text.step(end).0 & WHITESPACE != 0 {
        return Some(end);
    }
    (run > 1).then_some(end - 1)
}
