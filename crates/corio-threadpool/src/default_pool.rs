//! The pool that is there without being made.

use crate::shutdown::ShutDown;
use crate::{Executor, ThreadPoolExecutor};
use corio_seam::Closed;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, LazyLock};

/// The pool where no loop runs; it ends with the process.
static OF_THE_PROCESS: LazyLock<Arc<ThreadPoolExecutor>> = LazyLock::new(|| named("corio"));

fn named(prefix: &str) -> Arc<ThreadPoolExecutor> {
    let built = ThreadPoolExecutor::builder().name_prefix(prefix).build();
    Arc::new(built.expect("the default settings are possible"))
}

/// A loop's default pool, a value of `corio_seam::local`: it dies when the loop closes.
///
/// Made when it is first asked for: how many threads it may have is looked up in the file system, which takes longer
/// than the whole run of a program that needs none.
#[derive(Default)]
struct DefaultPool {
    pool: RefCell<Option<Arc<ThreadPoolExecutor>>>,
    /// Set by a shutdown that came before the pool was made: it is made shut down.
    shut_down: Cell<bool>,
}

impl DefaultPool {
    /// Returns the pool, made if need be.
    fn get(&self) -> Arc<ThreadPoolExecutor> {
        let make = || {
            let pool = named("corio-loop");
            if self.shut_down.get() {
                pool.shutdown(false, false);
            }
            pool
        };
        Arc::clone(self.pool.borrow_mut().get_or_insert_with(make))
    }

    /// Shuts the pool down, be it before it is made.
    fn shut_down(&self) -> ShutDown {
        self.shut_down.set(true);
        let pool = self.pool.borrow().clone();
        pool.map_or_else(ShutDown::of_nothing, |pool| pool.shutdown_async(false))
    }
}

/// A loop that closes takes no more jobs, whoever else holds the pool; asyncio's `loop.close`.
impl Drop for DefaultPool {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.get_mut() {
            pool.shutdown(false, false);
        }
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
    match corio_seam::local(DefaultPool::default) {
        Some(default) => default.get(),
        None => OF_THE_PROCESS.clone(),
    }
}

/// Replaces the default pool of the loop that runs here; asyncio's `loop.set_default_executor`.
///
/// Returns the pool before, which goes on: dropping it lets its threads end after their jobs. (It is made for that, if
/// nobody has asked for it yet.)
///
/// # Errors
///
/// [`Closed`] where no loop runs: the pool of the process stays as it is; and where the loop's pool was shut down.
pub fn set_default_executor(pool: Arc<ThreadPoolExecutor>) -> Result<Arc<ThreadPoolExecutor>, Closed> {
    let default = corio_seam::local(DefaultPool::default).filter(|default| !default.shut_down.get()).ok_or(Closed)?;
    let before = default.get();
    default.pool.replace(Some(pool));
    Ok(before)
}

/// Shuts the default pool of the loop that runs here down, and returns a future of its end; asyncio's
/// `loop.shutdown_default_executor`. From now on the loop's [`to_thread`](crate::to_thread) is refused.
///
/// What is queued still runs. Put a time limit around it; when that is over the threads are left to themselves. If nobody
/// has asked for the pool, or no loop runs here, there is nothing to wait for, and the future is ready.
pub fn shutdown_default_executor() -> ShutDown {
    match corio_seam::local(DefaultPool::default) {
        Some(default) => default.shut_down(),
        None => ShutDown::of_nothing(),
    }
}
