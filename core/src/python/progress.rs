//! Progress to a Python callback, and Ctrl-C back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::bpe::Merge;
use crate::error::Error;
use crate::progress::Progress;

/// Reports to a callback if there is one, and looks for signals either way.
pub struct Callback {
    callback: Option<Py<PyAny>>,
    /// What the callback or a signal handler raised; the engine only knows that it was stopped.
    raised: Mutex<Option<PyErr>>,
    keeper: Option<Keeper>,
}

/// Told from time to time of all merges made so far.
struct Keeper {
    callback: Py<PyAny>,
    interval: Duration,
    last: Mutex<Instant>,
}

impl Callback {
    /// Wraps a callable `(phase, done, total)`.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: Mutex::new(None), keeper: None }
    }

    /// Also calls `keep(merges, counts, tokens)`, if there is one, at most once in so many seconds.
    pub fn keeping(self, keep: Option<Py<PyAny>>, seconds: f64) -> Self {
        let interval = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let last = Mutex::new(Instant::now());
        Self { keeper: keep.map(|callback| Keeper { callback, interval, last }), ..self }
    }

    /// Keeps what Python raised for the caller; the engine only needs to stop.
    fn stopped(&self, raised: PyErr) -> Error {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
        Error::Interrupted
    }

    /// Runs `work` without the GIL; an exception from the callback becomes the result.
    pub fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let result = py.detach(|| work(self));
        match self.raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(raised) => Err(raised),
            None => Ok(result?),
        }
    }
}

impl Progress for Callback {
    fn report(&self, phase: &'static str, done: u64, total: u64) -> Result<(), Error> {
        let outcome = Python::attach(|py| {
            py.check_signals()?;
            match &self.callback {
                Some(callback) => callback.call1(py, (phase, done, total)).map(drop),
                None => Ok(()),
            }
        });
        outcome.map_err(|raised| self.stopped(raised))
    }

    fn learned(&self, merges: &[Merge], counts: &[u64], tokens: &[u64]) -> Result<(), Error> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let mut last = keeper.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < keeper.interval {
            return Ok(());
        }
        let arguments = (merges.to_vec(), counts.to_vec(), tokens.to_vec());
        let outcome = Python::attach(|py| keeper.callback.call1(py, arguments).map(drop));
        *last = Instant::now();
        outcome.map_err(|raised| self.stopped(raised))
    }
}
