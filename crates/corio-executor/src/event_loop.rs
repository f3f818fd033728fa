//! The loop: what it owns, and the ways to run it.

mod builder;
mod core;
mod interrupt;
mod pace;
mod signals;

pub use builder::EventLoopBuilder;
pub(crate) use core::Core;

use crate::reactor::Reactor;
use crate::{LoopHandle, RunError, StillRunning};
use corio_seam::{Context, Panic};
use corio_task::{JoinError, LARGE_FUTURE, TaskOptions};
use std::fmt;
use std::io;
use std::ops::{ControlFlow, Deref};
use std::rc::Rc;

/// An event loop: it runs the tasks, callbacks and timers of one thread; asyncio's `EventLoop`.
///
/// Most programs need only [`run`](crate::run()), which makes a loop, runs one future on it, and closes it. What can be
/// done both to a loop and from inside it ([`call_soon`](LoopHandle::call_soon), [`create_task`](LoopHandle::create_task),
/// [`time`](LoopHandle::time) ...) is a method of [`LoopHandle`], to which a loop dereferences.
///
/// Dropping the loop closes it.
///
/// # Examples
///
/// ```
/// use corio_executor::{EventLoop, VirtualClock, sleep};
/// use std::time::Duration;
///
/// let event_loop = EventLoop::builder().clock(VirtualClock::new()).build()?;
/// let task = event_loop.create_task(async {
///     sleep(Duration::from_secs(2)).await;
///     "two seconds"
/// });
/// let outcome = event_loop.run_until_complete(task)?;
/// assert_eq!(outcome.unwrap(), "two seconds");
/// assert_eq!(event_loop.time().since_start(), Duration::from_secs(2));
/// event_loop.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventLoop {
    handle: LoopHandle,
}

impl EventLoop {
    /// Makes a loop with the machine's clock and selector; asyncio's `new_event_loop`.
    ///
    /// # Errors
    ///
    /// If the operating system refuses something that the loop needs.
    pub fn new() -> io::Result<EventLoop> {
        EventLoop::builder().build()
    }

    /// Starts to make a loop with another clock or selector.
    pub fn builder() -> EventLoopBuilder {
        EventLoopBuilder::new()
    }

    /// Returns a handle to this loop, to be cloned into callbacks and tasks.
    #[must_use]
    pub fn handle(&self) -> &LoopHandle {
        &self.handle
    }

    /// Runs one iteration. In this order:
    ///
    /// 1. Polls: when nothing is ready, sleeps until a timer is due, a source is ready, or somebody rings; otherwise
    ///    looks at the sources without sleeping, or not at all if that was done a moment ago.
    /// 2. Drains the inbox: what other threads have sent, in the order they sent it.
    /// 3. Expires timers: puts an entry into the ready queue for each that is due, in order of their moments.
    /// 4. Runs the batch: exactly the entries that are ready now. What they schedule belongs to the next iteration.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] while a loop runs on this thread, [`RunError::Closed`] after [`close`](EventLoop::close),
    /// [`RunError::Io`] when the selector fails, [`RunError::Deadlock`] when it would sleep for ever: then nothing was done.
    pub fn run_once(&self) -> Result<(), RunError> {
        self.core().run(|| self.core().iterate())?
    }

    /// Runs until `main` has completed; asyncio's `run_until_complete`.
    ///
    /// `main` is a task like any other, and need not be `'static`. The iteration after its last step is run too, as
    /// in asyncio: it is the one in which its end is noticed. What is left over stays, for the next run.
    ///
    /// # Errors
    ///
    /// [`RunError::Cancelled`] if `main` was cancelled; [`RunError::Stopped`] if [`stop`](LoopHandle::stop) was called
    /// before it had completed: it is dropped then, as it is with [`RunError::Deadlock`]; and those of [`run_once`](EventLoop::run_once).
    ///
    /// # Panics
    ///
    /// If `main` panics, with its payload.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, main: F) -> Result<F::Output, RunError> {
        let ended = if const { size_of::<F>() > LARGE_FUTURE } {
            self.try_until_complete(TaskOptions::new(), Box::pin(main))
        } else {
            self.try_until_complete(TaskOptions::new(), main)
        };
        Ok(ended?.unwrap_or_else(|panic| panic.resume_unwind()))
    }

    /// Runs until `main` has completed, or Ctrl-C has cancelled it; a panic of it is returned.
    ///
    /// `main` runs in the context in `kept`, where that of `main` is put, if a variable was set in it.
    #[track_caller]
    pub(crate) fn try_until_interrupted<F: Future>(
        &self,
        kept: &mut Option<Context>,
        main: F,
    ) -> Result<Result<F::Output, Panic>, RunError> {
        let watch = self.core().interrupt.watch();
        let options = kept.as_ref().map_or_else(TaskOptions::new, |context| TaskOptions::new().context(context));
        let ended = self.try_until_complete(options, watch.main(main));
        *kept = kept.take().or_else(|| watch.context());
        match ended {
            Err(RunError::Cancelled(_)) if watch.was_why() => Err(RunError::Interrupted),
            ended => ended,
        }
    }

    /// Runs until `main` has completed; a panic of it is returned.
    #[track_caller]
    pub(crate) fn try_until_complete<F: Future>(
        &self,
        options: TaskOptions,
        main: F,
    ) -> Result<Result<F::Output, Panic>, RunError> {
        let core = self.core();
        let mut failure = None;
        let mut turn = || match core.iterate() {
            Ok(()) if !core.stopping.get() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        };
        let ended = core.run(|| core.tasks.drive_with(options, main, |_| turn()))?;
        if let Some(error) = failure {
            return Err(error);
        }
        match ended {
            Some(Ok(output)) => Ok(Ok(output)),
            Some(Err(JoinError::Panicked(panic))) => Ok(Err(panic)),
            Some(Err(JoinError::Cancelled(cancelled))) => Err(RunError::Cancelled(cancelled)),
            Some(Err(_)) | None => Err(RunError::Stopped),
        }
    }

    /// Runs until [`stop`](LoopHandle::stop) is called; asyncio's `run_forever`.
    ///
    /// The iteration in which that happens is finished. If it happened before, exactly one iteration is run, without
    /// sleeping.
    ///
    /// # Errors
    ///
    /// Those of [`run_once`](EventLoop::run_once). A loop that has no task, timer or source, and whose
    /// [`RemoteHandle`](crate::RemoteHandle) nobody holds, can never be stopped: it is a deadlock, too.
    pub fn run_forever(&self) -> Result<(), RunError> {
        let core = self.core();
        core.run(|| {
            loop {
                core.iterate()?;
                if core.stopping.get() {
                    return Ok(());
                }
            }
        })?
    }

    /// Closes the loop, for good: unfinished tasks end cancelled, callbacks and timers are dropped uncalled, and the
    /// loop's own values (its thread pool) with them. Closing again does nothing. asyncio's `close`.
    ///
    /// No task's cleanup is waited for: that is what [`run`](crate::run()) and [`Runner`](crate::Runner) do before. Each
    /// unfinished task is reported to the exception handler first, as "task was destroyed but it is pending".
    ///
    /// # Errors
    ///
    /// [`StillRunning`] while the loop runs.
    pub fn close(&self) -> Result<(), StillRunning> {
        self.core().close()
    }

    pub(crate) fn core(&self) -> &Core {
        self.handle.core()
    }
}

impl Deref for EventLoop {
    type Target = LoopHandle;

    fn deref(&self) -> &LoopHandle {
        &self.handle
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // It cannot be running: every way to run it borrows it.
        let _ = self.close();
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventLoop").field(&self.handle).finish()
    }
}

/// Returns the reactor of the loop that runs on this thread.
pub(crate) fn reactor() -> io::Result<Rc<Reactor>> {
    let Some(handle) = LoopHandle::try_current() else {
        return Err(io::Error::other("no event loop runs on this thread: wait for I/O inside `run`"));
    };
    handle.reactor()
}
