//! A charsmap of any bytes: refused, or applied to any text; sentencepiece's normaliser with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokforge_core::encode::TextMatch;
use tokforge_core::pipeline::{Charsmap, Normalizer, SentencePiece, Step};

fuzz_target!(|input: (&[u8], u8, Vec<&[u8]>, &[u8])| {
    let (map, flags, user_defined, text) = input;
    let Ok(charsmap) = Charsmap::new(map) else { return };
    let has = |bit: u8| flags >> bit & 1 == 1;
    let step = if has(0) {
        Step::Precompiled(charsmap)
    } else {
        Step::SentencePiece(Box::new(SentencePiece {
            charsmap: Some(charsmap),
            add_dummy_prefix: has(1),
            remove_extra_whitespaces: has(2),
            escape_whitespaces: has(3),
            treat_whitespace_as_suffix: has(4),
            user_defined: TextMatch::new(user_defined.into_iter().take(4)).ok(),
        }))
    };
    Normalizer::new(vec![step]).apply(text).unwrap();
});
