//! Several runs on one loop.

use crate::{EventLoop, RunError, shutdown};
use corio_seam::{Context, Panic, capture_context, outside_context};
use corio_task::LARGE_FUTURE;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::io;

/// Makes the loop of a runner, once.
type Factory = Box<dyn FnOnce() -> io::Result<EventLoop>>;

/// Runs several futures, one after the other, on one loop; asyncio's `Runner`.
///
/// The loop is made when it is first needed. Tasks that are left over after a run stay, and go on in the next. All runs
/// have one [context](Context), a copy of the thread's when the loop was made: what one sets, the next sees. Closing the
/// runner, or dropping it, ends the loop as [`run`](crate::run()) does.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, Runner, sleep};
/// use std::time::Duration;
///
/// let runner = Runner::new();
/// let task = runner.run(async {
///     LoopHandle::current().create_task(async {
///         sleep(Duration::from_millis(1)).await;
///         "made in the first run, ended in the second"
///     })
/// })?;
/// let outcome = runner.run(task)?;
/// assert_eq!(outcome.unwrap(), "made in the first run, ended in the second");
/// runner.close()?;
/// # Ok::<(), corio_executor::RunError>(())
/// ```
pub struct Runner {
    /// Taken when the loop is made.
    factory: Cell<Option<Factory>>,
    event_loop: OnceCell<EventLoop>,
    closed: Cell<bool>,
    /// The context of all runs; none as long as no variable was set in it.
    context: Cell<Option<Context>>,
}

impl Runner {
    /// Makes a runner whose loop has the machine's clock and selector.
    #[must_use]
    pub fn new() -> Runner {
        Runner::with_loop_factory(EventLoop::new)
    }

    /// Makes a runner whose loop is made by `factory`, at the first run; asyncio's `loop_factory`.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_executor::{EventLoop, Runner, VirtualClock, sleep};
    /// use std::time::Duration;
    ///
    /// let runner = Runner::with_loop_factory(|| EventLoop::builder().clock(VirtualClock::new()).build());
    /// runner.run(sleep(Duration::from_secs(3600)))?;
    /// assert_eq!(runner.event_loop()?.time().since_start().as_secs(), 3600);
    /// # Ok::<(), corio_executor::RunError>(())
    /// ```
    #[must_use]
    pub fn with_loop_factory(factory: impl FnOnce() -> io::Result<EventLoop> + 'static) -> Runner {
        let factory: Factory = Box::new(factory);
        Runner {
            factory: Cell::new(Some(factory)),
            event_loop: OnceCell::new(),
            closed: Cell::new(false),
            context: Cell::new(None),
        }
    }

    /// Runs `main` until it has completed; asyncio's `Runner.run`. Ctrl-C cancels it, as [`run`](crate::run()) says.
    ///
    /// # Errors
    ///
    /// [`RunError::Closed`] after [`close`](Runner::close), and those of [`run`](crate::run()).
    ///
    /// # Panics
    ///
    /// If `main` panics, with its payload; the runner can be used again.
    #[track_caller]
    pub fn run<F: Future>(&self, main: F) -> Result<F::Output, RunError> {
        let ended =
            if const { size_of::<F>() > LARGE_FUTURE } { self.try_run(Box::pin(main)) } else { self.try_run(main) };
        Ok(ended?.unwrap_or_else(|panic| panic.resume_unwind()))
    }

    /// Runs `main` in `context` until it has completed; asyncio's `Runner.run(main, context=context)`.
    ///
    /// # Errors
    ///
    /// As [`run`](Runner::run).
    ///
    /// # Panics
    ///
    /// As [`run`](Runner::run).
    #[track_caller]
    pub fn run_in<F: Future>(&self, context: &Context, main: F) -> Result<F::Output, RunError> {
        let ended = self.try_run_in(&mut Some(context.clone()), main)?;
        Ok(ended.unwrap_or_else(|panic| panic.resume_unwind()))
    }

    /// Runs `main` until it has completed; a panic of it is returned.
    #[track_caller]
    pub(crate) fn try_run<F: Future>(&self, main: F) -> Result<Result<F::Output, Panic>, RunError> {
        if corio_seam::loop_id().is_some() {
            return Err(RunError::Nested);
        }
        self.event_loop()?; // Made now, it copies the thread's context.
        let mut context = self.context.take();
        let ended = self.try_run_in(&mut context, main);
        self.context.set(context);
        ended
    }

    #[track_caller]
    fn try_run_in<F: Future>(
        &self,
        context: &mut Option<Context>,
        main: F,
    ) -> Result<Result<F::Output, Panic>, RunError> {
        if corio_seam::loop_id().is_some() {
            return Err(RunError::Nested);
        }
        let event_loop = self.event_loop()?;
        outside_context(|| event_loop.try_until_interrupted(context, main))
    }

    /// Returns the loop, and makes it if need be; asyncio's `Runner.get_loop`.
    ///
    /// # Errors
    ///
    /// [`RunError::Closed`] after [`close`](Runner::close); [`RunError::Io`] if the loop cannot be made, and
    /// [`RunError::Closed`] from then on.
    pub fn event_loop(&self) -> Result<&EventLoop, RunError> {
        if self.closed.get() {
            return Err(RunError::Closed);
        }
        if let Some(event_loop) = self.event_loop.get() {
            return Ok(event_loop);
        }
        let factory = self.factory.take().ok_or(RunError::Closed)?;
        let event_loop = factory()?;
        self.context.set(capture_context());
        Ok(self.event_loop.get_or_init(|| event_loop))
    }

    /// Ends the loop as [`run`](crate::run()) does, for good. Closing again does nothing. asyncio's `Runner.close`.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] while a loop runs on this thread; [`RunError::Stopped`] if the loop was stopped before the
    /// tasks that were left over had ended: they end then at once, without their cleanup; [`RunError::Io`].
    pub fn close(&self) -> Result<(), RunError> {
        if self.closed.get() {
            return Ok(());
        }
        if corio_seam::loop_id().is_some() {
            return Err(RunError::Nested);
        }
        self.closed.set(true);
        drop(self.factory.take());
        self.event_loop.get().map_or(Ok(()), shutdown::shut_down)
    }
}

impl Default for Runner {
    fn default() -> Runner {
        Runner::new()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.close(); // There is nobody to tell.
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Runner");
        text.field("event_loop", &self.event_loop.get()).field("closed", &self.closed.get()).finish()
    }
}
