//! Models of the pool's protocol between submitters, workers and whoever shuts down.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release -p corio-threadpool --test loom`
//!
//! The source of `gate` and `counts` is compiled here over `sync` below: loom's lock, condition variable and threads.
//! loom cannot look into crossbeam-channel, so a queue of a lock and a condition variable stands for it, with its
//! contract: first in, first out; `recv` says "disconnected" only when the last sender is gone *and* the queue is
//! empty. What is proved is the gate; the channel is taken at its word. A failing model aborts, so the negative
//! controls, which must fail, run in child processes.
#![cfg(loom)]
#![allow(dead_code)] // The models need not call every method.

#[path = "../src/counts.rs"]
mod counts;
#[path = "../src/gate.rs"]
mod gate;
#[path = "loom/sync.rs"]
mod sync;
#[path = "loom/models.rs"]
mod models;
#[path = "loom/controls.rs"]
mod controls;
