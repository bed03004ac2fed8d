//! What is trained on, and how it is laid out in the array of [`super::positions`].

use rustc_hash::FxHashMap;

use super::positions::{Id, Placed, Positions, Writer};
use super::room::Room;
use super::sequences::{Sequences, VisitSequence};
use super::vocabulary::Vocabulary;
use super::weights::ByClass;
use super::{CountFiles, Merge, WordCounts};
use crate::encode::Encoder;
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// Unsplit documents: every pair of neighbouring bytes counts, but none across documents.
#[derive(Default)]
pub struct ByteCorpus {
    bytes: Vec<u8>,
    /// End of each document.
    ends: Vec<usize>,
}

impl ByteCorpus {
    /// Makes room for the bytes that are expected; more may come.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::new() }
    }

    /// Adds a document.
    pub fn add(&mut self, document: &[u8]) {
        self.extend(document);
        self.end();
    }

    /// Adds bytes to the document that has not ended.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends a document.
    pub fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Bytes of all documents.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Places that they take laid out: one a byte, and one behind each document.
    pub fn places(&self) -> usize {
        self.bytes.len() + self.ends.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes of the document that has not ended.
    pub fn open(&self) -> &[u8] {
        &self.bytes[self.ends.last().copied().unwrap_or_default()..]
    }

    /// The documents that have ended.
    pub fn documents(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

/// What is trained on.
pub enum Corpus {
    /// Unsplit documents.
    Bytes(ByteCorpus),
    /// Distinct words with their counts.
    Words(WordCounts),
    /// Distinct words with their counts, in files.
    Files(CountFiles),
    /// Sequences of tokens with their counts; a token takes one place in the array.
    Sequences(Vec<Sequences>),
}

/// The array, the weight of each place in it, and the weight of all tokens.
pub struct Layout<I> {
    /// The corpus; see [`super::positions`].
    pub positions: Positions<I>,
    /// How often each place counts.
    pub weights: LayoutWeights,
    /// Tokens, each as often as it counts.
    pub tokens: u64,
    /// Whether each token takes one place, whatever its bytes.
    pub by_token: bool,
    /// Whether all tokens are single bytes still.
    pub is_bytes: bool,
    /// Occurrences that may be listed.
    pub most_listed: usize,
}

/// How often places count.
pub enum LayoutWeights {
    /// Each once.
    Once,
    /// By word.
    ByClass(ByClass),
}

/// What a corpus is laid out with.
struct Start<'a> {
    vocabulary: &'a Vocabulary,
    /// The merges that cut it, in rank order.
    merges: &'a [Merge],
    room: &'a Room,
}

impl Corpus {
    /// Lays the corpus out as the tokens into which `merges` (in rank order) cut it.
    pub fn lay_out<I: Id>(
        self,
        vocabulary: &Vocabulary,
        merges: &[Merge],
        room: &Room,
        progress: &dyn Progress,
    ) -> Result<Layout<I>, Error> {
        let start = Start { vocabulary, merges, room };
        match self {
            Corpus::Bytes(corpus) => lay_out_documents(&corpus, &start, progress),
            Corpus::Words(counts) => {
                let each =
                    |visit: Visit<'_>| counts.iter().try_for_each(|(word, n)| visit(word, n));
                lay_out_words(&each, &start, progress)
            }
            Corpus::Files(files) => {
                let each = |visit: Visit<'_>| files.for_each(progress, visit);
                lay_out_words(&each, &start, progress)
            }
            Corpus::Sequences(tables) => lay_out_sequences(&tables, room, progress),
        }
    }
}

/// Told each distinct word with its count.
type Visit<'a> = &'a mut dyn FnMut(&[u8], u64) -> Result<(), Error>;
/// Visits all distinct words, in the same order whenever it is called.
type Each<'a> = &'a dyn Fn(Visit<'_>) -> Result<(), Error>;

/// Writes words in descending order of their counts: a counting sort, since few counts differ. So the
/// words are visited twice and never held.
fn lay_out_words<I: Id>(
    each: Each<'_>,
    start: &Start<'_>,
    progress: &dyn Progress,
) -> Result<Layout<I>, Error> {
    let &Start { vocabulary, merges, room } = start;
    let classes = classes_of(|visit| each(&mut |word, count| visit(word.len(), count)))?;
    let mut free = starts_of(&classes);
    let places = classes.last().map_or(1, |&(end, _)| end);
    let most_listed = room.listed::<I>(places, 0)?;
    let mut array = Placed::<I>::new(places);
    let bytes = vocabulary.byte_ids().map(I::from_u32);
    let mut merged = Tokens::new(vocabulary, merges)?;
    let mut ticker = Ticker::new(progress, "lay out", places as u64);
    let (mut tokens, mut done) = (0, 0);
    each(&mut |word, count| {
        let Some(start) = free.get_mut(&count) else { return Ok(()) };
        tokens += count
            * match &mut merged {
                None => {
                    array.bytes(*start, word.iter().map(|&byte| bytes[byte as usize]));
                    word.len() as u64
                }
                Some(merged) => merged.place(word, *start, vocabulary, &mut array),
            };
        *start += word.len() + 1;
        done += word.len() as u64 + 1;
        ticker.tick(done)
    })?;
    let weights = LayoutWeights::ByClass(ByClass::new(classes));
    let is_bytes = merges.is_empty();
    let positions = array.finish();
    Ok(Layout { positions, weights, tokens, by_token: false, is_bytes, most_listed })
}

/// Where the first word of each count stands, behind one gap.
fn starts_of(classes: &[(usize, u64)]) -> FxHashMap<u64, usize> {
    let starts = std::iter::once(1).chain(classes.iter().map(|&(end, _)| end));
    starts.zip(classes).map(|(start, &(_, count))| (count, start)).collect()
}

/// End offset and count of each stretch of words with equal counts, in descending order of counts.
///
/// `each` tells its visitor the letters of every word, which take a place each, and its count.
fn classes_of(
    each: impl FnOnce(&mut dyn FnMut(usize, u64) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<Vec<(usize, u64)>, Error> {
    let mut places: FxHashMap<u64, usize> = FxHashMap::default();
    let mut total = 0u128;
    each(&mut |letters, count| {
        *places.entry(count).or_default() += letters + 1;
        total += letters as u128 * u128::from(count);
        Ok(())
    })?;
    check_total(total)?;
    let mut classes: Vec<_> = places.into_iter().map(|(count, places)| (places, count)).collect();
    classes.sort_unstable_by_key(|&(_, count)| std::cmp::Reverse(count));
    let mut end = 1;
    for class in &mut classes {
        end += class.0;
        class.0 = end;
    }
    Ok(classes)
}

/// Writes sequences a place a token, as `lay_out_words`; merges have been applied to them already.
fn lay_out_sequences<I: Id>(
    tables: &[Sequences],
    room: &Room,
    progress: &dyn Progress,
) -> Result<Layout<I>, Error> {
    let each = |visit: VisitSequence<'_>| tables.iter().try_for_each(|table| table.for_each(visit));
    let classes = classes_of(|visit| each(&mut |ids, count| visit(ids.len(), count)))?;
    let mut free = starts_of(&classes);
    let places = classes.last().map_or(1, |&(end, _)| end);
    let most_listed = room.listed::<I>(places, 0)?;
    let mut array = Placed::<I>::new(places);
    let mut ticker = Ticker::new(progress, "lay out", places as u64);
    let (mut tokens, mut done) = (0, 0);
    each(&mut |ids, count| {
        let Some(start) = free.get_mut(&count) else { return Ok(()) };
        let len = ids.len();
        array.bytes(*start, ids.iter().map(|&id| I::from_u32(id)));
        *start += len + 1;
        tokens += count * len as u64;
        done += len as u64 + 1;
        ticker.tick(done)
    })?;
    let (positions, weights) = (array.finish(), LayoutWeights::ByClass(ByClass::new(classes)));
    Ok(Layout { positions, weights, tokens, by_token: true, is_bytes: false, most_listed })
}

/// Writes documents one behind the other.
fn lay_out_documents<I: Id>(
    corpus: &ByteCorpus,
    start: &Start<'_>,
    progress: &dyn Progress,
) -> Result<Layout<I>, Error> {
    let &Start { vocabulary, merges, room } = start;
    let space = corpus.places();
    let most_listed = room.listed::<I>(space + 1, corpus.bytes.len())?;
    let mut array = Writer::new(space);
    let bytes = vocabulary.byte_ids().map(I::from_u32);
    let mut merged = Tokens::new(vocabulary, merges)?;
    let mut ticker = Ticker::new(progress, "lay out", space as u64);
    let mut tokens = 0;
    for document in corpus.documents() {
        tokens += match &mut merged {
            None => {
                array.bytes(document.iter().map(|&byte| bytes[byte as usize]));
                document.len() as u64
            }
            Some(merged) => merged.write(document, vocabulary, &mut array) as u64,
        };
        array.gap();
        ticker.tick(array.len() as u64)?;
    }
    let (positions, weights, is_bytes) = (array.finish(), LayoutWeights::Once, merges.is_empty());
    Ok(Layout { positions, weights, tokens, by_token: false, is_bytes, most_listed })
}

/// Writes pieces as the tokens that earlier merges make of them.
struct Tokens {
    encoder: Encoder,
    tokens: Vec<u32>,
}

impl Tokens {
    /// Returns None where there are no merges to apply.
    fn new(vocabulary: &Vocabulary, merges: &[Merge]) -> Result<Option<Self>, Error> {
        if merges.is_empty() {
            return Ok(None);
        }
        let tokens = vocabulary.tokens().iter().map(Option::as_deref);
        let encoder = Encoder::new(tokens, merges, None, vocabulary.byte_ids(), false)?;
        Ok(Some(Self { encoder, tokens: Vec::new() }))
    }

    /// Writes a word at `start`; returns the number of its tokens.
    fn place<I: Id>(
        &mut self,
        word: &[u8],
        start: usize,
        vocabulary: &Vocabulary,
        array: &mut Placed<I>,
    ) -> u64 {
        self.tokens.clear();
        self.encoder.encode_piece(word, &mut self.tokens);
        let mut at = start;
        for &token in &self.tokens {
            array.token(at, I::from_u32(token), vocabulary.token_len(token));
            at += vocabulary.token_len(token);
        }
        self.tokens.len() as u64
    }

    /// Returns the number of tokens written.
    fn write<I: Id>(
        &mut self,
        piece: &[u8],
        vocabulary: &Vocabulary,
        array: &mut Writer<I>,
    ) -> usize {
        self.tokens.clear();
        self.encoder.encode_piece(piece, &mut self.tokens);
        for &token in &self.tokens {
            array.token(I::from_u32(token), vocabulary.token_len(token));
        }
        self.tokens.len()
    }
}

/// No sum of counts may pass 64 bits: the sum over all bytes bounds every one of them.
fn check_total(total: u128) -> Result<(), Error> {
    if total > u128::from(u64::MAX) {
        let problem = format!("the words hold {total} weighted bytes, which exceeds 64 bits");
        return Err(Error::Config(Message::new(problem, "divide all counts by a common factor")));
    }
    Ok(())
}
