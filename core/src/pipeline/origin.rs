//! What of a rewritten text's beginning comes from the document's first character.
//!
//! Definition: `origin` bytes at the beginning of a text stem from the first character; a step says how many
//! bytes of what it makes do. 0 once a normaliser has dropped that character: then Metaspace's scheme `first`
//! marks no word, as Hugging Face asks for the piece whose original offset is 0.
//! Linear in the text. The twin is `tokforge/tokenizer/aligned.py`, which follows every character.
//! Source: huggingface/tokenizers, tokenizer/normalizer.rs (`slice`, `transform_range`).

use super::normalize::{strip, Step};
use super::split::Pattern;
use crate::error::Error;

impl Step {
    /// How many bytes at the beginning of what the step makes of `text` come from its first `origin` ones.
    ///
    /// # Errors
    /// `Pattern` where a regex spends its budget.
    pub(super) fn origin(&self, text: &[u8], origin: usize) -> Result<usize, Error> {
        let head = &text[..origin.min(text.len())];
        if let Some(changes) = self.changes(valid_prefix(text)) {
            return Ok(of_changes(&changes, String::from_utf8_lossy(head).chars().count()));
        }
        Ok(match self {
            Step::Prepend(front) if !head.is_empty() => front.len() + origin,
            Step::Strip(left, right) => {
                let dropped = text.len() - strip(text, *left, false).len();
                origin.saturating_sub(dropped).min(strip(text, *left, *right).len())
            }
            Step::Replace(pattern, content) => replaced(pattern, content, text, origin)?,
            Step::Lowercase | Step::StripAccents | Step::Nmt | Step::Bert(_) => {
                self.apply(head)?.len()
            }
            _ => origin, // no Metaspace stands behind sentencepiece's own normaliser
        })
    }
}

/// The text up to the first byte that is no UTF-8.
fn valid_prefix(text: &[u8]) -> &str {
    text.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// Bytes of the characters that replace, or come behind, one of the first `count`.
fn of_changes(changes: &[(char, isize)], count: usize) -> usize {
    let (mut at, mut bytes) = (0usize, 0);
    for &(character, change) in changes {
        let source = if change > 0 { at.saturating_sub(1) } else { at };
        if source >= count {
            break;
        }
        bytes += character.len_utf8();
        if change <= 0 {
            at += 1 + change.unsigned_abs();
        }
    }
    bytes
}

/// What replaces a match comes from its last character.
fn replaced(pattern: &Pattern, content: &[u8], text: &[u8], origin: usize) -> Result<usize, Error> {
    let (mut bytes, mut done) = (0, 0);
    pattern.for_each_match(text, &mut |found| {
        bytes += found.start.min(origin).saturating_sub(done);
        if found.end <= origin {
            bytes += content.len();
        }
        done = found.end;
    })?;
    Ok(bytes + origin.saturating_sub(done))
}
