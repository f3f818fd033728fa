//! Lock and condition, from parking_lot, or, to be model-checked, from loom.

use std::time::Instant;

#[cfg(not(loom))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::Arc;

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(not(loom))]
    return mutex.lock();
    #[cfg(loom)]
    return mutex.lock().unwrap();
}

/// Waits for `condvar` until `deadline`, or for ever; false if the deadline has passed.
pub(crate) fn wait<'g, T>(
    condvar: &Condvar,
    #[allow(unused_mut)] mut guard: MutexGuard<'g, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'g, T>, bool) {
    #[cfg(not(loom))]
    {
        let timed_out = match deadline {
            Some(deadline) => condvar.wait_until(&mut guard, deadline).timed_out(),
            None => {
                condvar.wait(&mut guard);
                false
            }
        };
        (guard, !timed_out)
    }
    #[cfg(loom)]
    {
        let _ = deadline; // A model has no clock.
        (condvar.wait(guard).unwrap(), true)
    }
}
