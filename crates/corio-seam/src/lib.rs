//! What code below an event loop may ask of whatever runs it.
//!
//! A crate that knows no executor can still schedule a callback, ask the time, arm a timer, say what it is waiting
//! for, and learn whether a cancellation went through it: it asks the *seam*. The seam is one thread-local reference
//! to a [`Seam`], installed by whatever runs tasks on this thread (`corio-task`'s `TaskSet`, and with it the event
//! loop). Where nothing is installed, the functions here say so by their return value, and the crates of the lower
//! floors fall back to plain [`std::task::Waker`]s.
//!
//! You want this crate if you write a primitive that should work under corio's loop *and* without it. To run programs,
//! take `corio` instead.
//!
//! # Examples
//!
//! ```
//! use corio_seam::LoopTime;
//! use std::time::Duration;
//!
//! // Nothing runs here: no loop answers, and nothing panics.
//! assert!(corio_seam::loop_id().is_none());
//! assert!(corio_seam::call_soon(|| ()).is_err());
//!
//! // Time is a duration since the loop's start, and never overflows.
//! assert_eq!(LoopTime::MAX + Duration::from_secs(1), LoopTime::MAX);
//! ```
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Cancelled`], [`Panic`], [`LoopId`], [`LoopTime`], [`TimerKey`] | yes | yes |
//! | [`Busy`] | yes | yes |
//! | [`Remote`] (behind `Arc`), [`ContextVar`], [`Carried`] | yes | yes |
//! | [`Context`], [`Token`], [`Node`], [`ReadyQueue`], [`Shared`], [`Sleep`], [`Waiting`], [`ThinTarget`], [`Alarm`], [`Resume`], [`Report`] | no | no |
//! | [`Seeded`] | no | no |
//! | [`ShutdownHook`] | no | no |
//! | [`Thin`] | as what is in it | as what is in it |
//!
//! # How it works
//!
//! See `DESIGN.md` beside this crate's manifest for who calls what, and why the thread-local holds a `&'static dyn
//! Seam`: state lies with whoever implements the trait, so the seam needs no lifetime, no count and no destructor.

#![deny(unsafe_code)] // Lifted in `node` and `waiting::thin` alone.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod seam;
mod node;
mod waiting;
mod context;
mod cancelled;
mod time;
mod report;
mod shutdown;
mod order;
mod int_map;

pub use cancelled::{Cancelled, Resume};
pub use context::{
    Carried, Context, ContextVar, Token, capture_context, carry_context, copy_context, enter_context, leave_context,
    outside_context, swap_context,
};
#[doc(hidden)]
pub use int_map::IntMap; // For the family: a container is no part of a seam.
pub use node::{
    Batch, Description, Entry, Header, Node, ReadyQueue, Shared, SharedEntry, VTable, prefetch, run_callback,
};
pub use order::{Seeded, is_seeded, permute, random, seed};
pub use report::{Panic, Report, catch_and_report, catch_and_report_from, report};
pub use seam::{
    Closed, Installed, LoopId, Remote, Seam, call_soon, cancelling, install, local, loop_id, push, raised, remote,
    spawn,
};
pub use shutdown::{OnShutdown, ShutdownHook, on_shutdown, take_shutdown_hooks};
pub use time::{Alarm, Busy, Hold, LoopTime, OnAlarm, Sleep, Timer, TimerKey, busy, now, sleep_until, timer};
pub use waiting::{
    TargetId, Thin, ThinTarget, Waitable, Waiting, heard, local_waker, wait_on, wait_on_target, will_wake,
};
