//! Waiting for a change to what a lock protects.

use crate::statistics::ConditionStatistics;
use crate::{Acquire, Lock, LockGuard, NotAcquired, NotLocked, WaiterKey, Waiters};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A lock, and a line of tasks that wait for what it protects to change; asyncio's `Condition`.
///
/// [`wait`](Condition::wait) takes the lock's guard and gives it back, as std's `Condvar` does: it releases the lock,
/// waits for a notification, and acquires the lock again. A wake-up may be for nothing (another task was faster), so
/// wait in a loop, or with [`wait_for`](Condition::wait_for), which is one.
///
/// # Cancellation
///
/// asyncio's `wait` acquires the lock again even when it is cancelled, and only then raises, for the code around it
/// believes that it holds the lock. Here the belief is a value: the guard went into `wait`, and a `wait` that is
/// dropped never gives it back, so that no code can run that takes the lock for held and is wrong. There is nothing to
/// acquire again, and a cancelled task does not wait for the lock before it ends. The destructors of its locals run
/// without the lock; cleanup that needs it says so:
///
/// ```
/// use corio_sync::{Condition, LockGuard};
/// # use std::convert::Infallible as Cancelled;
/// # async fn catch_cancelled<F: Future>(f: F) -> Result<F::Output, Cancelled> { Ok(f.await) }
/// # fn give_up(_: &LockGuard<'_>) {}
///
/// async fn wait_or_give_up(condition: &Condition) {
///     let guard = condition.acquire().await;
///     match catch_cancelled(condition.wait(guard)).await { // corio-task's
///         Ok(guard) => drop(guard),
///         Err(cancelled) => {
///             let guard = condition.acquire().await;
///             give_up(&guard);
///             // ... drop(guard); cancelled.resume().await;
/// #           match cancelled {}
///         }
///     }
/// }
/// ```
///
/// # Examples
///
/// ```
/// use corio_sync::Condition;
/// use std::cell::RefCell;
///
/// # use futures_lite::future::zip;
/// # pollster::block_on(async {
/// let (jobs, changed) = (RefCell::new(Vec::new()), Condition::new());
///
/// let worker = async {
///     let guard = changed.acquire().await;
///     let (_guard, job) = changed.wait_for(guard, || jobs.borrow_mut().pop()).await;
///     job
/// };
/// let boss = async {
///     let _guard = changed.acquire().await;
///     jobs.borrow_mut().push("sweep");
///     changed.notify(1).expect("the lock is held");
/// };
/// assert_eq!(zip(worker, boss).await.0, "sweep");
/// # });
/// ```
#[derive(Default)]
pub struct Condition {
    lock: ItsLock,
    /// Who waits for a notification; those who have one wait for the lock, in the lock's line.
    waiters: Waiters,
}

/// The lock of a condition.
enum ItsLock {
    /// Nobody else's.
    Own(Lock),
    /// One that others use too: several conditions on one lock, say.
    Shared(Rc<Lock>),
}

impl Default for ItsLock {
    fn default() -> ItsLock {
        ItsLock::Own(Lock::new())
    }
}

impl Condition {
    /// Makes a condition with a lock of its own; asyncio's `Condition()`.
    #[must_use]
    pub const fn new() -> Condition {
        Condition { lock: ItsLock::Own(Lock::new()), waiters: Waiters::new() }
    }

    /// Makes a condition on a lock that others use too; asyncio's `Condition(lock)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_sync::{Condition, Lock};
    /// use std::rc::Rc;
    ///
    /// let lock = Rc::new(Lock::new());
    /// let (not_empty, not_full) = (Condition::with_lock(lock.clone()), Condition::with_lock(lock.clone()));
    /// let guard = lock.try_acquire().expect("nobody holds it");
    /// assert!(not_empty.locked() && not_full.locked());
    /// # drop(guard);
    /// ```
    #[must_use]
    pub const fn with_lock(lock: Rc<Lock>) -> Condition {
        Condition { lock: ItsLock::Shared(lock), waiters: Waiters::new() }
    }

    /// Returns the lock.
    #[inline]
    #[must_use]
    pub fn lock(&self) -> &Lock {
        match &self.lock {
            ItsLock::Own(lock) => lock,
            ItsLock::Shared(lock) => lock,
        }
    }

    /// Acquires the lock, waiting for it in line; asyncio's `Condition.acquire`.
    ///
    /// # Cancel safety
    ///
    /// That of [`Lock::acquire`].
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        self.lock().acquire()
    }

    /// Acquires the lock if that needs no waiting.
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.lock().try_acquire()
    }

    /// Tells whether somebody holds the lock; asyncio's `Condition.locked`.
    #[inline]
    #[must_use]
    pub fn locked(&self) -> bool {
        self.lock().locked()
    }

    /// Releases the lock, whoever acquired it; asyncio's `Condition.release`.
    ///
    /// # Errors
    ///
    /// [`NotLocked`] if nobody holds the lock.
    pub fn release(&self) -> Result<(), NotLocked> {
        self.lock().release()
    }

    /// Releases the lock, waits to be notified, and acquires the lock again; asyncio's `Condition.wait`.
    ///
    /// The lock is released by the first poll. Waiters are notified in the order in which they came, and wait for the
    /// lock in its own line then.
    ///
    /// # Panics
    ///
    /// If `guard` is that of another lock, or of an acquisition that was released by hand (asyncio's `RuntimeError`).
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves the line and does not hold the lock; if it had been notified, and had not got
    /// the lock yet, the next waiter is notified in its place.
    #[inline]
    #[track_caller]
    pub fn wait<'c>(&'c self, guard: LockGuard<'c>) -> ConditionWait<'c> {
        self.check(&guard);
        ConditionWait { condition: self, stage: Stage::Holding(guard) }
    }

    /// Waits until `predicate` gives something, and returns that and the guard; asyncio's `Condition.wait_for`.
    ///
    /// The predicate is asked while the lock is held, first before anything is waited for, then after each
    /// notification. A plain flag is asked by `|| flag.get().then_some(())`.
    ///
    /// # Panics
    ///
    /// As [`wait`](Condition::wait) does; and with the panic of the predicate, the lock being released.
    ///
    /// # Cancel safety
    ///
    /// That of [`wait`](Condition::wait). What the predicate gave is not lost: there is no await behind it.
    pub async fn wait_for<'c, R>(
        &'c self,
        mut guard: LockGuard<'c>,
        mut predicate: impl FnMut() -> Option<R>,
    ) -> (LockGuard<'c>, R) {
        self.check(&guard);
        loop {
            if let Some(answer) = predicate() {
                return (guard, answer);
            }
            guard = self.wait(guard).await;
        }
    }

    /// Notifies the `n` that have waited longest, or all if fewer wait; asyncio's `Condition.notify`.
    ///
    /// They go on when the lock is released, one after the other.
    ///
    /// # Errors
    ///
    /// [`NotAcquired`] if nobody holds the lock. As in asyncio, it may be held by another task.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    pub fn notify(&self, n: usize) -> Result<(), NotAcquired> {
        if !self.locked() {
            return Err(NotAcquired);
        }
        self.waiters.notify_many(n);
        Ok(())
    }

    /// Notifies everybody who waits now; asyncio's `Condition.notify_all`.
    ///
    /// # Errors
    ///
    /// [`NotAcquired`] if nobody holds the lock.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    pub fn notify_all(&self) -> Result<(), NotAcquired> {
        self.notify(usize::MAX)
    }

    /// Tells who waits, and how the lock is used; trio has such a method on every primitive.
    #[must_use]
    pub fn statistics(&self) -> ConditionStatistics {
        let (waiting, most_waiting) = (self.waiters.n_waiting(), self.waiters.peak());
        ConditionStatistics { waiting, most_waiting, lock: self.lock().statistics() }
    }

    /// Panics unless `guard` holds this condition's lock.
    #[inline]
    #[track_caller]
    fn check(&self, guard: &LockGuard<'_>) {
        assert!(std::ptr::eq(guard.lock(), self.lock()), "{OTHER_LOCK}");
        assert!(guard.holds(), "{STALE}");
    }
}

/// What the panic says when `wait` gets a guard that is no use to it.
const OTHER_LOCK: &str = "cannot wait with the guard of another lock: acquire the lock of this condition";

/// What the panic says when `wait` gets a guard whose lock was released.
const STALE: &str = "cannot wait on un-acquired lock: it was released by hand while this guard existed";

/// What the panic says when a finished future is polled again.
const COMPLETED: &str = "`Condition.wait` was polled after it had completed";

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut condition = f.debug_struct("Condition");
        condition.field("locked", &self.locked()).field("waiters", &self.waiters.n_waiting()).finish()
    }
}

/// Future of [`Condition::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ConditionWait<'c> {
    condition: &'c Condition,
    stage: Stage<'c>,
}

/// How far a wait has come.
#[derive(Debug)]
enum Stage<'c> {
    /// Not polled yet: the lock is still held. `--> Waiting`
    Holding(LockGuard<'c>),
    /// In the condition's line, without the lock. `--> Acquiring`, when notified.
    Waiting(Option<WaiterKey>),
    /// Notified, and in the lock's line; the notification is spent once the lock is there. `--> Done`
    Acquiring(Acquire<'c>),
    /// The guard has been given back.
    Done,
}

impl<'c> ConditionWait<'c> {
    /// Enters the line, and releases the lock then: whoever gets it finds this waiter there.
    fn begin(&mut self, cx: &Context<'_>) {
        let mut key = None;
        // Pending, for nobody can have notified it: it was not in the line.
        let _ = self.condition.waiters.poll_wait(&mut key, cx, &"Condition.wait");
        if let Stage::Holding(guard) = std::mem::replace(&mut self.stage, Stage::Waiting(key)) {
            drop(guard);
        }
    }
}

impl<'c> Future for ConditionWait<'c> {
    type Output = LockGuard<'c>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'c>> {
        let this = &mut *self;
        if let Stage::Holding(_) = this.stage {
            this.begin(cx);
            return Poll::Pending;
        }
        if let Stage::Waiting(key) = &mut this.stage {
            ready!(this.condition.waiters.poll_wait(key, cx, &"Condition.wait"));
            this.stage = Stage::Acquiring(this.condition.acquire());
        }
        let Stage::Acquiring(acquire) = &mut this.stage else { panic!("{COMPLETED}") };
        let guard = ready!(Pin::new(acquire).poll(cx));
        this.stage = Stage::Done;
        Poll::Ready(guard)
    }
}

impl Drop for ConditionWait<'_> {
    #[inline]
    fn drop(&mut self) {
        let unused = match &mut self.stage {
            Stage::Waiting(key) => self.condition.waiters.leave(key),
            Stage::Acquiring(_) => true,
            Stage::Holding(_) | Stage::Done => false,
        };
        if unused {
            self.condition.waiters.notify_one();
        }
    }
}
