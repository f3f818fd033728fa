//! The cell that the two ends share: an enum under a lock.
//!
//! Nobody's code runs under the lock. A transition happens under it and returns the list of those who are told, who are
//! told after it is released, in the order in which they asked. A value is cloned, or looked at, while it is *lent*: out
//! of the cell, on the stack of one reader, with the others waiting. So `T` need not be `Sync`.

use super::{Future, FutureError};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use corio_seam::{Cancelled, Panic, Report, report};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// The name of a done callback, to take it back by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(u64);

pub(super) type Callback<T> = Box<dyn FnOnce(&Future<T>) + Send>;

/// Somebody who waits for one of many futures, by the index that this one has for them.
pub(super) trait Watch: Send + Sync {
    /// The future is over: finished, or cancelled and notified.
    fn over(&self, index: usize);
}

pub(super) enum State<T> {
    Pending,
    Running,
    Cancelled(Cancelled),
    /// Cancelled, and whoever was to do the work knows.
    Notified(Cancelled),
    Finished(T),
    /// Finished, and the value is on some reader's stack; it comes back.
    Lent,
    Broken,
    Panicked(Panic),
    /// Finished, and the value was moved out.
    Taken,
}

enum Listener<T> {
    Waker(u64, Waker),
    Call(u64, Callback<T>),
    Watch(u64, Arc<dyn Watch>, usize),
}

impl<T> Listener<T> {
    fn key(&self) -> u64 {
        match self {
            Listener::Waker(key, _) | Listener::Call(key, _) | Listener::Watch(key, ..) => *key,
        }
    }
}

pub(super) struct Inner<T> {
    pub(super) state: State<T>,
    listeners: Vec<Listener<T>>,
    last_key: u64,
    /// How many read ends there are.
    pub(super) readers: usize,
    /// How to clone the value: known once there may be two read ends.
    pub(super) clone: Option<fn(&T) -> T>,
}

/// The cell.
pub(super) struct Cell<T> {
    inner: Mutex<Inner<T>>,
    /// Signalled at the end, and when a lent value is back.
    over: Condvar,
}

impl<T> State<T> {
    /// asyncio's `done()`: also CANCELLED.
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, State::Pending | State::Running)
    }

    /// What `wait` and `as_completed` count as over.
    pub(super) fn is_over(&self) -> bool {
        self.is_done() && !matches!(self, State::Cancelled(_))
    }
}

impl<T> Inner<T> {
    pub(super) fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Notes a waker under `key`, in the place of the one it had, which the caller drops.
    pub(super) fn set_waker(&mut self, key: u64, waker: Waker) -> Option<Waker> {
        for listener in &mut self.listeners {
            if let Listener::Waker(at, old) = listener {
                if *at == key {
                    return Some(mem::replace(old, waker));
                }
            }
        }
        self.listeners.push(Listener::Waker(key, waker));
        None
    }
}

impl<T> Cell<T> {
    pub(super) fn new() -> Cell<T> {
        let inner = Inner { state: State::Pending, listeners: Vec::new(), last_key: 0, readers: 1, clone: None };
        Cell { inner: Mutex::new(inner), over: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        lock(&self.inner)
    }

    /// Waits until `ready` says so; false if the deadline has passed before.
    pub(super) fn wait_until(&self, deadline: Option<Instant>, ready: impl Fn(&State<T>) -> bool) -> bool {
        let mut inner = self.lock();
        loop {
            if ready(&inner.state) {
                return true;
            }
            let in_time;
            (inner, in_time) = wait(&self.over, inner, deadline);
            if !in_time {
                return ready(&inner.state);
            }
        }
    }

    /// Takes a listener out; the guard is gone when the caller drops it.
    pub(super) fn remove(&self, key: u64) -> bool {
        let mut inner = self.lock();
        let index = inner.listeners.iter().position(|listener| listener.key() == key);
        let removed = index.map(|index| inner.listeners.remove(index));
        drop(inner);
        removed.is_some()
    }

    /// Has `watch` told when the future is over; tells it now if it is.
    pub(super) fn watch(&self, watch: &Arc<dyn Watch>, index: usize) -> Option<u64> {
        let mut inner = self.lock();
        if inner.state.is_over() {
            drop(inner);
            watch.over(index);
            return None;
        }
        let key = inner.next_key();
        inner.listeners.push(Listener::Watch(key, Arc::clone(watch), index));
        Some(key)
    }

    /// Notes a callback; gives it back if the future is over.
    pub(super) fn add_callback(&self, callback: Callback<T>) -> Result<CallbackKey, Callback<T>> {
        let mut inner = self.lock();
        if inner.state.is_done() {
            return Err(callback);
        }
        let key = inner.next_key();
        inner.listeners.push(Listener::Call(key, callback));
        Ok(CallbackKey(key))
    }

    pub(super) fn remove_callback(&self, key: CallbackKey) -> bool {
        self.remove(key.0)
    }

    /// Reads the value, if it is there: moves it out for the last reader, clones it for another.
    ///
    /// `None` if there is nothing to read yet.
    ///
    /// # Panics
    ///
    /// If the value was moved out before, and if `T::clone` panics; the value is back then.
    pub(super) fn read(&self) -> Option<Result<T, FutureError>> {
        let mut inner = self.lock();
        match &mut inner.state {
            State::Pending | State::Running | State::Lent => None,
            State::Cancelled(cancelled) | State::Notified(cancelled) => {
                Some(Err(FutureError::Cancelled(cancelled.clone())))
            }
            State::Broken => Some(Err(FutureError::BrokenPromise)),
            State::Panicked(panic) => {
                let message = panic.message().unwrap_or("the payload was taken by another reader").to_owned();
                Some(Err(FutureError::Panicked(mem::replace(panic, Panic::new(Box::new(message))))))
            }
            State::Finished(_) => {
                let clone = inner.clone.filter(|_| inner.readers > 1);
                let next = if clone.is_some() { State::Lent } else { State::Taken };
                let State::Finished(value) = mem::replace(&mut inner.state, next) else { unreachable!() };
                drop(inner);
                Some(Ok(match clone {
                    Some(clone) => clone(&Loan::new(self, value)),
                    None => value,
                }))
            }
            State::Taken => {
                drop(inner);
                panic!("a future's value was read after it had been moved out: `share` it first to read it twice")
            }
        }
    }

    /// Calls `f` with the value, if it is there; others wait meanwhile.
    pub(super) fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        let mut inner = self.lock();
        loop {
            match &inner.state {
                State::Finished(_) => break,
                State::Lent => (inner, _) = wait(&self.over, inner, None),
                _ => return None,
            }
        }
        let State::Finished(value) = mem::replace(&mut inner.state, State::Lent) else { unreachable!() };
        drop(inner);
        Some(f(&Loan::new(self, value)))
    }
}

/// A value out of its cell; it goes back when this is dropped, also by a panic of whoever looks at it.
struct Loan<'c, T> {
    cell: &'c Cell<T>,
    value: Option<T>,
}

impl<'c, T> Loan<'c, T> {
    fn new(cell: &'c Cell<T>, value: T) -> Loan<'c, T> {
        Loan { cell, value: Some(value) }
    }
}

impl<T> std::ops::Deref for Loan<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a loan has its value until it is dropped")
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        let mut inner = self.cell.lock();
        inner.state = State::Finished(value);
        self.cell.over.notify_all();
        let (wakers, others) = mem::take(&mut inner.listeners).into_iter().partition(is_waker);
        inner.listeners = others;
        drop(inner);
        for listener in wakers {
            tell(listener, None);
        }
    }
}

fn is_waker<T>(listener: &Listener<T>) -> bool {
    matches!(listener, Listener::Waker(..))
}

/// Tells one listener; its panic is reported, and stops no other.
fn tell<T>(listener: Listener<T>, future: Option<&Future<T>>) {
    let told = catch_unwind(AssertUnwindSafe(|| match listener {
        Listener::Waker(_, waker) => waker.wake(),
        Listener::Watch(_, watch, index) => watch.over(index),
        Listener::Call(_, callback) => {
            if let Some(future) = future {
                callback(future);
            }
        }
    }));
    if let Err(payload) = told {
        let panic = Panic::new(payload);
        let reported = catch_unwind(AssertUnwindSafe(|| {
            report(Report::new("exception in a callback of a thread-safe future").with_panic(panic));
        }));
        mem::forget(reported); // A second payload's destructor may panic too.
    }
}

/// Makes a transition: `change` returns the value that it could not use, or nothing when it made the change.
///
/// Then tells those who wait, in this thread: callbacks and wakers at a change to done, watchers at one to over.
pub(super) fn transition<T, R>(
    cell: &crate::sync::Arc<Cell<T>>,
    change: impl FnOnce(&mut Inner<T>) -> Result<R, R>,
) -> Result<R, R> {
    let mut inner = cell.lock();
    let changed = change(&mut inner);
    if changed.is_err() {
        drop(inner);
        return changed;
    }
    let over = inner.state.is_over();
    let told: Vec<Listener<T>> = if over {
        mem::take(&mut inner.listeners)
    } else if inner.state.is_done() {
        let watches = |listener: &Listener<T>| matches!(listener, Listener::Watch(..));
        let (later, now) = mem::take(&mut inner.listeners).into_iter().partition(watches);
        inner.listeners = later;
        now
    } else {
        Vec::new()
    };
    drop(inner);
    cell.over.notify_all();
    if !told.is_empty() {
        let view = Future::view(cell);
        told.into_iter().for_each(|listener| tell(listener, Some(&view)));
    }
    changed
}
