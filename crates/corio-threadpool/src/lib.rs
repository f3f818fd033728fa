//! A thread pool whose results can be awaited from any runtime.
mod counts;
mod gate;
mod sync;
