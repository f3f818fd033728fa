//! One list of waiters, and the primitives that stand on it: [`Lock`], [`Event`], [`Condition`], [`Semaphore`],
//! [`BoundedSemaphore`], [`Barrier`], and [`ResourceGuard`], where nobody waits.
//!
//! They are asyncio's, for tasks of one thread: nothing here is `Send`, nothing is atomic, and none of it needs a
//! particular executor. A primitive is used by reference; tasks that share one put it into an [`Rc`](std::rc::Rc).
//! Whoever writes a primitive of his own builds it on [`Waiters`], or, behind a lock of his own, on [`WaiterList`].
//!
//! # Examples
//!
//! ```
//! use corio_sync::{Event, Lock, Semaphore};
//!
//! # pollster::block_on(async {
//! let (lock, event, semaphore) = (Lock::new(), Event::new(), Semaphore::new(1));
//!
//! let guard = lock.acquire().await;
//! let permit = semaphore.acquire().await;
//! assert!(lock.locked() && semaphore.locked());
//! drop((guard, permit));
//! assert!(!lock.locked() && !semaphore.locked());
//!
//! event.set();
//! event.wait().await;
//! # });
//! ```
//!
//! # Guarantees
//!
//! - **Order.** Waiters are served in the order in which they were first polled. Nobody overtakes a waiter of a lock or
//!   a semaphore, not even one that has been woken and has not run yet.
//! - **Cancellation.** Dropping a waiting future takes it out of the line. If it had been woken for something that only
//!   one can have (the lock, a permit, a condition's notification), that goes to the next in line. Guards and permits
//!   are values: code that holds one holds the lock, and a wait that is cancelled leaves none behind.
//! - **No yield without need.** A wait that can be satisfied at once is, without a trip through the executor.
//! - **Any loop of the thread.** asyncio's primitives are bound to the first loop that waits on them. Here a waker
//!   knows its own loop: tasks of two loops of one thread may share a primitive, and the compiler keeps it from other
//!   threads. (A loop that waits for another one of its thread, which cannot run meanwhile, waits for ever.)
//! - **Statistics.** Each primitive tells by `statistics` who waits, how many ever did at once, and how often it
//!   served. Who does not read them does not pay for them.
//! - **Re-entrancy and panics.** A waker is never cloned, woken or dropped while anything is borrowed, so it may use
//!   the primitive it belongs to, and what it brings about is not missed. If one panics, the primitive's state is
//!   already what it should be; whatever wakes several wakes all the others first, and panics then.
//! - **Forgetting.** [`std::mem::forget`] on a waiting future keeps its place in the line, and what is handed to it is
//!   stuck there. Nothing else breaks.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`WaiterList`], [`WaiterKey`], [`Wakers`], [`Removed`] | yes | yes |
//! | the errors and the statistics | yes | yes |
//! | [`Waiters`], [`Lock`], [`Event`], [`Semaphore`], [`BoundedSemaphore`], [`Barrier`], [`ResourceGuard`] | moves, before it is shared | no |
//! | [`Condition`], whose lock may be shared; [`LockGuard`], [`Permit`], [`InUse`], and every future | no | no |
//!
//! # How it works
//!
//! A [`WaiterList`] is a slab of slots, linked into a line by indices. A waiter is *waiting* until it is notified, and
//! then *notified* until its future takes note or is dropped; only then its slot is free for the next one. So a slot
//! tells at any time what is owed to whom, and a primitive adds a flag or a count to that.

#![forbid(unsafe_code)]

mod lock;
mod event;
mod condition;
mod semaphore;
mod barrier;
mod resource_guard;
mod statistics;
mod waiters;
mod list;
mod wakers;
mod error;

pub use barrier::{Barrier, BarrierWait};
pub use condition::{Condition, ConditionWait};
pub use error::{BrokenBarrier, BusyResource, NotAcquired, NotLocked, TooManyReleases};
pub use event::{Event, EventWait};
pub use list::{Removed, WaiterKey, WaiterList};
pub use lock::{Acquire, Lock, LockGuard};
pub use resource_guard::{InUse, ResourceGuard};
pub use semaphore::{AcquirePermit, BoundedSemaphore, Permit, Semaphore};
pub use statistics::{
    BarrierStatistics, ConditionStatistics, EventStatistics, LockStatistics, ResourceGuardStatistics,
    SemaphoreStatistics,
};
pub use waiters::Waiters;
pub use wakers::Wakers;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
