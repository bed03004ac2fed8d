//! Where to cut sentencepiece's text, in which U+2581 stands for a space, into words for `by_words`.
//!
//! Definition: a cut stands before a U+2581, and between an ASCII letter or digit and other ASCII: there the
//! tokens of most vocabularies end. Of several U+2581 in a row the last one begins the next word, or they
//! all stand apart (`runs_apart`), as the vocabulary's tokens do. Cuts change speed, never ids.
//! Complexity: linear, no memory.

const MARK: &[u8] = "\u{2581}".as_bytes();

/// The ends of a piece's words, ascending; the last one is the piece's end.
pub(super) struct MarkedWords<'p> {
    piece: &'p [u8],
    at: usize,
    runs_apart: bool,
}

/// What a byte is to the cuts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Word,
    Other,
    /// Part of a longer character: it joins what stands before and behind, if that is no mark.
    Long,
}

impl<'p> MarkedWords<'p> {
    pub(super) fn new(piece: &'p [u8], runs_apart: bool) -> Self {
        Self { piece, at: 0, runs_apart }
    }

    /// How many bytes of U+2581 stand at `at`.
    fn marks(&self, at: usize) -> usize {
        let rest = self.piece[at..].chunks_exact(MARK.len());
        rest.take_while(|chunk| *chunk == MARK).count() * MARK.len()
    }
}

impl Iterator for MarkedWords<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (piece, start) = (self.piece, self.at);
        if start == piece.len() {
            return None;
        }
        let run = self.marks(start);
        if run > MARK.len() && start + run < piece.len() {
            self.at = start + run - if self.runs_apart { 0 } else { MARK.len() };
            return Some(self.at);
        }
        let mut end = start + run.max(1);
        while end < piece.len() && !is_cut(piece, end) {
            end += 1;
        }
        self.at = end;
        Some(end)
    }
}

/// Whether a word ends before byte `at`, which is not the first; a mark belongs to what follows it.
#[inline]
fn is_cut(piece: &[u8], at: usize) -> bool {
    match (side(piece[at - 1]), side(piece[at])) {
        (_, Side::Long) => piece[at] == MARK[0] && piece[at..].starts_with(MARK),
        (Side::Long, _) => false,
        (before, after) => before != after,
    }
}

#[inline]
fn side(byte: u8) -> Side {
    match byte {
        0x80.. => Side::Long,
        _ if byte.is_ascii_alphanumeric() => Side::Word,
        _ => Side::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, runs_apart: bool) -> Vec<&str> {
        let ends: Vec<usize> = MarkedWords::new(text.as_bytes(), runs_apart).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(&ends).map(|(start, &end)| &text[start..end]).collect()
    }

    #[test]
    fn a_mark_begins_a_word() {
        assert_eq!(words("▁the▁naïve▁(x1);", false), ["▁the", "▁naïve", "▁(", "x1", ");"]);
        assert_eq!(words("a▁▁▁b", false), ["a", "▁▁", "▁b"]);
        assert_eq!(words("a▁▁▁b", true), ["a", "▁▁▁", "b"]);
        assert_eq!(words("a▁▁", true), ["a", "▁▁"]);
    }

    proptest! {
        #[test]
        fn words_cover_the_piece(parts in vec(0..6usize, 0..40), runs_apart in any::<bool>()) {
            let text: String = parts.iter().map(|&part| ["▁", "a", "1", ";", "é", "中"][part]).collect();
            let found = words(&text, runs_apart);
            prop_assert!(found.iter().all(|word| !word.is_empty()));
            prop_assert_eq!(found.concat(), text);
        }
    }
}
