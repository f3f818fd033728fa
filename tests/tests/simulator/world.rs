//! The program's side of a real loop: what its operations act upon, and how they are done.

use crate::drops::{Ledger, Role, Tracked};
use crate::program::{Kind, Op, Program, Wrapper};
use crate::threads::Threads;
use crate::trace::{Actor, Answer, Effect, Event, Outcome};
use corio_combinators::{Failure, gather, shield, timeout};
use corio_executor::{
    Handle, LoopHandle, MockSelector, Ready, RemoteCall, RemoteHandle, TimerHandle, VirtualClock, sleep, yield_now,
};
use corio_future::{FutureError, Promise, concurrent};
use corio_queue::Queue;
use corio_task::{CallbackKey, JoinError, Panic, Task, TaskOptions, TaskRef, catch_cancelled};
use corio_threadpool::{Call, CallError, Executor, Job, Rejected, run_in_executor};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::Stdin;
use std::panic::panic_any;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
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

type CellRow = (Option<Promise<Tracked>>, Option<corio_future::Future<Tracked>>);
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

    /// Makes what an operation waits for: nothing if there is none; none if it is no such operation.
    fn leaf(self: &Rc<World>, me: usize, op: Op) -> Option<Option<Leaf>> {
        let queue = || self.queues[usize::from(op.a) % 2].borrow().clone();
        Some(match op.kind {
            Kind::Turn | Kind::AwaitYield => Some(Leaf::Yield),
            Kind::AwaitGate => Some(Leaf::Gate(usize::from(op.a) % 4)),
            Kind::AwaitTask => self.take_handle(op.a, me).map(Leaf::Task),
            Kind::AwaitCell => {
                let mut cells = self.cells.borrow_mut();
                let cell = pick(op.a, cells.len(), |cell| cells[cell].1.is_some());
                cell.and_then(|cell| cells[cell].1.take()).map(Leaf::Cell)
            }
            Kind::AwaitSleep => Some(Leaf::Sleep(millis(op.a % 6))),
            Kind::AwaitGet => Some(Leaf::Get(queue())),
            Kind::AwaitPut => Some(Leaf::Put(queue(), self.ledger.track(Role::Item))),
            Kind::AwaitPool => Some(Leaf::Pool(self.submit(op.a % 8 == 7))),
            Kind::AwaitGather => {
                let children = (0..=op.a % 3).filter_map(|n| self.take_handle(op.a / 3 + n, me));
                let children: Vec<_> = children.collect();
                (!children.is_empty()).then(|| Leaf::Gather(gather(children)))
            }
            Kind::AwaitShield => self.take_handle(op.a, me).map(|child| Leaf::Shield(shield(child))),
            _ => return None,
        })
    }

    async fn wait(&self, me: usize, leaf: Leaf, op: Op) {
        let waiting = self.answer(leaf);
        let answer = match op.wrapper() {
            Wrapper::Bare => waiting.await,
            Wrapper::Catch => catch_cancelled(waiting).await.unwrap_or(Answer::Caught),
            Wrapper::CatchAndResume => match catch_cancelled(waiting).await {
                Ok(answer) => answer,
                Err(cancelled) => {
                    self.note(Event::Got(me as u32, Answer::Caught));
                    match cancelled.resume().await {}
                }
            },
            Wrapper::Timeout(delay) => timeout(Duration::from_millis(delay), waiting).await.unwrap_or(Answer::TimedOut),
        };
        self.note(Event::Got(me as u32, answer));
    }

    async fn answer(&self, leaf: Leaf) -> Answer {
        match leaf {
            Leaf::Yield => {
                yield_now().await;
                Answer::Ready
            }
            Leaf::Gate(gate) => poll_fn(|cx| self.poll_gate(gate, cx)).await,
            Leaf::Task(task) => of_join(task.await),
            Leaf::Cell(future) => match future.await {
                Ok(value) => Answer::Value(value.number),
                Err(FutureError::Cancelled(_)) => Answer::Cancelled,
                Err(FutureError::Panicked(_)) => Answer::PanickedSomehow,
                Err(_) => Answer::Broken,
            },
            Leaf::Sleep(delay) => {
                sleep(delay).await;
                Answer::Ready
            }
            Leaf::Get(queue) => queue.get().await.map_or(Answer::ShutDown, |item| Answer::Value(item.number)),
            Leaf::Put(queue, item) => queue.put(item).await.map_or(Answer::ShutDown, |()| Answer::Ready),
            Leaf::Pool(call) => match call.await {
                Ok(value) => Answer::Value(value.number),
                Err(CallError::Panicked(panic)) => of_panic(panic),
                Err(CallError::Cancelled(_)) => Answer::Cancelled,
                Err(_) => Answer::Broken,
            },
            Leaf::Gather(gathering) => match gathering.await {
                Ok(values) => {
                    let sum = values.iter().map(|value| u64::from(value.number)).sum();
                    Answer::Values(values.len() as u32, sum)
                }
                Err(failure) => of_failure(failure),
            },
            Leaf::Shield(shielded) => match shielded.await {
                Ok(value) => Answer::Value(value.number),
                Err(failure) => of_failure(failure),
            },
        }
    }

    fn poll_gate(&self, gate: usize, cx: &Context<'_>) -> Poll<Answer> {
        let open = &self.gates[gate];
        if open.load(Ordering::Relaxed) > 0 {
            open.fetch_sub(1, Ordering::Relaxed);
            return Poll::Ready(Answer::Ready);
        }
        self.keep_waker(cx);
        Poll::Pending
    }

    fn keep_waker(&self, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        self.stash.borrow_mut().push(waker);
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

    // Operations that anybody can do.

    /// Does one operation, as a destructor or a waker, unless the loop is closed or about to be.
    fn act_alone(self: &Rc<World>, actor: Actor) {
        if !self.event_loop.is_closed() {
            if let Some((index, op)) = self.take() {
                self.perform(index, op, actor);
            }
        }
    }

    pub(crate) fn perform(self: &Rc<World>, index: u32, op: Op, actor: Actor) {
        let effect = self.effect(op, actor);
        self.did(index, actor, effect.unwrap_or(Effect::Nothing));
    }

    fn effect(self: &Rc<World>, op: Op, actor: Actor) -> Option<Effect> {
        match op.kind {
            Kind::Spawn | Kind::SpawnEager if !self.event_loop.is_closed() => {
                self.spawn(op.kind == Kind::SpawnEager, op.b % 2 == 0, op.acts());
                Some(Effect::Done)
            }
            Kind::Cancel => {
                let (_, view) = self.pick_view(op.a)?;
                Some(view.cancel().into())
            }
            Kind::DropHandle => {
                let mut task = self.take_any_handle(op.a, |_| true)?;
                if actor == Actor::Driver {
                    drop(task.take_output()); // A panic would be reported to nobody: no loop runs here.
                }
                drop(task);
                Some(Effect::Done)
            }
            Kind::DropView => {
                let mut rows = self.rows.borrow_mut();
                let row = pick(op.a, rows.len(), |row| rows[row].view.is_some())?;
                let view = rows[row].view.take();
                drop(rows);
                drop(view);
                Some(Effect::Done)
            }
            Kind::TakeOutput => {
                let mut task = self.take_any_handle(op.a, Task::done)?;
                Some(match task.take_output()? {
                    Ok(output) => Effect::Value(output.number),
                    Err(JoinError::Panicked(panic)) => number_of(panic).map_or(Effect::Done, Effect::Value),
                    Err(_) => Effect::Done,
                })
            }
            Kind::PollOutside => self.poll_outside(op, actor),
            Kind::AddDone => self.add_done(op),
            Kind::RemoveDone => self.remove_done(op),
            Kind::StopRemote => {
                let remote = self.remote.clone();
                let stopped = self.threads.act(op.thread(), move || remote.stop().is_ok());
                Some(if stopped { Effect::Done } else { Effect::No })
            }
            Kind::RunJob => self.run_job(op),
            Kind::OpenGate => {
                self.gates[usize::from(op.a) % 4].fetch_add(1, Ordering::Relaxed);
                Some(Effect::Done)
            }
            _ => self.effect_on_wakers(op).or_else(|| self.effect_here(op, actor)),
        }
    }

    fn effect_on_wakers(&self, op: Op) -> Option<Effect> {
        let place = pick(op.a, self.stash.borrow().len(), |_| true)?;
        let take = || self.stash.borrow_mut().swap_remove(place);
        match op.kind {
            Kind::WakeHere | Kind::WakeForeign => {
                let gate = Arc::clone(&self.gates[usize::from(op.b / 4) % 4]);
                let (open, by_value) = (op.b % 4 < 3, op.b & 128 == 0);
                let waker = take();
                let wake = move || {
                    gate.fetch_add(u32::from(open), Ordering::Relaxed);
                    if by_value {
                        waker.wake();
                        return None;
                    }
                    waker.wake_by_ref();
                    Some(waker)
                };
                let left = if op.kind == Kind::WakeHere { wake() } else { self.threads.act(op.thread(), wake) };
                if let Some(waker) = left {
                    self.put_back(place, waker);
                }
            }
            Kind::CloneForeign => {
                let waker = take();
                let (waker, clone) = self.threads.act(op.thread(), move || {
                    let clone = waker.clone();
                    (waker, clone)
                });
                self.put_back(place, waker);
                self.stash.borrow_mut().push(clone);
            }
            Kind::DropWakerHere => drop(take()),
            Kind::DropWakerForeign => {
                let waker = take();
                self.threads.act(op.thread(), move || drop(waker));
            }
            _ => return None,
        }
        Some(Effect::Done)
    }

    /// Puts a waker back into the place out of which it was swapped.
    fn put_back(&self, place: usize, waker: Waker) {
        let mut stash = self.stash.borrow_mut();
        stash.push(waker);
        let last = stash.len() - 1;
        stash.swap(place, last);
    }

    fn poll_outside(&self, op: Op, actor: Actor) -> Option<Effect> {
        if !matches!(actor, Actor::Driver | Actor::Callback) {
            return None; // The task would be taken to wait for it.
        }
        let mut rows = self.rows.borrow_mut();
        let row = pick(op.a, rows.len(), |row| rows[row].handle.is_some())?;
        let mut task = rows[row].handle.take()?;
        drop(rows);
        let waker = Waker::from(Arc::new(Outside { mark: self.ledger.track(Role::Waker), acts: op.acts() }));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        drop(waker);
        let ready = polled.is_ready();
        drop(polled);
        if !ready {
            self.rows.borrow_mut()[row].handle = Some(task);
        }
        Some(ready.into())
    }

    fn add_done(self: &Rc<World>, op: Op) -> Option<Effect> {
        let (row, view) = self.pick_view(op.a)?;
        let (world, mark) = (Rc::clone(self), self.ledger.track(Role::Callback));
        let key = view.add_done_callback(move |task| {
            let outcome = if task.cancelled() { Outcome::Cancelled } else { Outcome::Value };
            world.note(Event::Done(mark.number, row as u32, outcome));
            world.call(op.b / 4 % 3);
            drop(mark);
        });
        self.dones.borrow_mut().push(Some((row, key)));
        Some(Effect::Done)
    }

    fn remove_done(&self, op: Op) -> Option<Effect> {
        let mut dones = self.dones.borrow_mut();
        let view = |place: &Option<(usize, CallbackKey)>| self.rows.borrow()[place.as_ref()?.0].view();
        let place = pick(op.a, dones.len(), |place| view(&dones[place]).is_some())?;
        let task = view(&dones[place])?;
        let (_, key) = dones[place].take()?;
        drop(dones);
        Some(task.remove_done_callback(key).into())
    }

    fn effect_here(self: &Rc<World>, op: Op, actor: Actor) -> Option<Effect> {
        let open = !self.event_loop.is_closed();
        match op.kind {
            Kind::CallSoon if open => {
                let handle = self.event_loop.call_soon(self.callback(op.b / 4 % 3));
                if op.b % 2 == 1 {
                    self.soons.borrow_mut().push(Some(handle));
                }
                Some(Effect::Done)
            }
            Kind::CancelSoon => {
                let place = pick_some(op.a, &self.soons)?;
                let handle = self.soons.borrow_mut()[place].take()?;
                Some(handle.cancel().into())
            }
            Kind::CallLater if open => {
                let timer = self.event_loop.call_later(millis(op.a % 6), self.callback(op.b / 4 % 3));
                self.laters.borrow_mut().push(Some(timer));
                Some(Effect::Done)
            }
            Kind::CancelTimer | Kind::DropTimer => {
                let place = pick_some(op.a, &self.laters)?;
                let timer = self.laters.borrow_mut()[place].take()?;
                Some(if op.kind == Kind::CancelTimer { timer.cancel().into() } else { Effect::Done })
            }
            Kind::CallRemote => Some(self.call_remote(op, actor)),
            Kind::CancelRemote => {
                let place = pick_some(op.a, &self.remotes)?;
                let call = self.remotes.borrow_mut()[place].take()?;
                let cancel = move || {
                    let cancelled = call.cancel();
                    drop(call);
                    cancelled
                };
                // From elsewhere it waits for the end of the callback, which may be the one that waits here.
                let here = actor != Actor::Driver || op.b % 3 == 2;
                Some(if here { cancel() } else { self.threads.act(op.thread(), cancel) }.into())
            }
            Kind::SpawnRemote => Some(self.spawn_remote(op)),
            Kind::CancelSpawned => {
                let place = pick_some(op.a, &self.spawned)?;
                let future = self.spawned.borrow_mut()[place].take()?;
                let cancel = move || {
                    let cancelled = future.cancel();
                    drop(future);
                    cancelled
                };
                Some(self.threads.act(op.thread(), cancel).into())
            }
            Kind::Stop if open => {
                self.event_loop.stop();
                Some(Effect::Done)
            }
            Kind::Advance => {
                self.clock.advance(millis(op.a % 3 + 1));
                Some(Effect::Done)
            }
            Kind::MakeReady if open && !self.readable.get() => {
                self.readable.set(true);
                for (key, ..) in self.selector.registered() {
                    self.selector.report(Ready { key, readable: true, writable: false, interrupted: false });
                }
                Some(Effect::Done)
            }
            _ => self.effect_on_cells(op).or_else(|| self.effect_on_queues(op)),
        }
    }

    fn call_remote(&self, op: Op, actor: Actor) -> Effect {
        let (remote, mark) = (self.remote.clone(), self.ledger.track(Role::RemoteCallback));
        let call = move || {
            let world = World::here();
            world.note(Event::Called(mark.number));
            world.call(op.b / 8 % 3);
            drop(mark);
        };
        let send = move || remote.call_soon_threadsafe(call);
        let here = op.a % 3 == 2 && actor != Actor::Thread;
        let sent = if here { send() } else { self.threads.act(op.thread(), send) };
        let Ok(handle) = sent else { return Effect::No };
        if op.b / 2 % 2 == 0 {
            self.remotes.borrow_mut().push(Some(handle));
        }
        Effect::Done
    }

    fn spawn_remote(&self, op: Op) -> Effect {
        let (remote, mark) = (self.remote.clone(), self.ledger.track(Role::RemoteCallback));
        let make = move || {
            drop(mark);
            let world = World::here();
            let guard = world.guard(false);
            let row = world.new_row();
            coroutine(world, row, guard, Role::JobValue)
        };
        let sent = self.threads.act(op.thread(), move || remote.run_coroutine_threadsafe(make));
        let Ok(future) = sent else { return Effect::No };
        self.spawned.borrow_mut().push(Some(future));
        Effect::Done
    }

    fn effect_on_cells(&self, op: Op) -> Option<Effect> {
        let with_promise = || {
            let mut cells = self.cells.borrow_mut();
            let cell = pick(op.a, cells.len(), |cell| cells[cell].0.is_some())?;
            cells[cell].0.take()
        };
        let with_future = || {
            let mut cells = self.cells.borrow_mut();
            let cell = pick(op.a, cells.len(), |cell| cells[cell].1.is_some())?;
            cells[cell].1.take().map(|future| (cell, future))
        };
        match op.kind {
            Kind::NewCell => {
                let (promise, future) = corio_future::promise();
                self.cells.borrow_mut().push((Some(promise), Some(future)));
            }
            Kind::SetCell => {
                let promise = with_promise()?;
                return Some(promise.set_result(self.ledger.track(Role::Value)).is_ok().into());
            }
            Kind::DropPromise => drop(with_promise()?),
            Kind::CancelCell => {
                let (cell, future) = with_future()?;
                let cancelled = future.cancel();
                self.cells.borrow_mut()[cell].1 = Some(future);
                return Some(cancelled.into());
            }
            Kind::DropFuture => drop(with_future()?),
            Kind::CellDone => {
                let (cell, future) = with_future()?;
                let mark = self.ledger.track(Role::Callback);
                future.add_done_callback(move |future| {
                    mark.ledger.note(Event::CellDone(mark.number, cell as u32, future.cancelled()));
                });
                self.cells.borrow_mut()[cell].1 = Some(future);
            }
            _ => return None,
        }
        Some(Effect::Done)
    }

    fn effect_on_queues(&self, op: Op) -> Option<Effect> {
        let place = &self.queues[usize::from(op.a) % 2];
        let queue = place.borrow().clone();
        match op.kind {
            Kind::PutNow => Some(queue.put_nowait(self.ledger.track(Role::Item)).is_ok().into()),
            Kind::GetNow => Some(queue.get_nowait().map_or(Effect::No, |item| Effect::Value(item.number))),
            Kind::CloseQueue => {
                queue.shutdown(op.b % 2 == 0);
                let before = place.replace(Queue::new(ROOM));
                drop((queue, before));
                Some(Effect::Done)
            }
            Kind::Submit => {
                let call = self.submit(op.b % 8 == 7);
                self.calls.borrow_mut().push(Some(call));
                Some(Effect::Done)
            }
            Kind::DropJob => {
                let place = pick(op.a, self.pool.len(), |_| true)?;
                drop(self.pool.take(place));
                Some(Effect::Done)
            }
            Kind::DropCall => {
                let place = pick_some(op.a, &self.calls)?;
                let call = self.calls.borrow_mut()[place].take()?;
                drop(call);
                Some(Effect::Done)
            }
            _ => None,
        }
    }

    // The pool.

    fn submit(&self, panics: bool) -> Call<Tracked> {
        let mark = self.ledger.track(Role::Job);
        run_in_executor(&self.pool, move || {
            mark.ledger.note(Event::Ran(mark.number));
            if panics {
                panic_any(mark.ledger.track(Role::Payload));
            }
            mark.ledger.track(Role::JobValue)
        })
    }

    fn run_job(&self, op: Op) -> Option<Effect> {
        let place = pick(op.a, self.pool.len(), |_| true)?;
        self.run_job_on(op.thread(), place);
        Some(Effect::Done)
    }

    fn run_job_on(&self, thread: usize, place: usize) {
        let job = self.pool.take(place);
        self.threads.act(thread, move || job.run());
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
        let promises: Vec<_> = self.cells.borrow_mut().iter_mut().map(|cell| cell.0.take()).collect();
        drop(promises);
        drop((self.soons.take(), self.laters.take(), self.remotes.take(), self.spawned.take(), self.cells.take()));
        drop((self.calls.take(), self.pool.0.lock().map(|mut jobs| std::mem::take(&mut *jobs))));
        WORLD.take();
    }
}

/// What a task waits for.
enum Leaf {
    Yield,
    Gate(usize),
    Task(Task<Tracked>),
    Cell(corio_future::Future<Tracked>),
    Sleep(Duration),
    Get(Queue<Tracked>),
    Put(Queue<Tracked>, Tracked),
    Pool(Call<Tracked>),
    Gather(corio_combinators::Gather<Vec<Tracked>>),
    Shield(corio_combinators::Shield<Tracked>),
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

/// A task's coroutine: it does operations, one after the other, until one of them ends it.
pub(crate) async fn coroutine(world: Rc<World>, row: usize, guard: Guard, role: Role) -> Tracked {
    let ledger = Arc::clone(&world.ledger);
    let mut body = pin!(body(world, row, role));
    let output = poll_fn(|cx| {
        ledger.note(Event::Step(row as u32));
        body.as_mut().poll(cx)
    });
    let output = output.await;
    drop(guard);
    output
}

async fn body(world: Rc<World>, row: usize, role: Role) -> Tracked {
    let me = Actor::Task(row as u32);
    while let Some((index, op)) = world.take() {
        match op.kind {
            Kind::Complete => {
                world.did(index, me, Effect::Done);
                break;
            }
            Kind::Panic => {
                let payload = world.payload();
                world.did(index, me, Effect::Done);
                panic_any(payload);
            }
            Kind::KeepWaker => {
                poll_fn(|cx| {
                    world.keep_waker(cx);
                    Poll::Ready(())
                })
                .await;
                world.did(index, me, Effect::Done);
            }
            _ => match world.leaf(row, op) {
                Some(Some(leaf)) => {
                    world.did(index, me, Effect::Done);
                    world.wait(row, leaf, op).await;
                }
                Some(None) => world.did(index, me, Effect::Nothing),
                None => world.perform(index, op, me),
            },
        }
    }
    world.ledger.track(role)
}

fn millis(n: u8) -> Duration {
    Duration::from_millis(u64::from(n))
}

/// Returns the number of a panic's payload, which is dropped.
fn number_of(panic: Panic) -> Option<u32> {
    panic.into_payload().downcast::<Tracked>().ok().map(|payload| payload.number)
}

fn of_panic(panic: Panic) -> Answer {
    number_of(panic).map_or(Answer::PanickedSomehow, Answer::Panicked)
}

fn of_join(result: Result<Tracked, JoinError>) -> Answer {
    match result {
        Ok(value) => Answer::Value(value.number),
        Err(JoinError::Panicked(panic)) => of_panic(panic),
        Err(_) => Answer::Cancelled,
    }
}

fn of_failure(failure: Failure) -> Answer {
    match failure {
        Failure::Cancelled(_) => Answer::Cancelled,
        Failure::Panicked(panic) => of_panic(panic),
        _ => Answer::Broken,
    }
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
