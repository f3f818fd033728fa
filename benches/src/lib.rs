//! corio beside the runtimes that one would otherwise pick, on the same work.
//!
//! A runtime is a file in `runtimes` that implements [`Runtime`]; a workload is a function in [`workloads`] that is
//! generic over it. Each workload returns how long its own part took, so that starting a runtime is not in it, and
//! checks its result. `cargo bench -p corio-benches` draws Criterion's curves; `--bin compare` prints one table.

pub mod runtimes;
pub mod workloads;

use std::time::Duration;

/// What a workload needs of a runtime: each gives its own best.
pub trait Runtime: 'static {
    /// The column's head.
    const NAME: &'static str;
    /// Runs a future to its end, inside a task.
    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T;
    /// A task's handle: a future of its result.
    type Task<T: 'static>: Future<Output = T> + 'static;
    /// Starts a task.
    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T>;
    /// Lets the others have a turn.
    fn yield_now() -> impl Future<Output = ()>;
    /// A value set once: the way to set it, and the way to wait for it.
    fn oneshot<T: 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static);
    /// A queue between two tasks; capacity 0 is unbounded.
    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static);
    /// Waits for all tasks, by whatever users of this runtime take for it.
    fn gather<T: 'static>(tasks: Vec<Self::Task<T>>) -> impl Future<Output = Vec<T>>;
    /// Gives a future so much time.
    fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>>;
    /// Sleeps.
    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static;
}

/// The end of a queue that takes items.
pub trait Put {
    /// Puts an item, waiting for room.
    fn put(&self, item: u64) -> impl Future<Output = ()>;
}

/// The end of a queue that gives items.
pub trait Get {
    /// Gets an item, waiting for one.
    fn get(&mut self) -> impl Future<Output = u64>;
}
