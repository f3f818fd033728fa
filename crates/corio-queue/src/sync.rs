//! The lock and the condition variable of the thread-safe queue: `parking_lot`'s, or loom's in its models.

#[cfg(loom)]
pub(crate) use model::{Condvar, Mutex, MutexGuard, wait_until};
#[cfg(not(loom))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// Waits for a notification, or until `deadline`; it may also end for no reason.
#[cfg(not(loom))]
pub(crate) fn wait_until<T>(bell: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => drop(bell.wait_until(guard, deadline)),
        None => bell.wait(guard),
    }
}

/// loom's types in the shape of `parking_lot`'s.
#[cfg(loom)]
mod model {
    use std::ops::{Deref, DerefMut};
    use std::time::Instant;

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    /// Is `None` only inside `wait_until`.
    pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
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

    /// Waits for a notification. Time does not pass in a model.
    pub(crate) fn wait_until<T>(bell: &Condvar, guard: &mut MutexGuard<'_, T>, _: Option<Instant>) {
        guard.0 = guard.0.take().map(|guard| bell.0.wait(guard).unwrap());
    }
}
