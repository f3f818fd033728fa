//! Lock, condition, count and thread: parking_lot's and std's, loom's in a model; std's under Miri, for parking_lot keeps pointers
//! in integers, which strict provenance forbids.

use std::time::Instant;

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(loom)]
pub(crate) use loom::thread::{ThreadId, current};
#[cfg(loom)]
pub(crate) use loom::thread_local;
#[cfg(not(any(loom, miri)))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::Arc;
#[cfg(miri)]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::thread::{ThreadId, current};
#[cfg(not(loom))]
pub(crate) use std::thread_local;

/// Locks `mutex`.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(not(any(loom, miri)))]
    return mutex.lock();
    #[cfg(any(loom, miri))]
    return mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
}

/// Waits for `condvar` until `deadline`, or for ever; false if the deadline has passed.
#[cfg(not(any(loom, miri)))]
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

#[cfg(any(loom, miri))]
pub(crate) fn wait<'g, T>(
    condvar: &Condvar,
    guard: MutexGuard<'g, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'g, T>, bool) {
    let Some(deadline) = deadline else { return (condvar.wait(guard).unwrap(), true) };
    let left = deadline.saturating_duration_since(Instant::now());
    let (guard, result) = condvar.wait_timeout(guard, left).unwrap();
    (guard, !result.timed_out())
}
