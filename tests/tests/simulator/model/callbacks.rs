//! Callbacks that the program schedules, and tasks that other threads start.

use super::Model;
use super::state::{Callback, Entry, Left, Listener, Sent};
use crate::trace::Outcome;

impl Model<'_> {
    // Callbacks.

    pub(super) fn new_call(&mut self, ops: u8) -> usize {
        let number = self.born();
        self.calls.push(Callback { number, ops, gone: false, cancelled: false, kept: true, handle: true });
        self.calls.len() - 1
    }

    pub(super) fn cancel_call(&mut self, call: usize) -> bool {
        if std::mem::replace(&mut self.calls[call].gone, true) {
            return false;
        }
        self.calls[call].cancelled = true;
        self.dies(self.calls[call].number);
        true
    }

    /// Drops a callback that neither a queue nor a handle has.
    pub(super) fn forget_call(&mut self, call: usize) {
        let it = &mut self.calls[call];
        if !it.kept && !it.handle && !std::mem::replace(&mut it.gone, true) {
            let number = it.number;
            self.dies(number);
        }
    }

    pub(super) fn drop_call_handle(&mut self, call: usize) {
        self.calls[call].handle = false;
        self.forget_call(call);
    }

    pub(super) fn unkeep_call(&mut self, call: usize) {
        self.calls[call].kept = false;
        self.forget_call(call);
    }

    // Tasks that another thread starts.

    pub(super) fn begin(&mut self, spawned: usize) {
        if self.spawned[spawned].cancelled {
            let make = self.spawned[spawned].make.take().expect("it was not made");
            return self.dies(make);
        }
        let task = self.new_task(None);
        let it = &mut self.tasks[task];
        (it.spawned, it.handle, it.scheduled) = (Some(spawned), true, true);
        it.listeners.push(Listener::Spawned(spawned));
        self.ready.push_back(Entry::Step(task));
        let it = &mut self.spawned[spawned];
        (it.task, it.listed) = (Some(task), true);
    }

    pub(super) fn finish_spawned(&mut self, spawned: usize, task: usize) {
        self.spawned[spawned].listed = false;
        let left = self.tasks[task].left.take();
        self.drop_handle(task);
        if self.tasks[task].ended == Some(Outcome::Cancelled) && !self.spawned[spawned].cancelled {
            self.ready.push_back(Entry::CancelSpawned(spawned)); // Its future is cancelled, and says so.
        }
        let it = &mut self.spawned[spawned];
        it.over = true;
        if let Some(Left::Value(number) | Left::Panic(number)) = left {
            if it.future {
                it.value = Some(number);
            } else {
                self.dies(number);
            }
        }
    }

    /// Cancels what another thread started, and drops the future of it.
    pub(super) fn cancel_spawned(&mut self, spawned: usize) -> bool {
        let it = &mut self.spawned[spawned];
        it.future = false;
        if let Some(value) = it.value.take() {
            self.dies(value);
        }
        let it = &mut self.spawned[spawned];
        if it.over {
            return false;
        }
        it.cancelled = true;
        self.send(Sent::Entry(Entry::CancelSpawned(spawned)));
        true
    }
}
