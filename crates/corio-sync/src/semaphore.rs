//! A counter of permits.

use crate::statistics::SemaphoreStatistics;
use crate::{TooManyReleases, WaiterKey, Waiters};
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A number of permits that tasks take and give back; asyncio's `Semaphore`.
///
/// First come, first served: a permit that is released while somebody waits is reserved for him at that moment, and
/// nobody overtakes him.
///
/// # Examples
///
/// ```
/// use corio_sync::Semaphore;
///
/// # pollster::block_on(async {
/// let connections = Semaphore::new(2);
/// let first = connections.acquire().await;
/// let second = connections.acquire().await;
/// assert!(connections.locked() && connections.try_acquire().is_none());
/// drop(first);
/// assert_eq!(connections.available(), 1);
/// # });
/// ```
pub struct Semaphore {
    /// The permits that are neither held nor reserved.
    permits: Cell<usize>,
    /// How many permits there may be.
    bound: usize,
    /// How often a permit was taken.
    acquired: Cell<u64>,
    waiters: Waiters,
}

impl Semaphore {
    /// Makes a semaphore of `permits` permits, 0 included; asyncio's `Semaphore(value)`.
    ///
    /// A negative number, which is a `ValueError` there, does not compile here.
    #[must_use]
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore::with_bound(permits, usize::MAX)
    }

    /// Makes a semaphore of `permits` permits that never has more than `bound`.
    const fn with_bound(permits: usize, bound: usize) -> Semaphore {
        Semaphore { permits: Cell::new(permits), bound, acquired: Cell::new(0), waiters: Waiters::new() }
    }

    /// Returns the number of permits that are neither held nor reserved for a woken waiter.
    #[inline]
    #[must_use]
    pub fn available(&self) -> usize {
        self.permits.get()
    }

    /// Tells whether acquiring would have to wait: no permit is left, or somebody is in the line; asyncio's
    /// `Semaphore.locked`.
    #[inline]
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.get() == 0 || !self.waiters.is_empty()
    }

    /// Takes a permit, waiting for it in line; asyncio's `Semaphore.acquire`.
    ///
    /// Does not yield if there is a permit and nobody is in the line.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line; a permit reserved for it goes to the next waiter.
    #[inline]
    pub fn acquire(&self) -> AcquirePermit<'_> {
        AcquirePermit { semaphore: self, key: None }
    }

    /// Takes a permit if that needs no waiting.
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        if self.locked() {
            return None;
        }
        self.permits.set(self.permits.get() - 1);
        Some(self.permit())
    }

    /// Makes the evidence for a permit that has been taken out of `permits`.
    #[inline]
    fn permit(&self) -> Permit<'_> {
        self.acquired.set(self.acquired.get() + 1);
        Permit { semaphore: self }
    }

    /// Adds a permit, and wakes the first in line; asyncio's `Semaphore.release`.
    ///
    /// [`Permit`]s do this by themselves when they are dropped; call it after [`Permit::forget`], or to let in more
    /// than the number at the start.
    ///
    /// # Errors
    ///
    /// [`TooManyReleases`] if it would pass the number that a [`BoundedSemaphore`] started with, or `usize::MAX`.
    pub fn release(&self) -> Result<(), TooManyReleases> {
        if self.permits.get() >= self.bound {
            return Err(TooManyReleases);
        }
        self.permits.set(self.permits.get() + 1);
        self.serve();
        Ok(())
    }

    /// Tells who waits, and how many permits were taken; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available(),
            reserved: self.waiters.n_notified(),
            waiting: self.waiters.n_waiting(),
            most_waiting: self.waiters.peak(),
            acquired: self.acquired.get(),
        }
    }

    /// Reserves the free permits for those in line, and wakes them.
    #[inline]
    fn serve(&self) {
        while self.permits.get() > 0 && self.waiters.n_waiting() > 0 {
            // Before the wake-up: a waker that runs its task at once finds the permit reserved.
            self.permits.set(self.permits.get() - 1);
            self.waiters.notify_one();
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut semaphore = f.debug_struct("Semaphore");
        semaphore.field("available", &self.available()).field("waiters", &self.waiters.n_waiting()).finish()
    }
}

/// A [`Semaphore`] that never has more permits than it started with; asyncio's `BoundedSemaphore`.
///
/// A release too many is a mistake in the program, and here an error. In everything else it *is* a semaphore, as in
/// Python, where it inherits from it.
///
/// # Examples
///
/// ```
/// use corio_sync::{BoundedSemaphore, TooManyReleases};
///
/// let places = BoundedSemaphore::new(1);
/// assert_eq!(places.release(), Err(TooManyReleases));
///
/// let place = places.try_acquire().expect("one is free");
/// drop(place);
/// assert_eq!(places.release(), Err(TooManyReleases));
/// assert_eq!((places.available(), places.bound()), (1, 1));
/// ```
pub struct BoundedSemaphore {
    semaphore: Semaphore,
}

impl BoundedSemaphore {
    /// Makes a semaphore of `permits` permits and never more; asyncio's `BoundedSemaphore(value)`.
    #[must_use]
    pub const fn new(permits: usize) -> BoundedSemaphore {
        BoundedSemaphore { semaphore: Semaphore::with_bound(permits, permits) }
    }

    /// Returns the number of permits it started with.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.semaphore.bound
    }
}

impl Deref for BoundedSemaphore {
    type Target = Semaphore;

    #[inline]
    fn deref(&self) -> &Semaphore {
        &self.semaphore
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut semaphore = f.debug_struct("BoundedSemaphore");
        semaphore.field("available", &self.available()).field("bound", &self.bound());
        semaphore.field("waiters", &self.waiters.n_waiting()).finish()
    }
}

/// Future of [`Semaphore::acquire`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct AcquirePermit<'s> {
    semaphore: &'s Semaphore,
    /// The place in the line, from the first pending poll to the end; a permit is reserved once it is notified.
    key: Option<WaiterKey>,
}

impl<'s> Future for AcquirePermit<'s> {
    type Output = Permit<'s>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'s>> {
        // The usual case: there is a permit, and nobody waits.
        if self.key.is_none() {
            if let Some(permit) = self.semaphore.try_acquire() {
                return Poll::Ready(permit);
            }
        }
        self.poll_in_line(cx)
    }
}

impl<'s> AcquirePermit<'s> {
    /// The step of one that waits, or must begin to.
    #[inline(never)]
    fn poll_in_line(&mut self, cx: &Context<'_>) -> Poll<Permit<'s>> {
        let (semaphore, entering) = (self.semaphore, self.key.is_none());
        let must_wait = || semaphore.locked();
        ready!(semaphore.waiters.poll_wait_while(&mut self.key, cx, &"Semaphore.acquire", must_wait));
        if entering {
            // It needed not wait after all, and so nothing is reserved.
            semaphore.permits.set(semaphore.permits.get() - 1);
        }
        let permit = semaphore.permit();
        // Permits may be free that nobody could take while this waiter was in the line.
        semaphore.serve();
        Poll::Ready(permit)
    }
}

impl Drop for AcquirePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.semaphore.waiters.leave(&mut self.key) {
            // The permit that was reserved for it; with it the number is not above what it was.
            self.semaphore.permits.set(self.semaphore.permits.get() + 1);
            self.semaphore.serve();
        }
    }
}

/// Holds one permit of a [`Semaphore`] until it is dropped; made by [`Semaphore::acquire`].
#[must_use = "the permit is given back when it is dropped"]
pub struct Permit<'s> {
    semaphore: &'s Semaphore,
}

impl<'s> Permit<'s> {
    /// Returns the semaphore that the permit belongs to.
    #[must_use]
    pub fn semaphore(&self) -> &'s Semaphore {
        self.semaphore
    }

    /// Lets go of the permit without giving it back: the semaphore has one less, until [`Semaphore::release`].
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        // An error says that too many were released by hand meanwhile: then the number is at its bound already.
        let _ = self.semaphore.release();
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("semaphore", &self.semaphore).finish()
    }
}
