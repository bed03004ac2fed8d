//! Ids that hold whatever follows, against encoding the whole.

use proptest::prelude::*;

use super::*;
use crate::encode::{Pieces, Whole};
use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::Silent;

/// Feeds `parts` one after the other, as a reader of a stream does.
fn in_parts(encoder: &Encoder, pieces: &impl Pieces, parts: &[&[u8]]) -> (Vec<u32>, usize) {
    let (mut ids, mut rest, mut settled) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        rest.extend_from_slice(part);
        let (more, bytes) = encoder.encode_settled(pieces, &rest, 1, &Silent).unwrap();
        ids.extend(more);
        rest.drain(..bytes);
        settled += bytes;
    }
    encoder.encode_document(pieces, &rest, &mut |_| Ok(()), &mut ids).unwrap();
    (ids, settled)
}

proptest! {
    #[test]
    fn parts_of_unsplit_text_give_the_whole_text_s_ids(
        // Few merges, so that the reach is shorter than the parts.
        vocabulary in trained_on(1..12), text in text(3, 400), cut in 0.0..1.0f64,
    ) {
        let cut = (text.len() as f64 * cut) as usize;
        let (ids, _) = in_parts(&vocabulary.encoder(false), &Whole, &[&text[..cut], &text[cut..]]);
        prop_assert_eq!(ids, vocabulary.slow(&text));
    }

    #[test]
    fn improper_lists_are_never_cut_wrongly(
        vocabulary in improper(), ignore_merges: bool, text in text(3, 300), cut in 0.0..1.0f64,
    ) {
        let encoder = vocabulary.encoder(ignore_merges);
        let cut = (text.len() as f64 * cut) as usize;
        let (ids, _) = in_parts(&encoder, &Whole, &[&text[..cut], &text[cut..]]);
        prop_assert_eq!(ids, encode(&encoder, &text));
    }
}

#[test]
fn a_long_text_is_settled_but_for_its_end() {
    let vocabulary = train(b"abcabcabcabdabd", 4);
    let text = b"abcabd".repeat(100);
    let parts: Vec<&[u8]> = text.chunks(50).collect();
    let (ids, settled) = in_parts(&vocabulary.encoder(false), &Whole, &parts);
    assert_eq!(ids, vocabulary.slow(&text));
    assert!(settled > 500, "only {settled} bytes were settled");
}

/// A splitter with safe cuts.
struct Words(Splitter);

impl Pieces for Words {
    fn for_each_piece(
        &self,
        data: &[u8],
        f: &mut impl FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.0.for_each_piece(data, f)
    }

    fn last_safe_cut(&self, data: &[u8]) -> Option<usize> {
        self.0.last_safe_cut(data)
    }
}

#[test]
fn a_split_text_is_settled_up_to_its_last_safe_cut() {
    let vocabulary = train(b"some words and some more words", 20);
    let encoder = vocabulary.encoder(false);
    let words = Words(Splitter::named("gpt2").unwrap());
    let text = b"some words  and\n\nmore  words some";
    let mut expected = Vec::new();
    encoder.encode_document(&words, text, &mut |_| Ok(()), &mut expected).unwrap();
    for cut in 0..text.len() {
        let (ids, _) = in_parts(&encoder, &words, &[&text[..cut], &text[cut..]]);
        assert_eq!(ids, expected, "cut at {cut}");
    }
    let (_, settled) = in_parts(&encoder, &words, &[&text[..20], &text[20..]]);
    assert_eq!(settled, text.len() - " some".len());
}
