//! Bindings of [`crate::pipeline`]: specs, tuples that begin with a name, become steps and stages.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::buffers::Borrowed;
use super::encoding::stage_of;
use crate::encode::{character_len, TextMatch};
use crate::error::{Error, Message};
use crate::pipeline::{
    self, Behavior, Bert, Charsmap, Flag, Form, Metaspace, Pattern, Prepend, SentencePiece, Split,
    Stage, Step,
};
use crate::pretokenizers::Regex;

/// Text to text.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Normalizer(pipeline::Normalizer);

#[pymethods]
impl Normalizer {
    #[new]
    fn new(steps: Vec<Bound<'_, PyTuple>>) -> PyResult<Self> {
        let steps = steps.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self(pipeline::Normalizer::new(steps)))
    }

    fn apply<'py>(&self, py: Python<'py>, data: Borrowed<u8>) -> PyResult<Bound<'py, PyBytes>> {
        let data = data.as_slice();
        let changed: Cow<[u8]> = py.detach(|| self.0.apply(data))?;
        Ok(PyBytes::new(py, &changed))
    }
}

/// Stages of a pre-tokenizer.
pub fn stages(specs: &[Bound<'_, PyTuple>]) -> PyResult<pipeline::Stages> {
    Ok(pipeline::Stages::new(specs.iter().map(stage).collect::<Result<_, _>>()?))
}

/// Cuts text as a model behind `stages` would: for comparing pieces.
#[pyfunction]
pub fn cut_pieces<'py>(
    py: Python<'py>,
    specs: Vec<Bound<'py, PyTuple>>,
    text: &[u8],
    at_start: bool,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let stages = stages(&specs)?;
    let mut pieces = Vec::new();
    stages.for_each_piece(text, origin(text, at_start), &mut |piece| {
        pieces.push(PyBytes::new(py, piece));
        Ok(())
    })?;
    Ok(pieces)
}

/// Bytes of the first character, if it is the document's.
fn origin(text: &[u8], at_start: bool) -> usize {
    if at_start && !text.is_empty() {
        character_len(text)
    } else {
        0
    }
}

/// Cuts `text` by one stage that keeps or drops text, and rewrites none: the (start, end) of each piece.
#[pyfunction]
pub fn cut_spans(spec: &Bound<'_, PyTuple>, text: &[u8]) -> PyResult<Vec<(usize, usize)>> {
    let mut spans = Vec::new();
    pipeline::Stages::new(vec![stage(spec)?]).for_each_piece(text, 0, &mut |piece| {
        // A piece is a part of the text, so that its address tells its place; one that is not lies outside.
        let start = (piece.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        if start >= text.len() {
            return Err(Error::Config(Message::new("this stage rewrites text", "cut its pieces")));
        }
        spans.push((start, start + piece.len()));
        Ok(())
    })?;
    Ok(spans)
}

/// What one step makes of `text`: see [`Step::changes`].
#[pyfunction]
pub fn normalizer_changes(
    spec: &Bound<'_, PyTuple>,
    text: &str,
) -> PyResult<Option<Vec<(char, isize)>>> {
    Ok(step(spec)?.changes(text))
}

/// What sentencepiece's normaliser makes of `text`, and the places: see [`SentencePiece::places`].
#[pyfunction]
pub fn sentencepiece_places<'py>(
    py: Python<'py>,
    spec: &Bound<'py, PyTuple>,
    text: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Vec<usize>)> {
    let (made, places) = sentence_piece(spec)?.places(text);
    Ok((PyBytes::new(py, &made), places))
}

/// Whether a text that a charsmap replaces holds one of `separators` behind its first place.
#[pyfunction]
pub fn charsmap_holds_inside(charsmap: &[u8], separators: &[u8]) -> PyResult<bool> {
    Ok(!charsmap.is_empty() && Charsmap::new(charsmap)?.holds_inside(separators))
}

fn step(spec: &Bound<'_, PyTuple>) -> PyResult<Step> {
    let name: String = spec.get_item(0)?.extract()?;
    let at = |index: usize| spec.get_item(index);
    Ok(match name.as_str() {
        "NFC" => Step::Form(Form::Nfc),
        "NFD" => Step::Form(Form::Nfd),
        "NFKC" => Step::Form(Form::Nfkc),
        "NFKD" => Step::Form(Form::Nfkd),
        "prepend" => Step::Prepend(bytes_of(&at(1)?)?),
        "replace" => Step::Replace(pattern(&at(1)?, at(2)?.extract()?)?, bytes_of(&at(3)?)?),
        "strip" => Step::Strip(at(1)?.extract()?, at(2)?.extract()?),
        "lowercase" => Step::Lowercase,
        "strip_accents" => Step::StripAccents,
        "nmt" => Step::Nmt,
        "bert" => Step::Bert(Bert {
            clean_text: at(1)?.extract()?,
            handle_chinese_chars: at(2)?.extract()?,
            strip_accents: at(3)?.extract()?,
            lowercase: at(4)?.extract()?,
        }),
        "precompiled" => Step::Precompiled(Charsmap::new(at(1)?.extract()?)?),
        "sentencepiece" => Step::SentencePiece(Box::new(sentence_piece(spec)?)),
        _ => return Err(unknown("step", &name).into()),
    })
}

fn sentence_piece(spec: &Bound<'_, PyTuple>) -> PyResult<SentencePiece> {
    let item = spec.get_item(1)?;
    let charsmap: &[u8] = item.extract()?;
    let flag = |index: usize| spec.get_item(index)?.extract();
    let texts: Vec<String> = spec.get_item(6)?.extract()?;
    let texts = texts.iter().map(String::as_bytes);
    let user_defined = if texts.len() > 0 { Some(TextMatch::new(texts)?) } else { None };
    Ok(SentencePiece {
        charsmap: if charsmap.is_empty() { None } else { Some(Charsmap::new(charsmap)?) },
        add_dummy_prefix: flag(2)?,
        remove_extra_whitespaces: flag(3)?,
        escape_whitespaces: flag(4)?,
        treat_whitespace_as_suffix: flag(5)?,
        user_defined,
    })
}

fn stage(spec: &Bound<'_, PyTuple>) -> PyResult<Stage> {
    let name: String = spec.get_item(0)?.extract()?;
    let at = |index: usize| spec.get_item(index);
    Ok(match name.as_str() {
        "splitter" => Stage::Splitter(stage_of(&at(1)?.extract::<String>()?)?),
        "split" => Stage::Split(Split {
            pattern: pattern(&at(1)?, at(2)?.extract()?)?,
            behavior: behavior(&at(3)?.extract::<String>()?)?,
            invert: at(4)?.extract()?,
        }),
        "class" => Stage::Split(Split {
            pattern: class(&at(1)?.extract::<String>()?)?,
            behavior: behavior(&at(2)?.extract::<String>()?)?,
            invert: false,
        }),
        "words" => Stage::Words { punctuation: at(1)?.extract()? },
        "runs" => Stage::Runs,
        "metaspace" => Stage::Metaspace(Metaspace {
            replacement: bytes_of(&at(1)?)?,
            prepend: prepend(&at(2)?.extract::<String>()?)?,
            split: at(3)?.extract()?,
        }),
        "prefix_space" => Stage::PrefixSpace,
        _ => return Err(unknown("stage", &name).into()),
    })
}

fn bytes_of(text: &Bound<'_, PyAny>) -> PyResult<Box<[u8]>> {
    Ok(text.extract::<String>()?.into_bytes().into())
}

fn pattern(text: &Bound<'_, PyAny>, is_regex: bool) -> PyResult<Pattern> {
    let text: String = text.extract()?;
    Ok(match is_regex {
        true => Pattern::Regex(Regex::new(&text)?),
        false => Pattern::Literal(text.into_bytes().into()),
    })
}

fn class(name: &str) -> Result<Pattern, Error> {
    Ok(Pattern::of_class(match name {
        "punctuation" => Flag::Punctuation,
        "numeric" => Flag::Numeric,
        _ => return Err(unknown("class", name)),
    }))
}

fn behavior(name: &str) -> Result<Behavior, Error> {
    Ok(match name {
        "isolated" => Behavior::Isolated,
        "removed" => Behavior::Removed,
        "merged_with_previous" => Behavior::MergedWithPrevious,
        "merged_with_next" => Behavior::MergedWithNext,
        "contiguous" => Behavior::Contiguous,
        _ => return Err(unknown("behaviour", name)),
    })
}

fn prepend(name: &str) -> Result<Prepend, Error> {
    Ok(match name {
        "always" => Prepend::Always,
        "first" => Prepend::First,
        "never" => Prepend::Never,
        _ => return Err(unknown("prepend scheme", name)),
    })
}

fn unknown(what: &str, name: &str) -> Error {
    let problem = format!("the engine has no {what} {name:?}");
    Error::UnknownName(Message::new(problem, "use one of its documented names"))
}

/// Finds added tokens and normalises what lies between.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Segmenter(pub pipeline::Segments);

/// Text, id, whether it is found in normalised text, lstrip, rstrip, single_word.
type AddedToken = (Vec<u8>, u32, bool, bool, bool, bool);

#[pymethods]
impl Segmenter {
    #[new]
    fn new(steps: Vec<Bound<'_, PyTuple>>, tokens: Vec<AddedToken>) -> PyResult<Self> {
        let (mut raw, mut normalized) = (Vec::new(), Vec::new());
        for (place, (text, id, in_normalized, lstrip, rstrip, single_word)) in
            tokens.into_iter().enumerate()
        {
            let token = pipeline::Added { id, place, lstrip, rstrip, single_word };
            if in_normalized { &mut normalized } else { &mut raw }.push((text, token));
        }
        let steps = steps.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self(pipeline::Segments {
            raw: pipeline::Pass::new(&raw)?,
            normalizer: pipeline::Normalizer::new(steps),
            normalized: pipeline::Pass::new(&normalized)?,
        }))
    }
}

/// Finds fixed texts.
#[pyclass(module = "tokforge._core", frozen)]
pub struct Finder(pipeline::Finder);

#[pymethods]
impl Finder {
    #[new]
    fn new(texts: Vec<Vec<u8>>) -> PyResult<Self> {
        Ok(Self(pipeline::Finder::new(texts.iter().map(Vec::as_slice))?))
    }

    fn find(&self, py: Python<'_>, data: Borrowed<u8>) -> Vec<(usize, usize, u32, bool)> {
        let data = data.as_slice();
        let found = py.detach(|| self.0.find(data));
        let tuple = |f: pipeline::Found| (f.range.start, f.range.end, f.index, f.touches_word);
        found.into_iter().map(tuple).collect()
    }
}
