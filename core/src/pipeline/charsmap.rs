//! sentencepiece's precompiled charsmap: prefixes of text and what they become.
//!
//! Layout: u32 size of the trie in bytes, the trie, the replacements, each ended by NUL. The trie is a
//! double array of darts-clone, u32 units: bits 0-7 label, bit 8 has-leaf, bits 10-30 offset (shifted by 8
//! where bit 9 is set), bit 31 marks a leaf, whose bits 0-30 are the replacement's place. A node's child by
//! byte b stands at `node ^ offset ^ b`, its leaf at `node ^ offset`. Every step is checked against the
//! array's end, so a hostile map ends a match and no more.
//! Sources: s-yata/darts-clone, darts.h; sentencepiece, normalizer.cc; spm_precompiled (the grapheme rule).

use unicode_segmentation::UnicodeSegmentation;

use crate::error::{Error, Message};

/// Longer graphemes are looked up character by character.
const LONGEST_GRAPHEME: usize = 6;

/// A charsmap, ready to look up.
#[derive(Debug)]
pub struct Charsmap {
    units: Box<[u32]>,
    replacements: Box<str>,
}

impl Charsmap {
    /// Reads a charsmap.
    ///
    /// # Errors
    /// `Format` if the sizes do not fit or the replacements are no UTF-8.
    pub fn new(data: &[u8]) -> Result<Self, Error> {
        let refused = |problem: &str| {
            Error::Format(Message::new(problem, "take precompiled_charsmap from the model again"))
        };
        let (size, rest) =
            data.split_first_chunk().ok_or_else(|| refused("the charsmap is cut off"))?;
        let size = u32::from_le_bytes(*size) as usize;
        if !size.is_multiple_of(4) || size > rest.len() {
            return Err(refused("the charsmap's trie has a size that does not fit"));
        }
        let (trie, replacements) = rest.split_at(size);
        let replacements = std::str::from_utf8(replacements);
        Ok(Self {
            units: trie.as_chunks().0.iter().map(|&unit| u32::from_le_bytes(unit)).collect(),
            replacements: replacements
                .map_err(|_| refused("the charsmap holds bytes that are no UTF-8"))?
                .into(),
        })
    }

    /// Calls `f` with the length and the replacement of every prefix of `text` that has one, shorter first,
    /// until it says stop.
    fn prefixes<'c>(&'c self, text: &[u8], mut f: impl FnMut(usize, &'c str) -> bool) {
        let Some(&root) = self.units.first() else {
            return;
        };
        let mut node = offset(root);
        for (at, &byte) in text.iter().enumerate() {
            node ^= usize::from(byte);
            let Some(&unit) = self.units.get(node) else {
                return;
            };
            if unit & (1 << 31 | 0xFF) != u32::from(byte) {
                return;
            }
            node ^= offset(unit);
            if unit >> 8 & 1 == 1 {
                let leaf = self.units.get(node).map(|&leaf| (leaf & !(1 << 31)) as usize);
                let found = leaf.and_then(|place| self.replacements.get(place..));
                let ended = found.and_then(|from| from.split('\0').next());
                if ended.is_none_or(|replacement| !f(at + 1, replacement)) {
                    return;
                }
            }
        }
    }

    /// Whether a text of the map holds one of `bytes` behind its first place.
    ///
    /// Visits each node once, so a hostile map takes linear time, too.
    pub fn holds_inside(&self, bytes: &[u8]) -> bool {
        let mut seen = vec![false; self.units.len()];
        let mut children = vec![(self.units.first().map_or(0, |&root| offset(root)), true)];
        while let Some((children_at, is_root)) = children.pop() {
            for byte in 0..=u8::MAX {
                let node = children_at ^ usize::from(byte);
                let unit = self.units.get(node).copied().unwrap_or(1 << 31);
                if unit & (1 << 31 | 0xFF) != u32::from(byte) {
                    continue;
                }
                if !is_root && bytes.contains(&byte) {
                    return true;
                }
                if !std::mem::replace(&mut seen[node], true) {
                    children.push((node ^ offset(unit), false));
                }
            }
        }
        false
    }

    /// The longest prefix of `text` that has a replacement.
    pub(super) fn longest(&self, text: &[u8]) -> Option<(usize, &str)> {
        let mut longest = None;
        self.prefixes(text, |len, replacement| {
            longest = Some((len, replacement));
            true
        });
        longest
    }

    /// The replacement of the *shortest* prefix, for all of `text`: Hugging Face's rule.
    fn shortest(&self, text: &str) -> Option<&str> {
        let mut shortest = None;
        self.prefixes(text.as_bytes(), |_, replacement| {
            shortest = Some(replacement);
            false
        });
        shortest
    }

    /// Replaces each short grapheme that has a replacement, else each of its characters that has one.
    pub(super) fn by_grapheme(&self, text: &str) -> Option<String> {
        let mut changed = String::with_capacity(text.len());
        self.for_each_part(text, |part, new| changed.push_str(new.unwrap_or(part)));
        Some(changed)
    }

    /// The characters of [`Self::by_grapheme`] with their changes: see [`super::Step::changes`].
    pub(super) fn changes(&self, text: &str) -> Vec<(char, isize)> {
        let mut changes: Vec<(char, isize)> = Vec::with_capacity(text.len());
        self.for_each_part(text, |part, new| {
            let new = new.unwrap_or(part);
            let (old_count, new_count) = (part.chars().count(), new.chars().count());
            changes
                .extend(new.chars().enumerate().map(|(at, c)| (c, isize::from(at >= old_count))));
            if let Some((_, change)) = changes.last_mut().filter(|_| new_count < old_count) {
                *change -= (old_count - new_count) as isize;
            }
        });
        changes
    }

    /// Calls `f` with each part of the text and what replaces it.
    fn for_each_part<'c>(&'c self, text: &str, mut f: impl FnMut(&str, Option<&'c str>)) {
        for (run, is_plain) in ascii_runs(text) {
            if is_plain {
                self.for_each_character(run, &mut f);
                continue;
            }
            for grapheme in run.graphemes(true) {
                match self.shortest(grapheme).filter(|_| grapheme.len() < LONGEST_GRAPHEME) {
                    Some(replacement) => f(grapheme, Some(replacement)),
                    None => self.for_each_character(grapheme, &mut f),
                }
            }
        }
    }

    fn for_each_character<'c>(&'c self, text: &str, f: &mut impl FnMut(&str, Option<&'c str>)) {
        for c in text.chars() {
            let mut room = [0; 4];
            let character = c.encode_utf8(&mut room);
            f(character, self.shortest(character));
        }
    }
}

/// Cuts text into runs whose characters are graphemes by themselves, and the rest: printable ASCII, but
/// for the last of it before anything else, which that may extend.
fn ascii_runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let plain = rest.bytes().take_while(|byte| (b' '..=b'~').contains(byte)).count();
        let (cut, is_plain) = match plain {
            0 | 1 if plain < rest.len() => {
                let other = rest.bytes().skip(1).position(|byte| (b' '..=b'~').contains(&byte));
                (other.map_or(rest.len(), |at| at + 1), false)
            }
            all if all == rest.len() => (all, true),
            some => (some - 1, true),
        };
        let (run, after) = rest.split_at(cut);
        rest = after;
        (!run.is_empty()).then_some((run, is_plain))
    })
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}
