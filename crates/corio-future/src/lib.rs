//! Promise and Future cells with callbacks: loop-bound, and thread-safe.
