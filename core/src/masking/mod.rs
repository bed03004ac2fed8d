//! Whole-word masking: which tokens of an example are hidden, for any tokenizer and any segmenter.
//!
//! Reading order: [`words`] cuts text where no segmenter is at hand, [`align`] joins tokens into units
//! (a word's tokens, or the tokens of several words where one token spans them), [`choose`] takes units
//! until an exact budget is met, [`mask`] hides them. [`random`] is the generator, keyed by seed, epoch and
//! example, never by worker. Everything is one pass: O(length) time and memory.
//!
//! Source: Devlin et al., whole-word masking; span weights as in MacBERT (arXiv 2004.13922).

pub mod align;
pub mod choose;
pub mod mask;
pub mod random;
pub mod words;

#[cfg(test)]
mod tests;

pub use align::{align, Alignment, Span};
pub use choose::{choose, Choice, Options};
pub use mask::{mask, Masked, Replacement};
pub use random::Random;
