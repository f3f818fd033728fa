//! An iteration of the loop: what is ready, in which order.

use super::Model;
use super::state::{Entry, Rings, Sent, Timer, TimerState};
use crate::program::Kind;
use crate::trace::{Actor, Complaint, Effect, Event, Outcome};

impl Model<'_> {
    // The loop.

    /// Runs one iteration; false if there is nothing to do.
    pub(super) fn iterate(&mut self) -> bool {
        if !self.poll() {
            return false;
        }
        self.drain_inbox();
        self.expire();
        self.run_batch();
        true
    }

    pub(super) fn poll(&mut self) -> bool {
        if !self.ready.is_empty() || self.stopping {
            self.look();
            return true;
        }
        let armed = self.timers.iter().filter(|timer| timer.state == TimerState::Armed);
        match armed.map(|timer| timer.when).min() {
            Some(next) if self.busy == 0 => {
                self.drain_inbox();
                self.look();
                if self.ready.is_empty() {
                    self.now = self.now.max(next);
                }
                true
            }
            _ => self.inbox.is_empty() && self.sleep() || !self.inbox.is_empty() || !self.ready.is_empty(),
        }
    }

    pub(super) fn look(&mut self) {
        if std::mem::take(&mut self.readable) {
            self.ready.push_back(Entry::Readable);
        }
    }

    /// Sleeps: other threads have their turns. False if nobody has woken the loop.
    pub(super) fn sleep(&mut self) -> bool {
        self.look();
        if !self.ready.is_empty() {
            return true;
        }
        (self.asleep, self.rung) = (true, false);
        while !self.rung && self.ops.get(self.next).is_some_and(|op| op.kind.is_foreign()) {
            let (index, op) = self.take().expect("there is one");
            self.perform(index, op, Actor::Thread);
        }
        self.asleep = false;
        self.rung
    }

    pub(super) fn drain_inbox(&mut self) {
        for sent in std::mem::take(&mut self.inbox) {
            match sent {
                Sent::Wake(task) => {
                    self.tasks[task].queued = false;
                    self.schedule(task);
                }
                Sent::Entry(entry) => self.ready.push_back(entry),
            }
        }
    }

    pub(super) fn expire(&mut self) {
        let due = |timer: &Timer, now| timer.state == TimerState::Armed && timer.when <= now;
        let mut keys: Vec<_> = (0..self.timers.len()).filter(|&key| due(&self.timers[key], self.now)).collect();
        keys.sort_by_key(|&key| self.timers[key].when);
        for key in keys {
            self.timers[key].state = TimerState::Due;
            self.ready.push_back(Entry::Timer(key));
        }
    }

    pub(super) fn run_batch(&mut self) {
        self.batch = true;
        for _ in 0..self.ready.len() {
            let entry = self.ready.pop_front().expect("nobody else takes entries");
            self.run_entry(entry);
        }
        self.batch = false;
    }

    pub(super) fn run_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Step(task) => self.step(task),
            Entry::Call(call) => self.run_call(call, Event::Called),
            Entry::Timer(key) => self.ring(key),
            Entry::Deadline(task, number) => self.deadline(task, number),
            Entry::Done(call, task) => {
                let row = self.tasks[task].row.expect("only numbered tasks are called back") as u32;
                let cancelled = self.tasks[task].ended == Some(Outcome::Cancelled);
                let outcome = if cancelled { Outcome::Cancelled } else { Outcome::Value };
                self.run_call(call, |number| Event::Done(number, row, outcome));
            }
            Entry::CellDone(call, cell) => self.cell_called(call, cell),
            Entry::Gathered(gather, index) => {
                self.gather_ended(gather, index);
                self.drop_gather_callback(gather);
            }
            Entry::Shielded(shield) => self.shield_ended(shield),
            Entry::Begin(spawned) => self.begin(spawned),
            Entry::Finish(spawned, task) => self.finish_spawned(spawned, task),
            Entry::CancelSpawned(spawned) => {
                if self.spawned[spawned].listed {
                    let task = self.spawned[spawned].task.expect("it is listed");
                    self.cancel(task, false);
                }
            }
            Entry::Stop => self.stopping = true,
            Entry::Readable => self.note(Event::Readable),
            Entry::MainIsOver(main) => self.main_is_over = Some(main),
            Entry::Nothing => {}
        }
    }

    /// Runs a callback of the program's: it has a few operations.
    pub(super) fn run_call(&mut self, call: usize, event: impl FnOnce(u32) -> Event) {
        self.calls[call].kept = false;
        if self.calls[call].gone {
            return;
        }
        self.calls[call].gone = true;
        let (number, ops) = (self.calls[call].number, self.calls[call].ops);
        self.note(event(number));
        for _ in 0..ops {
            let Some((index, op)) = self.take() else { break };
            match op.kind {
                Kind::Turn => {
                    self.did(index, Actor::Callback, Effect::Done);
                    break;
                }
                Kind::Panic => {
                    let payload = self.born();
                    self.did(index, Actor::Callback, Effect::Done);
                    self.note(Event::Reported(Complaint::Callback));
                    self.dies(payload);
                    break;
                }
                _ => self.perform(index, op, Actor::Callback),
            }
        }
        self.dies(number);
    }

    pub(super) fn ring(&mut self, key: usize) {
        if self.timers[key].state != TimerState::Due {
            return;
        }
        self.timers[key].state = TimerState::Rung;
        match self.timers[key].what {
            Rings::Sleeper(task) => self.wake(task),
            Rings::Call(call) => self.run_call(call, Event::Called),
            Rings::Deadline(task, number) => self.deadline(task, number),
        }
    }

    // Wakes.

    pub(super) fn schedule(&mut self, task: usize) {
        let it = &mut self.tasks[task];
        if it.scheduled || it.ended.is_some() {
            return;
        }
        it.scheduled = true;
        if !it.running {
            self.ready.push_back(Entry::Step(task));
        }
    }

    /// Wakes a task from where we are: on the loop, or between iterations, which is as if it were another thread.
    pub(super) fn wake(&mut self, task: usize) {
        if self.inside { self.schedule(task) } else { self.wake_from_elsewhere(task) }
    }

    pub(super) fn wake_from_elsewhere(&mut self, task: usize) {
        // Other threads learn of an end when it has been told.
        let is_over = self.tasks[task].ended.is_some() && !self.tasks[task].ending;
        if !is_over && !std::mem::replace(&mut self.tasks[task].queued, true) {
            self.send(Sent::Wake(task));
        }
    }

    /// Sends something in; false if the loop is closed.
    pub(super) fn send(&mut self, sent: Sent) -> bool {
        if self.closed {
            return false;
        }
        self.inbox.push(sent);
        self.rung |= self.asleep;
        true
    }
}
