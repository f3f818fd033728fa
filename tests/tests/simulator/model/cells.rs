//! Promises and their futures.

use super::Model;
use super::state::{CellListener, CellState, Entry};
use crate::trace::{Answer, Event};

impl Model<'_> {
    /// Polls a read end: the last there is gets the value, another a clone of it.
    pub(super) fn poll_cell(&mut self, task: usize, cell: usize) -> Option<(Answer, bool)> {
        let it = &mut self.cells[cell];
        Some(match it.state {
            CellState::Pending => {
                if !it.listeners.iter().any(|listener| matches!(listener, CellListener::Waiter(at) if *at == task)) {
                    it.listeners.push(CellListener::Waiter(task));
                }
                return None;
            }
            CellState::Value(value) => {
                it.ends -= 1;
                let read = if it.ends > 0 {
                    self.born()
                } else {
                    it.state = CellState::Taken;
                    value
                };
                self.dies(read);
                (Answer::Value(read), false)
            }
            CellState::Cancelled => (Answer::Cancelled, true),
            CellState::Broken | CellState::Taken => (Answer::Broken, false),
        })
    }

    /// Ends a cell; false if it is over.
    pub(super) fn end_cell(&mut self, cell: usize, state: CellState) -> bool {
        let it = &mut self.cells[cell];
        if it.state != CellState::Pending {
            return false;
        }
        it.state = state;
        for listener in std::mem::take(&mut it.listeners) {
            match listener {
                CellListener::Waiter(task) => self.wake(task),
                CellListener::Callback(call) => self.call_back(call, cell),
            }
        }
        self.forget_cell(cell);
        true
    }

    /// Has a callback of a cell called: through the loop, or at once where none runs.
    pub(super) fn call_back(&mut self, call: usize, cell: usize) {
        self.cells[cell].on_their_way += 1;
        if self.inside {
            self.push(Entry::CellDone(call, cell));
        } else {
            self.cell_called(call, cell);
        }
    }

    pub(super) fn cell_called(&mut self, call: usize, cell: usize) {
        let cancelled = self.cells[cell].state == CellState::Cancelled;
        let number = self.calls[call].number;
        self.note(Event::CellDone(number, cell as u32, cancelled));
        self.calls[call].gone = true;
        self.dies(number);
        self.cells[cell].on_their_way -= 1;
        self.forget_cell(cell);
    }

    /// Drops a cell's value once nobody has the cell.
    pub(super) fn forget_cell(&mut self, cell: usize) {
        let it = &mut self.cells[cell];
        if let (CellState::Value(value), 0, 0) = (it.state, it.ends, it.on_their_way) {
            it.state = CellState::Taken;
            self.dies(value);
        }
    }

    /// Drops a read end.
    pub(super) fn drop_future(&mut self, cell: usize) {
        self.cells[cell].ends -= 1;
        self.forget_cell(cell);
    }

    /// Drops the read end by which a task waits.
    pub(super) fn leave_cell(&mut self, cell: usize, task: usize) {
        let listeners = &mut self.cells[cell].listeners;
        listeners.retain(|listener| !matches!(listener, CellListener::Waiter(at) if *at == task));
        self.drop_future(cell);
    }
}
