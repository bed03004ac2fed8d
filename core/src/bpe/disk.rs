//! Unsplit documents, in memory as long as there is room, then on disk: one behind the other in a file
//! without a name.
//!
//! What is read is what was added, in its order; nothing is left of it, even after `kill -9`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::count_file::merge::create_unnamed;
use super::count_file::write::cannot_write;
use super::spool::{Spool, Spooled, END};
use super::{ByteCorpus, Merge, Vocabulary};
use crate::encode::Encoder;
use crate::error::Error;

/// Bytes read at a time.
const BLOCK: usize = 1 << 18;

/// Where documents are.
pub enum Documents {
    /// Laid out as a whole, trained on by [`super::train()`].
    InMemory(ByteCorpus),
    /// Trained on in phases, by [`super::train_on_disk`].
    OnDisk(DiskDocuments),
}

/// Documents as they come.
pub struct Gathered {
    documents: Documents,
    /// Places that may be in memory, and the folder of what is not.
    most: usize,
    folder: PathBuf,
}

impl Gathered {
    /// None yet, of about `expected` bytes; those of `most` places stay in memory, else all go to `folder`.
    pub fn new(expected: usize, most: usize, folder: &Path) -> Self {
        let documents = Documents::InMemory(ByteCorpus::with_capacity(expected.min(most)));
        Self { documents, most, folder: folder.into() }
    }

    /// Adds bytes to the document that has not ended.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.documents {
            Documents::OnDisk(documents) => documents.extend(bytes),
            Documents::InMemory(corpus) if corpus.places() + bytes.len() <= self.most => {
                corpus.extend(bytes);
                Ok(())
            }
            Documents::InMemory(corpus) => {
                let mut documents = DiskDocuments::of(corpus, &self.folder)?;
                documents.extend(bytes)?;
                self.documents = Documents::OnDisk(documents);
                Ok(())
            }
        }
    }

    /// Ends a document.
    pub fn end(&mut self) {
        match &mut self.documents {
            Documents::InMemory(corpus) => corpus.end(),
            Documents::OnDisk(documents) => documents.end(),
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        match &self.documents {
            Documents::InMemory(corpus) => corpus.len(),
            Documents::OnDisk(documents) => documents.len() as usize,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The documents.
    pub fn finish(self) -> Documents {
        self.documents
    }
}

/// Documents on disk.
pub struct DiskDocuments {
    file: File,
    folder: PathBuf,
    len: u64,
    /// End of each document.
    ends: Vec<u64>,
}

impl DiskDocuments {
    /// None yet, in a folder.
    pub fn new(folder: &Path) -> Result<Self, Error> {
        let (file, _) = create_unnamed(folder)?;
        Ok(Self { file, folder: folder.into(), len: 0, ends: Vec::new() })
    }

    /// Those of a corpus, the one that has not ended included.
    pub fn of(corpus: &ByteCorpus, folder: &Path) -> Result<Self, Error> {
        let mut documents = Self::new(folder)?;
        for document in corpus.documents() {
            documents.extend(document)?;
            documents.end();
        }
        documents.extend(corpus.open())?;
        Ok(documents)
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes of all documents.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds bytes to the document that has not ended.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| self.failed(&error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Ends a document.
    pub fn end(&mut self) {
        self.ends.push(self.len);
    }

    /// Calls `f` with every byte, and with [`END`] behind each document; `beat` with the bytes read.
    pub fn for_each(
        &mut self,
        mut beat: impl FnMut(u64) -> Result<(), Error>,
        mut f: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.rewind()?;
        let (mut block, mut at) = (vec![0; BLOCK], 0);
        for document in 0..self.ends.len() {
            while at < self.ends[document] {
                let len = (BLOCK as u64).min(self.ends[document] - at) as usize;
                self.read(&mut block[..len])?;
                block[..len].iter().try_for_each(|&byte| f(u32::from(byte)))?;
                at += len as u64;
                beat(at)?;
            }
            f(END)?;
        }
        Ok(())
    }

    /// The tokens into which `merges` cut the documents; one document is in memory at a time.
    pub fn encoded(
        &mut self,
        vocabulary: &Vocabulary,
        merges: &[Merge],
        vocab_size: usize,
    ) -> Result<Spooled, Error> {
        let tokens = vocabulary.tokens().iter().map(Option::as_deref);
        let encoder = Encoder::new(tokens, merges, None, vocabulary.byte_ids(), false)?;
        let mut spool = Spool::new(&self.folder, vocab_size)?;
        self.rewind()?;
        let (mut bytes, mut ids, mut at) = (Vec::new(), Vec::new(), 0);
        for document in 0..self.ends.len() {
            bytes.resize((self.ends[document] - at) as usize, 0);
            self.read(&mut bytes)?;
            ids.clear();
            encoder.encode_piece(&bytes, &mut ids);
            spool.add(&ids)?;
            at = self.ends[document];
        }
        spool.finish()
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.file.read_exact(bytes).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        cannot_write(error, &self.folder.display().to_string())
    }
}
