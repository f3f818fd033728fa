//! Waiting for several things at once, or not for too long.
//!
//! Two families. **In place**, `join` and its kin poll plain futures inside the caller's own task: the futures may borrow,
//! no executor is needed, and whoever loses is dropped. **Over tasks**, `gather` and its kin listen to what goes on by
//! itself, as asyncio does: tasks, cells, and `'static` futures made tasks; whoever loses goes on. Timeouts stand between
//! the two: they cut a future in place, by a timer.
//!
//! | | in place: plain futures | over tasks: they go on by themselves |
//! |---|---|---|
//! | all | [`join`] | [`gather()`], [`gather_settled`] |
//! | all, or the first error | [`try_join`] | [`gather()`] |
//! | the first | [`race`] | [`wait()`] with [`ReturnWhen::FirstCompleted`] |
//! | the first that succeeds | [`staggered_race`] | |
//! | each in its turn | [`by_completion`] | [`as_completed()`] |
//! | some | | [`wait()`]; again and again: [`WaitSet`] |
//! | in time | [`timeout()`], [`timeout_at`], [`timeout_scope()`] | [`wait_for()`] |
//! | until told to stop, for good | [`cancel_scope()`], [`move_on_after`], [`move_on_at`] | |
//! | keep going | [`shielded()`], with a limit | [`shield()`] |
//! | end together | | [`TaskGroup`] |
//!
//! | asyncio | here |
//! |---|---|
//! | `gather(*xs)` | [`gather(xs)`](gather()), of an iterator or a tuple |
//! | `gather(*xs, return_exceptions=True)` | [`gather_settled(xs)`](gather_settled) |
//! | `as_completed(xs, timeout=t)` | [`as_completed(xs)`](as_completed())[`.within(t)`](AsCompleted::within) |
//! | `done, pending = await wait(ts, ...)` | [`wait(&mut tasks, when, limit)`](wait()): `done` is returned, `tasks` keeps the rest |
//! | `wait_for(x, t)`, `shield(x)` | [`wait_for(x, t)`](wait_for()), [`shield(x)`](shield()) |
//! | `async with timeout(t) as cm` | [`timeout_scope(t, async \|limit\| ...)`](timeout_scope()), or [`timeout(t, future)`](timeout()) |
//! | `async for t in as_completed(xs)`: the tasks themselves | [`WaitSet`], a stream of them; or by number: [`indexed`](AsCompleted::indexed) |
//! | `async with TaskGroup() as g` | [`TaskGroup::run(async \|g\| ...)`](TaskGroup::run) |
//! | `g.cancel()` (3.15) | [`group.cancel()`](TaskGroup::cancel), in a [`run_to_cancel`](TaskGroup::run_to_cancel) |
//! | `staggered_race(fns, delay)` | [`staggered_race(attempts, delay)`](staggered_race) |
//! | `ExceptionGroup`, `TimeoutError` | [`ErrorGroup`], [`TimedOut`] |
//!
//! | trio, anyio | here |
//! |---|---|
//! | `CancelScope()`, `move_on_after`, `move_on_at` | [`cancel_scope(async \|scope\| ...)`](cancel_scope()), [`move_on_after`], [`move_on_at`] |
//! | `CancelScope(shield=True)` | [`shielded(limit, future)`](shielded()): never without a limit |
//! | `fail_after`, `fail_at` | [`timeout_scope()`], which is an edge, as in asyncio |
//! | `current_effective_deadline` | [`current_deadline`](corio_task::current_deadline) |
//! | `await nursery.start(f)` | [`group.start(f)`](TaskGroup::start) |
//! | a nursery with a `CapacityLimiter` | [`TaskGroup::run_limited(n, async \|g\| ...)`](TaskGroup::run_limited) |
//!
//! # Examples
//!
//! ```
//! use corio_combinators::{TaskGroup, gather, join, race};
//! use corio_task::TaskSet;
//!
//! // In place, without any runtime, and borrowing.
//! let words = ["in", "place"];
//! let lengths = pollster::block_on(join(words.iter().map(|word| async move { word.len() })));
//! assert_eq!(lengths, [2, 5]);
//! assert_eq!(pollster::block_on(race((std::future::pending(), async { 1 }))), 1);
//!
//! // Over tasks, under any executor, inside a task set.
//! let set = TaskSet::new();
//! pollster::block_on(set.run_until(async {
//!     let (one, two) = gather((async { 1 }, async { "two" })).await.unwrap();
//!     assert_eq!((one, two), (1, "two"));
//!
//!     let failed = TaskGroup::run(async |group| {
//!         group.create_task(async { Err::<(), _>("no") });
//!         std::future::pending::<()>().await; // Cut by the child's failure.
//!     });
//!     assert_eq!(failed.await.unwrap_err().failures().len(), 1);
//! }))
//! .unwrap();
//! ```
//!
//! # Guarantees
//!
//! * **Iterations.** Over tasks, a done callback is one entry of the ready queue, and its combinator's awaiter is woken one
//!   iteration after it: as many as in asyncio. In place there is none more than the futures' own.
//! * **Errors.** What asyncio raises out of a child is a [`Failure`] here: an `Err` (see [`Outcome`]), a panic, or somebody
//!   else's cancellation. The first in time completes a `gather`, and aborts a `TaskGroup`.
//! * **Cancellation.** In place, each child is a scope of its own: a request reaches all of them, all may clean up, and
//!   then the caller unwinds. `gather` passes a request on to its children, `shield` keeps it from them, `wait` and
//!   `as_completed` merely leave. A timeout and a group ask their own scope, never the task. A request is an edge: it hits
//!   once. A cancelled [`cancel_scope()`] is a level: it hits at every suspension, and [`shielded()`] is the only exemption.
//! * **Cost.** Linear: a join of a million polls those children that were woken. A timer is armed at the first suspension,
//!   and taken back at the end. A combinator that is dropped leaves no callback behind, but for a gather, which by its
//!   callbacks consumes its children's later errors in silence.
//! * **Panics.** In place a child's panic is the caller's. Over tasks it is the child's failure.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`TimedOut`], [`NotActive`], [`NothingToWaitFor`], [`ReturnWhen`] | yes | yes |
//! | the wakers that children in place get | yes | yes |
//! | every future, stream and handle of this crate, [`Failure`], [`ErrorGroup`] | no | no |
//!
//! # How it works
//!
//! `round` decides which child in place is polled: up to 30 all of them, with the caller's waker; beyond, those whose own
//! waker, one of `block::bells`, put their number on a list. The scopes of a combinator's children are a
//! [`Branch`](corio_task::Branch). `members` and `slots` make lists and tuples look alike: children by number. `child` is
//! something that goes on by itself: the handle that was given, recognised by its type when the combinator is made, or a
//! task; `ears` is how tasks are listened to without an allocation each. `deadline` is what timeouts that can be moved have
//! the timer call; a plain one has it call its scope. `block` is the one place of unsafe code: an array of pinned futures in
//! one allocation, and the bells of as many children in another.
//!
//! # What is not here
//!
//! Duplicates: a handle is one, and to give a task twice, [`share`](corio_task::Task::share) it. Cancel scopes that reach
//! into other tasks: a task is ended by whoever holds it, or by its group.

#![deny(unsafe_code)] // Lifted in `block` alone.

mod join;
mod try_join;
mod race;
mod staggered_race;
mod by_completion;
mod gather;
mod as_completed;
mod wait;
mod wait_set;
mod timeout;
mod timeout_scope;
mod cancel_scope;
mod shielded;
mod wait_for;
mod shield;
mod task_group;
mod readiness;
mod turnstile;
mod line;
mod error;
mod outcome;
mod fallible;
mod child;
mod ears;
mod standing;
mod slots;
mod members;
mod member;
mod member_task;
mod round;
mod block;
mod sync;
mod deadline;
mod signal;
pub mod shapes;

pub use as_completed::{AsCompleted, IndexedCompleted, NextCompleted, Turns, as_completed};
pub use by_completion::{ByCompletion, by_completion};
pub use cancel_scope::{CancelScope, cancel_scope, move_on_after, move_on_at};
pub use error::{ErrorGroup, Failure, TimedOut};
pub use fallible::{Fallible, fallible};
pub use gather::{Gather, gather, gather_settled};
pub use join::{Join, join};
pub use outcome::{Outcome, Plain};
pub use race::{Race, race};
pub use readiness::{NotStarted, TaskStatus};
pub use shield::{Shield, shield};
pub use shielded::shielded;
pub use staggered_race::{AllFailed, Won, staggered_race};
pub use task_group::{Refused, TaskGroup};
pub use timeout::{Timeout, timeout, timeout_at};
pub use timeout_scope::{NotActive, TimeoutScope, timeout_scope, timeout_scope_at};
pub use try_join::{TryJoin, try_join};
pub use wait::{NothingToWaitFor, ReturnWhen, wait};
pub use wait_for::wait_for;
pub use wait_set::WaitSet;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
