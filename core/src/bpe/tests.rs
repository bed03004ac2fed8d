//! The trainer against its slow twin, and where it ends.

use proptest::collection::vec;
use proptest::prelude::*;

use super::counts::count_documents;
use super::reference::train_slow;
use super::room::{occurrence_bytes, Room};
use super::spill::{count_spilling, tables, Spill};
use super::train::{train, Options, Stopped};
use super::{ByteCorpus, Corpus, Order, Rules, SequenceCounts, Vocabulary, WordCounts};
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::Silent;

const FEW: usize = 3;

/// A table of the 256 bytes behind `specials` special tokens.
fn bytes_after(specials: u32, forbidden: &[&[u8]]) -> Vocabulary {
    let special = (0..specials).map(|_| None);
    let bytes = (0..=255u8).map(|byte| Some(vec![byte].into()));
    let ids = std::array::from_fn(|byte| specials + byte as u32);
    let forbidden = forbidden.iter().map(|&bytes| bytes.into()).collect();
    Vocabulary::new(special.chain(bytes).collect(), ids, forbidden).unwrap()
}

fn options(
    extra: usize,
    min_frequency: u64,
    longest: Option<u32>,
    tracked_percent: u64,
) -> Options {
    let vocab_size = 256 + FEW + extra;
    Options {
        vocab_size,
        min_frequency,
        max_token_bytes: longest,
        rules: Rules::default(),
        order: Order::default(),
        rivals: Vec::new(),
        threads: 3,
        tracked_percent,
        memory: None,
        swept_above: 0,
    }
}

/// A bound that leaves room for the fewest occurrences there must be, and `more`.
fn bound(words: &[(Vec<u8>, u64)], more: usize) -> Option<u64> {
    let distinct: std::collections::BTreeSet<_> = words.iter().map(|(word, _)| word).collect();
    // Words, or documents, which may be equal: the larger of the two arrays.
    let all: usize = words.iter().map(|(word, _)| word.len() + 1).sum();
    let places = 1 + all.max(distinct.len());
    let listed = (places / 16 + 1 + more) as u64 * occurrence_bytes(places);
    Some(Room::new(Some(1), 1).fixed::<u16>(places) + listed)
}

fn corpus_of(words: &[(Vec<u8>, u64)]) -> Corpus {
    let mut counts = WordCounts::new();
    words.iter().for_each(|(word, count)| counts.add(word, *count).unwrap());
    Corpus::Words(counts)
}

fn agree(corpus: Corpus, words: &[(Vec<u8>, u64)], options: &Options) {
    let forbidden: &[&[u8]] = &[&[97, 98, 97]];
    let mut table = bytes_after(FEW as u32, forbidden);
    let got = train(corpus, &mut table, &[], options, &Silent).unwrap();
    let sequences = words
        .iter()
        .map(|(word, count)| {
            (word.iter().map(|&byte| u32::from(byte) + FEW as u32).collect(), *count)
        })
        .collect();
    let mut slow_table = bytes_after(FEW as u32, forbidden);
    let expected = train_slow(sequences, &mut slow_table, options);
    let got: Vec<_> = got.merges.into_iter().zip(got.counts).collect();
    assert_eq!(got, expected);
    assert_eq!(table.tokens(), slow_table.tokens());
}

// Two or three letters only: runs (`a a a`) and ties are the hard cases.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(97..99u8, 1..40), vec(97..100u8, 1..24)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn words_agree_with_the_slow_twin(
        words in vec((word(), 1..5u64), 1..12), extra in 0..24usize,
        min_frequency in 0..4u64, longest in prop::option::of(2..9u32), share in 1..100u64,
        swept_above in prop_oneof![Just(0), 1..40u64], more in prop::option::of(0..40usize),
    ) {
        let memory = more.and_then(|more| bound(&words, more));
        agree(corpus_of(&words), &words, &Options { swept_above, memory, ..options(extra, min_frequency, longest, share) });
    }

    #[test]
    fn documents_agree_with_the_slow_twin(
        documents in vec(word(), 1..12), extra in 0..24usize,
        min_frequency in 0..4u64, longest in prop::option::of(2..9u32), share in 1..100u64,
        swept_above in prop_oneof![Just(0), 1..40u64], more in prop::option::of(0..40usize),
    ) {
        let mut corpus = ByteCorpus::default();
        documents.iter().for_each(|document| corpus.add(document));
        let words: Vec<_> = documents.into_iter().map(|document| (document, 1)).collect();
        let memory = more.and_then(|more| bound(&words, more));
        agree(Corpus::Bytes(corpus), &words, &Options { swept_above, memory, ..options(extra, min_frequency, longest, share) });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spilled_words_agree_with_the_slow_twin(
        documents in vec("[ab]{0,3}( [a-d]{1,6}){0,120}", 1..6), threads in 1..5usize, bytes in 0..20_000usize,
    ) {
        let splitter = Splitter::named("gpt2").unwrap();
        let documents: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
        let mut plain = [WordCounts::new()];
        count_documents(&mut plain, &splitter, &documents, 1, &Silent).unwrap();
        let words: Vec<_> = plain[0].iter().map(|(word, count)| (word.to_vec(), count)).collect();
        let spill = Spill::new(&std::env::temp_dir(), false, 0);
        let mut tables = tables(threads, bytes);
        count_spilling(&mut tables, &spill, &splitter, &documents, 1, &Silent).unwrap();
        tables.iter_mut().for_each(|table| spill.take(table).unwrap());
        agree(Corpus::Files(spill.files()), &words, &options(40, 1, None, 50));
    }
}

#[test]
fn documents_that_stay_in_memory_can_be_trained_on() {
    for bytes in [1 << 24, 1 << 28, 1 << 31, 1 << 36] {
        for (threads, vocab_size) in [(1, 300), (16, 300), (1, 1 << 17), (16, 1 << 17)] {
            let places = Room::new(Some(bytes), threads).documents(vocab_size);
            let left = Room::new(Some(bytes - places as u64), threads);
            let listed = if vocab_size == 300 {
                left.listed::<u16>(places + 1, places)
            } else {
                left.listed::<u32>(places + 1, places)
            };
            assert!(listed.is_ok(), "{bytes} {threads} {vocab_size}");
        }
    }
}

#[test]
fn refuses_a_corpus_that_exceeds_its_bound() {
    let options = Options { memory: Some(1 << 20), vocab_size: 300, ..options(0, 1, None, 50) };
    let words = corpus_of(&[(vec![97; 1 << 20], 1)]);
    let refused = train(words, &mut bytes_after(0, &[]), &[], &options, &Silent);
    let Err(Error::Config(message)) = refused else { unreachable!() };
    assert!(message.hint.starts_with("raise memory by"), "{}", message.hint);
}

/// Sequences over a few tokens, some of several letters, one place each in the array.
fn agree_on_sequences(sequences: &[(Vec<usize>, u64)], options: &Options) {
    const TOKENS: [&[u8]; 7] = [b"a", b"b", b" ", b":", b" a", b"ab", b"1"];
    let table = || {
        let mut table = bytes_after(FEW as u32, &[]);
        table.push(u32::from(b' ') + 3, u32::from(b'a') + 3);
        table.push(u32::from(b'a') + 3, u32::from(b'b') + 3);
        table
    };
    let start = table();
    let id =
        |token: &[u8]| start.tokens().iter().position(|t| t.as_deref() == Some(token)).unwrap();
    let known = TOKENS.map(|token| id(token) as u32);
    let ids: Vec<(Vec<u32>, u64)> = sequences
        .iter()
        .map(|(sequence, count)| (sequence.iter().map(|&token| known[token]).collect(), *count))
        .collect();
    // As two threads gather them: some sequences are in both tables.
    let folder = std::env::temp_dir();
    let mut tables = [(); 2].map(|()| SequenceCounts::new(options.vocab_size, &folder).unwrap());
    for (at, (ids, count)) in ids.iter().enumerate() {
        tables[at % 2].add(ids, *count).unwrap();
    }
    let (mut fast, mut slow) = (table(), table());
    let tables = tables.map(|table| table.finish().unwrap());
    let got = train(Corpus::Sequences(tables.into()), &mut fast, &[], options, &Silent).unwrap();
    let got: Vec<_> = got.merges.into_iter().zip(got.counts).collect();
    assert_eq!(got, train_slow(ids, &mut slow, options));
    assert_eq!(fast.tokens(), slow.tokens());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn sequences_agree_with_the_slow_twin(
        sequences in vec((vec(0..7usize, 1..24), 1..5u64), 1..12), extra in 2..24usize,
        min_frequency in 0..4u64, longest in prop::option::of(2..9u32), share in 1..100u64,
        max_words in prop::option::of(1..4u32), excludes: bool, digits_apart: bool, boundless: bool,
    ) {
        let excluded = if excludes { vec![b": ".to_vec(), b"aab".to_vec()] } else { Vec::new() };
        let order = if boundless { Order::Boundless } else { Order::HuggingFace };
        let rules = Rules { max_words, excluded, digits_apart };
        let options = Options { rules, order, ..options(extra, min_frequency, longest, share) };
        agree_on_sequences(&sequences, &options);
    }
}

#[test]
fn rivals_win_ties_and_end_training() {
    // Pairs that occur 9, 5 and 2 times, and room for three tokens.
    let words = [("ab", 9), ("cd", 5), ("ef", 2)].map(|(word, n)| (word.as_bytes().to_vec(), n));
    let learned = |rivals: &[u64]| {
        let options =
            Options { rivals: rivals.to_vec(), vocab_size: 259, ..options(0, 1, None, 16) };
        train(corpus_of(&words), &mut bytes_after(0, &[]), &[], &options, &Silent).unwrap().counts
    };
    assert_eq!(learned(&[7, 6, 5]), [9]);
    assert_eq!(learned(&[7, 4]), [9, 5]);
    assert_eq!(learned(&[1]), [9, 5, 2]);
}

#[test]
fn counts_beyond_32_bits_decide() {
    // In 32 bits both counts of "ab" and "cd" wrap, and "ef" would come first: tokenizers #2058.
    let words = [("ab", (1 << 33) + 1), ("cd", 1 << 33), ("ef", 7)];
    let words: Vec<_> =
        words.iter().map(|(word, count)| (word.as_bytes().to_vec(), *count)).collect();
    let mut table = bytes_after(0, &[]);
    let options = Options { vocab_size: 259, ..options(0, 2, None, 16) };
    let training = train(corpus_of(&words), &mut table, &[], &options, &Silent).unwrap();
    assert_eq!(training.counts, [(1 << 33) + 1, 1 << 33, 7]);
    assert_eq!(training.merges[0], (97, 98, 256));
}

#[test]
fn says_why_it_stopped() {
    let stopped = |text: &[u8], vocab_size, min_frequency| {
        let mut corpus = ByteCorpus::default();
        corpus.add(text);
        let options = Options { vocab_size, ..options(0, min_frequency, None, 16) };
        let mut table = bytes_after(0, &[]);
        train(Corpus::Bytes(corpus), &mut table, &[], &options, &Silent).unwrap().stopped
    };
    assert_eq!(stopped(b"abab", 257, 2), Stopped::VocabSize);
    assert_eq!(stopped(b"ababc", 300, 2), Stopped::MinFrequency);
    assert_eq!(stopped(b"abab", 300, 1), Stopped::Exhausted);
}

#[test]
fn refuses_sizes_below_the_start() {
    let options = Options { vocab_size: 255, ..options(0, 2, None, 16) };
    let corpus = Corpus::Bytes(ByteCorpus::default());
    let refused = train(corpus, &mut bytes_after(0, &[]), &[], &options, &Silent);
    assert!(matches!(refused, Err(Error::Config(_))));
}
