//! The engine of tokforge: byte-level BPE training and encoding, and the splitters in front of them.
//!
//! Reading order: [`pretokenizers`] cuts texts into words, [`pipeline`] rewrites text as well, [`bpe`] learns merges from words or from
//! unsplit bytes, [`supertokens`] gathers what tokens across words are learned from, [`encode`] applies merges to new bytes. Plain Rust throughout; the Python module
//! lives in `python/` alone, behind the feature of that name. Nothing here prints, and nothing is
//! global: progress and interruption pass through [`progress::Progress`].

pub mod bpe;
pub mod encode;
pub mod error;
pub mod json;
pub mod keys;
pub mod masking;
pub mod merge_json;
pub mod mixture;
pub mod pipeline;
pub mod pretokenizers;
pub mod progress;
mod recent;
mod short;
pub mod supertokens;

#[cfg(feature = "python")]
mod python;
