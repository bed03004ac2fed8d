//! Progress to a Python callback, and Ctrl-C back.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::error::Error;
use crate::progress::Progress;

/// Reports to a callback if there is one, and looks for signals either way.
pub struct Callback {
    callback: Option<Py<PyAny>>,
    /// What the callback or a signal handler raised; the engine only knows that it was stopped.
    raised: Mutex<Option<PyErr>>,
}

impl Callback {
    /// Wraps a callable `(phase, done, total)`.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: Mutex::new(None) }
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
        outcome.map_err(|raised| {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
            Error::Interrupted
        })
    }
}
