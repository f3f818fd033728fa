//! The operations that anybody can do.

use super::waits::number_of;
use super::{CellRow, Outside, ROOM, World, coroutine, millis, pick, pick_some};
use crate::drops::{Role, Tracked};
use crate::program::{Kind, Op};
use crate::trace::{Actor, Effect, Event, Outcome};
use corio_executor::Ready;
use corio_queue::Queue;
use corio_task::{CallbackKey, JoinError, Task};
use corio_threadpool::{Call, run_in_executor};
use std::panic::panic_any;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

impl World {
    /// Does one operation, as a destructor or a waker, unless the loop is closed or about to be.
    pub(super) fn act_alone(self: &Rc<World>, actor: Actor) {
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
            let cell = pick(op.a, cells.len(), |cell| cells[cell].promise.is_some())?;
            cells[cell].promise.take()
        };
        let with_future = || {
            let mut cells = self.cells.borrow_mut();
            let cell = pick(op.a, cells.len(), |cell| !cells[cell].ends.is_empty())?;
            cells[cell].ends.pop().map(|future| (cell, future))
        };
        let put_back = |cell: usize, future| self.cells.borrow_mut()[cell].ends.push(future);
        match op.kind {
            Kind::NewCell => {
                let (promise, future) = corio_future::promise();
                self.cells.borrow_mut().push(CellRow { promise: Some(promise), ends: vec![future] });
            }
            Kind::SetCell => {
                let promise = with_promise()?;
                return Some(promise.set_result(self.ledger.track(Role::Value)).is_ok().into());
            }
            Kind::DropPromise => drop(with_promise()?),
            Kind::CancelCell => {
                let (cell, future) = with_future()?;
                let cancelled = future.cancel();
                put_back(cell, future);
                return Some(cancelled.into());
            }
            Kind::DropFuture => drop(with_future()?),
            Kind::ShareFuture => {
                let (cell, future) = with_future()?;
                put_back(cell, future.share());
                put_back(cell, future);
            }
            Kind::CellDone => {
                let (cell, future) = with_future()?;
                let mark = self.ledger.track(Role::Callback);
                future.add_done_callback(move |future| {
                    mark.ledger.note(Event::CellDone(mark.number, cell as u32, future.cancelled()));
                });
                put_back(cell, future);
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

    pub(super) fn submit(&self, panics: bool) -> Call<Tracked> {
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

    pub(super) fn run_job_on(&self, thread: usize, place: usize) {
        let job = self.pool.take(place);
        self.threads.act(thread, move || job.run());
    }
}
