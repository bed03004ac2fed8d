//! The other models on any vocabulary and text: ids of the vocabulary, whatever the text is.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use tokforge_core::encode::{
    CharacterBpe, Documents, Model, ModelEncoder, Unigram, Unknown, WordLevel, WordPiece,
};
use tokforge_core::pipeline::{Segments, Stages};
use tokforge_core::progress::Silent;

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    kind: u8,
    tokens: Vec<Option<&'a [u8]>>,
    scores: Vec<f32>,
    merges: Vec<(u8, u8, u8)>,
    user_defined: Vec<u8>,
    falls_back: bool,
    fuse_unk: bool,
    single_precision: bool,
    text: &'a [u8],
}

fuzz_target!(|case: Case| {
    let tokens: Vec<Option<&[u8]>> = case.tokens.iter().copied().take(200).collect();
    let size = tokens.len() as u32;
    if size == 0 {
        return;
    }
    let all = || tokens.iter().copied();
    let id = |n: u8| u32::from(n) % size;
    let user_defined: Vec<u32> = case.user_defined.iter().take(8).map(|&n| id(n)).collect();
    let byte_ids =
        std::array::from_fn(|byte| if byte % 7 == 3 { u32::MAX } else { id(byte as u8) });
    let unknown = Unknown {
        byte_ids: case.falls_back.then(|| Box::new(byte_ids)),
        unk_id: Some(0),
        fuse_unk: case.fuse_unk,
    };
    let model = match case.kind % 4 {
        0 => {
            let merges: Vec<_> =
                case.merges.iter().take(64).map(|&(a, b, c)| (id(a), id(b), id(c))).collect();
            CharacterBpe::new(all(), &merges, None, case.fuse_unk, &user_defined, unknown)
                .map(Model::Characters)
        }
        1 => {
            let finite = |score: f32| if score.is_finite() { f64::from(score) } else { 0.0 };
            let scores: Vec<_> = case.scores.iter().map(|&score| Some(finite(score))).collect();
            Unigram::new(all(), &scores, -10.0, case.single_precision, &user_defined, unknown)
                .map(Model::Unigram)
        }
        2 => WordPiece::new(all(), all(), 0, 20).map(Model::WordPiece),
        _ => WordLevel::new(all(), 0).map(Model::WordLevel),
    };
    let Ok(model) = model else { return };
    let encoder = ModelEncoder { model, stages: Stages::default() };
    let segments = Segments::default();
    let documents = Documents { texts: &[case.text], segments: &segments, counts: &[] };
    let (ids, _) = encoder.encode_batch(documents, 1, &Silent).unwrap();
    assert!(ids.iter().all(|&id| id < size), "{ids:?}");
});
