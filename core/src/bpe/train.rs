//! The training loop: choose the most frequent pair, replace it, keep the counts exact.

use super::compact::compact;
use super::corpus::{Corpus, Layout, LayoutWeights};
use super::merge::{Merger, Replacement};
use super::positions::{Id, Offset, Positions};
use super::queue::{Order, Queue};
use super::room::Room;
use super::scan::{frequent_pairs, pair_key, Tracked, Wanted};
use super::sweep::{self, Sweep};
use super::tracking::Tracking;
use super::veto::{Rules, Veto};
use super::vocabulary::{Product, Vocabulary};
use super::weights::{ByClass, Once, Weights};
use super::Merge;
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// What to learn.
#[derive(Debug, Clone)]
pub struct Options {
    /// Size of the table at which training stops, special and unused ids included.
    pub vocab_size: usize,
    /// Pairs that occur fewer times are not merged.
    pub min_frequency: u64,
    /// Greatest length of a token in bytes.
    pub max_token_bytes: Option<u32>,
    /// What else must not be merged.
    pub rules: Rules,
    /// Which pair comes first.
    pub order: Order,
    /// Counts, falling, of tokens made elsewhere that compete for the same room and win ties: training
    /// stops as soon as they and the new tokens fill it.
    pub rivals: Vec<u64>,
    /// Threads to scan with; the result does not depend on them.
    pub threads: usize,
    /// Percent of the corpus' pairs whose occurrences are listed at a time: memory against scans. The
    /// result does not depend on it.
    pub tracked_percent: u64,
    /// Bytes that the laid out corpus and its lists may take beside the corpus as it was given, whose own
    /// are theirs, too, once it is laid out; the result does not depend on it.
    pub memory: Option<u64>,
    /// Pairs that are at least one in this many tokens are merged by sweeps; 0 for no sweeps. The result
    /// does not depend on it.
    pub swept_above: u64,
}

/// A sweep costs about as much as listing and merging one pair in this many tokens.
pub const SWEPT_ABOVE: u64 = 256;

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The table is full.
    VocabSize,
    /// The pairs that are left occur fewer than `min_frequency` times.
    MinFrequency,
    /// No pair is left that may be merged.
    Exhausted,
}

/// What a run learned.
#[derive(Debug, Clone)]
pub struct Training {
    /// New merges in the order in which they were made.
    pub merges: Vec<Merge>,
    /// Occurrences of each pair when it was chosen.
    pub counts: Vec<u64>,
    /// Tokens into which the corpus falls after each merge, weighted.
    pub tokens: Vec<u64>,
    /// Why it ended.
    pub stopped: Stopped,
}

/// Continues BPE from `vocabulary` and `merges` (in rank order) on `corpus`.
///
/// Time: linear in the corpus for each scan, then proportional to the occurrences that are merged.
pub fn train(
    corpus: Corpus,
    vocabulary: &mut Vocabulary,
    merges: &[Merge],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Training, Error> {
    check(vocabulary, options)?;
    let room = Room::new(options.memory, options.threads);
    if is_narrow(options.vocab_size) {
        let layout = corpus.lay_out::<u16>(vocabulary, merges, &room, progress)?;
        train_layout(layout, vocabulary, options, progress)
    } else {
        let layout = corpus.lay_out::<u32>(vocabulary, merges, &room, progress)?;
        train_layout(layout, vocabulary, options, progress)
    }
}

/// Whether ids take two bytes. A token is written into the array only if another may follow it, so the
/// last of 65,536 ids is never written and stays free to be the gap.
pub(super) fn is_narrow(vocab_size: usize) -> bool {
    vocab_size <= 1 << 16
}

/// Refuses options that contradict each other or the vocabulary.
pub(super) fn check(vocabulary: &Vocabulary, options: &Options) -> Result<(), Error> {
    let refuse = |problem: String, hint: &str| Err(Error::Config(Message::new(problem, hint)));
    if options.vocab_size < vocabulary.len() {
        let (size, start) = (options.vocab_size, vocabulary.len());
        return refuse(
            format!("vocab_size is {size}, below the {start} tokens to start from"),
            "raise vocab_size or use fewer special tokens",
        );
    }
    if options.vocab_size >= u32::MAX as usize {
        return refuse(format!("vocab_size is {}", options.vocab_size), "use at most 4294967294");
    }
    if options.max_token_bytes.is_some_and(|bytes| bytes < 2) {
        return refuse("max_token_bytes is below 2".into(), "a merge makes at least two bytes");
    }
    Ok(())
}

fn train_layout<I: Id>(
    layout: Layout<I>,
    vocabulary: &mut Vocabulary,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Training, Error> {
    let Layout { positions, weights, tokens, by_token, is_bytes, most_listed } = layout;
    let threads = Room::new(options.memory, options.threads).threads(positions.len());
    let lens = array_lens(vocabulary, by_token);
    let veto = Veto::new(options.rules.clone(), vocabulary.tokens().iter().map(Option::as_deref))?;
    let limits = Limits::new(vocabulary, veto, options);
    let wide = u32::try_from(positions.len()).is_err();
    let laid_out = LaidOut { positions, lens, by_token, most_listed, threads };
    match (weights, wide) {
        (LayoutWeights::Once, false) => {
            Trainer::<I, u32, Once>::new(laid_out, Once, vocabulary, limits, options, progress)
                .run(tokens, is_bytes)
        }
        (LayoutWeights::Once, true) => {
            Trainer::<I, u64, Once>::new(laid_out, Once, vocabulary, limits, options, progress)
                .run(tokens, is_bytes)
        }
        (LayoutWeights::ByClass(classes), false) => Trainer::<I, u32, ByClass>::new(
            laid_out, classes, vocabulary, limits, options, progress,
        )
        .run(tokens, is_bytes),
        (LayoutWeights::ByClass(classes), true) => Trainer::<I, u64, ByClass>::new(
            laid_out, classes, vocabulary, limits, options, progress,
        )
        .run(tokens, is_bytes),
    }
}

/// The array, and what is fixed by it.
struct LaidOut<I> {
    positions: Positions<I>,
    /// Places that each token takes in the array: its bytes, or the tokens it was made of.
    lens: Vec<u32>,
    by_token: bool,
    /// Occurrences that may be listed.
    most_listed: usize,
    threads: usize,
}

struct Trainer<'a, I, P, W> {
    positions: Positions<I>,
    lens: Vec<u32>,
    by_token: bool,
    threads: usize,
    weights: W,
    vocabulary: &'a mut Vocabulary,
    limits: Limits,
    options: &'a Options,
    progress: &'a dyn Progress,
    tracked: Tracking<P>,
    /// An entry may be stale: `tracked` has the true count.
    queue: Queue,
    floor: u64,
    merger: Merger<I, P>,
    training: Training,
}

impl<'a, I: Id, P: Offset, W: Weights> Trainer<'a, I, P, W> {
    fn new(
        laid_out: LaidOut<I>,
        weights: W,
        vocabulary: &'a mut Vocabulary,
        limits: Limits,
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            positions: laid_out.positions,
            lens: laid_out.lens,
            by_token: laid_out.by_token,
            threads: laid_out.threads,
            weights,
            vocabulary,
            limits,
            options,
            progress,
            tracked: Tracking::new(laid_out.most_listed),
            queue: Queue::new(options.order),
            floor: u64::MAX,
            merger: Merger::new(),
            training: Training {
                merges: Vec::new(),
                counts: Vec::new(),
                tokens: Vec::new(),
                stopped: Stopped::VocabSize,
            },
        }
    }

    /// Trains on a corpus of that many `tokens`, weighted; `is_bytes`: each of them is a single byte.
    fn run(mut self, mut tokens: u64, is_bytes: bool) -> Result<Training, Error> {
        let wanted = (self.options.vocab_size - self.vocabulary.len()) as u64;
        let mut ticker = Ticker::new(self.progress, "merge", wanted);
        self.floor = tokens;
        if is_bytes {
            tokens = self.sweep(tokens, &mut ticker)?;
        }
        if self.vocabulary.len() < self.options.vocab_size {
            self.scan(tokens)?;
        }
        while self.vocabulary.len() < self.options.vocab_size {
            let Some((pair, count)) = self.next_pair() else {
                if self.floor == self.least() {
                    self.training.stopped = self.why_nothing_is_left();
                    break;
                }
                self.scan(tokens)?;
                continue;
            };
            if self.rivals_fill(count) {
                break;
            }
            ticker.tick(self.training.merges.len() as u64)?;
            tokens -= self.merge(pair, tokens, &mut ticker)?;
            self.note(count, tokens)?;
        }
        ticker.finish()?;
        Ok(self.training)
    }

    /// The least count that a merged pair may have.
    fn least(&self) -> u64 {
        self.options.min_frequency.max(1)
    }

    /// Merges pairs that are everywhere, as long as there are any; returns the tokens that are left.
    fn sweep(&mut self, mut tokens: u64, ticker: &mut Ticker<'_>) -> Result<u64, Error> {
        let most_ids = self.options.vocab_size.min(sweep::IDS);
        let is_plain = self.options.order == Order::HuggingFace && self.options.rivals.is_empty();
        if !is_plain || self.options.swept_above == 0 || self.vocabulary.len() >= most_ids {
            return Ok(tokens);
        }
        let stretches = self.weights.stretches(self.positions.len());
        let positions = std::mem::take(&mut self.positions);
        let mut sweep = Sweep::new(positions, &stretches, self.threads);
        while self.vocabulary.len() < most_ids {
            let best = sweep.best(|left, right| self.allows(left, right));
            let Some((left, right, count)) = best else { break };
            // No pair is more frequent: the first scan can look below.
            self.floor = count + 1;
            if count < self.least() || count.saturating_mul(self.options.swept_above) < tokens {
                break;
            }
            ticker.tick(self.training.merges.len() as u64)?;
            let (merged, _) = self.make(left, right);
            tokens -= sweep.merge(left, right, merged);
            self.note(count, tokens)?;
        }
        self.positions = sweep.finish(&self.lens);
        Ok(tokens)
    }

    /// Ends a merge: what its pair's count was, and the tokens that are left.
    fn note(&mut self, count: u64, tokens: u64) -> Result<(), Error> {
        let Training { merges, counts, tokens: lengths, .. } = &mut self.training;
        counts.push(count);
        lengths.push(tokens);
        self.progress.learned(merges, counts, lengths)
    }

    /// Lowers the floor and finds the pairs above it.
    fn scan(&mut self, tokens: u64) -> Result<(), Error> {
        let missing = (self.options.vocab_size - self.vocabulary.len()) as u64;
        let wanted = Wanted {
            ceiling: self.floor,
            least: self.least(),
            // Twice what is missing: many a pair is lost to another that overlaps it.
            pairs: 2 * missing + 64,
            weight: tokens / 100 * self.options.tracked_percent,
            sites: self.tracked.most_listed(),
            threads: self.threads,
        };
        // The old pairs are all below the old floor: none is of use.
        self.tracked.clear();
        let limits = &self.limits;
        let allows = |left, right| limits.allows(left, right);
        let Self { positions, lens, weights, .. } = self;
        let (floor, mut pairs) =
            frequent_pairs(positions, lens, weights, &wanted, allows, self.progress)?;
        if self.vocabulary.has_forbidden() {
            let vocabulary = &self.vocabulary;
            pairs.retain(|&key, _| !is_forbidden(vocabulary, key));
        }
        self.floor = floor;
        self.tracked.replace(pairs);
        self.queue.refill(self.tracked.counts());
        Ok(())
    }

    /// Takes the most frequent tracked pair, the first of equals.
    fn next_pair(&mut self) -> Option<(u64, u64)> {
        while let Some((key, count)) = self.queue.pop(self.vocabulary) {
            let Some(pair) = self.tracked.get(key) else { continue };
            // Of a doubled token, occurrences that do not overlap are fewer: a bound until it is first.
            let now = match self.options.order == Order::Boundless && key >> 32 == key & 0xFFFF_FFFF
            {
                true => self.standing(&self.replacement(key, 0), &pair.offsets),
                false => pair.count,
            };
            if now == count {
                return Some((key, count));
            }
            if now >= self.floor {
                self.queue.push(key, now);
            }
        }
        None
    }

    /// Whether merges made elsewhere that come before one of this `count` fill the table.
    fn rivals_fill(&self, count: u64) -> bool {
        let before = self.options.rivals.partition_point(|&rival| rival >= count);
        before > 0 && before + self.vocabulary.len() >= self.options.vocab_size
    }

    fn replacement(&self, key: u64, merged: u32) -> Replacement {
        let (left, right) = ((key >> 32) as u32, key as u32);
        Replacement {
            left,
            right,
            merged,
            left_len: self.lens[left as usize] as usize,
            right_len: self.lens[right as usize] as usize,
            ids: self.vocabulary.len().max(merged as usize + 1),
        }
    }

    /// Merges a pair everywhere; returns by how many tokens the corpus shrank.
    fn merge(&mut self, key: u64, tokens: u64, ticker: &mut Ticker<'_>) -> Result<u64, Error> {
        let (left, right) = ((key >> 32) as u32, key as u32);
        let (merged, is_new) = self.make(left, right);
        let offsets = self.tracked.remove(key);
        let replacement = self.replacement(key, merged);
        if self.vocabulary.len() == self.options.vocab_size {
            return Ok(self.standing(&replacement, &offsets));
        }
        if self.by_token && !is_new {
            return self.merge_anew(&replacement, tokens);
        }
        let replaced = self.merger.replace(
            &mut self.positions,
            &self.weights,
            &replacement,
            &offsets,
            ticker,
            self.training.merges.len() as u64,
        )?;
        drop(offsets);
        if is_new {
            self.update(&replacement);
        } else {
            // Pairs of an older id grow here, which scans take to be impossible: look afresh.
            self.floor = tokens;
            self.scan(tokens)?;
        }
        Ok(replaced)
    }

    /// Merges a pair to an older token where that may have another length in the array.
    fn merge_anew(&mut self, replacement: &Replacement, tokens: u64) -> Result<u64, Error> {
        let (positions, weights, replaced) =
            compact(&self.positions, &self.lens, &self.weights, replacement);
        (self.positions, self.weights) = (positions, weights);
        self.lens.fill(1);
        self.floor = tokens;
        self.scan(tokens)?;
        Ok(replaced)
    }

    /// Notes a merge; returns the id of its product and whether that is new.
    fn make(&mut self, left: u32, right: u32) -> (u32, bool) {
        let (merged, is_new) = match self.vocabulary.product(left, right) {
            Product::Known(id) => (id, false),
            Product::New | Product::Forbidden => (self.vocabulary.push(left, right), true),
        };
        if is_new {
            self.lens.push(self.lens[left as usize] + self.lens[right as usize]);
            self.limits.push(self.vocabulary.bytes(merged));
        }
        self.training.merges.push((left, right, merged));
        (merged, is_new)
    }

    /// Whether a pair may be merged, its count aside.
    fn allows(&self, left: u32, right: u32) -> bool {
        self.limits.allows(left, right)
            && !(self.vocabulary.has_forbidden()
                && is_forbidden(self.vocabulary, pair_key(left, right)))
    }

    fn update(&mut self, replacement: &Replacement) {
        let Self { tracked, queue, merger, floor, lens, limits, vocabulary, .. } = self;
        merger.lost(replacement, |left, right, weight| {
            tracked.lose(pair_key(left, right), weight, *floor);
        });
        let gained = merger.gained(replacement, lens, |left, right, count| {
            count >= *floor
                && limits.allows(left, right)
                && !(vocabulary.has_forbidden() && is_forbidden(vocabulary, pair_key(left, right)))
        });
        for pair in gained {
            let key = pair_key(pair.pair.0, pair.pair.1);
            queue.push(key, pair.count);
            tracked.gain(key, Tracked { count: pair.count, offsets: pair.offsets });
        }
        *floor = tracked.fit().unwrap_or(*floor);
    }

    /// Weight of the occurrences that a merge would replace, left to right without overlaps.
    fn standing(&self, replacement: &Replacement, offsets: &[P]) -> u64 {
        let &Replacement { left, right, left_len, right_len, .. } = replacement;
        let (mut free, mut weight) = (0, 0);
        for offset in offsets.iter().map(|offset| offset.index()) {
            let (left, right) = (I::from_u32(left), I::from_u32(right));
            if offset >= free && self.positions.holds(offset, left, left_len, right) {
                weight += self.weights.at(offset);
                free = offset + left_len + right_len;
            }
        }
        weight
    }

    fn why_nothing_is_left(&self) -> Stopped {
        let mut any = false;
        self.positions.for_each_pair(&self.lens, 0..self.positions.len(), |_, left, right| {
            any |= self.limits.allows(left.index() as u32, right.index() as u32);
        });
        if any {
            Stopped::MinFrequency
        } else {
            Stopped::Exhausted
        }
    }
}

/// Places that each token takes: its bytes, or one.
fn array_lens(vocabulary: &Vocabulary, by_token: bool) -> Vec<u32> {
    let bytes = |id| vocabulary.token_len(id as u32) as u32;
    (0..vocabulary.len()).map(|id| if by_token { 1 } else { bytes(id) }).collect()
}

/// Which pairs may be merged, whatever their counts.
struct Limits {
    /// Bytes of each token.
    bytes: Vec<u32>,
    /// Bytes of the longest token allowed; half the range at the most, so that two can be added.
    longest: u32,
    veto: Option<Veto>,
}

impl Limits {
    fn new(vocabulary: &Vocabulary, veto: Veto, options: &Options) -> Self {
        let longest = options.max_token_bytes.unwrap_or(u32::MAX / 2);
        let veto = Some(veto).filter(|veto| !veto.is_empty());
        Self { bytes: array_lens(vocabulary, false), longest, veto }
    }

    #[inline(always)]
    fn allows(&self, left: u32, right: u32) -> bool {
        self.bytes[left as usize] + self.bytes[right as usize] <= self.longest
            && self.veto.as_ref().is_none_or(|veto| veto.allows(left, right))
    }

    fn push(&mut self, token: &[u8]) {
        self.bytes.push(token.len() as u32);
        if let Some(veto) = &mut self.veto {
            veto.push(token);
        }
    }
}

fn is_forbidden(vocabulary: &Vocabulary, key: u64) -> bool {
    vocabulary.product((key >> 32) as u32, key as u32) == Product::Forbidden
}
