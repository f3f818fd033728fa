//! Settings of a pool.

use crate::{BuildError, ThreadPoolExecutor};
use std::fmt;
use std::thread::available_parallelism;

/// Sets a [`ThreadPoolExecutor`] up; made by [`ThreadPoolExecutor::builder`].
#[must_use]
pub struct Builder {
    pub(crate) max_threads: usize,
    pub(crate) prefix: Option<String>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) initializer: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Builder {
    /// Sets the most threads there may be, at least 1; by default `min(32, cores + 4)`.
    pub fn max_threads(self, threads: usize) -> Builder {
        Builder { max_threads: threads, ..self }
    }

    /// Sets what the names of the threads begin with: they are `prefix_0`, `prefix_1` ...; by default `pool-N`, with N
    /// counted in the process.
    pub fn name_prefix(self, prefix: impl Into<String>) -> Builder {
        Builder { prefix: Some(prefix.into()), ..self }
    }

    /// Sets the size of each thread's stack, in bytes; by default that of Rust's threads.
    pub fn stack_size(self, bytes: usize) -> Builder {
        Builder { stack_size: Some(bytes), ..self }
    }

    /// Sets what each thread calls first, to fill its thread-locals.
    ///
    /// If it panics the pool is broken: queued calls fail with a broken promise ([`CallError::Broken`]), and no more
    /// are taken.
    ///
    /// [`CallError::Broken`]: crate::CallError::Broken
    pub fn initializer(self, f: impl Fn() + Send + Sync + 'static) -> Builder {
        Builder { initializer: Some(Box::new(f)), ..self }
    }

    /// Makes the pool. No thread starts before the first job.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for settings that cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_threadpool::{BuildError, ThreadPoolExecutor};
    ///
    /// let built = ThreadPoolExecutor::builder().max_threads(0).build();
    /// assert_eq!(built.unwrap_err(), BuildError::NoThreads);
    /// ```
    pub fn build(self) -> Result<ThreadPoolExecutor, BuildError> {
        if self.max_threads == 0 {
            return Err(BuildError::NoThreads);
        }
        if self.prefix.as_ref().is_some_and(|prefix| prefix.contains('\0')) {
            return Err(BuildError::BadName);
        }
        Ok(ThreadPoolExecutor::from_builder(self))
    }
}

impl Default for Builder {
    fn default() -> Builder {
        let cores = available_parallelism().map_or(1, usize::from);
        Builder { max_threads: cores.saturating_add(4).min(32), prefix: None, stack_size: None, initializer: None }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("max_threads", &self.max_threads)
            .field("name_prefix", &self.prefix)
            .field("stack_size", &self.stack_size)
            .field("initializer", &self.initializer.is_some())
            .finish()
    }
}
