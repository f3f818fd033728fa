//! A future that drives a coroutine: a task.
//!
//! A [`Task`] is made of a future, runs on its own as soon as its set is run, and is itself a future of the result, which
//! can be called back, cancelled, named and watched. A [`TaskSet`] is the tasks of one thread: their ready queue, their
//! registry, and the inbox by which other threads wake them. It knows how to make steps, not how to wait; an executor adds
//! that, and any runtime can poll a set as the plain future that it is. asyncio's `Task`, and `_run_once` without I/O.
//!
//! # Examples
//!
//! Under any `block_on`, of tokio, smol, or pollster:
//!
//! ```
//! use corio_task::{TaskSet, catch_cancelled, create_task};
//!
//! let set = TaskSet::new();
//! let ended = pollster::block_on(set.run_until(async {
//!     let worker = create_task(async {
//!         let caught = catch_cancelled(std::future::pending::<()>()).await;
//!         caught.map_err(|cancelled| cancelled.to_string()) // Ordinary code: it may await, go on, or resume.
//!     });
//!     create_task({
//!         let worker = worker.task_ref();
//!         async move { worker.cancel_with("enough") }
//!     });
//!     worker.await
//! }));
//! assert_eq!(ended.unwrap().unwrap(), Err("cancelled: enough".to_string()));
//! ```
//!
//! An executor of one's own, in ten lines: it parks the thread, and is unparked by the bell.
//!
//! ```
//! use corio_task::{Bell, JoinError, TaskSet, create_task};
//! use std::{ops::ControlFlow::Continue, sync::Arc, thread};
//!
//! struct Unpark(thread::Thread);
//! impl Bell for Unpark { fn ring(&self) { self.0.unpark() } }
//!
//! fn block_on<F: Future>(main: F) -> Result<F::Output, JoinError> {
//!     let set = TaskSet::new();
//!     set.set_bell(Arc::new(Unpark(thread::current())));
//!     let ended = set.drive(main, |set| {
//!         set.drain_inbox();
//!         if !set.has_ready() && set.fall_asleep() { thread::park(); set.wake_up(); }
//!         set.run_batch();
//!         Continue(())
//!     });
//!     ended.expect("it never breaks off")
//! }
//!
//! let sum = block_on(async { create_task(async { 1 }).await.unwrap() + 1 });
//! assert_eq!(sum.unwrap(), 2);
//! ```
//!
//! # Guarantees
//!
//! * **Order.** One FIFO holds task steps and callbacks. [`TaskSet::run_batch`] runs exactly what is ready when it begins.
//!   A task's first step is queued. Awaiting a task that is over does not yield; else it costs one batch after its end.
//! * **Ownership.** The set owns its tasks: dropping a [`Task`] detaches it, and nothing is collected half-way.
//! * **Cancellation unwinds.** [`Task::cancel`] is a request, delivered at the await where the task is suspended, by dropping
//!   its futures from the inside out, up to the nearest [`catch_cancelled`]. It is delivered once per scope, and never lost
//!   while only corio's combinators are used; a foreign `select!` that drops a branch during that branch's cleanup drops
//!   the request with it. `?` and `break` do not cross the async block given to `catch_cancelled`.
//! * **A child's end is a value.** [`JoinError::Cancelled`] means that somebody else cancelled the child. One's own
//!   cancellation is never seen as a value but by `catch_cancelled`.
//! * **Who waits for whom** is known ([`capture_call_graph`], [`format_all_tasks`]), through scopes, gathers, groups and the
//!   like, as far as leaves say so, and costs nothing while nobody asks. [`TaskSet::is_stuck`] is never true of a set that
//!   could still be woken.
//! * **Panics** stay in their task: of its poll or its destructors, they are its end; of callbacks, wakers of others and
//!   outputs that nobody takes, they are reported, and stop nothing else. A panic that nobody takes is reported.
//! * **Misuse.** A poll after completion, a task that awaits itself, a task made in a closed set or outside any, and a set
//!   run or closed by its own task panic with a sentence. A wake after completion does nothing.
//! * **Drop.** Coroutine and output are dropped once, on the set's thread. Closing a set ends its tasks CANCELLED.
//!
//! # What is `Send`
//!
//! | type | `Send` and `Sync` |
//! |---|---|
//! | [`RemoteSet`], [`TaskId`], [`CallbackKey`], [`Cancelled`], wakers of tasks | yes |
//! | [`Until`] | yes |
//! | [`TaskSet`], [`Task`], [`TaskRef`], [`Seats`], [`CallGraph`], [`Scope`], [`ScopeHandle`], [`Branch`], [`BranchChildren`], [`Entered`], [`CatchCancelled`] | no |
//!
//! The futures given to tasks need not be `Send`.
//!
//! # How it works
//!
//! See `raw` in the sources for the cell and its biased reference count, `node` for the tree along which cancellation
//! travels, `level` for shields and for what is cancelled for good, and `inbox` for the one place where threads meet.

#![deny(unsafe_code)] // Lifted in `raw` alone.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod task;
mod task_ref;
mod options;
mod error;
mod catch_cancelled;
mod scope;
mod branch;
mod deadline;
mod node;
mod about;
mod level;
mod children;
mod request;
mod spare;
mod waits;
mod forward;
mod set;
mod drive;
mod sleep_timer;
mod inbox;
mod listeners;
mod call_graph;
mod report;
mod seam;
mod raw;
mod sync;

pub use branch::{Branch, BranchChildren, ChildBody, Entered};
pub use call_graph::{Awaitable, CallGraph, capture_call_graph, format_all_tasks, format_call_graph};
pub use catch_cancelled::{CatchCancelled, catch_cancelled};
pub use corio_seam::{Cancelled, Panic};
pub use deadline::{Until, current_deadline};
pub use drive::RunUntil;
pub use error::JoinError;
pub use inbox::Bell;
pub use listeners::CallbackKey;
pub use options::TaskOptions;
pub use raw::{Audience, Seats, TaskRef, ask_for_huge_pages};
pub use scope::{OwnWakers, Scope, ScopeHandle, defer_requests, requests_around, with_own_wakers};
pub use set::{RemoteSet, TaskSet};
pub use sleep_timer::SleepTimer;
pub use task::{LARGE_FUTURE, Task, all_tasks, create_task, create_task_with, current_task};
pub use task_ref::TaskId;
