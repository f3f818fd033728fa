//! What tasks wait for.

use super::Model;
use super::state::{Leaf, Listener, Rings, Timer, TimerState, Wait};
use crate::program::{Kind, Op};
use crate::trace::{Answer, Outcome};
use crate::world::pick;

impl Model<'_> {
    /// Makes what an operation waits for: nothing if there is none; none if it is no such operation.
    pub(super) fn leaf(&mut self, task: usize, op: Op) -> Option<Option<Leaf>> {
        Some(match op.kind {
            Kind::Turn | Kind::AwaitYield => Some(Leaf::Yield(false)),
            Kind::AwaitGate => Some(Leaf::Gate(usize::from(op.a) % 4)),
            Kind::AwaitTask => self.take_handle(op.a, task).map(Leaf::Task),
            Kind::AwaitCell => {
                let cell = pick(op.a, self.cells.len(), |cell| self.cells[cell].in_table > 0);
                cell.map(|cell| {
                    self.cells[cell].in_table -= 1;
                    Leaf::Cell(cell)
                })
            }
            Kind::AwaitSleep if op.a % 6 == 0 => Some(Leaf::Yield(false)),
            Kind::AwaitSleep => Some(Leaf::Sleep(usize::from(op.a) % 6 + usize::MAX / 2)),
            Kind::AwaitGet => Some(Leaf::Get(self.open_queues[usize::from(op.a) % 2])),
            Kind::AwaitPut => {
                let item = self.born();
                Some(Leaf::Put(self.open_queues[usize::from(op.a) % 2], Some(item)))
            }
            Kind::AwaitPool => Some(Leaf::Pool(self.submit(op.a % 8 == 7))),
            Kind::AwaitGather => {
                let mut children = Vec::new();
                for n in 0..=op.a % 3 {
                    children.extend(self.take_handle(op.a / 3 + n, task));
                }
                (!children.is_empty()).then(|| Leaf::Gather(self.gather(children)))
            }
            Kind::AwaitShield => {
                let child = self.take_handle(op.a, task);
                child.map(|child| Leaf::Shield(self.shield(child)))
            }
            _ => return None,
        })
    }

    /// Takes a task's handle out of the table, not that of `other`.
    pub(super) fn take_handle(&mut self, n: u8, other: usize) -> Option<usize> {
        let row = pick(n, self.rows.len(), |row| self.rows[row] != other && self.tasks[self.rows[row]].in_table)?;
        let task = self.rows[row];
        self.tasks[task].in_table = false;
        Some(task)
    }

    /// Polls what is waited for: the answer, and whether it came by a cancellation.
    pub(super) fn poll_leaf(&mut self, task: usize, wait: &mut Wait) -> Option<(Answer, bool)> {
        let number = wait.number;
        match &mut wait.leaf {
            Leaf::Yield(yielded) => {
                if std::mem::replace(yielded, true) {
                    return Some((Answer::Ready, false));
                }
                self.wake(task);
                None
            }
            Leaf::Gate(gate) => {
                if self.gates[*gate] > 0 {
                    self.gates[*gate] -= 1;
                    return Some((Answer::Ready, false));
                }
                self.stash.push(task);
                None
            }
            Leaf::Task(child) => {
                let child = *child;
                let Some(outcome) = self.tasks[child].ended else {
                    self.listen(child, Listener::Waiter(task));
                    return None;
                };
                let left = self.take_left(child);
                self.drop_handle(child);
                Some(match (outcome, left) {
                    (Outcome::Value, Some(value)) => (Answer::Value(value), false),
                    (Outcome::Panicked, Some(payload)) => (Answer::Panicked(payload), false),
                    _ => (Answer::Cancelled, true),
                })
            }
            Leaf::Cell(cell) => self.poll_cell(task, *cell),
            Leaf::Sleep(timer) => {
                if *timer >= usize::MAX / 2 {
                    *timer = self.arm((*timer - usize::MAX / 2) as u64, Rings::Sleeper(task));
                    return None;
                }
                let rung = self.timers[*timer].state == TimerState::Rung;
                rung.then_some((Answer::Ready, false))
            }
            Leaf::Get(queue) => self.poll_get(task, *queue, number).map(|answer| (answer, false)),
            Leaf::Put(queue, item) => self.poll_put(task, *queue, item, number).map(|answer| (answer, false)),
            Leaf::Pool(job) => self.poll_job(task, *job).map(|answer| (answer, false)),
            Leaf::Gather(gather) => self.poll_gather(task, *gather),
            Leaf::Shield(shield) => self.poll_shield(task, *shield).map(|answer| (answer, false)),
        }
    }

    /// Drops what a task waited for, before its end.
    pub(super) fn release(&mut self, task: usize, leaf: Leaf) {
        match leaf {
            Leaf::Yield(_) | Leaf::Gate(_) => {}
            Leaf::Task(child) => {
                if self.tasks[child].handle {
                    self.drop_handle(child);
                }
            }
            Leaf::Cell(cell) => self.leave_cell(cell, task),
            Leaf::Sleep(timer) => {
                if let Some(timer) = self.timers.get_mut(timer) {
                    timer.state = TimerState::Disarmed;
                }
            }
            Leaf::Get(queue) => self.leave_get(queue, task),
            Leaf::Put(queue, item) => {
                self.leave_put(queue, task);
                if let Some(item) = item {
                    self.dies(item);
                }
            }
            Leaf::Pool(job) => self.drop_call(job),
            Leaf::Gather(gather) => self.drop_gather(gather),
            Leaf::Shield(shield) => self.drop_shield(shield),
        }
    }

    pub(super) fn arm(&mut self, delay: u64, what: Rings) -> usize {
        self.timers.push(Timer { when: self.now + delay, state: TimerState::Armed, what });
        self.timers.len() - 1
    }
}
