//! The trainer learns what its slow twin learns, from words and from unsplit documents.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::bpe::{
    train, vocabulary, ByteCorpus, Corpus, Merge, Options, Order, Rules, Vocabulary, WordCounts,
};
use tokforge_core::progress::Silent;

// The twin's own names for what it needs of the engine.
mod queue {
    pub use tokforge_core::bpe::Order;
}
mod veto {
    pub use tokforge_core::bpe::Rules;
}
#[path = "../../src/bpe/reference.rs"]
mod reference;

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    documents: Vec<&'a [u8]>,
    words: bool,
    counts: Vec<u32>,
    merges: u8,
    min_frequency: u8,
    longest: Option<u8>,
    share: u8,
    threads: u8,
    swept_above: u8,
    forbidden: Vec<&'a [u8]>,
}

fn table(forbidden: &[&[u8]]) -> Vocabulary {
    let bytes = (0..=255u8).map(|byte| Some(vec![byte].into()));
    let forbidden = forbidden.iter().map(|&bytes| bytes.into()).collect();
    Vocabulary::new(bytes.collect(), std::array::from_fn(|byte| byte as u32), forbidden).unwrap()
}

fuzz_target!(|case: Case| {
    // The twin is quadratic and recurses: sizes at which a case takes well under a millisecond.
    let documents: Vec<_> = case
        .documents
        .iter()
        .take(16)
        .map(|one| &one[..one.len().min(64)])
        .filter(|one| !one.is_empty())
        .collect();
    let options = Options {
        vocab_size: 256 + usize::from(case.merges % 48),
        min_frequency: u64::from(case.min_frequency % 5),
        max_token_bytes: case.longest.map(|most| 2 + u32::from(most % 16)),
        rules: Rules::default(),
        order: Order::default(),
        rivals: Vec::new(),
        memory: None,
        swept_above: u64::from(case.swept_above),
        threads: 1 + usize::from(case.threads % 4),
        tracked_percent: 1 + u64::from(case.share % 100),
    };
    let count = |at: usize| {
        if case.words {
            u64::from(case.counts.get(at).copied().unwrap_or(1).max(1))
        } else {
            1
        }
    };
    let sequences = documents
        .iter()
        .enumerate()
        .map(|(at, one)| (one.iter().map(|&byte| u32::from(byte)).collect(), count(at)));
    let corpus = if case.words {
        let mut counts = WordCounts::new();
        documents.iter().enumerate().for_each(|(at, one)| counts.add(one, count(at)).unwrap());
        Corpus::Words(counts)
    } else {
        let mut corpus = ByteCorpus::default();
        documents.iter().for_each(|one| corpus.add(one));
        Corpus::Bytes(corpus)
    };
    let (mut fast, mut slow) = (table(&case.forbidden), table(&case.forbidden));
    let expected = reference::train_slow(sequences.collect(), &mut slow, &options);
    let got = train(corpus, &mut fast, &[], &options, &Silent).unwrap();
    let got: Vec<_> = got.merges.into_iter().zip(got.counts).collect();
    assert_eq!(got, expected);
    assert_eq!(fast.tokens(), slow.tokens());
});
