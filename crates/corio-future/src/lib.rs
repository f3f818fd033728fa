//! Promise and Future cells with callbacks: loop-bound, and thread-safe.

#![forbid(unsafe_code)]

pub mod concurrent;
mod sync;
