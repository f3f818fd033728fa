//! A unit of work on its way to a thread.

use corio_future::concurrent::{self, Future, Promise};
use corio_seam::{Busy, Cancelled, Panic, catch_and_report, enter_context};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A call that an [`Executor`](crate::Executor) is asked to make, once, on whatever thread it likes.
///
/// It is a box, and all that an executor has to know: [`run`](Job::run) it, or drop it. A job that is dropped unrun
/// cancels its future, so nobody waits for ever for a call that an executor has thrown away. Python's `_WorkItem`.
///
/// # Examples
///
/// ```
/// use corio_threadpool::Job;
/// use std::time::Duration;
///
/// let (job, mut future) = Job::for_call(|| 6 * 7);
/// std::thread::spawn(move || job.run());
/// assert_eq!(future.result(Some(Duration::from_secs(10))).unwrap(), 42);
///
/// let (job, future) = Job::for_call(|| unreachable!("it is dropped unrun"));
/// drop(job);
/// assert!(future.cancelled());
/// ```
#[must_use = "a job that is dropped unrun cancels its future"]
pub struct Job(Box<dyn Work>);

impl Job {
    /// Makes a job without a future, for a call whose end interests nobody. Its panic is reported.
    pub fn new(f: impl FnOnce() + Send + 'static) -> Job {
        Job(Box::new(Errand(f)))
    }

    /// Makes a job and the future of what `f` returns.
    ///
    /// Two allocations: the job, with `f` and the promise inside, and the future's cell.
    pub fn for_call<F, T>(f: F) -> (Job, Future<T>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (promise, future) = concurrent::promise();
        (Job(Box::new(Answer { call: Some((f, promise)), _busy: corio_seam::busy() })), future)
    }

    /// Makes the call on this thread, and completes the future with what it returns, or with its panic. Does nothing if
    /// the future is cancelled by now.
    ///
    /// The call sees none of this thread's context variables, and leaves none behind.
    ///
    /// Never panics itself: a panic that no future takes (of a destructor, of a job without a future) is reported.
    pub fn run(self) {
        catch_and_report("panic in a job of an executor", || enter_context(None, || self.0.run()));
    }

    /// Gives the job up because its executor is broken: its future ends with a broken promise, and not as cancelled.
    ///
    /// Never panics: a panic of a destructor is reported.
    pub fn abandon(self) {
        catch_and_report("panic in the destructor of a job", || self.0.abandon());
    }

    /// Cancels the job; never panics.
    pub(crate) fn cancel(self) {
        catch_and_report("panic in the destructor of a job", || drop(self));
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// What is in the box.
trait Work: Send {
    fn run(self: Box<Self>);
    fn abandon(self: Box<Self>);
}

/// A call whose answer goes nowhere.
struct Errand<F>(F);

impl<F: FnOnce() + Send> Work for Errand<F> {
    fn run(self: Box<Self>) {
        (self.0)();
    }

    fn abandon(self: Box<Self>) {}
}

/// A call whose answer goes to a promise; both are there until it is run or given up.
struct Answer<F, T> {
    call: Option<(F, Promise<T>)>,
    /// Keeps the caller's clock standing still, if it is virtual, until the answer has been handed over.
    _busy: Busy,
}

impl<F, T> Work for Answer<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(mut self: Box<Self>) {
        let Some((f, promise)) = self.call.take() else { return };
        if !promise.set_running_or_notify_cancel() {
            return;
        }
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => drop(promise.set_result(value)),
            Err(payload) => promise.set_panic(Panic::new(payload)),
        }
    }

    fn abandon(mut self: Box<Self>) {
        // A promise that is merely dropped is a broken one.
        drop(self.call.take());
    }
}

impl<F, T> Drop for Answer<F, T> {
    fn drop(&mut self) {
        if let Some((f, promise)) = self.call.take() {
            // The future first: the destructor of what the call holds may panic.
            promise.cancel(Cancelled::new());
            drop(f);
        }
    }
}
