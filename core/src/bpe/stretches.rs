//! Documents shared out among threads: stretches of about a megabyte, cut where a splitter allows it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::error::Error;
use crate::pretokenizers::Splitter;
use crate::progress::{Progress, Ticker};

/// So many bytes or a little more, so that threads share a long document.
const STRETCH_BYTES: usize = 1 << 20;

/// Hears of the bytes done in the current stretch, and may stop the work.
pub type Beat<'a> = &'a mut dyn FnMut(usize) -> Result<(), Error>;

/// Calls `work(state, splitter, stretch, beat)` for every stretch, each state on a thread of its own.
///
/// Which state gets which stretch is left to chance: what is made of them must not depend on it.
pub fn for_each_stretch<S: Send>(
    states: &mut [S],
    splitter: &Splitter,
    documents: &[&[u8]],
    (phase, progress): (&'static str, &dyn Progress),
    work: impl Fn(&mut S, &Splitter, &[u8], Beat) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let stretches = cut(splitter, documents);
    let total = documents.iter().map(|document| document.len() as u64).sum();
    let next = AtomicUsize::new(0);
    on_threads(states, total, (phase, progress), |state, beat| {
        let splitter = splitter.clone(); // a regex's own buffers are not shared between threads
        let mut done = 0;
        while let Some(stretch) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(state, &splitter, stretch, &mut |at| beat(done + at as u64))?;
            done += stretch.len() as u64;
        }
        Ok(())
    })
}

/// Calls `work(state, beat)` once for each state, on a thread of its own; `beat(done)` stops the work of
/// all where it fails. The calling thread's own work is what is reported, of `total`.
pub fn on_threads<S: Send>(
    states: &mut [S],
    total: u64,
    (phase, progress): (&'static str, &dyn Progress),
    work: impl Fn(&mut S, &mut dyn FnMut(u64) -> Result<(), Error>) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let mut ticker = Ticker::new(progress, phase, total);
    let stop = AtomicBool::new(false);
    let Some((own, others)) = states.split_first_mut() else { return Ok(()) };
    let run = |state: &mut S, mut tick: Option<&mut Ticker<'_>>| {
        let mut beat = |done| {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            tick.as_deref_mut().map_or(Ok(()), |ticker| ticker.tick(done))
        };
        work(state, &mut beat)
    };
    thread::scope(|scope| {
        let handles: Vec<_> = others
            .iter_mut()
            .map(|state| scope.spawn(|| guarded(&stop, || run(state, None))))
            .collect();
        let mut result = guarded(&stop, || run(own, Some(&mut ticker)));
        for handle in handles {
            let other = handle.join().unwrap_or(Err(Error::Interrupted));
            // The first thread's error is the cause; another's may be no more than its echo.
            if result.is_ok() || result == Err(Error::Interrupted) && other.is_err() {
                result = other;
            }
        }
        result
    })
}

/// Raises the stop flag for the other threads when the work fails.
fn guarded(stop: &AtomicBool, work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    work().inspect_err(|_| stop.store(true, Ordering::Relaxed))
}

fn cut<'a>(splitter: &Splitter, documents: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut stretches = Vec::new();
    for document in documents {
        let mut rest = *document;
        while rest.len() > STRETCH_BYTES {
            let Some(at) = splitter.safe_cut(rest, STRETCH_BYTES) else { break };
            let (head, tail) = rest.split_at(at);
            stretches.push(head);
            rest = tail;
        }
        stretches.push(rest);
    }
    stretches
}
