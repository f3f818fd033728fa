//! The cell that the two ends share: an enum under a lock.
//!
//! Nobody's code runs under the lock. A [`transition`] happens under it and takes out those who are told, who are told
//! after it is released, in the order in which they asked, in the thread that made it. A value is cloned, or looked at,
//! while it is *lent*: out of the cell, on the stack of one reader, with the others waiting. So `T` need not be `Sync`.

use super::watch::Arrivals;
use super::{Future, FutureError};
use crate::listeners::{Listeners, NO_KEY};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, ThreadId, current, lock, wait};
use corio_seam::{Cancelled, Panic, catch_and_report};
use std::mem;
use std::task::{Poll, Waker};
use std::time::Instant;

pub(super) type Callback<T> = Box<dyn FnOnce(&Future<T>) + Send>;

/// How far the future has come.
pub(super) enum State<T> {
    /// --> `Running`, `Cancelled`, and every ending: a promise may be kept without a word before.
    Pending,
    /// --> every ending but `Cancelled`
    Running,
    /// --> `Notified`
    Cancelled(Cancelled),
    /// Cancelled, and whoever was to do the work knows, or is gone.
    Notified(Cancelled),
    /// --> `Lent`, `Taken`
    Finished(T),
    /// Finished, and the value is on the stack of a reader in this thread; it comes back. --> `Finished`
    Lent(ThreadId),
    /// Finished, and the value was moved out.
    Taken,
    Broken,
    /// The payload is the first reader's; a text stands in for it then.
    Panicked(Panic),
}

/// Somebody who is told.
enum Listener<T> {
    /// Who awaits: told when the future is done, or a lent value is back.
    Waker(Waker),
    /// A callback: told when the future is done.
    Call(Callback<T>),
    /// Who waits for one of many, and calls this one by its index: told when the future is over.
    Watch(Arc<Arrivals>, usize),
}

/// What the lock guards.
pub(super) struct Inner<T> {
    pub(super) state: State<T>,
    /// Whether it ended with an error, as `wait` understands it.
    pub(super) failed: bool,
    listeners: Listeners<Listener<T>>,
    /// How many read ends there are, those aside that callbacks are lent.
    readers: usize,
    /// How to clone the value: known once there may be two read ends.
    clone: Option<fn(&T) -> T>,
}

/// The cell.
pub(super) struct Cell<T> {
    inner: Mutex<Inner<T>>,
    /// Signalled at each transition, and when a lent value is back.
    changed: Condvar,
}

impl<T> State<T> {
    /// `concurrent.futures`' `done()`: also CANCELLED.
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, State::Pending | State::Running)
    }

    /// What `wait` and `as_completed` count as over: not CANCELLED.
    pub(super) fn is_over(&self) -> bool {
        self.is_done() && !matches!(self, State::Cancelled(_))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, State::Cancelled(_) | State::Notified(_))
    }

    /// Tells whether there is an ending to read now.
    fn is_readable(&self) -> bool {
        self.is_done() && !matches!(self, State::Lent(_))
    }

    /// Returns why there is no value, for a reader who leaves the payload of a panic to another.
    fn failure(&self) -> Option<FutureError> {
        match self {
            State::Cancelled(cancelled) | State::Notified(cancelled) => Some(FutureError::Cancelled(cancelled.clone())),
            State::Broken => Some(FutureError::BrokenPromise),
            State::Panicked(panic) => Some(FutureError::Panicked(copy(panic))),
            _ => None,
        }
    }

    /// Names the state, for a person.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::Cancelled(_) | State::Notified(_) => "cancelled",
            State::Finished(_) | State::Lent(_) | State::Taken => "finished",
            State::Broken => "broken",
            State::Panicked(_) => "panicked",
        }
    }
}

/// Makes a panic with the message of another.
fn copy(panic: &Panic) -> Panic {
    Panic::new(Box::new(panic.message().unwrap_or("a payload that is no text").to_owned()))
}

impl<T> Cell<T> {
    pub(super) fn new() -> Cell<T> {
        let listeners = Listeners::new();
        let inner = Inner { state: State::Pending, failed: false, listeners, readers: 1, clone: None };
        Cell { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        lock(&self.inner)
    }

    /// Blocks until the future is done; false if the deadline has passed before.
    pub(super) fn wait_done(&self, deadline: Option<Instant>) -> bool {
        let mut inner = self.lock();
        let mut in_time = true;
        while in_time && !inner.state.is_done() {
            (inner, in_time) = wait(&self.changed, inner, deadline);
        }
        inner.state.is_done()
    }

    /// Blocks until the ending can be read; none if the deadline has passed before.
    ///
    /// # Panics
    ///
    /// Where it would never come: inside what looks at the value.
    fn wait_readable(&self, deadline: Option<Instant>) -> Option<MutexGuard<'_, Inner<T>>> {
        let mut inner = self.lock();
        let mut in_time = true;
        while in_time && !inner.state.is_readable() {
            let lent_here = matches!(inner.state, State::Lent(thread) if thread == current().id());
            assert!(!lent_here, "a future's value was asked for from within what looks at that value, or clones it");
            (inner, in_time) = wait(&self.changed, inner, deadline);
        }
        inner.state.is_readable().then_some(inner)
    }

    /// Blocks for the ending and reads it; none if the deadline has passed before.
    pub(super) fn wait_read(&self, deadline: Option<Instant>) -> Option<Result<T, FutureError>> {
        let inner = self.wait_readable(deadline)?;
        Some(self.read(inner))
    }

    /// Reads the ending if it is there.
    pub(super) fn try_read(&self) -> Option<Result<T, FutureError>> {
        let inner = self.lock();
        inner.state.is_readable().then(|| self.read(inner))
    }

    /// Reads the ending if it is there, else has `waker` woken when it may be; its key is set if it is [`NO_KEY`].
    pub(super) fn poll(&self, key: &mut u64, waker: &Waker) -> Poll<Result<T, FutureError>> {
        // One who polls for the first time mostly has to wait: locking once is worth a waker cloned in vain.
        let mut new = (*key == NO_KEY).then(|| waker.clone());
        loop {
            let mut inner = self.lock();
            if inner.state.is_readable() {
                return Poll::Ready(self.read(inner));
            }
            if let Some(Listener::Waker(old)) = inner.listeners.find(*key) {
                if old.will_wake(waker) {
                    return Poll::Pending;
                }
            }
            if let Some(new) = new.take() {
                let old = inner.put_waker(key, new);
                drop(inner);
                drop(old); // User code, as is the clone below: not under the lock.
                return Poll::Pending;
            }
            drop(inner);
            new = Some(waker.clone());
        }
    }

    /// Reads the ending: moves the value out for the last reader, clones it for another.
    fn read(&self, mut inner: MutexGuard<'_, Inner<T>>) -> Result<T, FutureError> {
        if let State::Panicked(panic) = &mut inner.state {
            let rest = copy(panic);
            return Err(FutureError::Panicked(mem::replace(panic, rest)));
        }
        if let Some(error) = inner.state.failure() {
            return Err(error);
        }
        let clone = inner.clone.filter(|_| inner.readers > 1);
        let next = if clone.is_some() { State::Lent(current().id()) } else { State::Taken };
        let State::Finished(value) = mem::replace(&mut inner.state, next) else {
            inner.state = State::Taken;
            drop(inner);
            panic!("a future's value was read after it had been moved out: `share` it to read it twice")
        };
        drop(inner);
        match clone {
            Some(clone) => Ok(clone(&Loan { cell: self, value: Some(value) })),
            None => Ok(value),
        }
    }

    /// Blocks until the ending can be read, and calls `f` with the value, if there is one; others wait meanwhile.
    pub(super) fn look<R>(&self, f: impl FnOnce(&T) -> R) -> Result<Option<R>, FutureError> {
        let mut inner = self.lock();
        if !inner.state.is_done() {
            return Ok(None);
        }
        if !inner.state.is_readable() {
            drop(inner);
            match self.wait_readable(None) {
                Some(readable) => inner = readable,
                None => return Ok(None),
            }
        }
        if let Some(error) = inner.state.failure() {
            return Err(error);
        }
        match mem::replace(&mut inner.state, State::Taken) {
            State::Finished(value) => {
                inner.state = State::Lent(current().id());
                drop(inner);
                Ok(Some(f(&Loan { cell: self, value: Some(value) })))
            }
            _ => Ok(None), // It was moved out before.
        }
    }

    /// Has `arrivals` told of `index` when the future is over, and returns the key; tells it now if it is.
    pub(super) fn watch(&self, arrivals: &Arc<Arrivals>, index: usize) -> u64 {
        let mut inner = self.lock();
        if !inner.state.is_over() {
            return inner.listeners.push(Listener::Watch(Arc::clone(arrivals), index));
        }
        drop(inner);
        arrivals.add(index);
        NO_KEY
    }

    /// Takes back a watch, or a waker; an old key does nothing.
    pub(super) fn unlisten(&self, key: u64) {
        if key != NO_KEY {
            let old = self.lock().listeners.remove(key);
            drop(old); // User code: the lock is released.
        }
    }

    /// Adds a callback and returns its key; gives it back if the future is done.
    pub(super) fn add_callback(&self, callback: Callback<T>) -> Result<u64, Callback<T>> {
        let mut inner = self.lock();
        if inner.state.is_done() {
            return Err(callback);
        }
        Ok(inner.listeners.push(Listener::Call(callback)))
    }

    /// Takes a callback back; leaves others alone, for a key may be that of another cell.
    pub(super) fn remove_callback(&self, key: u64) -> bool {
        let mut inner = self.lock();
        if !matches!(inner.listeners.find(key), Some(Listener::Call(_))) {
            return false;
        }
        let removed = inner.listeners.remove(key);
        drop(inner);
        removed.is_some() // And dropped here, under no lock.
    }

    /// Counts one more read end, and learns how to clone for it.
    pub(super) fn add_reader(&self, clone: fn(&T) -> T) {
        let mut inner = self.lock();
        inner.clone = Some(clone);
        inner.readers += 1;
    }

    /// Counts one read end less, and takes its waker back.
    pub(super) fn remove_reader(&self, key: u64) {
        let mut inner = self.lock();
        inner.readers -= 1;
        let old = inner.listeners.remove(key);
        drop(inner);
        drop(old); // User code: the lock is released.
    }
}

impl<T> Inner<T> {
    /// Returns how many are to be told.
    pub(super) fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Puts a waker in the place of the one that `key` has, which is returned, or at the end.
    fn put_waker(&mut self, key: &mut u64, new: Waker) -> Option<Listener<T>> {
        if let Some(listener) = self.listeners.find(*key) {
            return Some(mem::replace(listener, Listener::Waker(new)));
        }
        *key = self.listeners.push(Listener::Waker(new));
        None
    }
}

/// A value out of its cell; it goes back when this is dropped, also by a panic of whoever looks at it.
struct Loan<'c, T> {
    cell: &'c Cell<T>,
    /// None only while this is dropped.
    value: Option<T>,
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
        let wakers = inner.listeners.take_if(|listener| matches!(listener, Listener::Waker(_)));
        drop(inner);
        self.cell.changed.notify_all();
        for listener in wakers {
            if let Listener::Waker(waker) = listener {
                wake(waker);
            }
        }
    }
}

/// Tells one listener; its panic is reported, and stops no other.
fn tell<T>(cell: &Arc<Cell<T>>, listener: Listener<T>) {
    match listener {
        Listener::Waker(waker) => wake(waker),
        Listener::Watch(arrivals, index) => arrivals.add(index),
        Listener::Call(callback) => call(callback, &Future::view(cell)),
    }
}

fn wake(waker: Waker) {
    catch_and_report("panic in a waker", || waker.wake());
}

/// Calls a callback; its panic is reported.
pub(super) fn call<T>(callback: impl FnOnce(&Future<T>), future: &Future<T>) {
    catch_and_report("exception in a callback of a thread-safe future", || callback(future));
}

/// Makes a transition by `change`, unless that declines, and tells those who wait for it, in this thread.
///
/// Wakers and callbacks wait for done, watches for over. `change` runs under the lock, and must drop nobody's value.
pub(super) fn transition<T>(cell: &Arc<Cell<T>>, change: impl FnOnce(&mut Inner<T>) -> bool) -> bool {
    let mut inner = cell.lock();
    if !change(&mut inner) {
        return false;
    }
    if inner.state.is_over() {
        let told = inner.listeners.take();
        drop(inner);
        cell.changed.notify_all();
        told.for_each(|listener| tell(cell, listener));
    } else if inner.state.is_done() {
        let told = inner.listeners.take_if(|listener| !matches!(listener, Listener::Watch(..)));
        drop(inner);
        cell.changed.notify_all();
        told.into_iter().for_each(|listener| tell(cell, listener));
    }
    true
}
