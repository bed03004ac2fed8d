//! Training in phases against training on one array: the same merges, counts, sums and end.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::disk::{Documents, Gathered};
use super::phases::train_on_disk;
use super::train::{train, Options, Training};
use super::{ByteCorpus, Corpus, Merge, Order, Rules, Vocabulary};
use crate::error::Error;
use crate::progress::Silent;

fn table() -> Vocabulary {
    let bytes = (0..=255u8).map(|byte| Some(vec![byte].into())).collect();
    let forbidden = vec![b"aba"[..].into()];
    Vocabulary::new(bytes, std::array::from_fn(|byte| byte as u32), forbidden).unwrap()
}

fn options(vocab_size: usize, min_frequency: u64, longest: Option<u32>) -> Options {
    Options {
        vocab_size,
        min_frequency,
        max_token_bytes: longest,
        rules: Rules::default(),
        order: Order::default(),
        rivals: Vec::new(),
        threads: 2,
        tracked_percent: 50,
        memory: None,
        swept_above: 0,
    }
}

fn on_disk(documents: &[Vec<u8>], in_memory: usize) -> Documents {
    let mut gathered = Gathered::new(1 << 20, in_memory, Path::new(&std::env::temp_dir()));
    for document in documents {
        for part in document.chunks(7) {
            gathered.extend(part).unwrap();
        }
        gathered.end();
    }
    gathered.finish()
}

fn in_array(documents: &[Vec<u8>]) -> Corpus {
    let mut corpus = ByteCorpus::default();
    documents.iter().for_each(|document| corpus.add(document));
    Corpus::Bytes(corpus)
}

type Outcome = (Vec<Merge>, Vec<u64>, Vec<u64>, String);

fn told(training: Training) -> Outcome {
    let Training { merges, counts, tokens, stopped } = training;
    (merges, counts, tokens, format!("{stopped:?}"))
}

/// Trains on `documents` behind the merges that `before` teaches, in an array and on disk.
fn agree(documents: &[Vec<u8>], before: &[Vec<u8>], in_memory: usize, options: &Options) {
    let mut first = table();
    let learned = Options { vocab_size: 256 + 6, memory: None, ..options.clone() };
    let merges = train(in_array(before), &mut first, &[], &learned, &Silent).unwrap().merges;
    let (mut plain, mut phased) = (first.clone(), first);
    let unbounded = Options { memory: None, ..options.clone() };
    let expected = train(in_array(documents), &mut plain, &merges, &unbounded, &Silent).unwrap();
    let Documents::OnDisk(corpus) = on_disk(documents, in_memory) else { return };
    match train_on_disk(corpus, &mut phased, &merges, options, &Silent) {
        Ok(got) => {
            assert_eq!(told(got), told(expected));
            assert_eq!(phased.tokens(), plain.tokens());
        }
        // A bound may be too small, but says so.
        Err(error) => assert!(options.memory.is_some() && matches!(error, Error::Config(_))),
    }
}

// Runs (`a a a`), ties and islands that grow together are the hard cases.
fn document() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(97..99u8, 0..60), vec(97..103u8, 0..200), vec(0..=255u8, 0..9)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn phases_agree_with_one_array(
        documents in vec(document(), 1..12), before in vec(document(), 0..3), extra in 7..60usize,
        min_frequency in 0..4u64, longest in prop::option::of(2..9u32), in_memory in 0..60usize,
        memory in prop::option::of(1000..60_000u64),
    ) {
        let options = Options { memory, ..options(256 + extra, min_frequency, longest) };
        agree(&documents, &before, in_memory, &options);
    }
}

#[test]
fn wide_ids_agree() {
    let documents = [b"abcabcabdabdab".repeat(9), b"xyxyx".to_vec()];
    agree(&documents, &[], 0, &options(70_000, 1, None));
}

#[test]
fn few_documents_stay_in_memory() {
    assert!(matches!(on_disk(&[b"abc".to_vec()], 3), Documents::InMemory(_)));
    assert!(matches!(on_disk(&[b"abc".to_vec()], 2), Documents::OnDisk(_)));
}
