//! The driver, as the real one does it: a few operations, then an iteration.

use super::Model;
use super::state::{Entry, Listener};
use crate::program::{Finale, Kind, Op};
use crate::trace::{Actor, Effect, Event, Outcome, Turned};
use crate::world::{MOST_TURNS, OPS_A_TURN, ROUNDS};

impl Model<'_> {
    pub(super) fn drive(&mut self) {
        while self.next < self.ops.len() {
            let mut turned = false;
            for _ in 0..OPS_A_TURN {
                let Some((index, op)) = self.take() else { break };
                if self.drive_by(index, op) {
                    turned = true;
                    break;
                }
            }
            if !turned && !self.closed {
                self.turn();
            }
            self.note_alive();
        }
    }

    /// Does an operation as the driver; true if that ran the loop.
    pub(super) fn drive_by(&mut self, index: u32, op: Op) -> bool {
        if self.closed || !matches!(op.kind, Kind::Turn | Kind::RunForever | Kind::RunUntil | Kind::Close) {
            self.perform(index, op, Actor::Driver);
            return false;
        }
        self.did(index, Actor::Driver, Effect::Done);
        match op.kind {
            Kind::Turn => _ = self.turn(),
            Kind::RunForever => self.run_forever(),
            Kind::RunUntil => self.run_until(op.acts()),
            _ => self.close(),
        }
        true
    }

    pub(super) fn enter<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        self.inside = true;
        let result = f(self);
        self.inside = false;
        self.stopping = false;
        result
    }

    pub(super) fn turn(&mut self) -> Turned {
        let went_on = self.enter(|model| model.iterate());
        let turned = if went_on { Turned::Over } else { Turned::Idle };
        self.note(Event::Turned(turned));
        turned
    }

    pub(super) fn run_forever(&mut self) {
        let turned = self.enter(|model| {
            loop {
                if !model.iterate() {
                    return Turned::Idle;
                }
                if model.stopping {
                    return Turned::Over;
                }
            }
        });
        self.note(Event::Turned(turned));
    }

    pub(super) fn run_until(&mut self, acts: bool) {
        let turned = self.enter(|model| {
            let main = model.new_task(None);
            (model.tasks[main].handle, model.tasks[main].acts) = (true, acts);
            model.number_task(main);
            model.tasks[main].scheduled = true;
            model.ready.push_back(Entry::Step(main));
            model.tasks[main].listeners.push(Listener::Main);
            let mut idle = false;
            while model.main_is_over != Some(main) && !idle {
                idle = !model.iterate();
                if model.stopping {
                    break;
                }
            }
            let turned = match model.tasks[main].ended {
                Some(Outcome::Value) => Turned::Over,
                Some(Outcome::Panicked) => Turned::Panicked,
                Some(Outcome::Cancelled) => Turned::Cancelled,
                None => Turned::Stopped,
            };
            model.take_left(main);
            model.tasks[main].handle = false;
            if model.tasks[main].ended.is_none() {
                model.end_now(main);
            }
            if idle { Turned::Idle } else { turned }
        });
        self.note(Event::Turned(turned));
    }

    pub(super) fn end(&mut self) {
        if self.closed {
            return;
        }
        match self.finale {
            Finale::CloseNow => {}
            Finale::Settle => self.settle(),
            Finale::CancelAll => self.cancel_all(),
        }
        self.close();
        self.note_alive();
    }

    pub(super) fn cancel_all(&mut self) {
        while !self.queued_jobs.is_empty() {
            self.run_job(0);
        }
        for _ in 0..ROUNDS {
            for task in 0..self.tasks.len() {
                self.cancel(task, false);
            }
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..MOST_TURNS {
            let idle = self.turn() == Turned::Idle;
            self.note_alive();
            if idle {
                return;
            }
        }
    }
}
