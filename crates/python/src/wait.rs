//! Long work without the interpreter: progress is shown, and Ctrl-C ends it.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use taskhead::flow::solver::Watch;

/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(50);

/// How long work that was told to stop may take to store what it has; then it is left to end by itself.
const GRACE: Duration = Duration::from_millis(400);

/// Stack of a worker: that of a main thread.
const STACK: usize = 8 << 20;

/// Whether the work is still wanted.
#[derive(Debug, Clone, Default)]
pub struct Flag(Arc<AtomicBool>);

impl Flag {
    /// Whether to go on.
    pub fn goes_on(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    /// A watch that ends a flow when it is no longer wanted.
    pub fn watch(&self) -> Watch {
        let flag = self.clone();
        Watch::new(move |_| flag.goes_on())
    }
}

/// Does work in another thread while this one waits for it, looks for Ctrl-C and calls `tick` now and then.
///
/// # Errors
///
/// `KeyboardInterrupt`, or whatever a handler of signals or `tick` raises; then the flag says so to the work.
pub fn for_work<T: Send + 'static>(
    py: Python<'_>,
    mut tick: impl FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce(&Flag) -> T + Send + 'static,
) -> PyResult<T> {
    let (flag, (sender, mut receiver)) = (Flag::default(), mpsc::channel());
    let seen = flag.clone();
    let job = move || {
        // After an interruption nothing receives the result.
        let _ = sender.send(work(&seen));
    };
    let worker = thread::Builder::new().name("taskhead".into()).stack_size(STACK).spawn(job)?;
    loop {
        let (answer, back) = py.detach(move || (receiver.recv_timeout(TICK), receiver));
        receiver = back;
        match answer {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => resume_unwind(panic),
                Ok(()) => unreachable!("work that ends without a result has panicked"),
            },
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = py.check_signals().and_then(|()| tick(py)) {
                    flag.0.store(true, Ordering::Relaxed);
                    py.detach(move || drop(receiver.recv_timeout(GRACE)));
                    return Err(error);
                }
            }
        }
    }
}

/// Does short work in this thread; the watch that it is given looks for Ctrl-C.
///
/// # Errors
///
/// Those of [`for_work`].
pub fn here<T: Send>(py: Python<'_>, work: impl FnOnce(Watch) -> T + Send) -> PyResult<T> {
    let seen = Arc::new(Mutex::new((Instant::now(), None)));
    let state = seen.clone();
    let watch = Watch::new(move |_| {
        let (last, error) = &mut *state.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= TICK {
            *last = Instant::now();
            *error = error.take().or_else(|| Python::attach(|py| py.check_signals()).err());
        }
        error.is_none()
    });
    let result = py.detach(move || work(watch));
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match seen.1.take() {
        Some(error) => Err(error),
        None => Ok(result),
    }
}

/// A progress bar of `taskhead._support`, which is hidden unless there is a terminal.
pub struct Bar(Option<Py<PyAny>>);

impl Bar {
    /// A bar of this many steps; without a total if the number is not known.
    pub fn new(py: Python<'_>, total: Option<u64>, unit: &str) -> PyResult<Self> {
        let bar = py.import("taskhead._support")?.call_method1("progress", (total, unit))?;
        Ok(Self((!bar.is_none()).then(|| bar.unbind())))
    }

    /// Shows how many steps are done.
    pub fn set(&self, py: Python<'_>, done: u64) -> PyResult<()> {
        let Some(bar) = &self.0 else { return Ok(()) };
        let before: u64 = bar.getattr(py, "n")?.extract(py)?;
        bar.call_method1(py, "update", (done.saturating_sub(before),)).map(drop)
    }

    /// Shows a text.
    pub fn say(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        let Some(bar) = &self.0 else { return Ok(()) };
        bar.call_method1(py, "set_description_str", (text, false))?;
        bar.call_method1(py, "update", (1,)).map(drop)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.0.take() {
            // A bar that cannot be closed is no reason to lose a result.
            Python::attach(|py| drop(bar.call_method0(py, "close")));
        }
    }
}
