//! Mutual exclusion between tasks.

use crate::statistics::LockStatistics;
use crate::{NotLocked, WaiterKey, Waiters};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A lock for a section of code that awaits; asyncio's `Lock`.
///
/// It guards no value: on one thread, data is not torn, only sequences of awaits are. First come, first served: a
/// released lock goes to the waiter that has waited longest, and nobody overtakes him. A task that acquires it twice
/// waits for itself, for ever.
///
/// asyncio's primitives belong to the first loop that waits on them, and are an error in another. Here a waker knows
/// its own loop, so that two loops of one thread may share one, and the compiler keeps it from other threads.
///
/// # Examples
///
/// ```
/// use corio_sync::Lock;
///
/// # pollster::block_on(async {
/// let lock = Lock::new();
/// {
///     let _guard = lock.acquire().await;
///     assert!(lock.locked());
///     assert!(lock.try_acquire().is_none());
/// } // Released here: asyncio's `async with lock`.
/// assert!(!lock.locked());
///
/// // asyncio's lock is not owned: whoever holds a reference may release it.
/// lock.acquire().await.forget();
/// assert!(lock.release().is_ok());
/// assert!(lock.release().is_err());
/// # });
/// ```
///
/// It stays on the thread of whoever shares it. asyncio raises `RuntimeError` when a lock is awaited on a second loop; the
/// compiler refuses to take it there:
///
/// ```compile_fail,E0277
/// let lock = corio_sync::Lock::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| pollster::block_on(lock.acquire()).forget());
/// });
/// ```
#[derive(Default)]
pub struct Lock {
    locked: Cell<bool>,
    /// Counts acquisitions, so that a guard whose lock was released by [`Lock::release`] does not release it again
    /// under the next one's hands.
    lease: Cell<u64>,
    waiters: Waiters,
}

impl Lock {
    /// Makes a lock that is free.
    #[must_use]
    pub const fn new() -> Lock {
        Lock { locked: Cell::new(false), lease: Cell::new(0), waiters: Waiters::new() }
    }

    /// Tells whether somebody holds the lock; asyncio's `Lock.locked`.
    ///
    /// False also while a released lock is on its way to a waiter that has been woken and has not run yet.
    #[inline]
    #[must_use]
    pub fn locked(&self) -> bool {
        self.locked.get()
    }

    /// Acquires the lock, waiting for it in line; asyncio's `Lock.acquire`.
    ///
    /// Does not yield if the lock is free and nobody is in the line.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the line; if the lock was on its way to it, the next waiter is woken.
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { lock: self, key: None }
    }

    /// Acquires the lock if that needs no waiting.
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_>> {
        (!self.locked() && self.waiters.is_empty()).then(|| self.take())
    }

    /// Releases the lock, whoever acquired it; asyncio's `Lock.release`.
    ///
    /// A guard of this acquisition that still exists does nothing any more.
    ///
    /// # Errors
    ///
    /// [`NotLocked`] if nobody holds the lock.
    pub fn release(&self) -> Result<(), NotLocked> {
        if !self.locked.replace(false) {
            return Err(NotLocked);
        }
        self.wake_first();
        Ok(())
    }

    /// Tells who waits, and how often the lock was acquired; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> LockStatistics {
        LockStatistics {
            locked: self.locked(),
            waiting: self.waiters.n_waiting(),
            most_waiting: self.waiters.peak(),
            acquired: self.lease.get(),
        }
    }

    /// Marks the lock as held.
    #[inline]
    fn take(&self) -> LockGuard<'_> {
        debug_assert!(!self.locked());
        self.locked.set(true);
        self.lease.set(self.lease.get() + 1);
        LockGuard { lock: self, lease: self.lease.get() }
    }

    /// Wakes the first in line, unless one has been woken already.
    #[inline]
    fn wake_first(&self) {
        if self.waiters.n_notified() == 0 {
            self.waiters.notify_one();
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("locked", &self.locked()).field("waiters", &self.waiters.n_waiting()).finish()
    }
}

/// Future of [`Lock::acquire`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Acquire<'l> {
    lock: &'l Lock,
    /// The place in the line, from the first pending poll to the end.
    key: Option<WaiterKey>,
}

impl<'l> Future for Acquire<'l> {
    type Output = LockGuard<'l>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'l>> {
        // The usual case: it is free.
        if self.key.is_none() {
            if let Some(guard) = self.lock.try_acquire() {
                return Poll::Ready(guard);
            }
        }
        self.poll_in_line(cx)
    }
}

impl<'l> Acquire<'l> {
    /// The step of one that waits, or must begin to.
    #[inline(never)]
    fn poll_in_line(&mut self, cx: &Context<'_>) -> Poll<LockGuard<'l>> {
        let lock = self.lock;
        let must_wait = || lock.locked() || !lock.waiters.is_empty();
        let woken = lock.waiters.poll_wait_while(&mut self.key, cx, &"Lock.acquire", must_wait);
        woken.map(|()| lock.take())
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.lock.waiters.leave(&mut self.key) {
            self.lock.wake_first();
        }
    }
}

/// Holds a [`Lock`] until it is dropped; made by [`Lock::acquire`].
#[must_use = "the lock is released when the guard is dropped"]
pub struct LockGuard<'l> {
    lock: &'l Lock,
    /// Which acquisition this guard stands for.
    lease: u64,
}

impl<'l> LockGuard<'l> {
    /// Returns the lock that is held.
    #[must_use]
    pub fn lock(&self) -> &'l Lock {
        self.lock
    }

    /// Tells whether the lock is still held by this acquisition: it was not released by hand.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.lock.locked() && self.lock.lease.get() == self.lease
    }

    /// Lets go of the guard and keeps the lock held, until [`Lock::release`].
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.lock.lease.get() == self.lease {
            // An error says that this very acquisition was released by hand.
            let _ = self.lock.release();
        }
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("lock", &self.lock).finish()
    }
}
