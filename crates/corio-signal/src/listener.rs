//! Listeners: what a program holds to hear of signals.

use crate::{SIGINT, Signal, bell, registry, sys};
use corio_seam::{Waiting, wait_on};
use futures_core::Stream;
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A listener to some signals, from the moment it is made until it is dropped.
///
/// asyncio's `loop.add_signal_handler`, as events. Every listener hears every signal of its list. A signal that arrives
/// several times before its listener looks is heard once, as with the operating system itself: a signal says *that*,
/// not how often. Of several that have arrived, the one with the lowest number comes first.
///
/// It is also a [`Stream`], which never ends.
///
/// # Examples
///
/// ```
/// use corio_signal::{Bell, SIGTERM, SIGUSR1, Signals};
///
/// # #[cfg(unix)] {
/// let mut signals = Signals::new([SIGTERM, SIGUSR1]).unwrap();
///
/// // Outside an event loop of corio's somebody has to watch for signals: here, a thread.
/// let bell = Bell::new().unwrap();
/// std::thread::spawn(move || while bell.wait(None).is_ok() {});
///
/// signal_hook::low_level::raise(SIGUSR1.as_raw()).unwrap();
/// assert_eq!(pollster::block_on(signals.recv()), SIGUSR1);
/// # }
/// ```
pub struct Signals {
    listener: Arc<Listener>,
}

impl Signals {
    /// Starts to listen; the default action of these signals is off from now on.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an empty list, a signal that the system does not have or that
    /// cannot be caught (`SIGKILL`, `SIGSTOP`), or must not be (`SIGSEGV`, `SIGILL`, `SIGFPE`);
    /// [`Unsupported`](io::ErrorKind::Unsupported) where there are no signals (Windows); others when the system is out
    /// of descriptors, or when four handlers of others lie over ours (see the crate's page). Nothing is listened to then.
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> io::Result<Signals> {
        let mut mask = 0;
        for signal in signals {
            sys::check_allowed(signal)?;
            mask |= signal.bit();
        }
        if mask == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no signals to listen to"));
        }
        let listener = Arc::new(Listener::new(mask, false));
        registry::add(&listener)?;
        Ok(Signals { listener })
    }

    /// Waits for the next signal.
    ///
    /// # Panics
    ///
    /// When it would have to wait and nobody watches for signals: neither this thread's event loop nor a
    /// [`Bell`](crate::Bell).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a signal stays with the listener until it is taken.
    pub fn recv(&mut self) -> Recv<'_> {
        Recv { signals: self }
    }

    /// Takes a signal that has arrived, if there is one; does not wait.
    pub fn try_recv(&mut self) -> Option<Signal> {
        if registry::has_arrived(self.listener.mask) {
            registry::dispatch();
        }
        self.listener.take()
    }

    /// Waits for the next signal, as [`recv`](Signals::recv) does, for hand-written futures.
    ///
    /// # Panics
    ///
    /// As [`recv`](Signals::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        if let Some(signal) = self.try_recv() {
            return Poll::Ready(signal);
        }
        if let Some(signal) = self.listener.take_or_wait(cx.waker()) {
            return Poll::Ready(signal);
        }
        assert!(
            bell::is_watched(),
            "nobody watches for signals here: wait inside corio's `run`, or keep a `corio_signal::Bell` whose \
             descriptor your reactor, or a thread of yours, watches"
        );
        wait_on(Waiting::Leaf(&"Signals.recv"));
        Poll::Pending
    }
}

/// Starts to listen to Ctrl-C, [`SIGINT`].
///
/// What a second Ctrl-C means is for the program to say: await it again, or drop the listener after the first one, and
/// the second ends the process.
///
/// # Errors
///
/// As [`Signals::new`].
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// let mut ctrl_c = corio_signal::ctrl_c().unwrap();
/// assert_eq!(ctrl_c.try_recv(), None);
///
/// signal_hook::low_level::raise(corio_signal::SIGINT.as_raw()).unwrap();
/// assert_eq!(ctrl_c.try_recv(), Some(corio_signal::SIGINT));
/// # }
/// ```
pub fn ctrl_c() -> io::Result<Signals> {
    Signals::new([SIGINT])
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        self.poll_recv(cx).map(Some)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        registry::remove(&self.listener);
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Signal::each(self.listener.mask)).finish()
    }
}

/// Future of [`Signals::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Recv<'a> {
    signals: &'a mut Signals,
}

impl Future for Recv<'_> {
    type Output = Signal;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Signal> {
        self.signals.poll_recv(cx)
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        // The waker would keep a task alive that waits no longer.
        let waker = self.signals.listener.state.lock().waker.take();
        drop(waker);
    }
}

/// The half of [`Signals`] that the registry knows.
pub(crate) struct Listener {
    mask: u64,
    /// Whether it hears only what no other listener does.
    is_fallback: bool,
    state: Mutex<State>,
}

/// Never locked while user code runs: wakers are cloned, woken and dropped outside.
#[derive(Default)]
struct State {
    /// Signals that have arrived for this listener and were not taken yet.
    pending: u64,
    /// Whoever waits, while `pending` is empty.
    waker: Option<Waker>,
}

impl Listener {
    pub(crate) fn new(mask: u64, is_fallback: bool) -> Listener {
        Listener { mask, is_fallback, state: Mutex::default() }
    }

    /// Tells whether it hears only what no other listener does.
    pub(crate) fn is_fallback(&self) -> bool {
        self.is_fallback
    }

    /// Returns the signals listened to.
    pub(crate) fn mask(&self) -> u64 {
        self.mask
    }

    /// Notes what of `arrived` is for this listener, and returns whom to wake for it.
    pub(crate) fn deliver(&self, arrived: u64) -> Option<Waker> {
        let arrived = arrived & self.mask;
        if arrived == 0 {
            return None;
        }
        let mut state = self.state.lock();
        state.pending |= arrived;
        state.waker.take()
    }

    pub(crate) fn take(&self) -> Option<Signal> {
        self.state.lock().take()
    }

    /// Takes a signal, or leaves the waker for the next one.
    fn take_or_wait(&self, waker: &Waker) -> Option<Signal> {
        let known = self.state.lock().waker.as_ref().is_some_and(|old| old.will_wake(waker));
        let mut spare = if known { None } else { Some(waker.clone()) };
        let mut state = self.state.lock();
        let signal = state.take();
        if signal.is_none() && !known {
            std::mem::swap(&mut state.waker, &mut spare);
        }
        drop(state);
        drop(spare);
        signal
    }
}

impl State {
    fn take(&mut self) -> Option<Signal> {
        let signal = Signal::lowest(self.pending)?;
        self.pending &= !signal.bit();
        Some(signal)
    }
}
