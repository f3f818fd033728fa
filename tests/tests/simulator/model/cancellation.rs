//! Who is hit by a request to end.

use super::Model;
use super::state::{CellState, Target};
use crate::program::Wrapper;
use std::collections::VecDeque;

impl Model<'_> {
    /// Asks a task to end; `as_waiter`: in the stead of one that waits for it.
    pub(super) fn cancel(&mut self, task: usize, as_waiter: bool) -> bool {
        if self.tasks[task].ended.is_some() {
            return false;
        }
        if as_waiter && self.forwarding.is_some() && self.tasks[task].round == self.round {
            return false;
        }
        self.tasks[task].requests += 1;
        if std::mem::replace(&mut self.tasks[task].owed, true) {
            return true; // One that was not delivered yet does for both.
        }
        let first = self.forwarding.is_none();
        if first {
            self.round += 1;
        }
        self.tasks[task].round = self.round;
        self.forwarding.get_or_insert_default().push_back(task);
        if first {
            while let Some(task) = self.forwarding.as_mut().and_then(VecDeque::pop_front) {
                if !self.tasks[task].running && self.tasks[task].ended.is_none() {
                    self.hit(task, false);
                }
            }
            self.forwarding = None;
        }
        true
    }

    /// Has a suspended task cancelled at its next step, or passes that on to what it waits for. The request is the task's,
    /// or a timeout's own.
    pub(super) fn hit(&mut self, task: usize, own: bool) {
        let Some(wait) = &self.tasks[task].wait else {
            self.tasks[task].ripe = true;
            return self.schedule(task);
        };
        let (ripe, in_scope) = (wait.ripe, wait.wrapper != Wrapper::Bare);
        let target = wait.leaf.target();
        let forwarded = !ripe && target.is_some_and(|target| self.forward(target));
        let Some(wait) = &mut self.tasks[task].wait else { return };
        if forwarded {
            wait.forwarded = true;
            self.tasks[task].owed &= own;
            return;
        }
        wait.ripe = true;
        if in_scope { self.wake(task) } else { self.schedule(task) }
    }

    pub(super) fn forward(&mut self, target: Target) -> bool {
        match target {
            Target::Task(task) => self.cancel(task, true),
            Target::Cell(cell) => self.end_cell(cell, CellState::Cancelled),
            Target::Gather(gather) => self.cancel_gather(gather),
        }
    }

    pub(super) fn deadline(&mut self, task: usize, number: u64) {
        let Some(wait) = &mut self.tasks[task].wait else { return };
        if wait.number != number || wait.expired {
            return;
        }
        wait.expired = true;
        self.hit(task, true);
    }
}
