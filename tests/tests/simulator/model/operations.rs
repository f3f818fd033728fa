//! Operations that anybody can do.

use super::Model;
use super::state::{Cell, CellListener, CellState, Entry, Listener, Rings, Sent, Spawned, Task, TimerState};
use crate::program::{Kind, Op};
use crate::trace::{Actor, Effect};
use crate::world::pick;

impl Model<'_> {
    pub(super) fn perform(&mut self, index: u32, op: Op, actor: Actor) {
        let effect = self.effect(op, actor);
        self.did(index, actor, effect.unwrap_or(Effect::Nothing));
    }

    pub(super) fn effect(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        match op.kind {
            Kind::Spawn | Kind::SpawnEager if !self.closed => {
                self.spawn(op.kind == Kind::SpawnEager, op.b % 2 == 0, op.acts());
                Some(Effect::Done)
            }
            Kind::Cancel => {
                let row = self.pick_row(op.a, |task| task.in_table || task.view)?;
                Some(self.cancel(row, false).into())
            }
            Kind::DropHandle => {
                let task = self.pick_row(op.a, |task| task.in_table)?;
                if actor == Actor::Driver {
                    self.take_left(task);
                }
                self.drop_handle(task);
                Some(Effect::Done)
            }
            Kind::DropView => {
                let task = self.pick_row(op.a, |task| task.view)?;
                self.tasks[task].view = false;
                Some(Effect::Done)
            }
            Kind::TakeOutput => {
                let task = self.pick_row(op.a, |task| task.in_table && task.ended.is_some())?;
                let effect = self.take_left(task).map_or(Effect::Done, Effect::Value);
                self.drop_handle(task);
                Some(effect)
            }
            Kind::PollOutside => self.poll_outside(op, actor),
            Kind::AddDone => {
                let task = self.pick_row(op.a, |task| task.in_table || task.view)?;
                let call = self.new_call(op.b / 4 % 3);
                self.calls[call].handle = false;
                if self.tasks[task].ended.is_some() {
                    self.push(Entry::Done(call, task));
                } else {
                    self.tasks[task].listeners.push(Listener::Callback(call));
                }
                self.dones.push(Some((task, call)));
                Some(Effect::Done)
            }
            Kind::RemoveDone => self.remove_done(op),
            Kind::WakeHere | Kind::WakeForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.gates[usize::from(op.b / 4) % 4] += u32::from(op.b % 4 < 3);
                let task = if op.b & 128 == 0 { self.stash.swap_remove(place) } else { self.stash[place] };
                if op.kind == Kind::WakeHere {
                    self.wake(task)
                } else {
                    self.wake_from_elsewhere(task)
                }
                Some(Effect::Done)
            }
            Kind::CloneForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.stash.push(self.stash[place]);
                Some(Effect::Done)
            }
            Kind::DropWakerHere | Kind::DropWakerForeign => {
                let place = pick(op.a, self.stash.len(), |_| true)?;
                self.stash.swap_remove(place);
                Some(Effect::Done)
            }
            Kind::OpenGate => {
                self.gates[usize::from(op.a) % 4] += 1;
                Some(Effect::Done)
            }
            Kind::RunJob => {
                let place = pick(op.a, self.queued_jobs.len(), |_| true)?;
                self.run_job(place);
                Some(Effect::Done)
            }
            Kind::StopRemote => Some(if self.send(Sent::Entry(Entry::Stop)) { Effect::Done } else { Effect::No }),
            _ => self.effect_here(op, actor),
        }
    }

    pub(super) fn pick_row(&self, n: u8, f: impl Fn(&Task) -> bool) -> Option<usize> {
        pick(n, self.rows.len(), |row| f(&self.tasks[self.rows[row]])).map(|row| self.rows[row])
    }

    pub(super) fn poll_outside(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        if !matches!(actor, Actor::Driver | Actor::Callback) {
            return None; // The task would be taken to wait for it.
        }
        let task = self.pick_row(op.a, |task| task.in_table)?;
        let waker = self.born();
        if self.tasks[task].ended.is_none() {
            self.listen(task, Listener::Outside(waker, op.acts()));
            return Some(Effect::No);
        }
        self.take_left(task);
        self.drop_handle(task);
        self.dies(waker);
        Some(Effect::Yes)
    }

    pub(super) fn remove_done(&mut self, op: Op) -> Option<Effect> {
        let reachable = |task: &Task| task.in_table || task.view;
        let place = pick(op.a, self.dones.len(), |place| {
            self.dones[place].as_ref().is_some_and(|(task, _)| reachable(&self.tasks[*task]))
        })?;
        let (task, call) = self.dones[place].take()?;
        let listeners = &mut self.tasks[task].listeners;
        let place = listeners.iter().position(|listener| matches!(listener, Listener::Callback(at) if *at == call));
        if let Some(place) = place {
            listeners.remove(place);
            self.unkeep_call(call);
        }
        Some(place.is_some().into())
    }

    pub(super) fn effect_here(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        match op.kind {
            Kind::CallSoon if !self.closed => {
                let call = self.new_call(op.b / 4 % 3);
                self.ready.push_back(Entry::Call(call));
                self.soons.push(Some(call));
                if op.b % 2 == 0 {
                    self.soons.pop();
                    self.drop_call_handle(call);
                }
                Some(Effect::Done)
            }
            Kind::CancelSoon => {
                let place = pick(op.a, self.soons.len(), |place| self.soons[place].is_some())?;
                let call = self.soons[place].take()?;
                let cancelled = self.cancel_call(call);
                self.drop_call_handle(call);
                Some(cancelled.into())
            }
            Kind::CallLater if !self.closed => {
                let call = self.new_call(op.b / 4 % 3);
                let timer = self.arm(u64::from(op.a) % 6, Rings::Call(call));
                self.laters.push(Some((timer, call)));
                Some(Effect::Done)
            }
            Kind::CancelTimer | Kind::DropTimer => {
                let place = pick(op.a, self.laters.len(), |place| self.laters[place].is_some())?;
                let (timer, call) = self.laters[place].take()?;
                let mut effect = Effect::Done;
                if op.kind == Kind::CancelTimer {
                    if self.timers[timer].state != TimerState::Rung {
                        self.timers[timer].state = TimerState::Disarmed;
                    }
                    effect = self.cancel_call(call).into();
                }
                self.drop_call_handle(call);
                Some(effect)
            }
            Kind::CallRemote => self.call_remote(op, actor),
            Kind::CancelRemote => {
                let place = pick(op.a, self.remotes.len(), |place| self.remotes[place].is_some())?;
                let call = self.remotes[place].take()?;
                let cancelled = self.cancel_call(call);
                self.drop_call_handle(call);
                Some(cancelled.into())
            }
            Kind::SpawnRemote => {
                let make = self.born();
                let spawned = self.spawned.len();
                let sent = self.send(Sent::Entry(Entry::Begin(spawned)));
                if !sent {
                    self.dies(make);
                    return Some(Effect::No);
                }
                self.spawned.push(Spawned {
                    make: Some(make),
                    cancelled: false,
                    task: None,
                    listed: false,
                    future: true,
                    over: false,
                    value: None,
                });
                Some(Effect::Done)
            }
            Kind::CancelSpawned => {
                let spawned = pick(op.a, self.spawned.len(), |spawned| self.spawned[spawned].future)?;
                Some(self.cancel_spawned(spawned).into())
            }
            Kind::Stop if !self.closed => {
                self.stopping = true;
                Some(Effect::Done)
            }
            Kind::Advance => {
                self.now += u64::from(op.a) % 3 + 1;
                Some(Effect::Done)
            }
            Kind::MakeReady if !self.closed && !self.readable => {
                self.readable = true;
                Some(Effect::Done)
            }
            _ => self.effect_on_cells(op).or_else(|| self.effect_on_queues(op, actor)),
        }
    }

    pub(super) fn call_remote(&mut self, op: Op, actor: Actor) -> Option<Effect> {
        let call = self.new_call(op.b / 8 % 3);
        let here = op.a % 3 == 2 && actor != Actor::Thread;
        let accepted = if here && self.inside {
            self.ready.push_back(Entry::Call(call));
            true
        } else {
            self.send(Sent::Entry(Entry::Call(call)))
        };
        if !accepted {
            self.calls[call].kept = false;
            self.drop_call_handle(call);
            return Some(Effect::No);
        }
        if op.b / 2 % 2 == 0 {
            self.remotes.push(Some(call));
        } else {
            self.drop_call_handle(call);
        }
        Some(Effect::Done)
    }

    pub(super) fn effect_on_cells(&mut self, op: Op) -> Option<Effect> {
        let n = self.cells.len();
        match op.kind {
            Kind::NewCell => {
                let state = CellState::Pending;
                let listeners = Vec::new();
                self.cells.push(Cell { state, promise: true, ends: 1, in_table: 1, listeners, on_their_way: 0 });
                Some(Effect::Done)
            }
            Kind::SetCell | Kind::DropPromise => {
                let cell = pick(op.a, n, |cell| self.cells[cell].promise)?;
                self.cells[cell].promise = false;
                if op.kind == Kind::DropPromise {
                    self.end_cell(cell, CellState::Broken);
                    return Some(Effect::Done);
                }
                let value = self.born();
                let set = self.end_cell(cell, CellState::Value(value));
                if !set {
                    self.dies(value);
                }
                Some(set.into())
            }
            Kind::CancelCell | Kind::DropFuture | Kind::ShareFuture | Kind::CellDone => {
                let cell = pick(op.a, n, |cell| self.cells[cell].in_table > 0)?;
                match op.kind {
                    Kind::CancelCell => return Some(self.end_cell(cell, CellState::Cancelled).into()),
                    Kind::DropFuture => {
                        self.cells[cell].in_table -= 1;
                        self.drop_future(cell);
                    }
                    Kind::ShareFuture => {
                        self.cells[cell].in_table += 1;
                        self.cells[cell].ends += 1;
                    }
                    _ => {
                        let call = self.new_call(0);
                        self.calls[call].handle = false;
                        if self.cells[cell].state == CellState::Pending {
                            self.cells[cell].listeners.push(CellListener::Callback(call));
                        } else {
                            self.call_back(call, cell);
                        }
                    }
                }
                Some(Effect::Done)
            }
            _ => None,
        }
    }

    pub(super) fn effect_on_queues(&mut self, op: Op, _: Actor) -> Option<Effect> {
        let place = usize::from(op.a) % 2;
        let queue = self.open_queues[place];
        match op.kind {
            Kind::PutNow => {
                let item = self.born();
                let put = self.put_now(queue, item);
                if !put {
                    self.dies(item);
                }
                Some(put.into())
            }
            Kind::GetNow => {
                let item = self.get_now(queue);
                if let Some(item) = item {
                    self.dies(item);
                }
                Some(item.map_or(Effect::No, Effect::Value))
            }
            Kind::CloseQueue => {
                self.close_queue(place, op.b % 2 == 0);
                Some(Effect::Done)
            }
            Kind::Submit => {
                let job = self.submit(op.b % 8 == 7);
                self.pool_calls.push(Some(job));
                Some(Effect::Done)
            }
            Kind::DropJob => {
                let place = pick(op.a, self.queued_jobs.len(), |_| true)?;
                self.drop_job(place);
                Some(Effect::Done)
            }
            Kind::DropCall => {
                let place = pick(op.a, self.pool_calls.len(), |place| self.pool_calls[place].is_some())?;
                let job = self.pool_calls[place].take()?;
                self.drop_call(job);
                Some(Effect::Done)
            }
            _ => None,
        }
    }
}
