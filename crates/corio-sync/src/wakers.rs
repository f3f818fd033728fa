//! Several wakers that are owed a wake-up.

use std::any::Any;
use std::fmt;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

/// The wakers of several notified waiters, to be woken in order where no borrow or lock is held.
///
/// Dropping it wakes them too: a notification is never lost.
#[must_use = "the waiters sleep on until their wakers are woken"]
pub struct Wakers {
    /// The waker to wake first. One waiter is the common case, and costs no allocation.
    first: Option<Waker>,
    /// The others, in order.
    rest: Vec<Waker>,
}

impl Wakers {
    /// Makes an empty collection, without an allocation.
    #[inline]
    pub const fn new() -> Wakers {
        Wakers { first: None, rest: Vec::new() }
    }

    /// Adds one to be woken behind the others.
    #[inline]
    pub fn push(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.rest.push(waker),
        }
    }

    /// Adds those of `others` behind the ones that are here.
    pub fn append(&mut self, mut others: Wakers) {
        others.first.take().into_iter().chain(std::mem::take(&mut others.rest)).for_each(|waker| self.push(waker));
    }

    /// Wakes them all, longest wait first.
    ///
    /// # Panics
    ///
    /// With the first panic of a waker, after the others have been woken.
    #[inline]
    pub fn wake(mut self) {
        self.wake_rest();
    }

    /// Tells whether there is nobody to wake.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes whoever has not been woken yet.
    #[inline]
    fn wake_rest(&mut self) {
        let Some(first) = self.first.take() else { return };
        if self.rest.is_empty() {
            return first.wake();
        }
        self.wake_many(first);
    }

    /// Wakes `first` and the rest, and panics afterwards with the first panic, if there was one.
    fn wake_many(&mut self, first: Waker) {
        let mut panic = None;
        for waker in iter::once(first).chain(std::mem::take(&mut self.rest)) {
            match catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                Err(payload) if panic.is_none() => panic = Some(payload),
                Err(payload) => bury(payload),
                Ok(()) => {}
            }
        }
        match panic {
            // Another panic would end the process.
            Some(payload) if std::thread::panicking() => bury(payload),
            Some(payload) => resume_unwind(payload),
            None => {}
        }
    }
}

/// Drops a panic's payload, whose destructor may panic in its turn.
fn bury(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

impl Default for Wakers {
    fn default() -> Wakers {
        Wakers::new()
    }
}

impl Drop for Wakers {
    #[inline]
    fn drop(&mut self) {
        self.wake_rest();
    }
}

impl fmt::Debug for Wakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakers").field("len", &(usize::from(self.first.is_some()) + self.rest.len())).finish()
    }
}
