//! The tests of corio-future, a file per danger. `hazard_N` in a name: a bad case that bit real runtimes.
//!
//! Of these, two cannot apply: a value that is half initialised (12: safe code, a value is set whole), and a waker read
//! after it was freed (1: safe code; the order of the steps is model-checked in `tests/loom.rs`).

#![cfg(not(loom))]

mod toy_loop;
mod ledger;

mod order;
mod context;
mod share;
mod cancel;
mod drop;
mod panic;
mod reentrancy;
mod threads;
mod wait_many;
mod chain;
mod words;
mod auto_traits;
