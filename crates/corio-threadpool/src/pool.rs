//! The pool itself: threads that take jobs from a gate.

use crate::builder::Builder;
use crate::counts::Phase;
use crate::gate::{Gate, Next, Refusal};
use crate::shutdown::ShutDown;
use crate::sync::Mutex;
use crate::{Executor, Job, RejectReason, Rejected};
use corio_seam::catch_and_report;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

thread_local! {
    /// The number of the pool whose worker this thread is; 0 for none. Without a destructor: the destructors of other
    /// thread-locals may shut the pool down.
    static WORKER_OF: Cell<u64> = const { Cell::new(0) };
}

/// A pool of threads; Python's `ThreadPoolExecutor`.
///
/// A thread starts when a job comes and none is free, up to the bound, by default `min(32, cores + 4)`; then jobs wait
/// in one queue, first in, first out. Threads stay until the pool is shut down or dropped.
///
/// Dropping the pool takes no more jobs and returns at once; the threads end once the queue is empty. Nothing is
/// cancelled, and nothing is waited for: at the end of `main` the process ends with whatever the threads are doing,
/// unless [`shutdown`](Executor::shutdown) has waited for them.
///
/// A job that blocks until another job of the same pool is done needs a second thread. When all threads block so, the
/// pool stands still: do not wait inside a pool for what is queued behind you.
///
/// # Examples
///
/// ```
/// use corio_threadpool::{Executor, ExecutorExt, ThreadPoolExecutor};
///
/// let pool = ThreadPoolExecutor::builder().max_threads(2).name_prefix("disk").build().unwrap();
/// let name = pool.submit(|| std::thread::current().name().map(String::from)).unwrap();
/// assert_eq!(pollster::block_on(name).unwrap().as_deref(), Some("disk_0"));
///
/// pool.shutdown(true, false);
/// assert!(pool.submit(|| ()).is_err());
/// ```
pub struct ThreadPoolExecutor {
    shared: Arc<Shared>,
}

/// What the pool's owner and its workers share.
pub(crate) struct Shared {
    pub(crate) gate: Gate<Job, JoinHandle<()>>,
    /// Held while threads are joined, so that of two who wait, neither returns before they are.
    joining: Mutex<()>,
    /// The pool's number, never 0.
    number: u64,
    settings: Builder,
}

impl ThreadPoolExecutor {
    /// Makes a pool with the default settings. No thread starts before the first job.
    #[must_use]
    pub fn new() -> ThreadPoolExecutor {
        ThreadPoolExecutor::from_builder(Builder::default())
    }

    /// Sets a pool up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn from_builder(mut settings: Builder) -> ThreadPoolExecutor {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        settings.prefix.get_or_insert_with(|| format!("pool-{}", number - 1));
        let gate = Gate::new(settings.max_threads);
        ThreadPoolExecutor { shared: Arc::new(Shared { gate, joining: Mutex::new(()), number, settings }) }
    }

    /// Returns the most threads there may be.
    #[must_use]
    pub fn max_threads(&self) -> usize {
        self.shared.settings.max_threads
    }

    /// Counts the threads that have started and not ended.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.gate.status().1
    }

    /// Counts the threads that wait for a job; means nothing once the pool is shut down.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.shared.gate.idle()
    }

    /// Counts the jobs that no thread has taken yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.gate.queued()
    }

    /// Tells whether it takes no more jobs, for being shut down or broken.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shared.gate.status().0 != Phase::Open
    }

    /// Tells whether an initializer has panicked.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.shared.gate.status().0 == Phase::Broken
    }

    /// Shuts down as [`shutdown`](Executor::shutdown) does, and waits, but not longer than `timeout`; false if threads
    /// are left then. They go on, and it can be called again.
    pub fn shutdown_timeout(&self, timeout: Duration, cancel_futures: bool) -> bool {
        self.close(cancel_futures);
        self.shared.wait(Instant::now().checked_add(timeout))
    }

    /// Shuts down at once, and returns a future that is ready once the last thread leaves; asyncio's
    /// `shutdown_default_executor`, but for the helper thread.
    ///
    /// Awaiting it from a job of this very pool never ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops waiting; the pool is shut down all the same.
    pub fn shutdown_async(&self, cancel_futures: bool) -> ShutDown {
        self.close(cancel_futures);
        ShutDown::new(self.shared.clone())
    }

    fn close(&self, cancel_futures: bool) {
        self.shared.gate.close();
        if cancel_futures {
            std::iter::from_fn(|| self.shared.gate.take_queued()).for_each(Job::cancel);
        }
    }
}

impl Executor for ThreadPoolExecutor {
    /// Queues a job, and starts a thread for it if none is free and there may be more.
    ///
    /// # Errors
    ///
    /// [`Rejected`] after a shutdown, when an initializer has panicked, or when the operating system refuses the first
    /// thread; if it refuses another, those that exist do the work.
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        let refused = self.shared.gate.admit(job, |worker| spawn(&self.shared, worker));
        refused.map_err(|(job, refusal)| {
            let reason = match refusal {
                Refusal::ShutDown => RejectReason::ShutDown,
                Refusal::Broken => RejectReason::Broken,
                Refusal::NoThread(error) => RejectReason::NoThread(error),
            };
            Rejected::new(job, reason)
        })
    }

    /// Takes no more jobs. If `wait`, returns once all threads have ended, their thread-locals destroyed; in a job of
    /// this pool, once all others have but those that wait in the same way. Calling it again is allowed, from any
    /// thread, also with more to wait for or to cancel.
    fn shutdown(&self, wait: bool, cancel_futures: bool) {
        self.close(cancel_futures);
        if wait {
            self.shared.wait(None);
        }
    }
}

impl Shared {
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let inside = WORKER_OF.get() == self.number;
        let ended = self.gate.wait(inside, deadline);
        if ended && !inside {
            let _joining = self.joining.lock();
            for handle in self.gate.take_handles() {
                // A thread that panicked has panicked in a thread-local's destructor; it has said so.
                let _ = handle.join();
            }
        }
        ended
    }

    /// Serves as a worker until there is nothing more to do.
    fn work(&self) {
        WORKER_OF.set(self.number);
        let _leave = Leave(self);
        if !self.initialize() {
            return;
        }
        loop {
            match self.gate.next() {
                Next::Run(job) => job.run(),
                Next::Fail(job) => job.abandon(),
                Next::Leave => return,
            }
            self.gate.done();
        }
    }

    /// Runs the initializer; if it panics the pool breaks, and what is queued fails.
    fn initialize(&self) -> bool {
        let Some(initializer) = &self.settings.initializer else { return true };
        let mut succeeded = false;
        catch_and_report("panic in the initializer of a thread pool", || {
            initializer();
            succeeded = true;
        });
        if !succeeded {
            self.gate.break_down();
            std::iter::from_fn(|| self.gate.take_queued()).for_each(Job::abandon);
        }
        succeeded
    }
}

/// Says that a worker leaves, whatever happens in it.
struct Leave<'a>(&'a Shared);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.gate.leave();
    }
}

fn spawn(shared: &Arc<Shared>, worker: usize) -> io::Result<JoinHandle<()>> {
    let settings = &shared.settings;
    let mut thread = thread::Builder::new();
    if let Some(prefix) = &settings.prefix {
        thread = thread.name(format!("{prefix}_{worker}"));
    }
    if let Some(size) = settings.stack_size {
        thread = thread.stack_size(size);
    }
    let shared = shared.clone();
    thread.spawn(move || shared.work())
}

impl Default for ThreadPoolExecutor {
    fn default() -> ThreadPoolExecutor {
        ThreadPoolExecutor::new()
    }
}

impl Drop for ThreadPoolExecutor {
    fn drop(&mut self) {
        self.shared.gate.close();
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phase, threads) = self.shared.gate.status();
        f.debug_struct("ThreadPoolExecutor")
            .field("name_prefix", &self.shared.settings.prefix)
            .field("max_threads", &self.max_threads())
            .field("threads", &threads)
            .field("queued", &self.queued())
            .field("phase", &phase)
            .finish()
    }
}
