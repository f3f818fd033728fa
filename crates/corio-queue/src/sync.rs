//! The lock and the condition variable of the thread-safe queue: `parking_lot`'s; loom's in the models; std's under
//! Miri, which cannot follow `parking_lot`'s pointers in integers.

#[cfg(any(loom, miri))]
pub(crate) use model::{Condvar, Mutex, MutexGuard, wait_until};
#[cfg(not(any(loom, miri)))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

/// Waits for a notification, or until `deadline`; it may also end for no reason.
#[cfg(not(any(loom, miri)))]
pub(crate) fn wait_until<T>(bell: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => drop(bell.wait_until(guard, deadline)),
        None => bell.wait(guard),
    }
}

/// Types with std's methods in the shape of `parking_lot`'s.
#[cfg(any(loom, miri))]
mod model {
    #[cfg(loom)]
    use loom::sync as inner;
    use std::ops::{Deref, DerefMut};
    #[cfg(not(loom))]
    use std::sync as inner;
    use std::time::Instant;

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(inner::Condvar);

    impl Condvar {
        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(inner::Mutex<T>);

    /// `None` only inside `wait_until`.
    pub(crate) struct MutexGuard<'a, T>(Option<inner::MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(inner::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap()))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().unwrap()
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().unwrap()
        }
    }

    /// Waits for a notification, or until `deadline`. Under loom, time does not pass.
    pub(crate) fn wait_until<T>(bell: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: Option<Instant>) {
        let limit = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        guard.0 = guard.0.take().map(|guard| match limit {
            Some(limit) => bell.0.wait_timeout(guard, limit).unwrap().0,
            None => bell.0.wait(guard).unwrap(),
        });
    }
}
