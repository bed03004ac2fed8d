//! Every form of BPE against the definition: runs, ties, merges out of order, products made twice,
//! tokens that no order of merges reaches.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::longest_match::LongestMatch;
use super::super::table::{TokenTable, NO_ID};
use super::{encode, improper, text, tied, trained, Vocabulary};

fn check(vocabulary: &Vocabulary, text: &[u8]) -> Result<(), TestCaseError> {
    let expected = vocabulary.slow(text);
    let encoder = vocabulary.encoder(false);
    prop_assert_eq!(&vocabulary.heap(text), &expected);
    prop_assert_eq!(&encode(&encoder, text), &expected);
    prop_assert_eq!(encoder.decode(&expected).unwrap(), text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn all_forms_agree_on_trained_lists(vocabulary in trained(), text in text(4, 80)) {
        check(&vocabulary, &text)?;
    }

    #[test]
    fn all_forms_agree_on_improper_lists(vocabulary in improper(), text in text(3, 60)) {
        check(&vocabulary, &text)?;
    }

    #[test]
    fn all_forms_agree_on_equal_ranks(vocabulary in tied(), text in text(3, 60)) {
        check(&vocabulary, &text)?;
    }

    #[test]
    fn all_forms_agree_on_pruned_lists(
        vocabulary in trained(), text in text(4, 80), keep in vec(any::<bool>(), 40),
    ) {
        let mut pruned = vocabulary;
        let mut keep = keep.into_iter().cycle();
        pruned.merges.retain(|_| keep.next().unwrap());
        check(&pruned, &text)?;
    }

    #[test]
    fn ignore_merges_takes_whole_tokens_first(vocabulary in improper(), text in text(3, 12)) {
        let whole = vocabulary.tokens.iter().position(|t| t.as_ref() == Some(&text));
        let expected = whole.map_or_else(|| vocabulary.slow(&text), |id| vec![id as u32]);
        prop_assert_eq!(encode(&vocabulary.encoder(true), &text), expected);
    }

    #[test]
    fn decode_inverts_encode_on_any_bytes(vocabulary in trained(), bytes in vec(any::<u8>(), 0..300)) {
        let encoder = vocabulary.encoder(false);
        prop_assert_eq!(encoder.decode(&encode(&encoder, &bytes)).unwrap(), bytes);
    }

    #[test]
    fn longest_match_equals_slow(
        // Bytes 0 and 255 too: the root is place 0, and the first byte of a block is label 0.
        tokens in vec(vec(prop_oneof![0..3u8, 254..=255u8], 2..6), 0..40),
        data in vec(prop_oneof![0..3u8, 254..=255u8], 1..12),
    ) {
        let mut tokens: Vec<_> = (0..=255u8).map(|byte| vec![byte]).chain(tokens).collect();
        tokens.sort();
        tokens.dedup();
        let table = TokenTable::new(tokens.iter().map(|t| Some(&t[..]))).unwrap();
        let trie = LongestMatch::new(&table, (0..tokens.len() as u32).collect());
        let prefixes = |of: &[u8]| {
            let mut ids: Vec<_> = (0..tokens.len()).filter(|&id| of.starts_with(&tokens[id])).collect();
            ids.sort_by_key(|&id| tokens[id].len());
            ids
        };
        let mut found = vec![trie.longest(&data)];
        while let Some(&id) = found.last().filter(|&&id| id != NO_ID) {
            found.push(trie.shorter(id));
        }
        found.pop();
        found.reverse();
        prop_assert_eq!(found, prefixes(&data).iter().map(|&id| id as u32).collect::<Vec<_>>());
    }
}
