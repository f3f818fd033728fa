//! The loop's thread pool: asyncio's default executor.

use crate::{LoopHandle, sleep};
use corio_seam::{Closed, Report, report};
use corio_threadpool::{Call, ThreadPoolExecutor};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

impl LoopHandle {
    /// Has `f` called on a thread of the loop's pool, now, and returns a future of its answer; asyncio's
    /// `run_in_executor(None, f)`.
    ///
    /// The pool is made at the first call, of up to `min(32, cores + 4)` threads. For another one there is
    /// [`corio_threadpool::run_in_executor`]. The future gives an error if the pool was
    /// [shut down](LoopHandle::shutdown_default_executor).
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the call if no thread has taken it. A call that runs cannot be stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, run};
    ///
    /// let answer = run(async { LoopHandle::current().run_in_executor(|| 6 * 7).await.unwrap() });
    /// assert_eq!(answer.unwrap(), 42);
    /// ```
    #[track_caller]
    pub fn run_in_executor<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Call<T> {
        self.assert_open();
        self.core().tasks.enter(|| corio_threadpool::run_in_executor(&corio_threadpool::default_executor(), f))
    }

    /// Replaces the loop's pool, and returns the one before; asyncio's `set_default_executor`.
    ///
    /// The one before goes on with its jobs, and its threads end when it is dropped.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the loop is closed, or its pool was [shut down](LoopHandle::shutdown_default_executor).
    pub fn set_default_executor(&self, pool: Arc<ThreadPoolExecutor>) -> Result<Arc<ThreadPoolExecutor>, Closed> {
        self.core().tasks.enter(|| corio_threadpool::set_default_executor(pool))
    }

    /// Shuts the loop's pool down, and waits until its threads have ended, but not longer than `timeout`; asyncio's
    /// `shutdown_default_executor`. [`run`](crate::run()) does it at the end, with five minutes.
    ///
    /// What is queued still runs. From now on [`run_in_executor`](LoopHandle::run_in_executor) and `to_thread` are refused
    /// with an error. No thread is blocked, and none started to join them: the last one to leave says so. When the time is
    /// over, the jobs that still run are left to themselves, which is reported to the exception handler. True if all
    /// have ended. A virtual clock does not move while a job runs, and so knows no limit.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it stops waiting; the pool is shut down all the same, once it was polled.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, run};
    /// use std::time::Duration;
    ///
    /// run(async {
    ///     let event_loop = LoopHandle::current();
    ///     let job = event_loop.run_in_executor(|| "the last one");
    ///     assert!(event_loop.shutdown_default_executor(Duration::from_secs(60)).await);
    ///     assert_eq!(job.await.unwrap(), "the last one");
    ///     assert!(event_loop.run_in_executor(|| "too late").await.is_err());
    /// })
    /// .unwrap();
    /// ```
    pub async fn shutdown_default_executor(&self, timeout: impl Into<Option<Duration>>) -> bool {
        // A virtual clock would jump to the limit while the last thread is on its way out.
        let timeout = timeout.into().filter(|_| self.core().time_passes_by_itself());
        let mut end = pin!(self.core().tasks.enter(corio_threadpool::shutdown_default_executor));
        let mut limit = pin!(sleep(timeout.unwrap_or(Duration::MAX)));
        poll_fn(|cx| {
            if end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            ready!(limit.as_mut().poll(cx));
            report(Report::new(format!(
                "the thread pool's jobs did not end within {:?}, and are left to themselves",
                timeout.unwrap_or(Duration::MAX)
            )));
            Poll::Ready(false)
        })
        .await
    }
}
