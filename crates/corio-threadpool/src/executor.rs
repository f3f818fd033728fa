//! What runs calls: the trait, and what follows from it.

use crate::map::{Map, MapOptions};
use crate::{Job, Rejected, SubmitError};
use corio_future::concurrent::Future;
use std::rc::Rc;
use std::sync::Arc;

/// Something that runs jobs on threads of its own; Python's `concurrent.futures.Executor`.
///
/// It is object-safe: calls are submitted to a `&dyn Executor` just as well, through [`ExecutorExt`]. To write one,
/// run each job once, or drop it.
///
/// # Examples
///
/// An executor that starts a thread for each call:
///
/// ```
/// use corio_threadpool::{Executor, ExecutorExt, Job, Rejected};
///
/// struct ThreadEach;
///
/// impl Executor for ThreadEach {
///     fn execute(&self, job: Job) -> Result<(), Rejected> {
///         std::thread::spawn(move || job.run());
///         Ok(())
///     }
///
///     fn shutdown(&self, _wait: bool, _cancel_futures: bool) {}
/// }
///
/// let executor: &dyn Executor = &ThreadEach;
/// let answer = executor.submit(|| 6 * 7).unwrap();
/// assert_eq!(pollster::block_on(answer).unwrap(), 42);
/// ```
pub trait Executor {
    /// Takes a job, to run it some time; does not block.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the job, if it has been shut down or cannot run anything.
    fn execute(&self, job: Job) -> Result<(), Rejected>;

    /// Takes no more jobs from now on. What runs goes on to its end; what is queued does too, or is dropped, and with
    /// it cancelled, if `cancel_futures`. Returns at once, or once everything has ended if `wait`. May be called again.
    fn shutdown(&self, wait: bool, cancel_futures: bool);
}

macro_rules! forward {
    ($pointer:ty) => {
        impl<E: Executor + ?Sized> Executor for $pointer {
            fn execute(&self, job: Job) -> Result<(), Rejected> {
                (**self).execute(job)
            }

            fn shutdown(&self, wait: bool, cancel_futures: bool) {
                (**self).shutdown(wait, cancel_futures);
            }
        }
    };
}

forward!(&E);
forward!(Box<E>);
forward!(Rc<E>);
forward!(Arc<E>);

/// What every executor can do.
pub trait ExecutorExt: Executor {
    /// Has `f` called on a thread of the executor; Python's `Executor.submit`.
    ///
    /// The future can be awaited under any executor, waited for by blocking, called back, and cancelled while no
    /// thread has taken the call. Dropping it lets the call be made, and its value fall.
    ///
    /// # Errors
    ///
    /// [`SubmitError`], with the call and its future, if the executor does not take it.
    ///
    /// # Panics
    ///
    /// Not here: a panic of `f` goes to the future.
    fn submit<F, T>(&self, f: F) -> Result<Future<T>, SubmitError<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (job, future) = Job::for_call(f);
        match self.execute(job) {
            Ok(()) => Ok(future),
            Err(rejected) => Err(SubmitError::new(rejected, future)),
        }
    }

    /// Calls `f` with each item on the executor's threads, and yields the results in the order of the items; Python's
    /// `Executor.map`.
    ///
    /// All items are submitted at once. [`map_with`](ExecutorExt::map_with) submits a few at a time, or limits the
    /// time. [`next`](Iterator::next) blocks; it is for threads, not for tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_threadpool::{ExecutorExt, ThreadPoolExecutor};
    ///
    /// let pool = ThreadPoolExecutor::new();
    /// let squares: Vec<u32> = pool.map(0..5, |x| x * x).map(Result::unwrap).collect();
    /// assert_eq!(squares, [0, 1, 4, 9, 16]);
    /// ```
    fn map<I, F, T>(&self, items: I, f: F) -> Map<'_, Self, I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.map_with(MapOptions::new(), items, f)
    }

    /// As [`map`](ExecutorExt::map), with a window or a time limit.
    fn map_with<I, F, T>(&self, options: MapOptions, items: I, f: F) -> Map<'_, Self, I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        Map::new(self, options, items.into_iter(), f)
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}
