//! Chooses units so that an exact number of tokens is masked.
//!
//! The budget is k = round(p * tokens). Units are shuffled; from each in turn a span of 1, 2, ... following
//! units is taken, up to the first unit that does not fit into what is left. That one is split (an option),
//! or taken with the chance left / length (surely not, or surely, where k could not be met else); much that
//! is then over or missing is evened out by units that fit into it, and the rest by exchanging the few units whose lengths come nearest to it, by subset sum: of an example with up to [`CHANGEABLE`] units taken and as
//! many free, no choice of whole units is nearer to k. To pass over what does not fit would be simpler, and
//! mask short words up to five times as often as long ones in short examples. O(tokens).

use std::ops::Range;

use super::random::Random;

/// How many taken and how many free units may be exchanged; it bounds the time to a multiple of the tokens.
pub const CHANGEABLE: usize = 128;
const UNREACHED: u16 = u16::MAX;

/// What is chosen, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Share of the tokens to mask, 0 to 1.
    pub probability: f64,
    /// Chance of a span of 1, 2, ... units; need not sum to 1.
    pub span_weights: Vec<f64>,
    /// Whether a unit may be masked in part to meet the budget exactly.
    pub split_units: bool,
}

/// The tokens to mask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Ranges of tokens, a unit or a part of one each, ascending.
    pub runs: Vec<Range<usize>>,
    /// Tokens in units: all that could be masked.
    pub maskable: usize,
    /// k, the number of tokens that should be masked.
    pub budget: usize,
}

impl Choice {
    /// Tokens that are masked.
    pub fn masked(&self) -> usize {
        self.runs.iter().map(ExactSizeIterator::len).sum()
    }
}

/// Chooses among the runs of equal, not negative `units`.
pub fn choose(units: &[i64], options: &Options, random: &mut Random) -> Choice {
    let runs = runs_of(units);
    let maskable = runs.iter().map(ExactSizeIterator::len).sum::<usize>();
    let budget = (options.probability * maskable as f64).round() as usize;
    let mut taking = Taking { runs: &runs, taken: vec![false; runs.len()], left: budget as isize };
    let mut order: Vec<usize> = (0..runs.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at + 1));
    }
    let misfit = order
        .iter()
        .find_map(|&first| taking.take_span(first, span_length(&options.span_weights, random)));
    let part = match misfit {
        Some(at) if taking.left > 0 && options.split_units => {
            Some(runs[at].start..runs[at].start + taking.left as usize)
        }
        Some(at) if taking.left > 0 => {
            let length = runs[at].len();
            let by_chance = random.unit() * (length as f64) < taking.left as f64;
            let without_it_too_few = maskable - length < budget;
            if length <= budget && (by_chance || without_it_too_few) {
                taking.take(at);
            }
            taking.even_out(&order);
            taking.change(&taking.changeable(&order));
            None
        }
        _ => None,
    };
    let whole =
        runs.iter().zip(&taking.taken).filter(|(_, &taken)| taken).map(|(run, _)| run.clone());
    let mut chosen: Vec<_> = whole.chain(part).collect();
    chosen.sort_unstable_by_key(|run| run.start);
    Choice { runs: chosen, maskable, budget }
}

/// Runs of equal, not negative units.
pub fn runs_of(units: &[i64]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, &unit) in units.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.end == at && units[at - 1] == unit && unit >= 0 => run.end += 1,
            _ if unit >= 0 => runs.push(at..at + 1),
            _ => {}
        }
    }
    runs
}

fn span_length(weights: &[f64], random: &mut Random) -> usize {
    if weights.len() < 2 {
        return 1;
    }
    let mut point = random.unit() * weights.iter().sum::<f64>();
    for (at, weight) in weights.iter().enumerate() {
        point -= weight;
        if point < 0.0 {
            return at + 1;
        }
    }
    weights.len()
}

struct Taking<'a> {
    runs: &'a [Range<usize>],
    taken: Vec<bool>,
    /// Tokens of the budget that are missing; below 0: taken beyond it.
    left: isize,
}

impl Taking<'_> {
    /// Takes up to `units` neighbours from `first` on, until one is taken or stands apart; returns one that
    /// does not fit.
    fn take_span(&mut self, first: usize, units: usize) -> Option<usize> {
        for at in first..(first + units).min(self.runs.len()) {
            let apart = at > first && self.runs[at].start != self.runs[at - 1].end;
            if apart || self.taken[at] {
                return None;
            }
            if self.runs[at].len() as isize > self.left {
                return Some(at);
            }
            self.take(at);
        }
        None
    }

    fn take(&mut self, at: usize) {
        self.taken[at] = true;
        self.left -= self.runs[at].len() as isize;
    }

    /// Gives back, or takes, units until the exchange reaches what is over or missing: a long misfit weighs
    /// many short units. The misfit itself never fits, so what chance decided of it stands.
    fn even_out(&mut self, order: &[usize]) {
        for &at in order.iter().rev().chain(order) {
            if self.left.unsigned_abs() <= CHANGEABLE / 2 {
                return;
            }
            let length = self.runs[at].len() as isize;
            if self.taken[at] && length <= -self.left {
                self.taken[at] = false;
                self.left += length;
            } else if !self.taken[at] && length <= self.left {
                self.take(at);
            }
        }
    }

    /// Units that may be given back or taken instead: those taken last and those that came next, in turn.
    fn changeable(&self, order: &[usize]) -> Vec<usize> {
        let of = |taken: bool| order.iter().copied().filter(move |&at| self.taken[at] == taken);
        let mut given_back = of(true).rev().take(CHANGEABLE);
        let mut instead = of(false).take(CHANGEABLE);
        let turns = 0..2 * CHANGEABLE;
        turns
            .filter_map(|turn| if turn % 2 == 0 { instead.next() } else { given_back.next() })
            .collect()
    }

    /// Changes the units whose lengths, added where free and taken off where taken, come nearest to what is left.
    ///
    /// Subset sum: `by[sum]` is the first unit with which `sum` is reached, from a sum reached before it.
    fn change(&mut self, units: &[usize]) {
        let length = |&at: &usize| self.runs[at].len();
        let (below, above): (Vec<_>, Vec<_>) = units.iter().partition(|&&at| self.taken[at]);
        let zero: usize = below.iter().map(length).sum();
        let mut by = vec![UNREACHED; zero + above.iter().map(length).sum::<usize>() + 1];
        by[zero] = 0;
        let wanted = zero.saturating_add_signed(self.left).min(by.len() - 1);
        for (turn, at) in (1..).zip(units) {
            if by[wanted] != UNREACHED {
                break;
            }
            let (source, target) = if self.taken[*at] { (length(at), 0) } else { (0, length(at)) };
            for sum in 0..by.len() - length(at) {
                if by[sum + source] < turn && by[sum + target] == UNREACHED {
                    by[sum + target] = turn;
                }
            }
        }
        let reached = (0..by.len()).filter(|&sum| by[sum] != UNREACHED);
        let mut sum = reached.min_by_key(|&sum| sum.abs_diff(wanted)).unwrap_or(zero);
        while by[sum] != 0 {
            let at = units[by[sum] as usize - 1];
            let length = self.runs[at].len();
            sum = if self.taken[at] { sum + length } else { sum - length };
            self.taken[at] = !self.taken[at];
        }
    }
}
