//! What reading a tokenizer does to every entry of its vocabulary and merges: plain loops over Python's
//! own objects, which in Python itself took longer than parsing the file.
//!
//! Each function tells whether all is well; where not, the caller finds the entry at fault and says so.

use hashbrown::{HashMap, HashSet};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use rustc_hash::FxBuildHasher;

use crate::encode::Merge;

/// Turns each key into the bytes that it spells by `alphabet` (code point -> byte), None where it cannot.
#[pyfunction]
pub fn unspell_all<'py>(
    py: Python<'py>,
    keys: Vec<Bound<'py, PyString>>,
    alphabet: Vec<(char, u8)>,
) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
    let mut bytes: Vec<Option<u8>> = Vec::new();
    for (character, byte) in alphabet {
        let code = character as usize;
        bytes.resize(bytes.len().max(code + 1), None);
        bytes[code] = Some(byte);
    }
    let mut token = Vec::new();
    let mut unspell = |key: &Bound<'py, PyString>| {
        let Ok(key) = key.to_str() else {
            return None;
        };
        token.clear();
        for character in key.chars() {
            token.push((*bytes.get(character as usize)?)?);
        }
        (!token.is_empty()).then(|| PyBytes::new(py, &token))
    };
    Ok(keys.iter().map(&mut unspell).collect())
}

/// Reads merges, pairs of keys or `"a b"`, by a vocabulary: (left, right, merged) ids, and by id whether it
/// takes part in one. A product's key is its parts' end to end, the right one's without its first `cut`
/// bytes. None where an entry is malformed or names a key that is not there.
#[pyfunction]
pub fn read_merges<'py>(
    py: Python<'py>,
    merges: &Bound<'py, PyList>,
    vocab: &Bound<'py, PyDict>,
    cut: usize,
) -> PyResult<Option<(Bound<'py, PyTuple>, Bound<'py, PyBytes>)>> {
    let entries: Vec<(Bound<PyString>, u32)> = vocab
        .iter()
        .map(|(key, id)| Ok((key.cast_into()?, id.extract()?)))
        .collect::<PyResult<_>>()?;
    let mut ids: HashMap<&str, u32, FxBuildHasher> =
        HashMap::with_capacity_and_hasher(entries.len(), FxBuildHasher);
    for (key, id) in &entries {
        if let Ok(key) = key.to_str() {
            ids.insert(key, *id);
        }
    }
    let highest = entries.iter().map(|(_, id)| *id as usize).max().unwrap_or(0);
    let (mut found, mut takes_part) = (Vec::with_capacity(merges.len()), vec![0u8; highest + 1]);
    for entry in merges.iter() {
        let Some(merge) = read_merge(&entry, &ids, cut) else {
            return Ok(None);
        };
        for id in [merge.0, merge.1, merge.2] {
            takes_part[id as usize] = 1;
        }
        found.push(merge);
    }
    Ok(Some((PyTuple::new(py, found)?, PyBytes::new(py, &takes_part))))
}

fn read_merge(
    entry: &Bound<'_, PyAny>,
    ids: &HashMap<&str, u32, FxBuildHasher>,
    cut: usize,
) -> Option<Merge> {
    if let Ok(text) = entry.cast::<PyString>() {
        let (left, right) = text.to_str().ok()?.split_once(' ')?;
        return join(left, right, ids, cut);
    }
    let pair = entry.cast::<PyList>().ok().filter(|pair| pair.len() == 2)?;
    let (left, right) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    let (left, right) = (left.cast::<PyString>().ok()?, right.cast::<PyString>().ok()?);
    join(left.to_str().ok()?, right.to_str().ok()?, ids, cut)
}

fn join(
    left: &str,
    right: &str,
    ids: &HashMap<&str, u32, FxBuildHasher>,
    cut: usize,
) -> Option<Merge> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let product = [left, right.get(cut..)?].concat();
    Some((*ids.get(left)?, *ids.get(right)?, *ids.get(product.as_str())?))
}

/// Whether every merge joins two tokens into a third whose bytes are theirs end to end, no pair twice.
#[pyfunction]
pub fn merges_hold(tokens: Vec<Option<PyBackedBytes>>, merges: Vec<(i64, i64, i64)>) -> bool {
    let mut seen: HashSet<(i64, i64), FxBuildHasher> =
        HashSet::with_capacity_and_hasher(merges.len(), FxBuildHasher);
    let token = |id: i64| tokens.get(usize::try_from(id).ok()?)?.as_deref();
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

/// Whether no two tokens of one kind hold the same bytes and none is empty; kinds are numbers, those from
/// `ordinary` on do not count.
#[pyfunction]
pub fn tokens_differ(tokens: Vec<PyBackedBytes>, kinds: &[u8], ordinary: u8) -> bool {
    let mut seen: HashSet<(&[u8], u8), FxBuildHasher> =
        HashSet::with_capacity_and_hasher(tokens.len(), FxBuildHasher);
    let counted = tokens.iter().zip(kinds).filter(|(_, &kind)| kind < ordinary);
    counted.into_iter().all(|(token, &kind)| !token.is_empty() && seen.insert((token, kind)))
}
