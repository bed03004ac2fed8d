//! Joins tokens into units that are masked together.
//!
//! Rule: a token belongs to every word that its span overlaps; tokens that share a word, or overlap each
//! other (bytes of one character), are one unit; a token in no word (a space, a mark) is a unit alone. An
//! empty span belongs to the word it stands in or before. A special token belongs to none and ends a unit.
//! Spans are in any one coordinate (characters, bytes), in text order; O(tokens + words).

use crate::error::{Error, Message};

/// Where something begins, and where the next thing may begin.
pub type Span = [u32; 2];

/// The unit of a special token.
pub const NO_UNIT: i64 = -1;

/// Tokens by unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment {
    /// The unit of each token, ascending from 0; [`NO_UNIT`] for special tokens.
    pub units: Vec<i64>,
    /// Words that each unit touches; more than 1 where a token spans words.
    pub words: Vec<u32>,
}

/// The unit that the next token may still join.
struct Open {
    end: u32,
    words: std::ops::Range<usize>,
}

/// Aligns tokens with words; both in text order, words without overlaps.
pub fn align(tokens: &[Span], special: &[u8], words: &[Span]) -> Result<Alignment, Error> {
    check(tokens, special, words)?;
    let mut found = Alignment { units: Vec::with_capacity(tokens.len()), words: Vec::new() };
    let mut open: Option<Open> = None;
    let mut word = 0;
    for (&[start, end], &is_special) in tokens.iter().zip(special) {
        if is_special != 0 {
            found.units.push(NO_UNIT);
            open = None;
            continue;
        }
        while words.get(word).is_some_and(|one| one[1] <= start) {
            word += 1;
        }
        let limit = end.max(start.saturating_add(1));
        let begins = words.get(word).is_some_and(|one| one[0] < limit);
        let joined =
            open.take().filter(|unit| start < unit.end || (begins && word < unit.words.end));
        let mut unit = joined.unwrap_or_else(|| {
            found.words.push(0);
            Open { end, words: word..word }
        });
        unit.end = unit.end.max(end);
        // Words that the unit already holds are not looked at again, so all tokens together are linear.
        unit.words.end = unit.words.end.max(word);
        while words.get(unit.words.end).is_some_and(|one| one[0] < limit) {
            unit.words.end += 1;
        }
        found.units.push(found.words.len() as i64 - 1);
        if let Some(count) = found.words.last_mut() {
            *count = unit.words.len() as u32;
        }
        open = Some(unit);
    }
    Ok(found)
}

fn check(tokens: &[Span], special: &[u8], words: &[Span]) -> Result<(), Error> {
    if tokens.len() != special.len() {
        let problem = format!("{} tokens have {} special marks", tokens.len(), special.len());
        return Err(Error::Config(Message::new(problem, "give each token one")));
    }
    let ordinary = || tokens.iter().zip(special).filter(|(_, &is)| is == 0).map(|(span, _)| *span);
    if ordinary().any(|[start, end]| end < start) || !ordinary().is_sorted_by_key(|span| span[0]) {
        return Err(disorder("token"));
    }
    if words.iter().any(|&[start, end]| end <= start)
        || words.windows(2).any(|two| two[1][0] < two[0][1])
    {
        return Err(disorder("word"));
    }
    Ok(())
}

fn disorder(what: &str) -> Error {
    let problem = format!("{what} spans are not in text order");
    Error::Config(Message::new(problem, "give (start, end) ascending; of words, without overlaps"))
}
