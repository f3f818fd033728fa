//! Runs a program on a loop: virtual time, a selector of our own, and the driver that turns it.

use crate::drops::{Ledger, Role};
use crate::program::{Finale, Kind, Op, Program};
use crate::threads::Threads;
use crate::trace::{Actor, Complaint, Effect, Event, Turned};
use crate::world::{MOST_TURNS, OPS_A_TURN, ROUNDS, World, coroutine};
use corio_executor::{EventLoop, Interest, MockSelector, Mode, Ready, Report, RunError, Selector, VirtualClock};
use corio_task::Bell;
use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a run has shown.
pub(crate) struct Run {
    pub(crate) events: Vec<Event>,
    /// The invariants that the ledger found violated.
    pub(crate) wrongs: Vec<String>,
}

/// Runs a program.
pub(crate) fn run(program: &Program, threads: &Rc<Threads>) -> Run {
    let ledger = Ledger::new();
    let driven = catch_unwind(AssertUnwindSafe(|| Driver::new(program, &ledger, threads).drive(program.finale)));
    if let Err(payload) = driven {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
        ledger.accuse(format!("a panic came out of the loop: {}", text.unwrap_or_default()));
    }
    let (events, wrongs) = ledger.finish();
    Run { events, wrongs }
}

/// The loop, and whoever turns it.
struct Driver {
    event_loop: EventLoop,
    world: Rc<World>,
}

impl Driver {
    fn new(program: &Program, ledger: &Arc<Ledger>, threads: &Rc<Threads>) -> Driver {
        let (clock, mock) = (VirtualClock::new(), MockSelector::new());
        let ear = Rc::new(Ear { mock: mock.clone(), bell: Arc::default(), world: RefCell::default() });
        let builder = EventLoop::builder().clock(clock.clone()).selector(SharedEar(Rc::clone(&ear)));
        let event_loop = builder.debug(false).build().expect("nothing is asked of the system");
        let (ledger, handle) = (Arc::clone(ledger), event_loop.handle().clone());
        let world = World::new(program, ledger, Rc::clone(threads), handle, clock, mock);
        ear.world.replace(Rc::downgrade(&world));
        listen(&event_loop, &world);
        Driver { event_loop, world }
    }

    fn drive(self, finale: Finale) {
        while self.world.peek().is_some() {
            let mut turned = false;
            for _ in 0..OPS_A_TURN {
                let Some((index, op)) = self.world.take() else { break };
                if self.drive_by(index, op) {
                    turned = true;
                    break;
                }
            }
            if !turned && !self.event_loop.is_closed() {
                self.turn();
            }
            self.world.ledger.note_alive();
        }
        if !self.event_loop.is_closed() {
            self.end(finale);
        }
        self.world.ledger.seal();
        self.world.clear();
    }

    /// Does an operation as the driver; true if that ran the loop.
    fn drive_by(&self, index: u32, op: Op) -> bool {
        let turns = matches!(op.kind, Kind::Turn | Kind::RunForever | Kind::RunUntil | Kind::Close);
        if self.event_loop.is_closed() || !turns {
            self.world.perform(index, op, Actor::Driver);
            return false;
        }
        self.world.did(index, Actor::Driver, Effect::Done);
        match op.kind {
            Kind::Turn => _ = self.turn(),
            Kind::RunForever => _ = self.turned(self.event_loop.run_forever()),
            Kind::RunUntil => self.run_until(op.acts()),
            _ => self.close(),
        }
        true
    }

    fn turn(&self) -> Turned {
        let turned = self.event_loop.run_once();
        self.turned(turned)
    }

    fn turned(&self, result: Result<(), RunError>) -> Turned {
        let turned = match result {
            Ok(()) => Turned::Over,
            Err(RunError::Io(error)) if error.kind() == IDLE => Turned::Idle,
            Err(RunError::Stopped) => Turned::Stopped,
            Err(RunError::Cancelled(_)) => Turned::Cancelled,
            Err(_) => Turned::Failed,
        };
        self.world.note(Event::Turned(turned));
        turned
    }

    fn run_until(&self, acts: bool) {
        let row = self.world.new_row();
        let guard = self.world.guard(acts);
        let main = coroutine(Rc::clone(&self.world), row, guard, Role::Output);
        match catch_unwind(AssertUnwindSafe(|| self.event_loop.run_until_complete(main))) {
            Ok(result) => _ = self.turned(result.map(drop)),
            Err(_) => self.world.note(Event::Turned(Turned::Panicked)),
        }
    }

    /// Brings the loop to its end, and checks what must hold there.
    fn end(&self, finale: Finale) {
        match finale {
            Finale::CloseNow => {}
            Finale::Settle => self.settle(),
            Finale::CancelAll => self.cancel_all(),
        }
        self.close();
        self.world.ledger.note_alive();
    }

    /// Cancels all tasks, and again those that are left: one may have waited for what waits for it, and for what swallowed
    /// the request.
    fn cancel_all(&self) {
        self.world.run_all_jobs();
        for _ in 0..ROUNDS {
            let mut tasks = self.event_loop.all_tasks();
            tasks.sort_by_key(corio_task::TaskRef::id);
            for task in tasks {
                task.cancel();
            }
            self.settle();
        }
        for task in self.event_loop.all_tasks() {
            let what = task.waiting_on();
            self.world.ledger.accuse(format!("a cancelled task did not end: {}, waits for {what:?}", task.name()));
        }
    }

    fn settle(&self) {
        for _ in 0..MOST_TURNS {
            let turned = self.turn();
            self.world.ledger.note_alive();
            if turned == Turned::Idle {
                return;
            }
        }
        self.world.ledger.accuse("the loop never comes to rest".to_string());
    }

    fn close(&self) {
        let start = self.world.ledger.len();
        if self.event_loop.close().is_err() {
            self.world.ledger.accuse("the loop says that it runs, when it does not".to_string());
        }
        let tasks = self.event_loop.all_tasks().len();
        if tasks > 0 {
            self.world.ledger.accuse(format!("{tasks} tasks are left in a closed loop"));
        }
        self.world.ledger.sort_from(start);
        self.world.note(Event::Closed);
    }
}

/// Has the loop tell of errors, and of its one source.
fn listen(event_loop: &EventLoop, world: &Rc<World>) {
    let ledger = Arc::clone(&world.ledger);
    event_loop.set_exception_handler(move |report: Report| {
        ledger.note(Event::Reported(Complaint::of(&report.message)));
    });
    let mark = world.ledger.track(Role::Source);
    let on_readable = move || mark.ledger.note(Event::Readable);
    event_loop.add_reader(&world.source, on_readable).expect("the mock selector takes it");
}

/// The kind of error by which [`Ear`] says that the loop would sleep for ever.
const IDLE: io::ErrorKind = io::ErrorKind::WouldBlock;

/// The loop's selector: it notices when the loop sleeps. Then other threads have their turns, and if none of them rings,
/// the loop is told so by an error, in the place of sleeping for ever.
struct Ear {
    mock: MockSelector,
    bell: Arc<Rung>,
    world: RefCell<Weak<World>>,
}

impl Ear {
    /// Lets other threads have their turns until one rings; false if none did.
    fn sleep(&self) -> bool {
        let Some(world) = self.world.borrow().upgrade() else { return false };
        while !self.bell.0.swap(false, Ordering::Relaxed) {
            if !world.peek().is_some_and(Kind::is_foreign) {
                return false;
            }
            if let Some((index, op)) = world.take() {
                world.perform(index, op, Actor::Thread);
            }
        }
        true
    }
}

/// The loop's share of an [`Ear`].
struct SharedEar(Rc<Ear>);

impl Selector for SharedEar {
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        self.0.mock.register(fd, key, interest, mode)
    }

    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        self.0.mock.modify(fd, key, interest, mode)
    }

    fn deregister(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        self.0.mock.deregister(fd, key)
    }

    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        self.0.mock.wait(ready, Some(Duration::ZERO))?;
        if !ready.is_empty() {
            if let Some(world) = self.0.world.borrow().upgrade() {
                world.readable.set(false);
            }
        } else if timeout.is_none() && !self.0.sleep() {
            return Err(IDLE.into());
        }
        Ok(())
    }

    fn notifier(&self) -> Arc<dyn Bell> {
        Arc::clone(&self.0.bell) as Arc<dyn Bell>
    }
}

/// Whether somebody has rung.
#[derive(Default)]
struct Rung(AtomicBool);

impl Bell for Rung {
    fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
