//! What the rest takes from the standard library, parking_lot, or, to be model-checked, from loom. Under Miri the lock is
//! std's, for parking_lot keeps pointers in integers, which strict provenance forbids.

#[cfg(not(loom))]
pub(crate) use self::real::*;
#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, Ordering, fence},
};

#[cfg(not(loom))]
mod real {
    #[cfg(not(miri))]
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, Ordering, fence};
    #[cfg(miri)]
    pub(crate) use std::sync::{Mutex, MutexGuard};
}

/// Locks `mutex`. No user code runs under a lock, so none is ever poisoned.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(not(any(loom, miri)))]
    return mutex.lock();
    #[cfg(any(loom, miri))]
    return mutex.lock().unwrap();
}
