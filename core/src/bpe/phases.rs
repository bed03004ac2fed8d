//! Training on unsplit documents that do not fit in memory: in phases, each on what matters in it.
//!
//! A phase has a *floor*. Neighbours whose pair reaches it are *linked* (by its cell: some rarer pairs are
//! too); an *island* is a run of linked tokens, as long as it gets. While any pair reaches the floor,
//! merges happen within islands alone:
//! * a pair that is made across a border, of tokens that end in `l` and begin with `r`, stands only where
//!   (l, r) stood when the phase began, since each new token is made in one way; so it occurs no more often
//!   than (l, r), which is below the floor;
//! * a pair that reaches the floor, or is made of such pairs, has all its occurrences in islands.
//!
//! So islands are words: they are counted in a table, trained on in memory until no pair reaches the
//! floor, and the merges are applied to all tokens, which are read from one file and written to
//! another. Then the next floor is looked for. Where a merge spells a token that was there before (training
//! goes on from foreign merges), its pairs may grow: it ends its phase, and the next begins afresh.
//!
//! The floor at least halves from phase to phase if memory allows; where the table of islands grows too
//! large, it is raised again. Complexity: three passes a phase. Disk: the documents, and twice 2 bytes a
//! token (4 above 65,536 ids). Memory: cells, the distinct islands, and the longest one. The bound
//! x >= count of the pair beneath is that of [`crate::supertokens`].

use super::cells::{add, Cells, HotCells};
use super::corpus::Corpus;
use super::disk::DiskDocuments;
use super::room::Room;
use super::scan::{choose_floor, Wanted};
use super::spool::{Spool, Spooled, END};
use super::train::{check, train, Options, Stopped, Training};
use super::vocabulary::{Product, Vocabulary};
use super::{Merge, SequenceCounts};
use crate::encode::Joiner;
use crate::error::{Error, Message};
use crate::progress::{Progress, Ticker};

/// Percent of the tokens' pairs that a phase should link.
const LINKED_PERCENT: u64 = 30;

/// The documents, as they are now.
enum Tokens {
    Bytes(DiskDocuments, Box<[u32; 256]>),
    Ids(Spooled),
}

impl Tokens {
    /// Calls `f` with every token, and with [`END`] behind each document.
    fn for_each(
        &mut self,
        beat: impl FnMut(u64) -> Result<(), Error>,
        mut f: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Bytes(documents, ids) => documents
                .for_each(beat, |byte| f(if byte == END { END } else { ids[byte as usize] })),
            Self::Ids(spool) => spool.for_each_id(beat, f),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(documents, _) => documents.len(),
            Self::Ids(spool) => spool.bytes(),
        }
    }
}

/// Which neighbours belong to one island.
struct Links {
    place: Cells,
    hot: HotCells,
    /// Bytes of each token, and of the longest there may be.
    lens: Vec<u32>,
    longest: u32,
}

impl Links {
    #[inline(always)]
    fn join(&self, left: u32, right: u32) -> bool {
        fits(&self.lens, self.longest, left, right) && self.hot.holds(self.place.index(left, right))
    }
}

/// Whether two tokens are no gaps, and short enough to be merged.
#[inline(always)]
fn fits(lens: &[u32], longest: u32, left: u32, right: u32) -> bool {
    left != END && right != END && lens[left as usize] + lens[right as usize] <= longest
}

/// Training under way.
struct Phases<'a> {
    tokens: Tokens,
    /// Tokens of all documents.
    total: u64,
    /// No pair occurs more often.
    ceiling: u64,
    /// Bytes that a phase may take.
    memory: u64,
    folder: std::path::PathBuf,
    vocabulary: &'a mut Vocabulary,
    options: &'a Options,
    progress: &'a dyn Progress,
    training: Training,
}

/// Continues BPE on documents on disk; the result is that of [`train`] on the same documents.
pub fn train_on_disk(
    mut documents: DiskDocuments,
    vocabulary: &mut Vocabulary,
    merges: &[Merge],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Training, Error> {
    check(vocabulary, options)?;
    let (mut total, folder) = (documents.len(), documents.folder().to_owned());
    let tokens = if merges.is_empty() {
        Tokens::Bytes(documents, Box::new(*vocabulary.byte_ids()))
    } else {
        let spool = documents.encoded(vocabulary, merges, spooled_ids(options))?;
        total = 0;
        spool.for_each_id(
            |_| Ok(()),
            |id| {
                total += u64::from(id != END);
                Ok(())
            },
        )?;
        Tokens::Ids(spool)
    };
    let stopped = Stopped::VocabSize;
    let training = Training { merges: vec![], counts: vec![], tokens: vec![], stopped };
    let memory = options.memory.unwrap_or(u64::MAX >> 8);
    let ceiling = total;
    Phases { tokens, total, ceiling, memory, folder, vocabulary, options, progress, training }.run()
}

/// Ids that are ever written down: the last of the table is made by the last merge, which is not applied.
fn spooled_ids(options: &Options) -> usize {
    options.vocab_size - 1
}

impl Phases<'_> {
    fn run(mut self) -> Result<Training, Error> {
        while self.vocabulary.len() < self.options.vocab_size {
            let place = Cells::within(self.memory / 8, self.total);
            let cells = self.cells(place)?;
            if self.ceiling <= self.least() || cells.iter().all(|&cell| cell == 0) {
                let is_any = cells.iter().any(|&cell| cell > 0);
                self.training.stopped =
                    if is_any { Stopped::MinFrequency } else { Stopped::Exhausted };
                break;
            }
            let (floor, links, islands) = self.islands(place, cells)?;
            let merges = self.learn(islands, floor)?;
            if !merges.is_empty() && self.vocabulary.len() < self.options.vocab_size {
                self.apply(&links, &merges)?;
            }
        }
        Ok(self.training)
    }

    fn least(&self) -> u64 {
        self.options.min_frequency.max(1)
    }

    fn longest(&self) -> u32 {
        self.options.max_token_bytes.unwrap_or(u32::MAX / 2)
    }

    fn lens(&self) -> Vec<u32> {
        self.vocabulary.tokens().iter().map(|t| t.as_ref().map_or(0, |t| t.len() as u32)).collect()
    }

    /// Reads all tokens, reporting as a scan.
    fn read(&mut self, f: impl FnMut(u32) -> Result<(), Error>) -> Result<(), Error> {
        let mut ticker = Ticker::new(self.progress, "scan", self.tokens.bytes());
        self.tokens.for_each(|done| ticker.tick(done), f)
    }

    /// Counts all pairs, several to a cell.
    fn cells(&mut self, place: Cells) -> Result<Vec<u32>, Error> {
        let (lens, longest) = (self.lens(), self.longest());
        let (mut cells, mut left) = (vec![0; place.len()], END);
        self.read(|right| {
            if fits(&lens, longest, left, right) {
                add(&mut cells[place.index(left, right)], 1);
            }
            left = right;
            Ok(())
        })?;
        Ok(cells)
    }

    /// Chooses a floor as low as memory allows, and returns the islands that it makes.
    fn islands(&mut self, place: Cells, cells: Vec<u32>) -> Result<(u64, Links, Islands), Error> {
        let wanted = Wanted {
            ceiling: self.ceiling,
            least: self.least(),
            pairs: 2 * (self.options.vocab_size - self.vocabulary.len()) as u64 + 64,
            weight: self.total / 100 * LINKED_PERCENT,
            sites: usize::MAX,
            threads: 1,
        };
        let mut floor = choose_floor(&cells, &wanted);
        loop {
            let (hot, lens) = (HotCells::new(&cells, floor), self.lens());
            let links = Links { place, hot, lens, longest: self.longest() };
            if let Some(islands) = self.gather(&links)? {
                return Ok((floor, links, islands));
            }
            let raised = floor + floor / 2 + 1;
            if raised >= self.ceiling {
                return Err(too_little(self.memory));
            }
            floor = raised;
        }
    }

    /// Counts the islands; None where they take too much memory.
    fn gather(&mut self, links: &Links) -> Result<Option<Islands>, Error> {
        let (most, longest) = (self.memory / 4, self.memory / 32);
        let mut islands = Islands::new(self.options.vocab_size);
        let (mut island, mut is_full) = (Island::default(), false);
        let outcome = self.read(|token| {
            is_full = match island.next(token, links) {
                Some(whole) => {
                    islands.add(whole)?;
                    islands.bytes() > most
                }
                None => island.0.len() as u64 > longest,
            };
            if is_full {
                Err(Error::Interrupted)
            } else {
                Ok(())
            }
        });
        if is_full {
            return Ok(None);
        }
        outcome?;
        Ok(islands.fit(&Room::new(Some(self.room()), self.options.threads)).then_some(islands))
    }

    /// What is left beside the table of islands.
    fn room(&self) -> u64 {
        self.memory / 8 * 5
    }

    /// Learns all merges of pairs that reach the floor; returns them.
    fn learn(&mut self, islands: Islands, floor: u64) -> Result<Vec<Merge>, Error> {
        let mut options = self.options.clone();
        options.min_frequency = floor;
        options.memory = Some(self.room());
        let mut weight = islands.weight;
        let corpus = Corpus::Sequences(vec![islands.table.finish()?]);
        let done = self.training.merges.len() as u64;
        let progress = Within { progress: self.progress, done };
        let mut scratch = self.vocabulary.clone();
        let found = train(corpus, &mut scratch, &[], &options, &progress)?;
        self.ceiling = floor;
        let mut merges = Vec::new();
        for (place, &merge) in found.merges.iter().enumerate() {
            let is_new = self.vocabulary.product(merge.0, merge.1) != Product::Known(merge.2);
            if is_new {
                self.vocabulary.push(merge.0, merge.1);
            }
            self.total -= weight - found.tokens[place];
            weight = found.tokens[place];
            merges.push(merge);
            self.note(merge, found.counts[place]);
            if !is_new {
                self.ceiling = self.total;
                break;
            }
        }
        let Training { merges: all, counts, tokens, .. } = &self.training;
        self.progress.learned(all, counts, tokens)?;
        Ok(merges)
    }

    fn note(&mut self, merge: Merge, count: u64) {
        self.training.merges.push(merge);
        self.training.counts.push(count);
        self.training.tokens.push(self.total);
    }

    /// Writes all tokens anew as the merges leave them.
    fn apply(&mut self, links: &Links, merges: &[Merge]) -> Result<(), Error> {
        let joiner = Joiner::new(merges)?;
        let mut spool = Spool::new(&self.folder, spooled_ids(self.options))?;
        let (mut island, mut joined) = (Island::default(), Vec::new());
        self.read(|token| {
            if let Some(whole) = island.next(token, links) {
                joiner.join(whole, &mut joined);
                spool.extend(&joined)?;
            }
            if token == END {
                spool.end()?;
            }
            Ok(())
        })?;
        self.tokens = Tokens::Ids(spool.finish()?);
        Ok(())
    }
}

/// The island that is being read, and the token that did not belong to it.
#[derive(Default)]
struct Island(Vec<u32>, Option<u32>);

impl Island {
    /// Adds a token; returns the island before it if it is not linked to that. A gap has none of its own.
    #[inline(always)]
    fn next(&mut self, token: u32, links: &Links) -> Option<&[u32]> {
        if let Some(first) = self.1.take() {
            self.0.clear();
            self.0.extend((first != END).then_some(first));
        }
        let last = self.0.last().copied();
        if last.is_some_and(|last| links.join(last, token)) || (last.is_none() && token != END) {
            self.0.push(token);
            return None;
        }
        self.1 = Some(token);
        Some(&self.0)
    }
}

/// Distinct islands of two tokens or more, with their counts.
struct Islands {
    table: SequenceCounts,
    /// Tokens, each as often as it occurs.
    weight: u64,
}

impl Islands {
    fn new(vocab_size: usize) -> Self {
        Self { table: SequenceCounts::distinct(vocab_size), weight: 0 }
    }

    fn add(&mut self, island: &[u32]) -> Result<(), Error> {
        if island.len() < 2 {
            return Ok(());
        }
        self.weight += island.len() as u64;
        self.table.add(island, 1)
    }

    fn bytes(&self) -> u64 {
        self.table.held_bytes() as u64
    }

    /// Whether there is room to train on them.
    fn fit(&self, room: &Room) -> bool {
        let places = self.table.places();
        let listed = if self.table.is_wide() {
            room.listed::<u32>(places, 0)
        } else {
            room.listed::<u16>(places, 0)
        };
        listed.is_ok()
    }
}

/// Progress of a phase as a part of the whole training.
struct Within<'a> {
    progress: &'a dyn Progress,
    /// Merges before the phase.
    done: u64,
}

impl Progress for Within<'_> {
    fn report(&self, phase: &'static str, done: u64, total: u64) -> Result<(), Error> {
        let before = if phase == "merge" { self.done } else { 0 };
        self.progress.report(phase, before + done, before + total)
    }
}

fn too_little(bytes: u64) -> Error {
    let left = bytes / 1_000_000;
    Error::Config(Message::new(
        format!("{left} MB are left of memory, which one pair's surroundings exceed"),
        "raise memory, or train on a sample",
    ))
}
