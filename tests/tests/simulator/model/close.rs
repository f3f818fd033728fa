//! The end of the loop: everything is dropped.

use super::Model;
use super::state::{Entry, Rings, Sent, TimerState};
use crate::trace::{Complaint, Event};

impl Model<'_> {
    pub(super) fn close(&mut self) {
        let start = self.events.len();
        for task in 0..self.tasks.len() {
            if self.tasks[task].ended.is_none() {
                self.note(Event::Reported(Complaint::Destroyed));
            }
        }
        (self.closed, self.inside) = (true, true);
        for key in 0..self.timers.len() {
            if let (Rings::Call(call), TimerState::Armed | TimerState::Due) =
                (&self.timers[key].what, &self.timers[key].state)
            {
                let call = *call;
                self.unkeep_call(call);
            }
        }
        self.dies(self.source);
        while let Some(entry) = self.ready.pop_front() {
            self.discard(entry);
        }
        for task in 0..self.tasks.len() {
            if self.tasks[task].ended.is_none() {
                self.end_now(task);
            }
        }
        for sent in std::mem::take(&mut self.inbox) {
            if let Sent::Entry(entry) = sent {
                self.discard(entry);
            }
        }
        self.inside = false;
        self.events[start..].sort_unstable();
        self.note(Event::Closed);
    }

    /// Drops an entry that is never run.
    pub(super) fn discard(&mut self, entry: Entry) {
        match entry {
            Entry::Call(call) | Entry::Done(call, _) => self.unkeep_call(call),
            Entry::CellDone(call, cell) => {
                self.unkeep_call(call);
                self.cells[cell].on_their_way -= 1;
                self.forget_cell(cell);
            }
            Entry::Gathered(gather, _) => self.drop_gather_callback(gather),
            Entry::Shielded(shield) if std::mem::take(&mut self.shields[shield].handle) => {
                self.drop_handle(self.shields[shield].child);
            }
            Entry::Begin(spawned) => {
                if let Some(make) = self.spawned[spawned].make.take() {
                    self.dies(make);
                }
                self.spawned[spawned].over = true;
            }
            Entry::Finish(spawned, task) => {
                self.spawned[spawned].over = true;
                self.drop_handle(task);
            }
            _ => {}
        }
    }
}
