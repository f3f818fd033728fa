//! The program's side of a real loop: what its operations act upon, and how they are done.

mod operations;
mod waits;

pub(crate) use waits::coroutine;

use crate::drops::{Ledger, Role, Tracked};
use crate::program::{Kind, Op, Program};
use crate::threads::Threads;
use crate::trace::{Actor, Effect, Event};
use corio_executor::{Handle, LoopHandle, MockSelector, RemoteCall, RemoteHandle, TimerHandle, VirtualClock};
use corio_future::{Promise, concurrent};
use corio_queue::Queue;
use corio_task::{CallbackKey, Task, TaskOptions, TaskRef};
use corio_threadpool::{Call, Executor, Job, Rejected};
use std::cell::{Cell, RefCell};
use std::io::Stdin;
use std::panic::panic_any;
use std::rc::{Rc, Weak};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

/// How many operations the driver does before it runs the loop.
pub(crate) const OPS_A_TURN: usize = 4;
/// After how many iterations a loop that still finds something to do is taken to be mad.
pub(crate) const MOST_TURNS: usize = 2_000;
/// How often the tasks that are left are cancelled.
pub(crate) const ROUNDS: usize = 2;

/// Chooses one of `len` things that satisfies `f`: the `n`th from the end, or else the next that does. The younger ones
/// are the more interesting.
pub(crate) fn pick(n: u8, len: usize, f: impl Fn(usize) -> bool) -> Option<usize> {
    let start = len.checked_sub(1)? - usize::from(n) % len.min(8);
    (0..=start).rev().chain((start + 1..len).rev()).find(|&index| f(index))
}

/// Chooses a row of a table that is there.
fn pick_some<T>(n: u8, table: &RefCell<Vec<Option<T>>>) -> Option<usize> {
    let table = table.borrow();
    pick(n, table.len(), |place| table[place].is_some())
}

/// One task as the program knows it.
#[derive(Default)]
struct Row {
    handle: Option<Task<Tracked>>,
    view: Option<TaskRef>,
}

impl Row {
    fn view(&self) -> Option<TaskRef> {
        self.view.clone().or_else(|| self.handle.as_ref().map(Task::task_ref))
    }
}

/// A promise and its future, as far as the program has them.
struct CellRow {
    promise: Option<Promise<Tracked>>,
    /// The read ends that nobody waits by.
    ends: Vec<corio_future::Future<Tracked>>,
}

type Spawned = concurrent::Future<Tracked>;

/// Everything that a program acts upon.
pub(crate) struct World {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: VirtualClock,
    pub(crate) event_loop: LoopHandle,
    pub(crate) selector: MockSelector,
    /// What is made readable: nobody ever reads from it.
    pub(crate) source: Stdin,
    pub(crate) readable: Cell<bool>,
    pub(crate) threads: Rc<Threads>,
    remote: RemoteHandle,
    ops: Vec<Op>,
    next: Cell<usize>,
    rows: RefCell<Vec<Row>>,
    stash: RefCell<Vec<Waker>>,
    gates: [Arc<AtomicU32>; 4],
    soons: RefCell<Vec<Option<Handle>>>,
    laters: RefCell<Vec<Option<TimerHandle>>>,
    remotes: RefCell<Vec<Option<RemoteCall>>>,
    dones: RefCell<Vec<Option<(usize, CallbackKey)>>>,
    spawned: RefCell<Vec<Option<Spawned>>>,
    cells: RefCell<Vec<CellRow>>,
    queues: [RefCell<Queue<Tracked>>; 2],
    pool: Pool,
    calls: RefCell<Vec<Option<Call<Tracked>>>>,
}

thread_local! {
    /// The world of the program that runs here, for code that comes from other threads and cannot bring it along.
    static WORLD: RefCell<Weak<World>> = const { RefCell::new(Weak::new()) };
}

/// The room in a queue.
const ROOM: usize = 2;

impl World {
    pub(crate) fn new(
        program: &Program,
        ledger: Arc<Ledger>,
        threads: Rc<Threads>,
        event_loop: LoopHandle,
        clock: VirtualClock,
        selector: MockSelector,
    ) -> Rc<World> {
        let world = Rc::new(World {
            ledger,
            clock,
            remote: event_loop.remote(),
            event_loop,
            selector,
            source: std::io::stdin(),
            readable: Cell::new(false),
            threads,
            ops: program.ops.clone(),
            next: Cell::new(0),
            rows: RefCell::default(),
            stash: RefCell::default(),
            gates: Default::default(),
            soons: RefCell::default(),
            laters: RefCell::default(),
            remotes: RefCell::default(),
            dones: RefCell::default(),
            spawned: RefCell::default(),
            cells: RefCell::default(),
            queues: [(); 2].map(|()| RefCell::new(Queue::new(ROOM))),
            pool: Pool::default(),
            calls: RefCell::default(),
        });
        WORLD.replace(Rc::downgrade(&world));
        world
    }

    /// Returns the world of the program that runs on this thread.
    pub(crate) fn here() -> Rc<World> {
        WORLD.with_borrow(Weak::upgrade).expect("a callback runs while its program does")
    }

    pub(crate) fn note(&self, event: Event) {
        self.ledger.note(event);
    }

    pub(crate) fn did(&self, index: u32, actor: Actor, effect: Effect) {
        self.note(Event::Did(index, actor, effect));
    }

    /// Takes the next operation from the tape.
    pub(crate) fn take(&self) -> Option<(u32, Op)> {
        let op = *self.ops.get(self.next.get())?;
        self.next.set(self.next.get() + 1);
        Some((self.next.get() as u32 - 1, op))
    }

    /// Returns the next operation's kind.
    pub(crate) fn peek(&self) -> Option<Kind> {
        self.ops.get(self.next.get()).map(|op| op.kind)
    }

    fn payload(&self) -> Tracked {
        self.ledger.track(Role::Payload)
    }

    // Tasks.

    /// Makes what a coroutine holds.
    pub(crate) fn guard(self: &Rc<World>, acts: bool) -> Guard {
        Guard { world: Rc::clone(self), acts, _mark: self.ledger.track(Role::Coroutine) }
    }

    /// Adds a task to the table.
    pub(crate) fn new_row(&self) -> usize {
        self.rows.borrow_mut().push(Row::default());
        self.rows.borrow().len() - 1
    }

    fn spawn(self: &Rc<World>, eager: bool, view: bool, acts: bool) {
        let row = self.new_row();
        let future = coroutine(Rc::clone(self), row, self.guard(acts), Role::Output);
        let task = self.event_loop.create_task_with(TaskOptions::new().eager(eager), future);
        let view = view.then(|| task.task_ref());
        self.rows.borrow_mut()[row] = Row { handle: Some(task), view };
    }

    /// Takes a task's handle out of the table, not that of `other`.
    fn take_handle(&self, n: u8, other: usize) -> Option<Task<Tracked>> {
        let mut rows = self.rows.borrow_mut();
        let row = pick(n, rows.len(), |row| row != other && rows[row].handle.is_some())?;
        rows[row].handle.take()
    }

    fn take_any_handle(&self, n: u8, f: impl Fn(&Task<Tracked>) -> bool) -> Option<Task<Tracked>> {
        let mut rows = self.rows.borrow_mut();
        let row = pick(n, rows.len(), |row| rows[row].handle.as_ref().is_some_and(&f))?;
        rows[row].handle.take()
    }

    fn pick_view(&self, n: u8) -> Option<(usize, TaskRef)> {
        let rows = self.rows.borrow();
        let row = pick(n, rows.len(), |row| rows[row].view().is_some())?;
        Some((row, rows[row].view()?))
    }

    // Callbacks.

    /// Does the operations of a callback.
    fn call(self: &Rc<World>, ops: u8) {
        for _ in 0..ops {
            let Some((index, op)) = self.take() else { return };
            match op.kind {
                Kind::Turn => return self.did(index, Actor::Callback, Effect::Done),
                Kind::Panic => {
                    let payload = self.payload();
                    self.did(index, Actor::Callback, Effect::Done);
                    panic_any(payload);
                }
                _ => self.perform(index, op, Actor::Callback),
            }
        }
    }

    /// Makes a callback that has so many operations.
    fn callback(self: &Rc<World>, ops: u8) -> impl FnOnce() + 'static + use<> {
        let (world, mark) = (Rc::clone(self), self.ledger.track(Role::Callback));
        move || {
            world.note(Event::Called(mark.number));
            world.call(ops);
            drop(mark);
        }
    }

    /// Runs all jobs, oldest first.
    pub(crate) fn run_all_jobs(&self) {
        while self.pool.len() > 0 {
            self.run_job_on(0, 0);
        }
    }

    /// Drops all that the program still has, on the loop's thread, wakers on another.
    pub(crate) fn clear(&self) {
        let rows = self.rows.take();
        for mut task in rows.into_iter().filter_map(|row| row.handle) {
            drop(task.take_output()); // A panic would be reported to nobody: the loop is closed.
        }
        let stash = self.stash.take();
        self.threads.act(1, move || drop(stash));
        let promises: Vec<_> = self.cells.borrow_mut().iter_mut().map(|cell| cell.promise.take()).collect();
        drop(promises);
        drop((self.soons.take(), self.laters.take(), self.remotes.take(), self.spawned.take(), self.cells.take()));
        drop((self.calls.take(), self.pool.0.lock().map(|mut jobs| std::mem::take(&mut *jobs))));
        WORLD.take();
    }
}

/// What a coroutine holds: its mark, and a destructor that does an operation.
pub(crate) struct Guard {
    world: Rc<World>,
    acts: bool,
    _mark: Tracked,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.acts {
            self.world.act_alone(Actor::Destructor);
        }
    }
}

fn millis(n: u8) -> Duration {
    Duration::from_millis(u64::from(n))
}

/// A waker that is not corio's. Woken, it may do an operation: let go of the very task that wakes it, for instance.
struct Outside {
    mark: Tracked,
    acts: bool,
}

impl Wake for Outside {
    fn wake(self: Arc<Self>) {
        self.mark.ledger.note(Event::Woken(self.mark.number));
        if self.acts {
            World::here().act_alone(Actor::Waker);
        }
    }
}

/// A pool whose jobs run when the program says so.
#[derive(Default)]
struct Pool(Mutex<Vec<Job>>);

impl Pool {
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self, place: usize) -> Job {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place)
    }
}

impl Executor for Pool {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        Ok(())
    }

    fn shutdown(&self, _wait: bool, _cancel_futures: bool) {}
}
