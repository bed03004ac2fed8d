//! What is trained on, and how it is laid out in the array of [`super::positions`].

use super::positions::{Id, Positions, Writer};
use super::vocabulary::Vocabulary;
use super::weights::ByClass;
use super::{Merge, SequenceCounts, WordCounts};
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
        self.bytes.extend_from_slice(document);
        self.ends.push(self.bytes.len());
    }

    /// Bytes of all documents.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn documents(&self) -> impl Iterator<Item = &[u8]> {
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
    /// Distinct sequences of tokens with their counts; a token takes one place in the array.
    Sequences(SequenceCounts),
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
}

/// How often places count.
pub enum LayoutWeights {
    /// Each once.
    Once,
    /// By word.
    ByClass(ByClass),
}

impl Corpus {
    /// Lays the corpus out as the tokens into which `merges` (in rank order) cut it.
    pub fn lay_out<I: Id>(
        self,
        vocabulary: &Vocabulary,
        merges: &[Merge],
        progress: &dyn Progress,
    ) -> Result<Layout<I>, Error> {
        let is_bytes = merges.is_empty();
        match self {
            Corpus::Bytes(corpus) => {
                let pieces = corpus.documents().map(|document| (document, 1));
                let space = corpus.bytes.len() + corpus.ends.len();
                let (positions, tokens) = lay_out(pieces, space, vocabulary, merges, progress)?;
                let weights = LayoutWeights::Once;
                Ok(Layout { positions, weights, tokens, by_token: false, is_bytes })
            }
            Corpus::Words(counts) => {
                let words = by_count(counts.iter())?;
                let weights = LayoutWeights::ByClass(ByClass::new(classes(&words, 1)));
                let space = counts.distinct_bytes() + words.len();
                let pieces = words.into_iter();
                let (positions, tokens) = lay_out(pieces, space, vocabulary, merges, progress)?;
                Ok(Layout { positions, weights, tokens, by_token: false, is_bytes })
            }
            Corpus::Sequences(counts) => lay_out_sequences(&counts, progress),
        }
    }
}

/// Writes sequences a place a token; `merges` have been applied to them already.
fn lay_out_sequences<I: Id>(
    counts: &SequenceCounts,
    progress: &dyn Progress,
) -> Result<Layout<I>, Error> {
    let words = by_count(counts.words())?;
    let weights = LayoutWeights::ByClass(ByClass::new(classes(&words, counts.id_bytes())));
    let space = counts.distinct_ids() + words.len();
    let mut array = Writer::new(space);
    let mut ticker = Ticker::new(progress, "lay out", space as u64);
    let mut tokens = 0;
    for (word, count) in words {
        let ids = counts.ids(word);
        tokens += ids.len() as u64 * count;
        array.bytes(ids.map(I::from_u32));
        array.gap();
        ticker.tick(array.len() as u64)?;
    }
    Ok(Layout { positions: array.finish(), weights, tokens, by_token: true, is_bytes: false })
}

/// The most frequent words first.
fn by_count<'a>(
    words: impl Iterator<Item = (&'a [u8], u64)>,
) -> Result<Vec<(&'a [u8], u64)>, Error> {
    let mut words: Vec<_> = words.collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.1));
    check_total(&words)?;
    Ok(words)
}

/// Writes pieces, each with its weight, and returns the weight of all tokens beside the array.
fn lay_out<'a, I: Id>(
    pieces: impl Iterator<Item = (&'a [u8], u64)>,
    space: usize,
    vocabulary: &Vocabulary,
    merges: &[Merge],
    progress: &dyn Progress,
) -> Result<(Positions<I>, u64), Error> {
    let mut array = Writer::new(space);
    let bytes = vocabulary.byte_ids().map(I::from_u32);
    let mut merged = Tokens::new(vocabulary, merges)?;
    let mut ticker = Ticker::new(progress, "lay out", space as u64);
    let mut total = 0;
    for (piece, weight) in pieces {
        let tokens = match &mut merged {
            None => {
                array.bytes(piece.iter().map(|&byte| bytes[byte as usize]));
                piece.len()
            }
            Some(merged) => merged.write(piece, vocabulary, &mut array),
        };
        total += tokens as u64 * weight;
        array.gap();
        ticker.tick(array.len() as u64)?;
    }
    Ok((array.finish(), total))
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

/// End offset and count of each stretch of words with equal counts; words, whose letters take
/// `letter_bytes`, stand behind one gap.
fn classes(words: &[(&[u8], u64)], letter_bytes: usize) -> Vec<(usize, u64)> {
    let mut classes: Vec<(usize, u64)> = Vec::new();
    let mut end = 1;
    for &(word, count) in words {
        end += word.len() / letter_bytes + 1;
        match classes.last_mut() {
            Some(last) if last.1 == count => last.0 = end,
            _ => classes.push((end, count)),
        }
    }
    classes
}

/// No sum of counts may pass 64 bits: the sum over all bytes bounds every one of them.
fn check_total(words: &[(&[u8], u64)]) -> Result<(), Error> {
    let total: u128 =
        words.iter().map(|&(word, count)| word.len() as u128 * u128::from(count)).sum();
    if total > u128::from(u64::MAX) {
        let problem = format!("the words hold {total} weighted bytes, which exceeds 64 bits");
        return Err(Error::Config(Message::new(problem, "divide all counts by a common factor")));
    }
    Ok(())
}
