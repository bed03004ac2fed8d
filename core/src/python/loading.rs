//! What reading a tokenizer does to every entry of its vocabulary and merges: plain loops over Python's
//! own objects, which in Python itself took longer than parsing the file.
//!
//! Each function tells whether all is well; where not, the caller finds the entry at fault and says so.

use hashbrown::HashSet;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyString};
use rustc_hash::FxBuildHasher;

use super::buffers::{as_bytes, Borrowed};
use crate::encode::Merge;
use crate::{json, keys, merge_json};

/// Turns each key, a list's or a vocabulary's, into the bytes that it spells by `alphabet` (code point ->
/// byte), None where it cannot.
#[pyfunction]
pub fn unspell_all<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PyAny>,
    alphabet: Vec<(char, u8)>,
) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
    let mut bytes: Vec<Option<u8>> = Vec::new();
    for (character, byte) in alphabet {
        let code = character as usize;
        bytes.resize(bytes.len().max(code + 1), None);
        bytes[code] = Some(byte);
    }
    let mut token = Vec::new();
    let mut unspell = |key: &str| {
        token.clear();
        for character in key.chars() {
            token.push((*bytes.get(character as usize)?)?);
        }
        (!token.is_empty()).then(|| PyBytes::new(py, &token))
    };
    if let Ok(keys) = keys.cast::<Keys>() {
        return Ok(keys.get().0.iter().map(&mut unspell).collect());
    }
    let keys: Vec<Bound<PyString>> = keys.extract()?;
    Ok(keys.iter().map(|key| unspell(key.to_str().ok()?)).collect())
}

/// Merges as Python holds them: u32 numbers end to end, three a merge, or any sequence of triples.
pub struct MergeList(pub Vec<Merge>);

impl<'py> FromPyObject<'_, 'py> for MergeList {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Ok(numbers) = object.extract::<Borrowed<u32>>() else {
            return Ok(Self(object.extract()?));
        };
        let triples = numbers.as_slice().chunks_exact(3);
        Ok(Self(triples.map(|triple| (triple[0], triple[1], triple[2])).collect()))
    }
}

/// Whether no object of a JSON text holds a key twice; false, too, where that is not plain to see.
#[pyfunction]
pub fn keys_differ(text: &str) -> bool {
    json::keys_differ(text)
}

/// A vocabulary that was read from text: a mapping of keys to ids.
#[pyclass(module = "tokforge._core", frozen, mapping)]
pub struct Keys(keys::Keys);

#[pymethods]
impl Keys {
    fn __len__(&self) -> usize {
        self.0.ids().len()
    }

    fn __contains__(&self, key: &str) -> bool {
        self.0.get(key).is_some()
    }

    fn __getitem__(&self, key: &str) -> PyResult<u32> {
        self.0.get(key).ok_or_else(|| PyKeyError::new_err(key.to_owned()))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.keys(py)?.try_iter()
    }

    #[pyo3(signature = (key, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0.get(key) {
            Some(id) => Ok(Some(id.into_pyobject(py)?.into_any())),
            None => Ok(default),
        }
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.iter().collect::<Vec<_>>())
    }

    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.ids())
    }

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items: Vec<_> = self.0.iter().zip(self.0.ids().iter().copied()).collect();
        PyList::new(py, items)
    }

    /// The keys in UTF-8.
    fn encoded<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let all: Vec<_> = self.0.iter().map(|key| PyBytes::new(py, key.as_bytes())).collect();
        PyList::new(py, all)
    }

    /// The highest id and one.
    fn end(&self) -> u64 {
        self.0.ids().iter().max().map_or(0, |&id| u64::from(id) + 1)
    }

    /// Whether the ids are 0, 1, 2 and so on.
    fn is_in_order(&self) -> bool {
        self.0.ids().iter().zip(0..).all(|(&id, place)| id == place)
    }
}

type Span = (usize, usize);
/// The vocabulary with its place, and the place of the merges.
type Parts = (Option<(Keys, Span)>, Option<Span>);

/// The vocabulary of a tokenizer.json's text and its place, and the place of its merges; None where that is
/// not plain to see.
#[pyfunction]
pub fn read_parts(data: &[u8]) -> Option<Parts> {
    let [vocab, merges] = merge_json::spans(data)?;
    let Some(span) = vocab else {
        return Some((None, merges));
    };
    let text = std::str::from_utf8(&data[span.0..span.1]).ok()?;
    Some((Some((Keys(keys::Keys::read(text)?), span)), merges))
}

/// Reads merges by a vocabulary; they are a list of pairs of keys or `"a b"`, or the JSON text of one. Returns
/// u32 ids end to end, three a merge, and by id whether it takes part in one. A product's key is its
/// parts' end to end, the right one's without its first `cut` bytes. None where an entry is malformed or
/// names a key that is not there.
#[pyfunction]
pub fn read_merges<'py>(
    py: Python<'py>,
    merges: &Bound<'py, PyAny>,
    vocab: &Bound<'py, PyAny>,
    cut: usize,
) -> PyResult<Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
    let made;
    let keys = match vocab.cast::<Keys>() {
        Ok(keys) => &keys.get().0,
        Err(_) => {
            made = keys_of(vocab.cast()?)?;
            &made
        }
    };
    let found = match merges.cast::<PyBytes>() {
        Ok(text) => std::str::from_utf8(text.as_bytes())
            .ok()
            .and_then(|text| merge_json::read(text, keys, cut)),
        Err(_) => read_list(merges.cast()?, keys, cut),
    };
    let Some(found) = found else {
        return Ok(None);
    };
    let highest = keys.ids().iter().max().map_or(0, |&id| id as usize);
    let mut takes_part = vec![0u8; highest + 1];
    let numbers: Vec<u32> = found.iter().flat_map(|merge| [merge.0, merge.1, merge.2]).collect();
    for &id in &numbers {
        takes_part[id as usize] = 1;
    }
    Ok(Some((PyBytes::new(py, as_bytes(&numbers)), PyBytes::new(py, &takes_part))))
}

/// A dictionary as `Keys`; keys that are no text of UTF-8 are left out.
fn keys_of(vocab: &Bound<'_, PyDict>) -> PyResult<keys::Keys> {
    let mut keys = keys::Keys::default();
    for (key, id) in vocab.iter() {
        if let Ok(key) = key.cast::<PyString>()?.to_str() {
            keys.insert(key, id.extract()?);
        }
    }
    Ok(keys)
}

fn read_list(merges: &Bound<'_, PyList>, ids: &keys::Keys, cut: usize) -> Option<Vec<Merge>> {
    let mut product = String::new();
    merges.iter().map(|entry| read_merge(&entry, ids, cut, &mut product)).collect()
}

fn read_merge(
    entry: &Bound<'_, PyAny>,
    ids: &keys::Keys,
    cut: usize,
    product: &mut String,
) -> Option<Merge> {
    if let Ok(text) = entry.cast::<PyString>() {
        let pair = text.to_str().ok()?.split_once(' ')?;
        return merge_json::join(pair, ids, cut, product);
    }
    let pair = entry.cast::<PyList>().ok().filter(|pair| pair.len() == 2)?;
    let (left, right) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    let (left, right) = (left.cast::<PyString>().ok()?, right.cast::<PyString>().ok()?);
    merge_json::join((left.to_str().ok()?, right.to_str().ok()?), ids, cut, product)
}

/// Whether every merge joins two tokens into a third whose bytes are theirs end to end, no pair twice.
#[pyfunction]
pub fn merges_hold(tokens: Vec<Option<PyBackedBytes>>, merges: MergeList) -> bool {
    let merges = merges.0;
    let mut seen: HashSet<(u32, u32), FxBuildHasher> =
        HashSet::with_capacity_and_hasher(merges.len(), FxBuildHasher);
    let token = |id: u32| tokens.get(id as usize)?.as_deref();
    merges.into_iter().all(|(left, right, merged)| {
        let (Some(head), Some(tail), Some(whole)) = (token(left), token(right), token(merged))
        else {
            return false;
        };
        whole.len() == head.len() + tail.len()
            && whole.starts_with(head)
            && whole.ends_with(tail)
            && seen.insert((left, right))
    })
}

/// Whether no two tokens of one kind hold the same bytes, none is empty, and those of kind `byte` are one byte;
/// kinds are numbers, those from `ordinary` on do not count.
#[pyfunction]
pub fn tokens_differ(tokens: Vec<PyBackedBytes>, kinds: &[u8], byte: u8, ordinary: u8) -> bool {
    let mut seen: HashSet<(&[u8], u8), FxBuildHasher> =
        HashSet::with_capacity_and_hasher(tokens.len(), FxBuildHasher);
    let counted = tokens.iter().zip(kinds).filter(|(_, &kind)| kind < ordinary);
    counted.into_iter().all(|(token, &kind)| {
        let fits = if kind == byte { token.len() == 1 } else { !token.is_empty() };
        fits && seen.insert((token, kind))
    })
}
