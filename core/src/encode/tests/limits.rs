//! Long inputs, hostile vocabularies, and what is refused.

use super::{encode, train, Vocabulary};
use crate::encode::Encoder;
use crate::error::Error;

/// Merges over one symbol that pair what is there: a, aa, aaaa, ...
fn doublings(levels: u32) -> Vocabulary {
    let mut vocabulary = Vocabulary::new();
    let mut top = u32::from(b'a') + 3;
    for _ in 0..levels {
        top = vocabulary.merge(top, top, true);
    }
    vocabulary
}

/// Encodes megabytes: a quadratic form would not come back.
fn check_long(vocabulary: &Vocabulary, text: &[u8]) {
    let ids = encode(&vocabulary.encoder(false), text);
    assert!(ids == vocabulary.heap(text));
}

#[test]
fn megabytes_of_one_symbol() {
    check_long(&doublings(12), &vec![b'a'; (1 << 20) + 4095]);
}

#[test]
fn megabytes_of_two_symbols() {
    let vocabulary = train(&b"ab".repeat(300), 12);
    check_long(&vocabulary, &b"ab".repeat(1 << 19));
    check_long(&vocabulary, &b"aab".repeat(1 << 18));
}

#[test]
fn a_choice_that_only_the_end_of_a_staircase_decides() {
    // The rightmost pair merges first, so whether (0, 1) merges depends on the length of the
    // stairs: every second time the search goes wrong at the first byte and sees it at the last.
    let mut vocabulary = Vocabulary::new();
    for byte in (0..250u32).rev() {
        vocabulary.merge(byte + 3, byte + 4, true);
    }
    let stairs = |top: u8| (0..top).collect::<Vec<u8>>();
    let text = [stairs(250), stairs(249), stairs(250), stairs(248)].concat();
    assert_eq!(vocabulary.heap(&text), vocabulary.slow(&text));
    check_long(&vocabulary, &text.repeat(300));
}

#[test]
fn merges_out_of_order_over_megabytes() {
    let mut vocabulary = train(&b"abcab".repeat(20), 12);
    vocabulary.merges.reverse();
    check_long(&vocabulary, &b"abcab".repeat(1 << 14));
}

#[test]
fn a_merge_named_twice_has_its_last_rank() {
    let mut vocabulary = Vocabulary::new();
    let [a, b, c] = [b'a', b'b', b'c'].map(|byte| u32::from(byte) + 3);
    let ab = vocabulary.merge(a, b, true);
    let bc = vocabulary.merge(b, c, true);
    assert_eq!(encode(&vocabulary.encoder(false), b"abc"), [ab, c]);
    vocabulary.merge(a, b, true);
    assert_eq!(encode(&vocabulary.encoder(false), b"abc"), [a, bc]);
}

#[test]
fn an_unreachable_token_is_never_given() {
    let mut vocabulary = Vocabulary::new();
    let [a, b, c] = [b'a', b'b', b'c'].map(|byte| u32::from(byte) + 3);
    let bc = vocabulary.merge(b, c, true);
    let ab = vocabulary.merge(a, b, true);
    let abc = vocabulary.merge(ab, c, true);
    assert_eq!(encode(&vocabulary.encoder(false), b"abc"), [a, bc]);
    assert_eq!(encode(&vocabulary.encoder(true), b"abc"), [abc]);
}

fn refusal(vocabulary: &Vocabulary) -> String {
    let tokens = vocabulary.tokens.iter().map(|token| token.as_deref());
    match Encoder::new(tokens, &vocabulary.merges, None, &vocabulary.byte_ids, false) {
        Err(Error::Format(message)) => message.problem,
        other => panic!("not refused: {:?}", other.err()),
    }
}

#[test]
fn contradictions_are_refused_by_place() {
    let [a, b] = [b'a', b'b'].map(|byte| u32::from(byte) + 3);
    let refused = |change: &dyn Fn(&mut Vocabulary)| {
        let mut vocabulary = Vocabulary::new();
        vocabulary.merge(a, b, true);
        change(&mut vocabulary);
        refusal(&vocabulary)
    };
    assert_eq!(
        refused(&|v| v.merges.push((a, 9999, 259))),
        "merge 1 (100, 9999) -> 259: id 9999 has no bytes in the vocabulary"
    );
    assert_eq!(
        refused(&|v| v.merges.push((0, a, 259))),
        "merge 1 (0, 100) -> 259: id 0 has no bytes in the vocabulary"
    );
    assert_eq!(
        refused(&|v| v.merges.push((b, a, 259))),
        "merge 1 (101, 100) -> 259: the product's bytes are not the parts' bytes"
    );
    assert_eq!(
        refused(&|v| v.byte_ids[0] = a),
        "id 100 is given for byte 0x00 but is not that byte's token"
    );
    assert_eq!(
        refused(&|v| v.tokens[5] = None),
        "id 5 is given for byte 0x02 but is not that byte's token"
    );
}

#[test]
fn ids_without_bytes_are_refused_on_decode() {
    let encoder = Vocabulary::new().encoder(false);
    let refused = |ids: &[u32]| encoder.decode(ids).unwrap_err().to_string();
    assert_eq!(
        refused(&[100, 259, 9]),
        "id 259 at position 1 is out of range (valid ids are 0 to 258)"
    );
    assert_eq!(
        refused(&[100, 101, 2]),
        "id 2 at position 2 has no bytes: it is special or unused (leave out special ids before decoding)"
    );
    assert_eq!(
        refused(&[u32::MAX]).split(" (").next(),
        Some("id 4294967295 at position 0 is out of range")
    );
}
