//! From tasks to threads and back.

use crate::{CallError, Executor, ExecutorExt, RejectReason, default_executor};
use corio_future::concurrent::Future;
use corio_seam::{Cancelled, Waiting, carry_context, wait_on};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Has `f` called on a thread of `executor`, now, and returns a future of its answer; asyncio's `loop.run_in_executor`.
///
/// asyncio's `None` for the default pool is `&default_executor()` ([`default_executor`]) here.
///
/// The call is submitted at once, not when the future is first polled. The future works under any executor. The call sees no
/// context variable of the caller's, as in asyncio; [`to_thread`] takes some along.
///
/// # Cancel safety
///
/// Dropping the future cancels the call if no thread has taken it: then it is never made. A call that runs cannot be
/// stopped: it goes on to its end, and what it returns is dropped on its thread.
///
/// # Examples
///
/// ```
/// use corio_threadpool::{CallError, ThreadPoolExecutor, run_in_executor};
///
/// let pool = ThreadPoolExecutor::new();
/// pollster::block_on(async {
///     let answer = run_in_executor(&pool, || 6 * 7).await;
///     assert_eq!(answer.unwrap(), 42);
///
///     let error = run_in_executor(&pool, || panic!("in the thread")).await.unwrap_err();
///     assert_eq!(error.try_into_panic().unwrap().message(), Some("in the thread"));
/// });
/// ```
pub fn run_in_executor<E, F, T>(executor: &E, f: F) -> Call<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match executor.submit(f) {
        Ok(future) => Call { state: State::Made(future) },
        Err(error) => Call { state: State::Rejected(error.into_reason()) },
    }
}

/// Future of [`run_in_executor`].
#[must_use = "dropping it cancels the call"]
pub struct Call<T> {
    state: State<T>,
}

enum State<T> {
    /// Queued, running or done.
    Made(Future<T>),
    /// The executor did not take it.
    Rejected(RejectReason),
    /// Cancelled by this end.
    Cancelled,
    /// The answer was taken.
    Taken,
}

impl<T> Call<T> {
    /// Cancels the wait: a call that no thread has taken is never made, one that runs goes on without a listener;
    /// asyncio's `cancel` of the future that `run_in_executor` returns. False if the answer, or a cancellation, is
    /// there already.
    pub fn cancel(&mut self) -> bool {
        let State::Made(future) = &self.state else { return false };
        if future.done() {
            return false;
        }
        future.cancel();
        self.state = State::Cancelled;
        true
    }

    /// Tells whether it was cancelled, from this end or, while queued, by a shutdown.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        match &self.state {
            State::Made(future) => future.cancelled(),
            State::Cancelled => true,
            State::Rejected(_) | State::Taken => false,
        }
    }

    /// Tells whether awaiting it would not wait.
    #[must_use]
    pub fn done(&self) -> bool {
        match &self.state {
            State::Made(future) => future.done(),
            State::Cancelled | State::Rejected(_) | State::Taken => true,
        }
    }
}

impl<T> std::future::Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, CallError>> {
        if let State::Made(future) = &mut self.state {
            let Poll::Ready(answer) = Pin::new(future).poll(cx) else {
                wait_on(Waiting::Leaf(&"run_in_executor"));
                return Poll::Pending;
            };
            self.state = State::Taken;
            return Poll::Ready(answer.map_err(CallError::from));
        }
        Poll::Ready(Err(match std::mem::replace(&mut self.state, State::Taken) {
            State::Rejected(reason) => CallError::Rejected(reason),
            State::Cancelled => CallError::Cancelled(Cancelled::new()),
            State::Made(_) | State::Taken => panic!("`Call` was polled after it was ready"),
        }))
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let State::Made(future) = &self.state {
            future.cancel();
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("done", &self.done()).field("cancelled", &self.cancelled()).finish()
    }
}

/// Calls `f` on a thread of the default pool when first awaited; asyncio's `asyncio.to_thread`.
///
/// The default pool is that of the loop which runs here, see [`default_executor`]. The call sees the values that the
/// variables made by [`ContextVar::for_threads`](corio_seam::ContextVar::for_threads) have in the context of the first poll;
/// asyncio takes all along, here a value may be bound to its thread.
///
/// # Cancel safety
///
/// As [`run_in_executor`]; dropped before it was polled, it does nothing.
///
/// # Examples
///
/// ```
/// use corio_seam::ContextVar;
/// use corio_threadpool::to_thread;
///
/// static REQUEST: ContextVar<u64> = ContextVar::for_threads("request");
///
/// REQUEST.set(7);
/// let (bytes, request) =
///     pollster::block_on(to_thread(|| (std::fs::read("Cargo.toml"), REQUEST.get()))).unwrap();
/// assert!(bytes.is_ok() && request == Some(7));
/// ```
pub fn to_thread<F, T>(f: F) -> ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    ToThread { f: Some(f), call: None }
}

/// Future of [`to_thread`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ToThread<F, T> {
    /// Until it is first polled.
    f: Option<F>,
    /// From then on.
    call: Option<Call<T>>,
}

/// `f` is moved out, and never pinned.
impl<F, T> Unpin for ToThread<F, T> {}

impl<F, T> std::future::Future for ToThread<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, CallError>> {
        if let Some(f) = self.f.take() {
            let context = carry_context();
            self.call = Some(run_in_executor(&default_executor(), move || context.run(f)));
        }
        let call = self.call.as_mut().expect("submitting it panicked before");
        Pin::new(call).poll(cx)
    }
}

impl<F, T> fmt::Debug for ToThread<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToThread").field("call", &self.call).finish_non_exhaustive()
    }
}
