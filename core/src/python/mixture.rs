//! Bindings of [`crate::mixture`]. Numbers cross as native-endian bytes, which numpy reads in place.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use super::buffers::{as_bytes, Borrowed};
use super::encoding::{byte_ids, Splitter};
use super::errors::ConfigError;
use super::progress::Callback;
use crate::bpe::Merge;
use crate::mixture::{self, Merges, Sweep, Table};

type Array<'py> = Bound<'py, PyByteArray>;

/// Words of documents, counted by column.
#[pyclass(module = "tokforge._core")]
pub struct MixtureColumns {
    splitter: Option<Py<Splitter>>,
    columns: mixture::Columns,
}

#[pymethods]
impl MixtureColumns {
    #[new]
    fn new(splitter: Option<Py<Splitter>>, columns: usize, threads: usize) -> Self {
        Self { splitter, columns: mixture::Columns::new(columns, threads) }
    }

    #[pyo3(signature = (column, docs, progress=None))]
    fn add(
        &mut self,
        py: Python<'_>,
        column: usize,
        docs: Vec<Borrowed<u8>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let splitter = self.splitter.as_ref().map(|splitter| &splitter.get().0);
        let docs: Vec<&[u8]> = docs.iter().map(Borrowed::as_slice).collect();
        let columns = &mut self.columns;
        Callback::new(progress).run(py, |progress| columns.add(column, splitter, &docs, progress))
    }

    fn table(&self, py: Python<'_>) -> PyResult<MixtureTable> {
        Ok(MixtureTable(Arc::new(py.detach(|| self.columns.table())?)))
    }
}

/// Distinct words with their counts by column.
#[pyclass(module = "tokforge._core", frozen)]
pub struct MixtureTable(Arc<Table>);

#[pymethods]
impl MixtureTable {
    #[new]
    fn new(
        py: Python<'_>,
        bytes: Borrowed<u8>,
        word_ends: Borrowed<u64>,
        entry_ends: Borrowed<u64>,
        columns: Borrowed<u32>,
        counts: Borrowed<u64>,
        width: usize,
    ) -> PyResult<Self> {
        let parts = Table {
            bytes: bytes.as_slice().to_vec(),
            word_ends: word_ends.as_slice().to_vec(),
            entry_ends: entry_ends.as_slice().to_vec(),
            columns: columns.as_slice().to_vec(),
            counts: counts.as_slice().to_vec(),
        };
        Ok(Self(Arc::new(py.detach(|| Table::from_parts(parts, width))?)))
    }

    #[staticmethod]
    fn joined(tables: Vec<(PyRef<'_, Self>, u32)>) -> PyResult<Self> {
        let tables: Vec<_> = tables.iter().map(|(table, shift)| (&*table.0, *shift)).collect();
        Ok(Self(Arc::new(Table::joined(&tables)?)))
    }

    #[allow(clippy::type_complexity)] // five arrays, named in _core.pyi
    fn parts<'py>(
        &self,
        py: Python<'py>,
    ) -> (Array<'py>, Array<'py>, Array<'py>, Array<'py>, Array<'py>) {
        let table = &*self.0;
        (
            PyByteArray::new(py, &table.bytes),
            PyByteArray::new(py, as_bytes(&table.word_ends)),
            PyByteArray::new(py, as_bytes(&table.entry_ends)),
            PyByteArray::new(py, as_bytes(&table.columns)),
            PyByteArray::new(py, as_bytes(&table.counts)),
        )
    }

    fn __len__(&self) -> usize {
        self.0.word_ends.len()
    }

    #[pyo3(signature = (merges, *, lens, byte_ids, category_of, only=None, progress=None))]
    #[allow(clippy::too_many_arguments)] // keyword-only in Python
    fn replay(
        &self,
        py: Python<'_>,
        merges: Vec<Merge>,
        lens: Vec<u32>,
        byte_ids: Vec<u32>,
        category_of: Vec<u32>,
        only: Option<Vec<(u32, u32)>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<MixtureHistory> {
        let byte_ids = self::byte_ids(&byte_ids)?;
        let list = Merges { merges: &merges, lens: &lens, byte_ids: &byte_ids };
        let history = Callback::new(progress).run(py, |progress| {
            mixture::replay(&self.0, &category_of, &list, only.as_deref(), progress)
        })?;
        Ok(MixtureHistory(history))
    }
}

/// Counts of pairs from merge to merge.
#[pyclass(module = "tokforge._core", frozen)]
pub struct MixtureHistory(mixture::History);

#[pymethods]
impl MixtureHistory {
    fn pairs<'py>(&self, py: Python<'py>) -> Array<'py> {
        let flat: Vec<u32> =
            self.0.pairs().iter().flat_map(|&(left, right)| [left, right]).collect();
        PyByteArray::new(py, as_bytes(&flat))
    }

    fn totals<'py>(&self, py: Python<'py>) -> Array<'py> {
        PyByteArray::new(py, as_bytes(self.0.totals()))
    }

    fn merge_pairs<'py>(&self, py: Python<'py>) -> Array<'py> {
        PyByteArray::new(py, as_bytes(self.0.merge_pairs()))
    }

    fn merge_counts<'py>(&self, py: Python<'py>) -> Array<'py> {
        PyByteArray::new(py, as_bytes(self.0.merge_counts()))
    }

    #[pyo3(signature = (scale, step_slack, pair_slack, *, start, stop, stride, tolerance, per_step, charged=false))]
    #[allow(clippy::too_many_arguments)] // keyword-only in Python
    fn sweep<'py>(
        &self,
        py: Python<'py>,
        scale: Borrowed<f64>,
        step_slack: Borrowed<f64>,
        pair_slack: Borrowed<f64>,
        start: usize,
        stop: usize,
        stride: usize,
        tolerance: f64,
        per_step: usize,
        charged: bool,
    ) -> (Array<'py>, Array<'py>, Array<'py>) {
        let sweep = Sweep {
            scale: scale.as_slice(),
            step_slack: step_slack.as_slice(),
            pair_slack: pair_slack.as_slice(),
            steps: start..stop,
            stride,
            tolerance,
            per_step,
            charged,
        };
        let found = py.detach(|| self.0.sweep(&sweep));
        let steps: Vec<u32> = found.iter().map(|one| one.step).collect();
        let pairs: Vec<u32> = found.iter().map(|one| one.pair).collect();
        let excess: Vec<u64> = found.iter().map(|one| one.excess.to_bits()).collect();
        (
            PyByteArray::new(py, as_bytes(&steps)),
            PyByteArray::new(py, as_bytes(&pairs)),
            PyByteArray::new(py, as_bytes(&excess)),
        )
    }

    fn counts<'py>(
        &self,
        py: Python<'py>,
        steps: Borrowed<u32>,
        pairs: Borrowed<u32>,
    ) -> PyResult<Array<'py>> {
        let (steps, pairs) = (steps.as_slice(), pairs.as_slice());
        if steps.len() != pairs.len() || !steps.is_sorted() {
            let hint = "give each step one pair, steps ascending";
            return Err(ConfigError::new_err(("steps and pairs do not fit each other", hint)));
        }
        let queries: Vec<_> = steps.iter().copied().zip(pairs.iter().copied()).collect();
        let counts: Vec<u64> =
            py.detach(|| self.0.counts(&queries)).into_iter().map(|count| count as u64).collect();
        Ok(PyByteArray::new(py, as_bytes(&counts)))
    }
}
