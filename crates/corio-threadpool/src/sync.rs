//! What the gate stands on. The loom model in `tests/loom.rs` compiles `gate` and `counts` over its own copy of this.

pub(crate) use crossbeam_channel::{Receiver, Sender, unbounded};
pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic;
