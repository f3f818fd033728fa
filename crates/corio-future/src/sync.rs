//! Lock, condition and count, from parking_lot and std; from loom when a model is checked.

use std::time::Instant;

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::Arc;

#[cfg(loom)]
pub(crate) use loom::thread::{ThreadId, current};
#[cfg(not(loom))]
pub(crate) use std::thread::{ThreadId, current};

/// Locks `mutex`.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(not(loom))]
    return mutex.lock();
    #[cfg(loom)]
    return mutex.lock().unwrap();
}

/// Waits for `condvar` until `deadline`, or for ever; false if the deadline has passed. A model has no clock.
#[cfg(not(loom))]
pub(crate) fn wait<'g, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'g, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'g, T>, bool) {
    let in_time = match deadline {
        Some(deadline) => !condvar.wait_until(&mut guard, deadline).timed_out(),
        None => {
            condvar.wait(&mut guard);
            true
        }
    };
    (guard, in_time)
}

#[cfg(loom)]
pub(crate) fn wait<'g, T>(
    condvar: &Condvar,
    guard: MutexGuard<'g, T>,
    _: Option<Instant>,
) -> (MutexGuard<'g, T>, bool) {
    (condvar.wait(guard).unwrap(), true)
}
