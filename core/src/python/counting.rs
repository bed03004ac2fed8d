//! Bindings of the counting half of [`crate::bpe`]: tables, spilled or not, and counts files.

use std::fs::File;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::buffers::Borrowed;
use super::encoding::Splitter;
use super::errors::ConfigError;
use super::progress::Callback;
use super::training::CONSUMED;
use crate::bpe::characters::Characters;
use crate::bpe::count_file::write::{cannot_write, CountWriter};
use crate::bpe::spill::{self, Spill};
use crate::bpe::{self, Corpus, Source};
use crate::error::Error;
use crate::progress::{Progress, Silent};

/// Unique pretokens and their 64-bit counts.
#[pyclass(module = "tokforge._core")]
pub struct WordCounts {
    splitter: Py<Splitter>,
    tables: Vec<bpe::WordCounts>,
    spill: Option<Spill>,
}

impl WordCounts {
    /// Brings all threads' tables together in the first.
    fn merged(&mut self) -> PyResult<&mut bpe::WordCounts> {
        let (first, rest) =
            self.tables.split_first_mut().ok_or_else(|| ConfigError::new_err(CONSUMED))?;
        for table in rest {
            first.absorb(&std::mem::take(table))?;
        }
        Ok(first)
    }

    /// Gives the words away.
    pub fn take(&mut self) -> PyResult<Corpus> {
        if self.tables.is_empty() {
            return Err(ConfigError::new_err(CONSUMED));
        }
        if self.spill.is_some() {
            let files = self.files(&Silent)?;
            self.tables.clear();
            return Ok(Corpus::Files(files));
        }
        self.merged()?;
        Ok(Corpus::Words(self.tables.drain(..).next().unwrap_or_default()))
    }

    /// All words as files that can be read together; a table without a bound becomes one in memory.
    fn files(&mut self, progress: &dyn Progress) -> PyResult<bpe::CountFiles> {
        if let Some(spill) = &self.spill {
            self.tables.iter_mut().try_for_each(|table| spill.take(table))?;
            return Ok(spill.files().reduced(spill.folder(), progress)?);
        }
        let mut bytes = CountWriter::new(Vec::new(), "counts", b"")?;
        self.merged()?.drain_sorted(|word, count| bytes.put(word, count))?;
        Ok(bpe::CountFiles::new(vec![Source::Bytes(bytes.finish()?.into())]))
    }
}

#[pymethods]
impl WordCounts {
    #[new]
    #[pyo3(signature = (splitter, threads, *, memory=None, folder=None, named=false, runs=0))]
    fn new(
        splitter: Py<Splitter>,
        threads: usize,
        memory: Option<usize>,
        folder: Option<PathBuf>,
        named: bool,
        runs: u64,
    ) -> Self {
        let threads = threads.max(1);
        let tables = match memory {
            Some(bytes) => spill::tables(threads, bytes),
            None => (0..threads).map(|_| bpe::WordCounts::new()).collect(),
        };
        let spill = folder.map(|folder| Spill::new(&folder, named, runs));
        Self { splitter, tables, spill }
    }

    #[pyo3(signature = (docs, weight=1, progress=None))]
    fn add(
        &mut self,
        py: Python<'_>,
        docs: Vec<Borrowed<u8>>,
        weight: u64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let splitter = &self.splitter.get().0;
        let docs: Vec<&[u8]> = docs.iter().map(Borrowed::as_slice).collect();
        let (tables, spill) = (&mut self.tables, &self.spill);
        Callback::new(progress).run(py, |progress| match spill {
            Some(spill) => spill::count_spilling(tables, spill, splitter, &docs, weight, progress),
            None => bpe::counts::count_documents(tables, splitter, &docs, weight, progress),
        })
    }

    fn add_counts(&mut self, words: Vec<PyBackedBytes>, counts: Vec<u64>) -> PyResult<()> {
        if words.len() != counts.len() {
            let problem = format!("{} words but {} counts", words.len(), counts.len());
            return Err(ConfigError::new_err((problem, "give each word one count")));
        }
        let table = self.merged()?;
        Ok(words.iter().zip(counts).try_for_each(|(word, count)| table.add(word, count))?)
    }

    fn __len__(&mut self) -> PyResult<usize> {
        Ok(self.merged()?.len())
    }

    fn items<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyBytes>, u64)>> {
        let words = self.merged()?.sorted();
        Ok(words.into_iter().map(|(word, count)| (PyBytes::new(py, word), count)).collect())
    }

    fn characters(&mut self) -> PyResult<Vec<(char, u64)>> {
        let mut found = Characters::default();
        if self.spill.is_some() {
            self.files(&Silent)?.for_each(&Silent, |word, count| found.add(word, count))?;
        } else {
            self.merged()?.iter().try_for_each(|(word, count)| found.add(word, count))?;
        }
        Ok(found.sorted())
    }

    /// Writes what the tables hold as runs, and returns how many there are.
    fn spill(&mut self) -> PyResult<u64> {
        let Some(spill) = &self.spill else { return Ok(0) };
        self.tables.iter_mut().try_for_each(|table| spill.take(table))?;
        Ok(spill.runs())
    }

    #[pyo3(signature = (path, header, progress=None))]
    fn save(
        &mut self,
        py: Python<'_>,
        path: PathBuf,
        header: &[u8],
        progress: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        let files = self.files(&Silent)?;
        write(py, &files, &path, header, progress)
    }

    /// The words as the bytes of `parts` counts files: which a word is in follows from the word alone.
    fn save_parts<'py>(
        &mut self,
        py: Python<'py>,
        parts: usize,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let mut writers = (0..parts.max(1))
            .map(|_| CountWriter::new(Vec::new(), "counts", b""))
            .collect::<Result<Vec<_>, Error>>()?;
        let files = self.files(&Silent)?;
        files.for_each(&Silent, |word, count| {
            writers[(bpe::counts::hash_of(word) % parts.max(1) as u64) as usize].put(word, count)
        })?;
        writers.into_iter().map(|writer| Ok(PyBytes::new(py, &writer.finish()?))).collect()
    }
}

/// Counts files that are read as one.
#[pyclass(module = "tokforge._core")]
pub struct CountFiles(pub bpe::CountFiles);

#[derive(FromPyObject)]
enum PathOrBytes {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

#[pymethods]
impl CountFiles {
    #[new]
    #[pyo3(signature = (sources, folder=None))]
    fn new(py: Python<'_>, sources: Vec<PathOrBytes>, folder: Option<PathBuf>) -> PyResult<Self> {
        let source = |source| match source {
            PathOrBytes::Bytes(bytes) => Source::Bytes(bytes[..].into()),
            PathOrBytes::Path(path) => Source::Named(path),
        };
        let files = bpe::CountFiles::new(sources.into_iter().map(source).collect());
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        Callback::new(None).run(py, |progress| files.reduced(&folder, progress)).map(Self)
    }

    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let headers = self.0.headers()?;
        Ok(headers.into_iter().map(|header| PyBytes::new(py, &header)).collect())
    }

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyBytes>, u64)>> {
        let mut items = Vec::new();
        self.0.for_each(&Silent, |word, count| {
            items.push((PyBytes::new(py, word), count));
            Ok(())
        })?;
        Ok(items)
    }

    fn characters(&self) -> PyResult<Vec<(char, u64)>> {
        let mut found = Characters::default();
        self.0.for_each(&Silent, |word, count| found.add(word, count))?;
        Ok(found.sorted())
    }

    #[pyo3(signature = (path, header, progress=None))]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        header: &[u8],
        progress: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        write(py, &self.0, &path, header, progress)
    }
}

/// Writes into a file, which Python has made under a temporary name; returns the number of words.
fn write(
    py: Python<'_>,
    files: &bpe::CountFiles,
    path: &Path,
    header: &[u8],
    progress: Option<Py<PyAny>>,
) -> PyResult<u64> {
    Callback::new(progress).run(py, |progress| {
        let place = path.display().to_string();
        let out = File::create(path).map_err(|error| cannot_write(&error, &place))?;
        files.write(out, &place, header, progress)
    })
}
