//! The process's one table: which signals have handlers, who listens, and the pipe.
//!
//! A handler raises its signal's flag in [`ARRIVED`] and rings the pipe; nothing else of ours happens there. Whoever
//! hears the bell calls [`dispatch`], which empties the pipe, *then* lowers the flags and hands what they said to the
//! listeners. A signal that arrives in between rings again: a ring for nothing is possible, a lost one is not.

use crate::Signal;
use crate::listener::Listener;
use crate::sys::{self, Handler, Pipe};
use corio_seam::{Panic, Report, report};
use parking_lot::Mutex;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

/// Signals that arrived and were not handed out yet. Raised by handlers, lowered by [`Registry::collect`]; SeqCst, both.
pub(crate) static ARRIVED: [AtomicBool; Signal::MAX] = [const { AtomicBool::new(false) }; Signal::MAX];

/// How many listeners there are, but for fallbacks. Changed under the lock; event loops read it without.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

static REGISTRY: Mutex<Registry> = Mutex::new(Registry::new());

struct Registry {
    /// Opened when first needed, never closed: handlers may be writing to it at any moment.
    pipe: Option<&'static Pipe>,
    slots: [Slot; Signal::MAX],
    listeners: Vec<Arc<Listener>>,
}

/// What is known of one signal.
struct Slot {
    listeners: usize,
    /// There while `listeners` is above 0.
    handler: Option<Handler>,
}

/// Opens the pipe, or returns it.
pub(crate) fn pipe() -> io::Result<&'static Pipe> {
    REGISTRY.lock().pipe()
}

/// Tells whether somebody listens to any signal.
#[inline]
pub(crate) fn is_listening() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}

/// Tells whether one of the signals in `mask` has arrived and waits for a [`dispatch`].
pub(crate) fn has_arrived(mask: u64) -> bool {
    Signal::each(mask).any(|signal| ARRIVED[signal.index()].load(Ordering::SeqCst))
}

/// Hands the signals that have arrived to their listeners; the number of tasks woken.
pub(crate) fn dispatch() -> usize {
    let wakers = REGISTRY.lock().collect();
    wake_all(wakers)
}

/// Adds a listener for the signals in its mask.
pub(crate) fn add(listener: &Arc<Listener>) -> io::Result<()> {
    let mut registry = REGISTRY.lock();
    // What arrived before is for those who listened then.
    let wakers = registry.collect();
    let added = registry.add(listener);
    drop(registry);
    wake_all(wakers);
    added
}

/// Adds a listener for what no other listens to; false, and it is not added, if the default action was not in place.
pub(crate) fn add_fallback(listener: &Arc<Listener>, signal: Signal) -> io::Result<bool> {
    let is_default = sys::is_default(signal)?;
    if is_default {
        add(listener)?;
    }
    Ok(is_default)
}

/// Removes a listener.
pub(crate) fn remove(listener: &Arc<Listener>) {
    let mut registry = REGISTRY.lock();
    let wakers = registry.collect();
    registry.remove(listener);
    drop(registry);
    wake_all(wakers);
}

/// Wakes one after the other. One that panics is reported, and the others are woken all the same.
fn wake_all(wakers: Vec<Waker>) -> usize {
    let woken = wakers.len();
    for waker in wakers {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            report(Report::new("panic in the waker of a task that waits for a signal").with_panic(Panic::new(payload)));
        }
    }
    woken
}

impl Registry {
    const fn new() -> Registry {
        const SLOT: Slot = Slot { listeners: 0, handler: None };
        Registry { pipe: None, slots: [SLOT; Signal::MAX], listeners: Vec::new() }
    }

    fn pipe(&mut self) -> io::Result<&'static Pipe> {
        if self.pipe.is_none() {
            self.pipe = Some(Box::leak(Box::new(Pipe::open()?)));
        }
        Ok(self.pipe.expect("it has just been opened"))
    }

    /// Empties the pipe, then lowers the flags, and returns whom to wake once the lock is open.
    fn collect(&mut self) -> Vec<Waker> {
        if let Some(pipe) = self.pipe {
            pipe.drain();
        }
        let (mut meant, mut heard) = (0, 0);
        for listener in &self.listeners {
            meant |= listener.mask();
            heard |= if listener.is_fallback() { 0 } else { listener.mask() };
        }
        let lowered = |signal: &Signal| ARRIVED[signal.index()].swap(false, Ordering::SeqCst);
        let arrived = Signal::each(meant).filter(lowered).fold(0, |mask, signal| mask | signal.bit());
        let part = |listener: &Listener| if listener.is_fallback() { arrived & !heard } else { arrived };
        self.listeners.iter().filter_map(|listener| listener.deliver(part(listener))).collect()
    }

    fn add(&mut self, listener: &Arc<Listener>) -> io::Result<()> {
        let pipe = self.pipe()?;
        for signal in Signal::each(listener.mask()) {
            if let Err(error) = self.slots[signal.index()].add(signal, pipe) {
                let before = listener.mask() & (signal.bit() - 1);
                Signal::each(before).for_each(|signal| self.slots[signal.index()].remove(signal));
                return Err(error);
            }
        }
        self.listeners.push(listener.clone());
        self.count();
        Ok(())
    }

    fn count(&self) {
        let count = self.listeners.iter().filter(|listener| !listener.is_fallback()).count();
        LISTENERS.store(count, Ordering::Relaxed);
    }

    fn remove(&mut self, listener: &Arc<Listener>) {
        let Some(place) = self.listeners.iter().position(|other| Arc::ptr_eq(other, listener)) else { return };
        self.listeners.remove(place);
        self.count();
        Signal::each(listener.mask()).for_each(|signal| self.slots[signal.index()].remove(signal));
    }
}

impl Slot {
    fn add(&mut self, signal: Signal, pipe: &'static Pipe) -> io::Result<()> {
        if self.listeners == 0 {
            self.handler = Some(sys::listen(signal, pipe)?);
        }
        self.listeners += 1;
        Ok(())
    }

    fn remove(&mut self, signal: Signal) {
        self.listeners -= 1;
        if self.listeners > 0 {
            return;
        }
        if let Some(handler) = self.handler.take() {
            sys::unlisten(handler);
        }
        // What was flagged a moment ago is nobody's.
        ARRIVED[signal.index()].store(false, Ordering::SeqCst);
    }
}
