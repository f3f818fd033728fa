//! What a loop and its handles share, and the phases of an iteration.

use super::interrupt::Interrupt;
use super::pace::Pace;
use super::signals::SignalWatch;
use crate::debug::Debug;
use crate::exceptions::Exceptions;
use crate::reactor::Reactor;
use crate::signal_handlers::SignalHandlers;
use crate::sys::TimerSlack;
use crate::test::Idlers;
use crate::timers::Timers;
use crate::{Clock, Deadlock, RunError, StillRunning, Wait};
use corio_seam::{LoopTime, Remote, Report, Timer, Waitable, catch_and_report};
use corio_signal::LoopBell;
use corio_task::TaskSet;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep; asyncio's figure. Whoever sleeps a year wakes up now and then.
const MAX_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a loop that only other threads can wake sleeps before it looks whether they still can.
const FIRST_WATCH: Duration = Duration::from_millis(10);

/// What may wake a loop.
enum Hope {
    /// A timer or a source, which goes only by what this thread does; or a waker, whose end rings.
    Certain,
    /// Something that other threads have, and may drop without a sound.
    OtherThreads,
    None,
}

/// The state of one loop.
pub(crate) struct Core {
    /// The tasks, the ready queue and the inbox.
    pub(crate) tasks: TaskSet,
    pub(crate) timers: Rc<Timers>,
    pub(crate) exceptions: Rc<Exceptions>,
    pub(crate) debug: Debug,
    /// Those who wait until there is nothing to do.
    pub(crate) idlers: Idlers,
    clock: Rc<dyn Clock>,
    /// What the clock was handed: nobody else has it, unless the clock keeps it, and may ring by it at any time.
    door: Arc<dyn Remote>,
    /// Whether to end the run when nothing can wake the loop any more.
    detect_deadlocks: bool,
    /// The sources, and the place to sleep.
    reactor: Rc<Reactor>,
    pace: Pace,
    signals: SignalWatch,
    pub(crate) signal_handlers: SignalHandlers,
    /// What Ctrl-C means to the main task.
    pub(super) interrupt: Interrupt,
    /// Whether to return after this iteration, or, if none is under way, after one.
    pub(crate) stopping: Cell<bool>,
    /// Whether an iteration, or a series of them, is under way.
    running: Cell<bool>,
    /// Set by the first `close`: the exception handler, which that calls, may close again.
    closing: Cell<bool>,
    /// Makes sleeps end on time, and not only roughly: from a run's first sleep with a limit to its end.
    slack: Cell<Option<TimerSlack>>,
}

impl Core {
    /// Makes the state of a loop; `diligent` looks at the sources in every iteration.
    pub(super) fn new(
        clock: Rc<dyn Clock>,
        reactor: Reactor,
        diligent: bool,
        detect_deadlocks: bool,
        debug: Debug,
    ) -> Core {
        let timers = Rc::new(Timers::new(Rc::clone(&clock)));
        let tasks = TaskSet::with_timer(Rc::clone(&timers) as Rc<dyn Timer>);
        let exceptions = Rc::new(Exceptions::default());
        let reporting = Rc::clone(&exceptions);
        tasks.set_report_handler(Some(Rc::new(move |report| reporting.call(report))));
        tasks.set_bell(reactor.bell());
        let door: Arc<dyn Remote> = Arc::new(tasks.remote());
        clock.attach(Arc::clone(&door));
        Core {
            tasks,
            timers,
            exceptions,
            debug,
            idlers: Idlers::default(),
            clock,
            door,
            detect_deadlocks,
            reactor: Rc::new(reactor),
            pace: Pace::new(diligent),
            signals: SignalWatch::default(),
            signal_handlers: SignalHandlers::default(),
            interrupt: Interrupt::default(),
            stopping: Cell::new(false),
            running: Cell::new(false),
            closing: Cell::new(false),
            slack: Cell::new(None),
        }
    }

    /// Calls `f` as a run of this loop: whatever `f` calls finds the loop running.
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> Result<R, RunError> {
        let _running = self.begin_run()?;
        Ok(self.tasks.enter(f))
    }

    /// Begins a run, if this loop can run here now.
    fn begin_run(&self) -> Result<Running<'_>, RunError> {
        if corio_seam::loop_id().is_some() {
            return Err(RunError::Nested);
        }
        if self.tasks.is_closed() {
            return Err(RunError::Closed);
        }
        self.running.set(true);
        Ok(Running { core: self, _signals: LoopBell::new() })
    }

    /// Runs one iteration: a call for each phase. See [`EventLoop::run_once`](super::EventLoop::run_once).
    ///
    /// Inlined into the loops that call it: a turn of a busy loop is no call, and its result no memory.
    #[inline(always)]
    pub(super) fn iterate(&self) -> Result<(), RunError> {
        if self.pace.is_within_stretch() && self.tasks.has_ready() {
            self.tasks.drain_inbox();
        } else {
            self.look_around()?;
        }
        if self.debug.is_on() {
            self.debug.run_batch(&self.tasks);
        } else {
            self.tasks.run_batch();
        }
        Ok(())
    }

    /// Makes ready what comes from outside: from sources, other threads, and timers.
    #[inline(never)]
    fn look_around(&self) -> Result<(), RunError> {
        self.poll()?;
        self.tasks.drain_inbox();
        self.timers.expire(|node| drop(self.tasks.push(node)));
        Ok(())
    }

    /// Waits if there is nothing else to do, and learns which sources are ready. A loop that is busy does without, most
    /// of the time.
    fn poll(&self) -> Result<(), RunError> {
        let busy = self.tasks.has_ready() || self.stopping.get();
        let armed = self.interrupt.arm(!busy);
        self.signals.update(&self.reactor, armed);
        if busy {
            return Ok(self.look()?);
        }
        if !self.idlers.is_empty() && self.is_idle()? {
            self.idlers.wake();
            return Ok(());
        }
        let Some(next) = self.timers.next() else { return self.park(None) };
        match self.clock.wait(next) {
            Wait::Park(time) if time.is_zero() => Ok(self.look()?),
            Wait::Park(time) => self.park(Some(time.saturating_add(self.timers.crowd()).min(MAX_SLEEP))),
            Wait::Hold => self.park(None),
            Wait::Jump => Ok(self.jump(next)?),
        }
    }

    /// Tells whether there is nothing to do before time passes, or somebody else does something.
    fn is_idle(&self) -> io::Result<bool> {
        self.tasks.drain_inbox();
        self.reactor.poll()?;
        self.hear();
        let due = self.timers.next().is_some_and(|next| next <= self.clock.now());
        Ok(!due && !self.tasks.has_ready())
    }

    /// Looks at the sources without sleeping, if it is time to.
    fn look(&self) -> io::Result<()> {
        if self.reactor.is_empty() {
            if self.interrupt.has_come() {
                self.interrupt.hear();
            }
            return Ok(());
        }
        if self.is_all_quiet() || !self.pace.is_due(|| self.clock.now()) {
            return Ok(());
        }
        self.reactor.poll()?;
        self.hear();
        self.pace.looked();
        Ok(())
    }

    /// Tells whether Ctrl-C alone is watched for, and has not come; that is not worth a system call now and then.
    fn is_all_quiet(&self) -> bool {
        self.interrupt.is_armed() && !self.interrupt.has_come() && self.signals.is_alone(&self.reactor)
    }

    /// What comes after a turn of the reactor: signals that arrived are handed out.
    fn hear(&self) {
        self.signals.hear(&self.reactor);
        self.interrupt.hear();
    }

    /// Sleeps, unless something has come in through the inbox.
    ///
    /// # Errors
    ///
    /// [`RunError::Deadlock`] if it would sleep for ever.
    fn park(&self, timeout: Option<Duration>) -> Result<(), RunError> {
        if !self.tasks.fall_asleep() {
            return Ok(());
        }
        let _asleep = Asleep(&self.tasks);
        match timeout {
            None if self.detect_deadlocks => self.sleep_watchfully(),
            None => Ok(self.sleep(None)?),
            Some(_) => {
                self.slack.set(Some(self.slack.take().unwrap_or_else(TimerSlack::lower)));
                Ok(self.sleep(timeout)?)
            }
        }
    }

    /// Sleeps without a limit as long as somebody may end it.
    ///
    /// Hope that lies with other threads' handles may go without a sound: one is dropped, perhaps a moment after it was used.
    /// So the loop wakes up to look again, after twice as long each time. A waker's end is heard: see [`TaskSet::watch`].
    fn sleep_watchfully(&self) -> Result<(), RunError> {
        let mut time = FIRST_WATCH;
        loop {
            match self.hope() {
                Hope::Certain => return Ok(self.sleep(None)?),
                Hope::OtherThreads => self.sleep(Some(time))?,
                Hope::None => return Err(RunError::Deadlock(Deadlock::new(self.tasks.len()))),
            }
            if !self.tasks.fall_asleep() {
                return Ok(());
            }
            time = (time * 2).min(MAX_SLEEP);
        }
    }

    /// Sleeps in the reactor, and hands out what ends the sleep.
    fn sleep(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.reactor.wait(self.signals.limit(timeout))?;
        self.hear();
        if !self.reactor.is_empty() {
            self.pace.looked();
        }
        Ok(())
    }

    /// Tells what may wake the loop, which has fallen asleep.
    ///
    /// What other threads may change is looked at in the order in which it would come about: a guard falls, or a handle is
    /// dropped, after what it was for was sent, and [`TaskSet::is_stuck`] looks at the inbox last.
    fn hope(&self) -> Hope {
        if self.timers.next().is_some() || !(self.reactor.is_empty() || self.signals.is_all_there_is(&self.reactor)) {
            return Hope::Certain;
        }
        if self.tasks.watch() {
            return Hope::Certain;
        }
        let is_lost = !self.interrupt.has_come()
            && !corio_signal::is_listening()
            && !matches!(self.clock.wait(LoopTime::MAX), Wait::Hold)
            && Arc::strong_count(&self.door) == 1
            && self.tasks.is_stuck(1);
        if is_lost { Hope::None } else { Hope::OtherThreads }
    }

    /// Moves the clock to the next timer, unless something else is ready after all.
    fn jump(&self, next: LoopTime) -> io::Result<()> {
        self.tasks.drain_inbox();
        self.reactor.poll()?;
        self.hear();
        if !self.tasks.has_ready() {
            self.clock.advance_to(next);
        }
        Ok(())
    }

    /// Tells whether the clock moves while the loop sleeps.
    pub(crate) fn time_passes_by_itself(&self) -> bool {
        matches!(self.clock.wait(LoopTime::MAX), Wait::Park(_))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Returns the loop's reactor, unless the loop is closed.
    pub(crate) fn reactor(&self) -> io::Result<Rc<Reactor>> {
        if self.tasks.is_closed() {
            return Err(io::Error::other("the event loop is closed"));
        }
        Ok(Rc::clone(&self.reactor))
    }

    /// Ends everything. The tasks go last: what the other destructors still schedule ends with them.
    pub(super) fn close(&self) -> Result<(), StillRunning> {
        if self.running.get() {
            return Err(StillRunning);
        }
        if !self.closing.replace(true) {
            self.tasks.enter(|| {
                self.report_pending();
                self.timers.close();
                self.signal_handlers.close();
                self.signals.end(&self.reactor);
                self.reactor.close();
            });
            self.tasks.close();
            let handler = self.exceptions.replace(None); // It heard of everything, and may hold a handle to this loop.
            catch_and_report("exception while the exception handler was dropped", move || drop(handler));
        }
        Ok(())
    }

    /// Tells the exception handler of each task that will not come to its end, in the order in which they were made.
    fn report_pending(&self) {
        for task in self.tasks.tasks_as_made() {
            self.exceptions.call(Report::new("task was destroyed but it is pending").with_source(task.describe()));
        }
    }
}

/// A run under way; when it ends, be it by a panic, the thread is as it was.
struct Running<'c> {
    core: &'c Core,
    /// Says that tasks on this thread may wait for signals.
    _signals: LoopBell,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.core.running.set(false);
        self.core.stopping.set(false);
        self.core.slack.set(None);
    }
}

/// A loop that others must ring for, until this is dropped.
struct Asleep<'c>(&'c TaskSet);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.wake_up();
    }
}
