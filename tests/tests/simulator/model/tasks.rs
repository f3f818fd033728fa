//! Tasks: how they are made, make steps, and end.

use super::Model;
use super::state::{Entry, Leaf, Left, Listener, Rings, Task, TimerState, Wait};
use crate::program::{Kind, Wrapper};
use crate::trace::{Actor, Answer, Complaint, Effect, Event, Outcome};

impl Model<'_> {
    pub(super) fn new_task(&mut self, coroutine: Option<u32>) -> usize {
        self.tasks.push(Task { coroutine, ..Task::default() });
        self.tasks.len() - 1
    }

    /// Gives a task its number in the trace, and its coroutine.
    pub(super) fn number_task(&mut self, task: usize) {
        let coroutine = self.born();
        self.tasks[task].row = Some(self.rows.len());
        self.tasks[task].coroutine = Some(coroutine);
        self.rows.push(task);
    }

    pub(super) fn spawn(&mut self, eager: bool, view: bool, acts: bool) {
        let task = self.new_task(None);
        self.number_task(task);
        (self.tasks[task].handle, self.tasks[task].acts) = (true, acts);
        if eager && self.batch {
            self.step_now(task);
        } else {
            self.tasks[task].scheduled = true;
            self.ready.push_back(Entry::Step(task));
        }
        self.tasks[task].in_table = true;
        self.tasks[task].view = view;
    }

    pub(super) fn step(&mut self, task: usize) {
        if self.tasks[task].ended.is_none() {
            self.step_now(task);
        }
    }

    /// Makes a step, and what comes after it.
    pub(super) fn step_now(&mut self, task: usize) {
        self.tasks[task].scheduled = false;
        self.tasks[task].running = true;
        self.step_inside(task);
        if self.tasks[task].ended.is_none() {
            self.tasks[task].running = false;
            if self.tasks[task].scheduled {
                self.ready.push_back(Entry::Step(task));
            }
        }
    }

    pub(super) fn step_inside(&mut self, task: usize) {
        let Some(wait) = self.tasks[task].wait.take() else {
            if std::mem::take(&mut self.tasks[task].ripe) {
                return self.finish(task, Outcome::Cancelled, None);
            }
            if let Some(spawned) = self.tasks[task].spawned {
                let make = self.spawned[spawned].make.take().expect("it is made once");
                self.dies(make);
                self.number_task(task);
            }
            self.note_step(task);
            return self.body(task);
        };
        if wait.ripe {
            if wait.wrapper != Wrapper::Bare {
                self.note_step(task);
            }
            return self.deliver(task, wait);
        }
        self.note_step(task);
        self.go_on_waiting(task, wait);
    }

    pub(super) fn note_step(&mut self, task: usize) {
        self.note(Event::Step(self.tasks[task].row.expect("it is numbered") as u32));
    }

    /// Polls what a task waits for; goes on with its body if that is there.
    pub(super) fn go_on_waiting(&mut self, task: usize, mut wait: Wait) {
        if let Some((answer, cancelled)) = self.poll_leaf(task, &mut wait) {
            if std::mem::take(&mut wait.forwarded) && cancelled {
                return self.deliver(task, wait);
            }
            self.end_wait(&mut wait);
            self.note_got(task, answer);
            return self.body(task);
        }
        if self.pause(task, wait) {
            self.end_poll(task);
        }
    }

    /// Suspends a task.
    pub(super) fn pause(&mut self, task: usize, mut wait: Wait) -> bool {
        if let (Wrapper::Timeout(delay), None, false) = (wait.wrapper, wait.timer, wait.expired) {
            let what = Rings::Deadline(task, wait.number);
            if delay == 0 {
                self.ready.push_back(Entry::Deadline(task, wait.number));
                wait.timer = Some(usize::MAX);
            } else {
                wait.timer = Some(self.arm(delay, what));
            }
        }
        self.tasks[task].wait = Some(wait);
        true
    }

    /// Looks at what was asked of a task during its step.
    pub(super) fn end_poll(&mut self, task: usize) {
        if self.tasks[task].owed {
            self.hit(task, false);
        }
    }

    pub(super) fn note_got(&mut self, task: usize, answer: Answer) {
        self.note(Event::Got(self.tasks[task].row.expect("it is numbered") as u32, answer));
    }

    /// Cancels a task at its await.
    pub(super) fn deliver(&mut self, task: usize, mut wait: Wait) {
        let (expired, before) = (wait.expired, wait.before);
        self.end_wait(&mut wait);
        self.tasks[task].owed = false;
        if wait.wrapper == Wrapper::Bare {
            return self.unwind(task, wait);
        }
        self.release(task, wait.leaf);
        match wait.wrapper {
            Wrapper::Catch => {
                self.note_got(task, Answer::Caught);
                self.body(task);
            }
            Wrapper::CatchAndResume => {
                self.note_got(task, Answer::Caught);
                self.finish(task, Outcome::Cancelled, None);
            }
            Wrapper::Timeout(_) if expired && self.tasks[task].requests <= before => {
                self.note_got(task, Answer::TimedOut);
                self.body(task);
            }
            Wrapper::Timeout(_) | Wrapper::Bare => self.finish(task, Outcome::Cancelled, None),
        }
    }

    /// Ends a task at its await. What it waits for outside any scope is noted in the task itself, too, and goes last.
    pub(super) fn unwind(&mut self, task: usize, wait: Wait) {
        if let (Leaf::Gather(_), Wrapper::Bare) = (&wait.leaf, wait.wrapper) {
            self.drop_coroutine(task);
        }
        self.release(task, wait.leaf);
        self.finish(task, Outcome::Cancelled, None);
    }

    pub(super) fn end_wait(&mut self, wait: &mut Wait) {
        if let Some(timer) = wait.timer.take().filter(|timer| *timer != usize::MAX) {
            self.timers[timer].state = TimerState::Disarmed;
        }
    }

    /// Goes on with a task's body, until it waits or ends.
    pub(super) fn body(&mut self, task: usize) {
        let row = self.tasks[task].row.expect("it is numbered");
        let me = Actor::Task(row as u32);
        loop {
            let Some((index, op)) = self.take() else { return self.complete(task) };
            match op.kind {
                Kind::Complete => {
                    self.did(index, me, Effect::Done);
                    return self.complete(task);
                }
                Kind::Panic => {
                    let payload = self.born();
                    self.did(index, me, Effect::Done);
                    return self.finish(task, Outcome::Panicked, Some(Left::Panic(payload)));
                }
                Kind::KeepWaker => {
                    self.stash.push(task);
                    self.did(index, me, Effect::Done);
                }
                _ => match self.leaf(task, op) {
                    Some(Some(leaf)) => {
                        self.did(index, me, Effect::Done);
                        let (number, before) = (self.waits, self.tasks[task].requests);
                        self.waits += 1;
                        let wrapper = op.wrapper();
                        let mut wait = Wait {
                            number,
                            leaf,
                            wrapper,
                            ripe: false,
                            forwarded: false,
                            timer: None,
                            expired: false,
                            before,
                        };
                        match self.poll_leaf(task, &mut wait) {
                            Some((answer, _)) => self.note_got(task, answer),
                            None => {
                                self.pause(task, wait);
                                return self.end_poll(task);
                            }
                        }
                    }
                    Some(None) => self.did(index, me, Effect::Nothing),
                    None => self.perform(index, op, me),
                },
            }
        }
    }

    pub(super) fn complete(&mut self, task: usize) {
        let output = self.born();
        self.drop_coroutine(task);
        if std::mem::take(&mut self.tasks[task].owed) {
            self.dies(output);
            return self.finish(task, Outcome::Cancelled, None);
        }
        self.finish(task, Outcome::Value, Some(Left::Value(output)));
    }

    /// Ends a task that did not come to its end.
    pub(super) fn end_now(&mut self, task: usize) {
        if let Some(mut wait) = self.tasks[task].wait.take() {
            self.end_wait(&mut wait);
            return self.unwind(task, wait);
        }
        self.finish(task, Outcome::Cancelled, None);
    }

    /// Does one operation, as a destructor or a waker.
    pub(super) fn act_alone(&mut self, actor: Actor) {
        if let Some((index, op)) = self.take() {
            self.perform(index, op, actor);
        }
    }

    pub(super) fn drop_coroutine(&mut self, task: usize) {
        let spawned = self.tasks[task].spawned;
        if let Some(make) = spawned.and_then(|spawned| self.spawned[spawned].make.take()) {
            self.dies(make);
        }
        let Some(coroutine) = self.tasks[task].coroutine.take() else { return };
        if self.tasks[task].acts && !self.closed {
            self.act_alone(Actor::Destructor);
        }
        self.dies(coroutine);
    }

    pub(super) fn finish(&mut self, task: usize, outcome: Outcome, left: Option<Left>) {
        self.drop_coroutine(task);
        let it = &mut self.tasks[task];
        (it.ended, it.left, it.ending) = (Some(outcome), left, true);
        (it.running, it.scheduled, it.owed) = (false, false, false);
        let listeners = std::mem::take(&mut it.listeners);
        let quiet = matches!(*listeners, [Listener::Gather(gather, index)] if self.gather_takes(gather, index));
        for listener in listeners.into_iter().filter(|_| !quiet) {
            match listener {
                Listener::Waiter(waiter) => self.wake(waiter),
                Listener::Outside(waker, acts) => {
                    self.note(Event::Woken(waker));
                    if acts && !self.closed {
                        self.act_alone(Actor::Waker);
                    }
                    self.dies(waker);
                }
                Listener::Callback(call) => self.push(Entry::Done(call, task)),
                Listener::Gather(gather, index) => self.push(Entry::Gathered(gather, index)),
                Listener::Shield(shield) => self.push(Entry::Shielded(shield)),
                Listener::Spawned(spawned) => self.push(Entry::Finish(spawned, task)),
                Listener::Main => self.push(Entry::MainIsOver(task)),
            }
        }
        self.tasks[task].ending = false;
        if !self.tasks[task].handle {
            self.drop_left(task);
        }
    }

    /// Puts an entry into the ready queue, or drops it if the loop is closed.
    pub(super) fn push(&mut self, entry: Entry) {
        if self.closed { self.discard(entry) } else { self.ready.push_back(entry) }
    }

    /// Drops what a task has left, which nobody can have any more.
    pub(super) fn drop_left(&mut self, task: usize) {
        match self.tasks[task].left.take() {
            Some(Left::Value(value)) => self.dies(value),
            Some(Left::Panic(payload)) => {
                self.note(Event::Reported(Complaint::Task));
                self.dies(payload);
            }
            None => {}
        }
    }

    /// Takes what a task has left, and drops it.
    pub(super) fn take_left(&mut self, task: usize) -> Option<u32> {
        let left = self.tasks[task].left.take().map(|left| match left {
            Left::Value(number) | Left::Panic(number) => number,
        });
        if let Some(number) = left {
            self.dies(number);
        }
        left
    }

    pub(super) fn drop_handle(&mut self, task: usize) {
        let it = &mut self.tasks[task];
        (it.handle, it.in_table) = (false, false);
        let listeners = &mut it.listeners;
        let place = listeners.iter().position(|l| matches!(l, Listener::Waiter(_) | Listener::Outside(..)));
        if let Some(Listener::Outside(waker, _)) = place.map(|place| listeners.remove(place)) {
            self.dies(waker);
        }
        if self.tasks[task].ended.is_some() && !self.tasks[task].ending {
            self.drop_left(task);
        }
    }

    /// Notes who waits for a task, in the place of whoever did.
    pub(super) fn listen(&mut self, task: usize, listener: Listener) {
        let listeners = &mut self.tasks[task].listeners;
        let place = listeners.iter_mut().find(|l| matches!(l, Listener::Waiter(_) | Listener::Outside(..)));
        match place {
            Some(place) => {
                if let Listener::Outside(waker, _) = std::mem::replace(place, listener) {
                    self.dies(waker);
                }
            }
            None => listeners.push(listener),
        }
    }
}
