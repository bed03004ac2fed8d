//! Where a text may be cut so that its parts can be split apart from each other, on other threads.
//!
//! A cut is safe in front of a single space or line feed between two ASCII letters. Every hand-written
//! splitter ends a piece at the letter on the left whether the text goes on or not, and starts one at
//! the white space whatever came before. (Inside or behind a run of white space it would not be safe:
//! there a piece depends on what follows, up to the end of the text.)

use super::{Splitter, Stage};

impl Splitter {
    /// Returns the first safe cut at or after `near`, if this splitter has safe cuts and there is one.
    pub fn safe_cut(&self, data: &[u8], near: usize) -> Option<usize> {
        let known = !self.stages.iter().any(|stage| matches!(stage, Stage::Regex(_)));
        if !known || self.stages.is_empty() {
            return None;
        }
        let from = near.max(1) - 1;
        let is_cut = |around: &[u8]| {
            around[0].is_ascii_alphabetic()
                && matches!(around[1], b' ' | b'\n')
                && around[2].is_ascii_alphabetic()
        };
        let at = data.get(from..)?.windows(3).position(is_cut)?;
        Some(from + at + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::NAMES;
    use super::*;

    fn text() -> impl Strategy<Value = String> {
        let parts =
            ["a", "B", "s", " ", " ", "\n", "\r", "'", "!", "/", "1", "é", "中", "\u{301}", "\t"];
        vec(prop::sample::select(parts.to_vec()), 0..60).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn parts_split_as_the_whole(text in text(), near in 0..40usize) {
            for name in NAMES {
                let splitter = Splitter::named(name).unwrap();
                let Some(at) = splitter.safe_cut(text.as_bytes(), near) else { continue };
                prop_assert!(at >= near);
                let (left, right) = text.as_bytes().split_at(at);
                let mut parts = splitter.split(left).unwrap();
                parts.extend(splitter.split(right).unwrap().iter().map(|&(start, end)| (start + at, end + at)));
                prop_assert_eq!(parts, splitter.split(text.as_bytes()).unwrap(), "{}", name);
            }
        }
    }

    #[test]
    fn regexes_have_no_known_cuts() {
        assert_eq!(Splitter::regex(r"\w+").unwrap().safe_cut(b"a b c d", 1), None);
        assert_eq!(Splitter::named("gpt2").unwrap().safe_cut(b"abc def", 0), Some(3));
    }
}
