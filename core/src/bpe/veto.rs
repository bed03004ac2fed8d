//! Rules that keep a pair from being merged, as data: what superwords must not look like.
//!
//! Definition: a pair is vetoed if the token it would make (1) has more than `max_words` words, maximal
//! stretches without a space; (2) holds one of the `excluded` byte strings; or (3) with `digits_apart`
//! holds both a digit and something else. Tokens that are there already stay whatever they look like.
//! Invariant: whatever grows out of a vetoed pair by merging its neighbours is vetoed too, so a corpus may
//! be cut between the two. Complexity: a few operations a pair, by a summary of each token.
//! Source: PythonNut/superbpe's fork of tokenizers (`:Ġ`, four words); the rest is its regex, as data.

use crate::error::{Error, Message};

/// The rules; the default allows everything.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Most words a new token may have.
    pub max_words: Option<u32>,
    /// Byte strings that no new token may hold.
    pub excluded: Vec<Vec<u8>>,
    /// Whether digits keep to themselves.
    pub digits_apart: bool,
}

/// What the rules need to know of one token.
#[derive(Debug, Clone, Copy, Default)]
struct Summary {
    words: u32,
    opens: bool,
    closes: bool,
    has_digit: bool,
    has_other: bool,
    holds_excluded: bool,
    /// Bits of the excluded strings' beginnings that the token ends with.
    tails: u64,
    /// Bits of the excluded strings' endings that the token begins with.
    heads: u64,
}

/// The rules with a summary of each token.
#[derive(Debug, Clone)]
pub struct Veto {
    rules: Rules,
    summaries: Vec<Summary>,
}

impl Veto {
    /// Summarises the tokens there are, by id.
    ///
    /// # Errors
    /// `Config` for excluded strings that are empty, or of more than 64 places to cut them in all.
    pub fn new<'t>(
        rules: Rules,
        tokens: impl IntoIterator<Item = Option<&'t [u8]>>,
    ) -> Result<Self, Error> {
        let cuts: usize = rules.excluded.iter().map(|text| text.len().saturating_sub(1)).sum();
        if cuts > 64 || rules.excluded.iter().any(Vec::is_empty) {
            let problem = "the excluded byte strings are empty, or too many or too long";
            return Err(Error::Config(Message::new(problem, "give short ones, 64 bytes in all")));
        }
        let mut veto = Self { rules, summaries: Vec::new() };
        tokens.into_iter().for_each(|token| veto.push(token.unwrap_or_default()));
        Ok(veto)
    }

    /// Whether there is any rule.
    pub fn is_empty(&self) -> bool {
        let Rules { max_words, excluded, digits_apart } = &self.rules;
        max_words.is_none() && excluded.is_empty() && !digits_apart
    }

    /// Adds the token of the next id.
    pub fn push(&mut self, token: &[u8]) {
        let summary = self.summarise(token);
        self.summaries.push(summary);
    }

    /// Whether the rules let the pair be merged.
    #[inline]
    pub fn allows(&self, left: u32, right: u32) -> bool {
        let (l, r) = (&self.summaries[left as usize], &self.summaries[right as usize]);
        let words = l.words + r.words - u32::from(l.closes && r.opens);
        let mixed = (l.has_digit | r.has_digit) & (l.has_other | r.has_other);
        self.rules.max_words.is_none_or(|most| words <= most)
            && !(l.holds_excluded | r.holds_excluded | (l.tails & r.heads != 0))
            && !(self.rules.digits_apart & mixed)
    }

    fn summarise(&self, token: &[u8]) -> Summary {
        let is_word = |byte: Option<&u8>| byte.is_some_and(|&byte| byte != b' ');
        let words = token.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).count();
        let holds = |text: &Vec<u8>| token.windows(text.len()).any(|window| window == &text[..]);
        let cuts = self
            .rules
            .excluded
            .iter()
            .flat_map(|text| (1..text.len()).map(move |at| text.split_at(at)));
        let (mut tails, mut heads) = (0, 0);
        for (bit, (head, tail)) in cuts.enumerate() {
            tails |= u64::from(token.ends_with(head)) << bit;
            heads |= u64::from(token.starts_with(tail)) << bit;
        }
        Summary {
            words: words as u32,
            opens: is_word(token.first()),
            closes: is_word(token.last()),
            has_digit: token.iter().any(u8::is_ascii_digit),
            has_other: token.iter().any(|byte| !byte.is_ascii_digit()),
            holds_excluded: self.rules.excluded.iter().any(holds),
            tails,
            heads,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::reference::allows_slow;
    use super::*;

    fn text(most: usize) -> impl Strategy<Value = Vec<u8>> {
        vec(prop::sample::select(b"a  :1.".to_vec()), 1..most)
    }

    proptest! {
        #[test]
        fn summaries_decide_as_the_bytes_do(
            tokens in vec(text(5), 2..3), excluded in vec(text(4), 0..3),
            max_words in prop::option::of(1..4u32), digits_apart: bool,
        ) {
            let rules = Rules { max_words, excluded, digits_apart };
            let veto = Veto::new(rules.clone(), tokens.iter().map(|token| Some(&token[..]))).unwrap();
            prop_assert_eq!(veto.allows(0, 1), allows_slow(&rules, &tokens.concat()));
        }
    }
}
