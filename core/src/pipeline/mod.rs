//! What happens to text before the model: normalisers that rewrite it, and stages that split it.
//!
//! [`crate::pretokenizers`] cuts bytes and keeps every one; here white space may be dropped and text
//! rewritten on the way, as most tokenizers other than byte-level BPE do. Reading order: `classes` (what a
//! character is to them), `normalize`, `charsmap` and `sentencepiece`, `split`, `stages`;
//! `segments` (added tokens) goes before all of it.
//!
//! Text need not be UTF-8: each byte that is part of no character stands alone, as a character without
//! any property, and rules that need text work on the valid stretches between.
//! The oracle is Hugging Face `tokenizers`; where its tables of characters are older than ours, the same
//! crates as it uses answer.

mod charsmap;
mod classes;
mod find;
mod normalize;
mod origin;
mod segments;
mod sentencepiece;
mod split;
mod stages;
#[cfg(test)]
mod tests;

pub use charsmap::Charsmap;
pub use find::{Finder, Found};
pub use normalize::{Bert, Form, Normalizer, Step};
pub use segments::{Added, Pass, Segment, Segments};
pub use sentencepiece::SentencePiece;
pub use split::{Behavior, Flag, Pattern, Split};
pub use stages::{Metaspace, Prepend, Stage, Stages};
