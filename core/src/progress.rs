//! How long work reports to its caller, and how the caller stops it.

use std::time::{Duration, Instant};

use crate::error::Error;

/// How often a [`Ticker`] reports; Ctrl-C is answered within one interval.
const INTERVAL: Duration = Duration::from_millis(100);

/// Receives progress and may stop the work. Called from the thread that started the work.
pub trait Progress {
    /// Takes the phase's name and how much of its total is done; `Err(Interrupted)` stops the work.
    fn report(&self, phase: &'static str, done: u64, total: u64) -> Result<(), Error>;

    /// Takes all merges made so far, after each: the count of each pair and the tokens it left.
    fn learned(&self, _: &[(u32, u32, u32)], _: &[u64], _: &[u64]) -> Result<(), Error> {
        Ok(())
    }
}

/// Ignores progress; never stops.
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: &'static str, _: u64, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// Passes on at most one report each tenth of a second, so that a hot loop may call it often.
pub struct Ticker<'a> {
    progress: &'a dyn Progress,
    phase: &'static str,
    total: u64,
    last: Instant,
}

impl<'a> Ticker<'a> {
    /// Starts a phase of `total` units.
    pub fn new(progress: &'a dyn Progress, phase: &'static str, total: u64) -> Self {
        Self { progress, phase, total, last: Instant::now() }
    }

    /// Reports `done` units if the interval has passed.
    #[inline]
    pub fn tick(&mut self, done: u64) -> Result<(), Error> {
        if self.last.elapsed() < INTERVAL {
            return Ok(());
        }
        self.last = Instant::now();
        self.progress.report(self.phase, done, self.total)
    }

    /// Reports the phase as complete.
    pub fn finish(self) -> Result<(), Error> {
        self.progress.report(self.phase, self.total, self.total)
    }
}
