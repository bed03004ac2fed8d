//! Bindings of the models of [`crate::encode`] behind a [`crate::pipeline`].

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyTuple};

use super::buffers::{as_bytes, Borrowed};
use super::encoding::{byte_ids, Tokens};
use super::loading::MergeList;
use super::pipeline::{stages, Segmenter};
use super::progress::Callback;
use crate::encode::{
    AffixBpe, CharacterBpe, Documents, Encoder, Model, ModelEncoder as Inner, Parts, SomeBytes,
    Unigram, Unknown, WordLevel, WordPiece,
};
use crate::pipeline::Segments;

type Specs<'py> = Vec<Bound<'py, PyTuple>>;

/// A model and the stages before it.
#[pyclass(module = "tokforge._core", frozen)]
pub struct ModelEncoder(Inner);

fn unknown(ids: Option<Vec<u32>>, unk_id: Option<u32>, fuse_unk: bool) -> PyResult<Unknown> {
    let byte_ids = ids.map(|ids| byte_ids(&ids).map(Box::new)).transpose()?;
    Ok(Unknown { byte_ids, unk_id, fuse_unk })
}

fn behind(specs: Specs, model: Model) -> PyResult<ModelEncoder> {
    Ok(ModelEncoder(Inner { model, stages: stages(&specs)? }))
}

#[pymethods]
impl ModelEncoder {
    #[staticmethod]
    #[pyo3(signature = (specs, tokens, merges, *, byte_ids, lost, ranks=None, ignore_merges=false))]
    fn bytes(
        specs: Specs,
        tokens: Tokens,
        merges: MergeList,
        byte_ids: Vec<u32>,
        lost: &[u8],
        ranks: Option<Vec<u32>>,
        ignore_merges: bool,
    ) -> PyResult<Self> {
        let ids = super::encoding::byte_ids(&byte_ids)?;
        let encoder =
            Encoder::new(tokens.iter(), &merges.0, ranks.as_deref(), &ids, ignore_merges)?;
        if lost.is_empty() {
            return behind(specs, Model::Bytes(encoder));
        }
        let mut is_lost = Box::new([false; 256]);
        lost.iter().for_each(|&byte| is_lost[usize::from(byte)] = true);
        behind(specs, Model::SomeBytes(SomeBytes { encoder, is_lost }))
    }

    #[staticmethod]
    #[pyo3(signature = (specs, tokens, merges, *, ranks, ignore_merges, user_defined, byte_ids, unk_id, fuse_unk))]
    #[expect(clippy::too_many_arguments, reason = "one a field of the model")]
    fn characters(
        specs: Specs,
        tokens: Tokens,
        merges: MergeList,
        ranks: Option<Vec<u32>>,
        ignore_merges: bool,
        user_defined: Vec<u32>,
        byte_ids: Option<Vec<u32>>,
        unk_id: Option<u32>,
        fuse_unk: bool,
    ) -> PyResult<Self> {
        let unknown = unknown(byte_ids, unk_id, fuse_unk)?;
        let ranks = ranks.as_deref();
        let bpe = CharacterBpe::new(
            tokens.iter(),
            &merges.0,
            ranks,
            ignore_merges,
            &user_defined,
            unknown,
        )?;
        behind(specs, Model::Characters(bpe))
    }

    #[staticmethod]
    #[pyo3(signature = (specs, spelled, merges, *, ranks, ignore_merges, by_bytes, prefix, suffix, byte_ids, unk_id, fuse_unk))]
    #[expect(clippy::too_many_arguments, reason = "one a field of the model")]
    fn affixes(
        specs: Specs,
        spelled: Tokens,
        merges: MergeList,
        ranks: Option<Vec<u32>>,
        ignore_merges: bool,
        by_bytes: bool,
        prefix: &str,
        suffix: &str,
        byte_ids: Option<Vec<u32>>,
        unk_id: Option<u32>,
        fuse_unk: bool,
    ) -> PyResult<Self> {
        let bpe = AffixBpe::new(
            spelled.iter(),
            &merges.0,
            ranks.as_deref(),
            ignore_merges,
            by_bytes,
            prefix.as_bytes(),
            suffix.as_bytes(),
            unknown(byte_ids, unk_id, fuse_unk)?,
        )?;
        behind(specs, Model::Affixes(bpe))
    }

    #[staticmethod]
    #[pyo3(signature = (specs, tokens, scores, *, unk_score, single_precision, user_defined, byte_ids, unk_id, fuse_unk))]
    #[expect(clippy::too_many_arguments, reason = "one a field of the model")]
    fn unigram(
        specs: Specs,
        tokens: Tokens,
        scores: Vec<Option<f64>>,
        unk_score: f64,
        single_precision: bool,
        user_defined: Vec<u32>,
        byte_ids: Option<Vec<u32>>,
        unk_id: Option<u32>,
        fuse_unk: bool,
    ) -> PyResult<Self> {
        let unknown = unknown(byte_ids, unk_id, fuse_unk)?;
        let model = Unigram::new(
            tokens.iter(),
            &scores,
            unk_score,
            single_precision,
            &user_defined,
            unknown,
        )?;
        behind(specs, Model::Unigram(model))
    }

    #[staticmethod]
    #[pyo3(signature = (specs, first, inner, *, unk_id, max_characters))]
    fn word_piece(
        specs: Specs,
        first: Tokens,
        inner: Tokens,
        unk_id: u32,
        max_characters: usize,
    ) -> PyResult<Self> {
        let words = WordPiece::new(first.iter(), inner.iter(), unk_id, max_characters)?;
        behind(specs, Model::WordPiece(words))
    }

    #[staticmethod]
    #[pyo3(signature = (specs, tokens, *, unk_id))]
    fn word_level(specs: Specs, tokens: Tokens, unk_id: u32) -> PyResult<Self> {
        behind(specs, Model::WordLevel(WordLevel::new(tokens.iter(), unk_id)?))
    }

    #[pyo3(signature = (texts, threads, *, segmenter=None, counts=None))]
    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Borrowed<u8>>,
        threads: usize,
        segmenter: Option<&Segmenter>,
        counts: Option<&[u8]>,
    ) -> PyResult<(Bound<'py, PyByteArray>, Bound<'py, PyByteArray>)> {
        let texts: Vec<&[u8]> = texts.iter().map(Borrowed::as_slice).collect();
        let nothing = Segments::default();
        let counts: Vec<bool> = counts.unwrap_or_default().iter().map(|&count| count > 0).collect();
        let segments = segmenter.map_or(&nothing, |segmenter| &segmenter.0);
        let documents = Documents { texts: &texts, segments, counts: &counts };
        let (ids, bounds) = Callback::new(None).run(py, |progress| {
            self.0.encode_batch(documents, &mut Parts::default(), threads, progress)
        })?;
        Ok((PyByteArray::new(py, as_bytes(&ids)), PyByteArray::new(py, as_bytes(&bounds))))
    }

    #[pyo3(signature = (texts, threads, *, segmenter, counts, guard, sum=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "those of encode_batch, and how parts hang together"
    )]
    fn encode_parts<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Borrowed<u8>>,
        threads: usize,
        segmenter: &Segmenter,
        counts: &[u8],
        guard: &[u8],
        sum: Option<f64>,
    ) -> PyResult<(Bound<'py, PyByteArray>, Option<f64>)> {
        let texts: Vec<&[u8]> = texts.iter().map(Borrowed::as_slice).collect();
        let counts: Vec<bool> = counts.iter().map(|&count| count > 0).collect();
        let documents = Documents { texts: &texts, segments: &segmenter.0, counts: &counts };
        let mut parts = Parts { guard, sum };
        let (ids, _) = Callback::new(None)
            .run(py, |progress| self.0.encode_batch(documents, &mut parts, threads, progress))?;
        Ok((PyByteArray::new(py, as_bytes(&ids)), parts.sum))
    }
}
