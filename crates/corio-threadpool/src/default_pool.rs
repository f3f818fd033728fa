//! The pool that is there without being made.

use crate::shutdown::ShutDown;
use crate::{Executor, ThreadPoolExecutor};
use corio_seam::Closed;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The pool where no loop runs; it ends with the process.
static OF_THE_PROCESS: LazyLock<Arc<ThreadPoolExecutor>> = LazyLock::new(|| named("corio"));

fn named(prefix: &str) -> Arc<ThreadPoolExecutor> {
    let built = ThreadPoolExecutor::builder().name_prefix(prefix).build();
    Arc::new(built.expect("the default settings are possible"))
}

/// A loop's default pool, a value of `corio_seam::local`: it dies when the loop closes.
struct DefaultPool {
    pool: RefCell<Arc<ThreadPoolExecutor>>,
}

impl DefaultPool {
    fn new() -> DefaultPool {
        DefaultPool { pool: RefCell::new(named("corio-loop")) }
    }
}

/// A loop that closes takes no more jobs, whoever else holds the pool; asyncio's `loop.close`.
impl Drop for DefaultPool {
    fn drop(&mut self) {
        self.pool.get_mut().shutdown(false, false);
    }
}

impl fmt::Debug for DefaultPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DefaultPool").field(&self.pool.borrow()).finish()
    }
}

/// Returns the default pool of the loop that runs here, else the one of the process.
///
/// A loop's pool is made at the first call, and its threads with the first job. It takes no more jobs when the loop
/// closes. The pool of the process is never shut down.
///
/// # Examples
///
/// ```
/// use corio_threadpool::default_executor;
/// use std::sync::Arc;
///
/// // No loop runs here.
/// assert!(Arc::ptr_eq(&default_executor(), &default_executor()));
/// ```
#[must_use]
pub fn default_executor() -> Arc<ThreadPoolExecutor> {
    match corio_seam::local(DefaultPool::new) {
        Some(default) => default.pool.borrow().clone(),
        None => OF_THE_PROCESS.clone(),
    }
}

/// Replaces the default pool of the loop that runs here; asyncio's `loop.set_default_executor`.
///
/// Returns the pool before, which goes on: dropping it lets its threads end after their jobs.
///
/// # Errors
///
/// [`Closed`] where no loop runs: the pool of the process stays as it is.
pub fn set_default_executor(pool: Arc<ThreadPoolExecutor>) -> Result<Arc<ThreadPoolExecutor>, Closed> {
    let default = corio_seam::local(DefaultPool::new).ok_or(Closed)?;
    Ok(default.pool.replace(pool))
}

/// Shuts the default pool of the loop that runs here down, and returns a future of its end; asyncio's
/// `loop.shutdown_default_executor`. From now on the loop's [`to_thread`](crate::to_thread) is refused.
///
/// What is queued still runs. Put a time limit around it; when that is over the threads are left to themselves. Where
/// no loop runs there is nothing to shut down, and the future is ready.
pub fn shutdown_default_executor() -> ShutDown {
    match corio_seam::local(DefaultPool::new) {
        Some(default) => default.pool.borrow().shutdown_async(false),
        None => ShutDown::of_nothing(),
    }
}
