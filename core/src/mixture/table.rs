//! Distinct words with a 64-bit count for each column.
//!
//! A column is a shard of a category: replaying needs categories, resampling needs their shards.
//! Invariant: words ascend by their bytes, the columns of a word ascend, no count is 0.

use crate::bpe::counts::count_documents;
use crate::bpe::WordCounts;
use crate::error::{Error, Message};
use crate::pretokenizers::Splitter;
use crate::progress::Progress;

/// Counts while documents are read: one table a column.
pub struct Columns {
    columns: Vec<WordCounts>,
    threads: usize,
}

impl Columns {
    /// Empty counts for so many columns.
    pub fn new(columns: usize, threads: usize) -> Self {
        let columns = (0..columns).map(|_| WordCounts::new()).collect();
        Self { columns, threads: threads.max(1) }
    }

    /// Splits documents and adds their pretokens to a column; without a splitter each document is one.
    pub fn add(
        &mut self,
        column: usize,
        splitter: Option<&Splitter>,
        documents: &[&[u8]],
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let Some(own) = self.columns.get_mut(column) else {
            return Err(Error::Config(Message::new(
                format!("column {column} lies outside the table"),
                "make it wider",
            )));
        };
        let Some(splitter) = splitter else {
            return documents.iter().try_for_each(|document| own.add(document, 1));
        };
        let mut tables: Vec<_> = (1..self.threads).map(|_| WordCounts::new()).collect();
        tables.push(std::mem::take(own));
        count_documents(&mut tables, splitter, documents, 1, progress)?;
        let mut all = tables.pop().unwrap_or_default();
        for other in &tables {
            all.absorb(other)?;
        }
        *own = all;
        Ok(())
    }

    /// Brings all columns together.
    pub fn table(&self) -> Result<Table, Error> {
        let mut entries = Vec::new();
        for (column, counts) in self.columns.iter().enumerate() {
            entries.extend(counts.iter().map(|(word, count)| (word, column as u32, count)));
        }
        Table::gather(entries)
    }
}

/// Distinct words and their counts by column, as sparse rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table {
    /// The words end to end.
    pub bytes: Vec<u8>,
    /// Where each word ends in `bytes`.
    pub word_ends: Vec<u64>,
    /// Where the entries of each word end in `columns` and `counts`.
    pub entry_ends: Vec<u64>,
    /// Column of each entry.
    pub columns: Vec<u32>,
    /// Occurrences of each entry.
    pub counts: Vec<u64>,
}

impl Table {
    /// Checks arrays that came from outside.
    pub fn from_parts(parts: Table, width: usize) -> Result<Self, Error> {
        let ascending = |ends: &[u64], last: usize| {
            ends.windows(2).all(|pair| pair[0] < pair[1])
                && ends.first().is_none_or(|&end| end > 0)
                && ends.last().copied().unwrap_or(0) == last as u64
        };
        let sound = parts.word_ends.len() == parts.entry_ends.len()
            && parts.columns.len() == parts.counts.len()
            && ascending(&parts.word_ends, parts.bytes.len())
            && ascending(&parts.entry_ends, parts.columns.len())
            && parts.columns.iter().all(|&column| (column as usize) < width)
            && parts.counts.iter().all(|&count| count > 0);
        if !sound {
            return Err(Error::Format(Message::new(
                "the saved counts contradict themselves",
                "count again; the file is damaged",
            )));
        }
        let entries = parts.entries(0).collect();
        Self::gather(entries)
    }

    /// Adds tables side by side: the columns of each are shifted by the number given with it.
    pub fn joined(tables: &[(&Table, u32)]) -> Result<Self, Error> {
        Self::gather(tables.iter().flat_map(|&(table, shift)| table.entries(shift)).collect())
    }

    /// Words with their (column, count) entries.
    pub fn words(&self) -> impl Iterator<Item = (&[u8], impl Iterator<Item = (u32, u64)> + '_)> {
        let (mut word_start, mut entry_start) = (0, 0);
        self.word_ends.iter().zip(&self.entry_ends).map(move |(&word_end, &entry_end)| {
            let word = &self.bytes[word_start as usize..word_end as usize];
            let entries = entry_start as usize..entry_end as usize;
            (word_start, entry_start) = (word_end, entry_end);
            let columns = self.columns[entries.clone()].iter().copied();
            (word, columns.zip(self.counts[entries].iter().copied()))
        })
    }

    fn entries(&self, shift: u32) -> impl Iterator<Item = (&[u8], u32, u64)> {
        self.words().flat_map(move |(word, entries)| {
            entries.map(move |(column, count)| (word, column + shift, count))
        })
    }

    fn gather(mut entries: Vec<(&[u8], u32, u64)>) -> Result<Self, Error> {
        entries.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let mut table = Self::default();
        let mut last: Option<(&[u8], u32)> = None;
        for (word, column, count) in entries {
            if last == Some((word, column)) {
                if let Some(total) = table.counts.last_mut() {
                    *total = total.checked_add(count).ok_or_else(too_many)?;
                }
                continue;
            }
            if last.is_none_or(|(before, _)| before != word) {
                table.bytes.extend_from_slice(word);
                table.word_ends.push(table.bytes.len() as u64);
                table.entry_ends.push(0);
            }
            table.columns.push(column);
            table.counts.push(count);
            if let Some(end) = table.entry_ends.last_mut() {
                *end = table.columns.len() as u64;
            }
            last = Some((word, column));
        }
        Ok(table)
    }
}

fn too_many() -> Error {
    Error::Config(Message::new("the counts exceed 64 bits", "count a sample"))
}
