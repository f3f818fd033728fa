//! The event loop: it runs the tasks, callbacks, timers and sources of one thread, in asyncio's order.
//!
//! [`run`] makes a loop, runs one future on it, and closes it in good order; [`Runner`] runs several. Inside,
//! [`LoopHandle::current`] schedules callbacks, [`sleep`] and [`interval`] wait for time, [`io::Source`] waits for a
//! descriptor, and a [`RemoteHandle`] is how other threads reach the loop. Tasks themselves are `corio-task`'s; what
//! waits for several of them is `corio-combinators`'.
//!
//! # Examples
//!
//! ```
//! use corio_executor::{LoopHandle, run, sleep};
//! use corio_task::create_task;
//! use std::thread;
//! use std::time::Duration;
//!
//! let answer = run(async {
//!     // A task, which starts when main waits.
//!     let task = create_task(async {
//!         sleep(Duration::from_millis(2)).await;
//!         6
//!     });
//!
//!     // A thread, which starts a task of its own on this loop, and waits for it there.
//!     let remote = LoopHandle::current().remote();
//!     let (promise, other) = corio_future::concurrent::promise();
//!     let thread = thread::spawn(move || {
//!         let mut started = remote.run_coroutine_threadsafe(|| async { 7 }).unwrap();
//!         promise.set_result(started.result(None).unwrap()).unwrap();
//!     });
//!
//!     let product = task.await.unwrap() * other.await.unwrap();
//!     thread.join().unwrap();
//!     product
//! });
//! assert_eq!(answer.unwrap(), 42);
//! ```
//!
//! # Guarantees
//!
//! - **Order.** Callbacks and task steps share one queue, first in, first out. An iteration runs exactly what was ready
//!   when it began its batch; what that schedules belongs to the next. Iterations are counted as CPython's are: see
//!   [`EventLoop::run_once`] for the phases.
//! - **Time.** Nothing fires early. Timers of the same moment fire in the order in which they were set (only under a seed of
//!   [`test::run_seeds`] in another). A timer that is cancelled by an earlier entry of its own batch does not fire.
//! - **Threads.** A call from another thread is never lost, wakes a sleeping loop, and costs one bell however many come
//!   at once. What one thread sends is called in the order in which it was sent.
//! - **Signals.** As long as somebody listens to a signal (`corio-signal`), a running loop watches for it, asleep or busy,
//!   and wakes whoever waits for it. While nobody does, that costs one relaxed load an iteration. The first Ctrl-C that
//!   nobody listens to cancels the main future: see [`run`].
//! - **A loop that can never wake says so.** It ends with [`RunError::Deadlock`] and the tree of who waits for whom, and
//!   never falsely: only if no timer, source, listener to signals or [`RemoteHandle`] is left, and nobody but code on the
//!   loop's own thread has a waker of its tasks. What may be given up by another thread is looked at again from time to time.
//! - **Panics.** A callback's panic goes to the exception handler, with the place where it was scheduled, and no further; a
//!   handler's own is printed. A panic of the main future goes on unwinding, when the loop has been closed.
//! - **Debug mode** ([`LoopHandle::set_debug`]) reports what holds the loop up. Out of it, it costs a load an iteration.
//! - **Misuse** (a run inside a run, a closed loop) is an error or a panic with a sentence, never a hang.
//! - **Restored.** When a run returns, the thread is as it was: its loop, its timer slack, what Ctrl-C does.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`RemoteHandle`], [`RemoteCall`], [`Busy`] | yes | yes |
//! | [`RunError`], [`Deadlock`], [`StillRunning`], [`LoopTime`], [`Wait`], [`MonotonicClock`], [`YieldNow`] | yes | yes |
//! | [`EventLoop`], [`EventLoopBuilder`], [`Runner`], [`LoopHandle`], [`Handle`], [`TimerHandle`] | no | no |
//! | [`Sleep`], [`Interval`], [`VirtualClock`], [`io::Source`] | no | no |
//! | [`test::WaitAllTasksBlocked`], [`test::Sequencer`], [`test::Step`], [`test::StepGuard`] | no | no |
//!
//! A handle to the loop does not compile in another thread; [`LoopHandle::remote`] is for that:
//!
//! ```compile_fail,E0277
//! use corio_executor::{LoopHandle, run};
//!
//! run(async {
//!     let event_loop = LoopHandle::current();
//!     std::thread::spawn(move || event_loop.call_soon(|| ()));
//! });
//! ```
//!
//! # How it works
//!
//! `corio_task::TaskSet` owns the ready queue, the tasks and the inbox. The loop adds the rest: timers, sorted no further
//! than somebody looks, which are read against a [`Clock`]; a reactor, which makes a [`Selector`] when the first source is
//! registered, and parks the thread on a futex as long as there is none; and the exception handler. A clock may be virtual: then a
//! program that sleeps for an hour runs at once, and always alike, which [`test`](mod@test) is about. See `event_loop::core` for the phases, `timers` for
//! a timer's states, and `reactor` for a source's.

#![deny(unsafe_code)] // Lifted in `selector::polling` alone.

mod run;
mod runner;
pub mod test;
mod event_loop;
mod loop_handle;
mod handle;
mod remote;
mod bridge;
mod thread_pool;
mod sleep;
mod interval;
mod large;
mod clock;
mod timers;
mod timer_order;
mod exceptions;
mod debug;
mod shutdown;
mod error;
pub mod io;
mod readers;
mod signal_handlers;
mod reactor;
mod selector;
mod sys;

pub use clock::{Busy, Clock, MonotonicClock, VirtualClock, Wait};
pub use corio_seam::{Closed, LoopId, LoopTime, Panic, Report};
pub use error::{Deadlock, RunError, StillRunning};
pub use event_loop::{EventLoop, EventLoopBuilder};
pub use exceptions::ExceptionHandler;
pub use handle::{Handle, TimerHandle};
pub use interval::{Interval, interval};
pub use loop_handle::LoopHandle;
pub use remote::{RemoteCall, RemoteHandle};
pub use run::run;
pub use runner::Runner;
pub use selector::{Interest, MockSelector, Mode, PollingSelector, Ready, Selector};
pub use sleep::{Sleep, YieldNow, sleep, sleep_until, yield_now};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
