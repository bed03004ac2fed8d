//! Words change the speed of encoding a piece, never the result.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::WordCache;
use super::{encode, improper, trained};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn words_give_what_the_piece_gives(
        vocabulary in prop_oneof![trained(), improper()],
        pieces in vec(vec(97..100u8, 1..30), 1..5), cuts in vec(1..6usize, 1..30),
    ) {
        let encoder = vocabulary.encoder(false);
        let mut cache = WordCache::new(1 << 10);
        for piece in &pieces {
            let ends = cuts.iter().scan(0, |end, len| { *end += len; Some(*end) });
            let mut ends: Vec<usize> = ends.take_while(|&end| end < piece.len()).collect();
            ends.push(piece.len());
            let mut words = vec![7];
            encoder.encode_by_words(piece, &ends, &mut cache, &mut words);
            prop_assert_eq!(&words[1..], encode(&encoder, piece));
        }
    }
}
