//! A loop as other threads see it.

use crate::{LoopHandle, debug};
use corio_future::concurrent;
use corio_seam::{Closed, LoopId, carry_context, catch_and_report, catch_and_report_from};
use corio_task::RemoteSet;
use parking_lot::{Condvar, Mutex};
use std::fmt;
use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::thread::{self, ThreadId};

/// A handle to a loop for any thread; made by [`LoopHandle::remote`]. A clone is a handle to the same loop.
///
/// It keeps neither the loop running nor its thread alive: when the loop is closed, calls are refused.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, run};
///
/// let answer = run(async {
///     let (promise, future) = corio_future::concurrent::promise();
///     let remote = LoopHandle::current().remote();
///     let thread = std::thread::spawn(move || {
///         remote.call_soon_threadsafe(move || drop(promise.set_result(42))).unwrap();
///     });
///     let answer = future.await.unwrap();
///     thread.join().unwrap();
///     answer
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[derive(Clone)]
pub struct RemoteHandle {
    set: RemoteSet,
}

impl RemoteHandle {
    pub(crate) fn new(set: RemoteSet) -> RemoteHandle {
        RemoteHandle { set }
    }

    /// Calls `f` on the loop's thread, in its next iteration, and wakes the loop if it sleeps; asyncio's
    /// `call_soon_threadsafe`.
    ///
    /// What one thread sends is called in the order in which it was sent, and after what the loop's own thread had scheduled
    /// when the iteration began (asyncio has one queue for both, so that a thread which runs during a step can get ahead of
    /// what that step schedules after). On the loop's own thread it is [`call_soon`](LoopHandle::call_soon); from others, of
    /// the caller's context only what is [`for_threads`](corio_seam::ContextVar::for_threads) goes along. A panic in `f` goes
    /// to the loop's exception handler. If the loop is
    /// closed before its next iteration, `f` is dropped.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the loop is closed; `f` is dropped.
    #[track_caller]
    pub fn call_soon_threadsafe(&self, f: impl FnOnce() + Send + 'static) -> Result<RemoteCall, Closed> {
        let state = Mutex::new(State::Waiting(f));
        let call = Arc::new(Call { state, over: Condvar::new(), location: Location::caller() });
        let handle = RemoteCall { call: Arc::clone(&call) as Arc<dyn Cancel> };
        self.send(move || call.call())?;
        Ok(handle)
    }

    /// Starts a task on the loop, from another thread; asyncio's `run_coroutine_threadsafe`.
    ///
    /// The future that `make` makes stays on the loop's thread, so that it need not be `Send`. Of the caller's context, what is
    /// [`for_threads`](corio_seam::ContextVar::for_threads) goes along. What the task returns,
    /// its panic, or its cancellation, goes to the future returned here. Cancelling that future cancels the task;
    /// dropping it, or giving up waiting for it, does not. If the loop is closed first, the promise is broken.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the loop is closed; `make` is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{LoopHandle, run, sleep};
    /// use std::time::Duration;
    ///
    /// run(async {
    ///     let remote = LoopHandle::current().remote();
    ///     let (promise, done) = corio_future::concurrent::promise();
    ///     let thread = std::thread::spawn(move || {
    ///         let mut doubled = remote
    ///             .run_coroutine_threadsafe(|| async {
    ///                 sleep(Duration::from_millis(1)).await;
    ///                 21 * 2
    ///             })
    ///             .unwrap();
    ///         assert_eq!(doubled.result(None).unwrap(), 42);
    ///         promise.set_result(()).unwrap();
    ///     });
    ///     done.await.unwrap();
    ///     thread.join().unwrap();
    /// })
    /// .unwrap();
    /// ```
    pub fn run_coroutine_threadsafe<M, F>(&self, make: M) -> Result<concurrent::Future<F::Output>, Closed>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        crate::bridge::start(self, make)
    }

    /// Stops the loop; see [`LoopHandle::stop`].
    ///
    /// # Errors
    ///
    /// [`Closed`] if the loop is closed.
    pub fn stop(&self) -> Result<(), Closed> {
        self.send(|| {
            if let Some(event_loop) = LoopHandle::try_current() {
                event_loop.stop();
            }
        })
    }

    /// Returns the loop's identity.
    #[must_use]
    pub fn id(&self) -> LoopId {
        self.set.id()
    }

    /// Has `f` called on the loop's thread.
    pub(crate) fn send(&self, f: impl FnOnce() + Send + 'static) -> Result<(), Closed> {
        if corio_seam::loop_id() == Some(self.id()) {
            return corio_seam::call_soon(f); // This is the loop's thread: no need to go through the inbox.
        }
        let carried = carry_context();
        let sent = if carried.is_empty() {
            self.set.call(Box::new(f))
        } else {
            self.set.call(Box::new(move || carried.run(|| catch_and_report("exception in callback", f))))
        };
        sent.map_err(|_| Closed)
    }
}

impl fmt::Debug for RemoteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteHandle").field(&self.id()).finish()
    }
}

/// A callback that a loop was sent by [`RemoteHandle::call_soon_threadsafe`]; asyncio's `_ThreadSafeHandle`.
///
/// Dropping it lets the callback run; a clone is the same.
#[derive(Clone)]
pub struct RemoteCall {
    call: Arc<dyn Cancel>,
}

impl RemoteCall {
    /// Keeps the callback from being called, and drops it: true if that made a difference, false if it was called or
    /// cancelled before.
    ///
    /// When this returns, the callback is not running and will not run: while it runs, this waits for its end. (Not on
    /// the loop's own thread, where the callback can only be its caller.) So do not call this while you hold
    /// what the callback needs.
    ///
    /// # Panics
    ///
    /// If the callback's destructor does.
    pub fn cancel(&self) -> bool {
        self.call.cancel()
    }

    /// Tells whether [`cancel`](RemoteCall::cancel) has kept the callback from being called.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.call.cancelled()
    }
}

impl fmt::Debug for RemoteCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCall").field("cancelled", &self.cancelled()).finish_non_exhaustive()
    }
}

/// What a handle can do to its callback, whatever that is.
trait Cancel: Send + Sync {
    fn cancel(&self) -> bool;
    fn cancelled(&self) -> bool;
}

/// A callback on its way to another thread.
struct Call<F> {
    /// Locked for moments; never while the callback runs or is dropped.
    state: Mutex<State<F>>,
    /// Notified when the callback has ended.
    over: Condvar,
    /// Where it was scheduled.
    location: &'static Location<'static>,
}

enum State<F> {
    /// Not called yet. --> Running, Cancelled
    Waiting(F),
    /// On that thread. --> Over
    Running(ThreadId),
    Over,
    Cancelled,
}

impl<F: FnOnce()> Call<F> {
    /// Calls the callback, unless it was cancelled.
    fn call(&self) {
        let mut state = self.state.lock();
        if let State::Waiting(_) = *state {
            let waiting = mem::replace(&mut *state, State::Running(thread::current().id()));
            drop(state);
            let _over = SetOver(self);
            if let State::Waiting(f) = waiting {
                debug::note_from_outside::<F>(self.location);
                catch_and_report_from("exception in callback", Some(self.location), f);
            }
        }
    }
}

impl<F: FnOnce() + Send> Cancel for Call<F> {
    fn cancel(&self) -> bool {
        let mut state = self.state.lock();
        if let State::Waiting(_) = *state {
            let f = mem::replace(&mut *state, State::Cancelled);
            drop(state);
            drop(f);
            return true;
        }
        let here = thread::current().id();
        while matches!(*state, State::Running(thread) if thread != here) {
            self.over.wait(&mut state);
        }
        false
    }

    fn cancelled(&self) -> bool {
        matches!(*self.state.lock(), State::Cancelled)
    }
}

/// Says that the callback has ended, be it by a panic.
struct SetOver<'c, F>(&'c Call<F>);

impl<F> Drop for SetOver<'_, F> {
    fn drop(&mut self) {
        *self.0.state.lock() = State::Over;
        self.0.over.notify_all();
    }
}
