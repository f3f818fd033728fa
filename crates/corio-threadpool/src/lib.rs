//! A thread pool whose results can be awaited from any runtime.
