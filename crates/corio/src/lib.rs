//! Python's asyncio model, native in Rust: the umbrella.
//!
//! This crate re-exports corio's floors 0 to 3, and has no logic of its own. What a program says often stands at the root,
//! under asyncio's names; the rest of each crate stands in a module named after it. Each name comes once. Every crate can
//! be used without the others: see the table in the README.
//!
//! ```
//! use corio::{create_task, gather, run, sleep};
//! use std::time::Duration;
//!
//! async fn count(n: u32) -> u32 {
//!     sleep(Duration::from_millis(1)).await;
//!     n
//! }
//!
//! let both = run(async {
//!     let task = create_task(count(1));
//!     gather((task, count(2))).await.unwrap()
//! });
//! assert_eq!(both.unwrap(), (1, 2));
//! ```
//!
//! Or, with the attribute:
//!
//! ```
//! #[corio::main]
//! async fn main() {
//!     corio::yield_now().await;
//! }
//! ```
//!
//! A test runs on virtual time, and under seeds: each brings what asyncio leaves in no order into another one. See
//! [`executor::test`] for what else a test may want.
//!
//! ```
//! use corio::{LoopHandle, sleep, timeout};
//! use std::time::Duration;
//!
//! #[corio::test(seeds = 20)]
//! async fn an_hour_is_long_enough() {
//!     let slow = timeout(Duration::from_secs(3600), sleep(Duration::from_secs(3599))).await;
//!     assert!(slow.is_ok());
//!     assert_eq!(LoopHandle::current().time().since_start().as_secs(), 3599);
//! }
//! ```
//!
//! # What is `Send`
//!
//! | type | `Send` |
//! |---|---|
//! | [`RemoteHandle`], [`concurrent::Promise`], [`concurrent::Future`], [`ThreadPoolExecutor`], the queue of [`queue::concurrent`] | yes |
//! | [`Task`], [`TaskRef`], [`Promise`], [`Future`], [`LoopHandle`], [`Queue`], guards, and the futures given to tasks | no need, and no |
//! | [`Lock`], [`Event`], [`Semaphore`], [`Barrier`] | yes, as a `Cell` is: moved, and not shared |
//!
//! # Where to go on
//!
//! In the crate's folder stand `GUIDE.md`, from asyncio to corio, name by name and chapter by chapter; `CANCELLATION.md`, what
//! unwinds when, in pictures; `GUARANTEES.md`, what is promised, each line with its test; and `examples`, small programs for each subject.

#![forbid(unsafe_code)]

// Running programs, and the loop.
pub use corio_executor::{
    Deadlock, EventLoop, Handle, LoopHandle, RemoteHandle, RunError, Runner, TimerHandle, interval, run, sleep,
    sleep_until, yield_now,
};
pub use corio_macros::{main, test};
pub use corio_seam::LoopTime;

// Tasks, their context, and cancellation.
pub use corio_seam::{Cancelled, Panic};
pub use corio_seam::{Context, ContextVar, Token, copy_context};
pub use corio_task::{
    JoinError, Task, TaskOptions, TaskRef, all_tasks, catch_cancelled, create_task, create_task_with, current_deadline,
    current_task,
};

// Who waits for whom.
pub use corio_task::{CallGraph, capture_call_graph, format_all_tasks, format_call_graph};

// Many at once.
pub use corio_combinators::{
    CancelScope, ErrorGroup, Failure, ReturnWhen, TaskGroup, TaskStatus, TimedOut, as_completed, by_completion,
    cancel_scope, fallible, gather, gather_settled, join, move_on_after, move_on_at, race, shield, shielded,
    staggered_race, timeout, timeout_at, timeout_scope, timeout_scope_at, try_join, wait, wait_for,
};

// Cells.
pub use corio_future::{
    Future, FutureError, InvalidState, Promise, concurrent, promise, promise_for, promise_with_canceller,
    to_concurrent, wrap_future,
};

// Locks and queues.
pub use corio_queue::{LifoQueue, PriorityQueue, Queue};
pub use corio_sync::{Barrier, BoundedSemaphore, Condition, Event, Lock, Semaphore};

// Generators.
pub use corio_generator::{AsyncGenerator, Generator, async_generator, generator};

// Threads.
pub use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor, run_in_executor, to_thread};

pub mod prelude;

pub use corio_net as net;
pub use corio_signal as signal;

pub mod combinators {
    //! The rest of `corio-combinators`: the types of its futures, and what writers of combinators need.
    pub use corio_combinators::{
        AllFailed, AsCompleted, ByCompletion, Fallible, Gather, IndexedCompleted, Join, NextCompleted, NotActive,
        NotStarted, NothingToWaitFor, Outcome, Plain, Race, Refused, Shield, Timeout, TimeoutScope, TryJoin, Turns,
        WaitSet, Won, shapes,
    };
}

pub mod executor {
    //! The rest of `corio-executor`: clocks, selectors, sources, and virtual time for tests.
    pub use corio_executor::{
        Busy, Clock, EventLoopBuilder, ExceptionHandler, Interest, Interval, MockSelector, Mode, MonotonicClock,
        PollingSelector, Ready, RemoteCall, Selector, Sleep, StillRunning, VirtualClock, Wait, YieldNow, io, test,
    };
}

pub mod future {
    //! The rest of `corio-future`.
    pub use corio_future::{CallbackKey, WaitCancelled, chain};
}

pub mod generator {
    //! The rest of `corio-generator`: yielders, and the types of its futures.
    pub use corio_generator::{AsyncYielder, CatchClosed, Close, Closed, ResumeClosed, Step, Yield, Yielder};
}

pub mod queue {
    //! The rest of `corio-queue`: errors, futures, and the thread-safe queue.
    pub use corio_queue::{
        Fifo, Get, GetError, Items, Join, Lifo, Priority, Put, PutError, QueueOf, QueueStatistics, ShutDown, Storage,
        TooManyTaskDone, concurrent,
    };
}

pub mod seam {
    //! `corio-seam`, for writers of primitives.
    pub use corio_seam::{
        Alarm, Batch, Busy, Carried, Closed, Description, Entry, Header, Hold, Installed, IntMap, LoopId, Node,
        OnAlarm, OnShutdown, ReadyQueue, Remote, Report, Resume, Seam, Seeded, Shared, SharedEntry, ShutdownHook,
        Sleep, TargetId, Thin, ThinTarget, Timer, TimerKey, VTable, Waitable, Waiting, busy, call_soon, cancelling,
        capture_context, carry_context, catch_and_report, catch_and_report_from, enter_context, heard, install,
        is_seeded, leave_context, local, local_waker, loop_id, now, on_shutdown, outside_context, permute, prefetch,
        push, raised, random, remote, report, run_callback, seed, sleep_until, spawn, swap_context,
        take_shutdown_hooks, timer, wait_on, wait_on_target, will_wake,
    };
}

pub mod sync {
    //! The rest of `corio-sync`: guards, errors, statistics, and the list of waiters.
    pub use corio_sync::{
        Acquire, AcquirePermit, BarrierStatistics, BarrierWait, BrokenBarrier, BusyResource, ConditionStatistics,
        ConditionWait, EventStatistics, EventWait, InUse, LockGuard, LockStatistics, NotAcquired, NotLocked, Permit,
        Removed, ResourceGuard, ResourceGuardStatistics, SemaphoreStatistics, TooManyReleases, WaiterKey, WaiterList,
        Waiters, Wakers,
    };
}

pub mod task {
    //! The rest of `corio-task`: the set, and scopes for writers of combinators.
    pub use corio_task::{
        Audience, Awaitable, Bell, Branch, BranchChildren, CallbackKey, CatchCancelled, ChildBody, Entered,
        LARGE_FUTURE, OwnWakers, RemoteSet, RunUntil, Scope, ScopeHandle, Seats, SleepTimer, TaskId, TaskSet, Until,
        ask_for_huge_pages, defer_requests, requests_around, with_own_wakers,
    };
}

pub mod threadpool {
    //! The rest of `corio-threadpool`.
    pub use corio_threadpool::{
        BuildError, Builder, Call, CallError, Job, Map, MapError, MapOptions, RejectReason, Rejected, ShutDown,
        SubmitError, ToThread, default_executor, set_default_executor, shutdown_default_executor,
    };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../GUIDE.md")]
struct Guide;

#[cfg(doctest)]
#[doc = include_str!("../CANCELLATION.md")]
struct Cancellation;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct WorkspaceReadme;
