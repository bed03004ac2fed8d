//! Documents, batches and threads: the same ids however the work is cut.

use std::cell::Cell;

use proptest::prelude::*;

use super::{encode, improper, text, train, trained, Vocabulary};
use crate::encode::{Encoder, Pieces, Whole};
use crate::error::{Error, Message};
use crate::progress::{Progress, Silent};

/// Cuts before each `a`; refuses a document with `!` in it.
struct BeforeA;

impl Pieces for BeforeA {
    fn for_each_piece(
        &self,
        data: &[u8],
        f: &mut impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut start = 0;
        for at in 1..=data.len() {
            if data[at - 1] == b'!' {
                return Err(Error::Pattern(Message::new("a !", "leave it out")));
            }
            if at == data.len() || data[at] == b'a' {
                f(start, at)?;
                start = at;
            }
        }
        Ok(())
    }
}

/// Interrupts at the n-th report, and counts them.
struct Interrupts(Cell<u32>);

impl Progress for Interrupts {
    fn report(&self, _: &'static str, done: u64, total: u64) -> Result<(), Error> {
        assert!(done <= total);
        self.0.set(self.0.get().saturating_sub(1));
        if self.0.get() == 0 {
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}

/// Text of which a longer stretch does not repeat: xorshift over `symbols`.
fn noise(symbols: &[u8], len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        symbols[(state >> 32) as usize % symbols.len()]
    };
    (0..len).map(|_| next()).collect()
}

fn vocabulary() -> Vocabulary {
    train(&noise(b"abcd", 2000), 60)
}

fn one_by_one(encoder: &Encoder, pieces: &impl Pieces, docs: &[&[u8]]) -> (Vec<u32>, Vec<u64>) {
    let (mut ids, mut bounds) = (Vec::new(), vec![0]);
    for doc in docs {
        encoder.encode_document(pieces, doc, &mut |_| Ok(()), &mut ids).unwrap();
        bounds.push(ids.len() as u64);
    }
    (ids, bounds)
}

proptest! {
    #[test]
    fn a_document_is_its_pieces(vocabulary in trained(), text in text(4, 80)) {
        let encoder = vocabulary.encoder(false);
        let mut expected = Vec::new();
        let keep = |start, end| -> Result<(), Error> {
            expected.extend(vocabulary.slow(&text[start..end]));
            Ok(())
        };
        BeforeA.for_each_piece(&text, &mut { keep }).unwrap();
        let (ids, offsets) = encoder
            .encode_with_offsets(&BeforeA, &text, &mut |_| Ok(()))
            .unwrap();
        let start = |at: usize| encoder.decode(&expected[..at]).unwrap().len() as u64;
        prop_assert_eq!(&ids, &expected);
        prop_assert_eq!(offsets, (0..ids.len()).map(start).collect::<Vec<_>>());
    }
}

/// Two documents cut into segments of 16 bytes, joined, against the definition.
fn check_joined(vocabulary: &Vocabulary, text: &[u8]) -> Result<(), TestCaseError> {
    let shorter = &text[text.len() / 3..];
    let first = vocabulary.slow(text);
    let bounds = [0, first.len(), first.len() + vocabulary.slow(shorter).len()];
    let expected = ([first, vocabulary.slow(shorter)].concat(), bounds.map(|b| b as u64).to_vec());
    let docs = [text, shorter];
    let joined = vocabulary.encoder(false).encode_batch(&Whole, &docs, 2, &Silent);
    prop_assert_eq!(joined, Ok(expected));
    Ok(())
}

proptest! {
    #[test]
    fn segments_join_for_trained_lists(vocabulary in trained(), text in text(4, 200)) {
        check_joined(&vocabulary, &text)?;
    }

    #[test]
    fn segments_join_for_improper_lists(vocabulary in improper(), text in text(3, 200)) {
        check_joined(&vocabulary, &text)?;
    }

    #[test]
    fn segments_join_in_runs(vocabulary in improper(), text in text(1, 200), head in text(2, 4)) {
        // Runs need never come into step again, and their end depends on their length.
        check_joined(&vocabulary, &[head, text].concat())?;
    }
}

#[test]
fn threads_do_not_change_the_ids() {
    let encoder = vocabulary().encoder(false);
    let long = noise(b"abcd", 40_000);
    let docs: [&[u8]; 5] = [b"abcd", b"", &long, &long[..10], b""];
    let expected = one_by_one(&encoder, &Whole, &docs);
    let split = one_by_one(&encoder, &BeforeA, &docs);
    for threads in [0, 1, 2, 8] {
        let batch = encoder.encode_batch(&Whole, &docs, threads, &Silent);
        assert_eq!(batch, Ok(expected.clone()), "{threads} threads");
        let batch = encoder.encode_batch(&BeforeA, &docs, threads, &Silent);
        assert_eq!(batch, Ok(split.clone()), "{threads} threads");
    }
}

#[test]
fn no_documents_have_one_boundary() {
    let encoder = vocabulary().encoder(false);
    let batch = encoder.encode_batch(&Whole, &[], 2, &Silent);
    assert_eq!(batch, Ok((vec![], vec![0])));
}

#[test]
fn an_interrupt_stops_one_huge_piece() {
    let encoder = vocabulary().encoder(false);
    let doc = noise(b"abcd", 2 << 20);
    for threads in [1, 2] {
        let progress = Interrupts(Cell::new(1));
        let batch = encoder.encode_batch(&Whole, &[&doc], threads, &progress);
        assert_eq!(batch, Err(Error::Interrupted));
    }
}

#[test]
fn a_beat_may_stop_inside_a_piece_and_leaves_the_output_alone() {
    let encoder = vocabulary().encoder(false);
    let doc = noise(b"abcd", 1 << 20);
    let (mut out, mut seen) = (vec![7], 0);
    let beat = &mut |at| {
        seen = at;
        if at > 100_000 {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    };
    let result = encoder.encode_document(&Whole, &doc, beat, &mut out);
    assert_eq!((result, out), (Err(Error::Interrupted), vec![7]));
    assert!(seen < 200_000, "stopped at {seen} only");
}

#[test]
fn a_splitters_error_comes_through_on_every_thread() {
    let encoder = vocabulary().encoder(false);
    let mut bad = noise(b"abcd", 1 << 10);
    bad.push(b'!');
    let good = noise(b"abcd", 2 << 10);
    let docs: [&[u8]; 3] = [&good, &bad, &good];
    for threads in [1, 2, 8] {
        let batch = encoder.encode_batch(&BeforeA, &docs, threads, &Silent);
        assert!(matches!(batch, Err(Error::Pattern(_))), "{threads} threads");
    }
}

#[test]
fn encode_appends() {
    let vocabulary = vocabulary();
    let encoder = vocabulary.encoder(false);
    let mut out = encode(&encoder, b"abab");
    encoder.encode_piece(b"bcd", &mut out);
    let expected = [vocabulary.slow(b"abab"), vocabulary.slow(b"bcd")].concat();
    assert_eq!(out, expected);
}
