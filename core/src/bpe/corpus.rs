//! What is trained on, and how it is laid out in the array of [`super::positions`].

use super::positions::{Id, Positions, Writer};
use super::vocabulary::Vocabulary;
use super::weights::ByClass;
use super::{Merge, WordCounts};
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
}

/// The array, the weight of each place in it, and the weight of all tokens.
pub struct Layout<I> {
    /// The corpus; see [`super::positions`].
    pub positions: Positions<I>,
    /// How often each place counts.
    pub weights: LayoutWeights,
    /// Tokens, each as often as it counts.
    pub tokens: u64,
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
                Ok(Layout { positions, weights: LayoutWeights::Once, tokens, is_bytes })
            }
            Corpus::Words(counts) => {
                let mut words: Vec<_> = counts.iter().collect();
                words.sort_unstable_by_key(|word| std::cmp::Reverse(word.1));
                check_total(&words)?;
                let weights = LayoutWeights::ByClass(ByClass::new(classes(&words)));
                let space = counts.distinct_bytes() + words.len();
                let pieces = words.into_iter();
                let (positions, tokens) = lay_out(pieces, space, vocabulary, merges, progress)?;
                Ok(Layout { positions, weights, tokens, is_bytes })
            }
        }
    }
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

/// End offset and count of each stretch of words with equal counts; words stand behind one gap.
fn classes(words: &[(&[u8], u64)]) -> Vec<(usize, u64)> {
    let mut classes: Vec<(usize, u64)> = Vec::new();
    let mut end = 1;
    for &(word, count) in words {
        end += word.len() + 1;
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
