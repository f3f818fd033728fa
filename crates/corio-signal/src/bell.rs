//! Watchers: what turns a signal's arrival into woken tasks.

use crate::registry;
use crate::sys::Pipe;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many [`Bell`]s there are. Relaxed: it guards a diagnosis, nothing else.
static BELLS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How many [`LoopBell`]s live on this thread; no destructor, so it can be asked at any time.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// Tells whether somebody watches for the signals that code on this thread waits for.
pub(crate) fn is_watched() -> bool {
    HERE.get() > 0 || BELLS.load(Ordering::Relaxed) > 0
}

/// Hands the signals that have arrived to their listeners; returns how many tasks that woke.
///
/// Whoever watches calls it when the bell has rung; calling it for nothing is harmless. A waker that panics is
/// reported, and the others are woken all the same.
pub fn dispatch() -> usize {
    registry::dispatch()
}

/// Tells whether somebody listens to any signal, on any thread: one relaxed load.
#[inline]
#[must_use]
pub fn is_listening() -> bool {
    registry::is_listening()
}

/// A watch over signals under an executor that is not corio's.
///
/// As long as one lives, tasks anywhere in the process may wait for signals. Its owner watches: on Unix it is a
/// descriptor that becomes readable when a signal arrives (`AsFd`, `AsRawFd`), for any reactor; or a thread blocks in
/// [`wait`](Bell::wait). All bells are the same descriptor: a reactor that takes a descriptor once only, takes one bell.
///
/// Make it before the first wait for a signal.
///
/// # Examples
///
/// With tokio's reactor (with smol's it is `Async::new(bell)` and `readable`):
///
/// ```text
/// let bell = tokio::io::unix::AsyncFd::new(Bell::new()?)?;
/// tokio::spawn(async move {
///     while let Ok(mut ready) = bell.readable().await {
///         bell.get_ref().dispatch();
///         ready.clear_ready();
///     }
/// });
/// ```
///
/// With a thread of one's own:
///
/// ```
/// # #[cfg(unix)] {
/// let bell = corio_signal::Bell::new().unwrap();
/// std::thread::spawn(move || while bell.wait(None).is_ok() {});
/// # }
/// ```
pub struct Bell {
    pipe: &'static Pipe,
}

impl Bell {
    /// Starts to watch.
    ///
    /// # Errors
    ///
    /// When the descriptor cannot be opened, and [`Unsupported`](io::ErrorKind::Unsupported) on Windows.
    pub fn new() -> io::Result<Bell> {
        let pipe = registry::pipe()?;
        BELLS.fetch_add(1, Ordering::Relaxed);
        Ok(Bell { pipe })
    }

    /// Hands the signals that have arrived to their listeners, see [`dispatch`](dispatch()).
    ///
    /// A reactor that is edge-triggered, or remembers readiness, forgets it *before* this call, or asks once more after
    /// it: a signal that arrives during the call may ring during the call.
    pub fn dispatch(&self) -> usize {
        registry::dispatch()
    }

    /// Blocks this thread until a signal arrives, and hands it to its listeners; false if `timeout` is over first.
    ///
    /// # Errors
    ///
    /// What the operating system's `poll` says; an interruption is not an error.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let rung = self.pipe.wait(timeout)?;
        if rung {
            registry::dispatch();
        }
        Ok(rung)
    }

    pub(crate) fn pipe(&self) -> &'static Pipe {
        self.pipe
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        BELLS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

/// A watch over signals by the event loop that runs on this thread; for writers of event loops.
///
/// It costs nothing: the loop holds one while it runs, and before it sleeps asks [`is_listening`]. If somebody listens,
/// it watches `descriptor`, and calls [`dispatch`](LoopBell::dispatch) when that is readable. Tasks on this thread may
/// then wait for signals. A loop that runs on another thread is another loop, and has its own.
///
/// # Examples
///
/// ```
/// use corio_signal::{LoopBell, is_listening};
///
/// let bell = LoopBell::new();
/// // ... run what is ready; then, before the loop sleeps:
/// if is_listening() {
///     // Watch `bell.descriptor()` as well, and when it is readable:
///     bell.dispatch();
/// }
/// ```
pub struct LoopBell {
    /// Counted on this thread: it must be dropped there.
    thread: PhantomData<*const ()>,
}

impl LoopBell {
    /// Declares that a loop on this thread watches, until this is dropped.
    #[must_use]
    pub fn new() -> LoopBell {
        HERE.set(HERE.get() + 1);
        LoopBell { thread: PhantomData }
    }

    /// Hands the signals that have arrived to their listeners, see [`dispatch`](dispatch()).
    pub fn dispatch(&self) -> usize {
        registry::dispatch()
    }
}

impl Default for LoopBell {
    fn default() -> LoopBell {
        LoopBell::new()
    }
}

impl Drop for LoopBell {
    fn drop(&mut self) {
        HERE.set(HERE.get() - 1);
    }
}

impl fmt::Debug for LoopBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopBell").finish_non_exhaustive()
    }
}
