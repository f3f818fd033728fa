//! Gathers and shields.

use super::Model;
use super::state::{Failure, Gather, Gathered, Left, Listener, Shield};
use crate::trace::{Answer, Complaint, Event};

impl Model<'_> {
    pub(super) fn gather(&mut self, children: Vec<usize>) -> usize {
        let (gather, count) = (self.gathers.len(), children.len());
        self.gathers.push(Gather {
            children: children.iter().map(|child| (*child, None)).collect(),
            handles: vec![true; count],
            left: count,
            over: false,
            cancelled: false,
            looked_at: false,
            result: Gathered::Pending,
            future: true,
            waiter: None,
            callbacks: 0,
        });
        let mut over = Vec::new();
        for (index, child) in children.into_iter().enumerate() {
            if self.tasks[child].ended.is_some() {
                over.push(index);
                continue;
            }
            self.gathers[gather].callbacks += 1;
            self.tasks[child].listeners.push(Listener::Gather(gather, index));
        }
        for index in over {
            self.gather_ended(gather, index);
        }
        self.forget_gather(gather);
        gather
    }

    /// Takes a value in the step in which a child returns it, if another child is still to end: nobody can tell but by
    /// counting iterations in which nothing else happens. True if the child has no turn for it.
    pub(super) fn gather_takes(&mut self, gather: usize, index: usize) -> bool {
        let it = &self.gathers[gather];
        let is_pending = |&(child, _): &(usize, Option<u32>)| self.tasks[child].ended.is_none();
        let is_value = matches!(self.tasks[it.children[index].0].left, Some(Left::Value(_)));
        if self.closed || !is_value || !it.children.iter().any(is_pending) {
            return false;
        }
        self.gather_ended(gather, index);
        self.drop_gather_callback(gather);
        true
    }

    pub(super) fn gather_ended(&mut self, gather: usize, index: usize) {
        let child = self.gathers[gather].children[index].0;
        let (outcome, left) = (self.tasks[child].ended, self.tasks[child].left.take());
        self.gathers[gather].handles[index] = false;
        self.drop_handle(child);
        self.gathers[gather].left -= 1;
        let failure = match (outcome, left) {
            (_, Some(Left::Value(value))) => {
                self.gathers[gather].children[index].1 = Some(value);
                None
            }
            (_, Some(Left::Panic(payload))) => Some(Failure::Panicked(payload)),
            _ => Some(Failure::Cancelled),
        };
        if let Some(failure) = failure {
            return self.fail_gather(gather, failure);
        }
        let it = &mut self.gathers[gather];
        if it.left == 0 && !it.over {
            it.over = true;
            let values: Vec<_> = it.children.iter_mut().filter_map(|(_, value)| value.take()).collect();
            if it.cancelled {
                // The values stay with the children, which go now.
                it.result = Gathered::Cancelled;
                values.into_iter().for_each(|value| self.dies(value));
            } else {
                it.result = Gathered::Values(values);
            }
            self.tell_gather(gather);
        }
    }

    pub(super) fn fail_gather(&mut self, gather: usize, failure: Failure) {
        let it = &mut self.gathers[gather];
        if std::mem::replace(&mut it.over, true) {
            if let Failure::Panicked(payload) = failure {
                self.dies(payload);
            }
            return;
        }
        it.result = match failure {
            Failure::Cancelled if it.cancelled => Gathered::Cancelled,
            failure => Gathered::Failed(failure),
        };
        self.tell_gather(gather);
    }

    pub(super) fn tell_gather(&mut self, gather: usize) {
        if let Some(task) = self.gathers[gather].waiter.take() {
            self.wake(task);
        }
        if !self.gathers[gather].future {
            self.drop_gather_result(gather);
        }
    }

    pub(super) fn poll_gather(&mut self, task: usize, gather: usize) -> Option<(Answer, bool)> {
        let it = &mut self.gathers[gather];
        let answer = match std::mem::replace(&mut it.result, Gathered::Pending) {
            Gathered::Pending => {
                it.waiter = Some(task);
                return None;
            }
            Gathered::Values(values) => {
                let sum = values.iter().map(|value| u64::from(*value)).sum();
                let answer = Answer::Values(values.len() as u32, sum);
                values.into_iter().for_each(|value| self.dies(value));
                (answer, false)
            }
            Gathered::Failed(Failure::Panicked(payload)) => {
                self.dies(payload);
                (Answer::Panicked(payload), false)
            }
            Gathered::Failed(Failure::Cancelled) => (Answer::Cancelled, false),
            Gathered::Cancelled => (Answer::Cancelled, true),
        };
        self.gathers[gather].future = false;
        Some(answer)
    }

    pub(super) fn cancel_gather(&mut self, gather: usize) -> bool {
        if self.gathers[gather].over {
            self.gathers[gather].looked_at = true;
            return false;
        }
        let mut accepted = false;
        for index in 0..self.gathers[gather].children.len() {
            if self.gathers[gather].handles[index] && self.cancel(self.gathers[gather].children[index].0, true) {
                accepted = true;
                self.gathers[gather].cancelled = true;
            }
        }
        accepted
    }

    pub(super) fn drop_gather(&mut self, gather: usize) {
        (self.gathers[gather].future, self.gathers[gather].waiter) = (false, None);
        self.drop_gather_result(gather);
    }

    pub(super) fn drop_gather_result(&mut self, gather: usize) {
        match std::mem::replace(&mut self.gathers[gather].result, Gathered::Pending) {
            Gathered::Pending | Gathered::Cancelled => {}
            Gathered::Values(values) => values.into_iter().for_each(|value| self.dies(value)),
            Gathered::Failed(failure) => {
                if !self.gathers[gather].looked_at {
                    self.note(Event::Reported(Complaint::Future));
                }
                if let Failure::Panicked(payload) = failure {
                    self.dies(payload);
                }
            }
        }
    }

    pub(super) fn drop_gather_callback(&mut self, gather: usize) {
        self.gathers[gather].callbacks -= 1;
        self.forget_gather(gather);
    }

    /// Drops the values and handles of a gather's children once no callback has them any more.
    pub(super) fn forget_gather(&mut self, gather: usize) {
        if self.gathers[gather].callbacks > 0 {
            return;
        }
        for index in 0..self.gathers[gather].children.len() {
            if let Some(value) = self.gathers[gather].children[index].1.take() {
                self.dies(value);
            }
            if std::mem::take(&mut self.gathers[gather].handles[index]) {
                self.drop_handle(self.gathers[gather].children[index].0);
            }
        }
    }

    pub(super) fn shield(&mut self, child: usize) -> usize {
        let shield = self.shields.len();
        self.shields.push(Shield { child, handle: true, left: false, result: None, waiter: None });
        if self.tasks[child].ended.is_some() {
            self.take_shielded(shield);
        } else {
            self.tasks[child].listeners.push(Listener::Shield(shield));
        }
        shield
    }

    /// Moves the child's result into the shield.
    pub(super) fn take_shielded(&mut self, shield: usize) {
        let child = self.shields[shield].child;
        let left = self.tasks[child].left.take();
        self.shields[shield].handle = false;
        self.drop_handle(child);
        self.shields[shield].result = Some(match left {
            Some(Left::Value(value)) => Answer::Value(value),
            Some(Left::Panic(payload)) => Answer::Panicked(payload),
            None => Answer::Cancelled,
        });
    }

    pub(super) fn shield_ended(&mut self, shield: usize) {
        self.take_shielded(shield);
        if self.shields[shield].left {
            self.drop_shielded(shield);
        } else if let Some(task) = self.shields[shield].waiter.take() {
            self.wake(task);
        }
    }

    /// Drops a result that nobody has heard of.
    pub(super) fn drop_shielded(&mut self, shield: usize) {
        match self.shields[shield].result.take() {
            Some(Answer::Value(value)) => self.dies(value),
            Some(Answer::Panicked(payload)) => {
                self.note(Event::Reported(Complaint::Shielded));
                self.dies(payload);
            }
            _ => {}
        }
    }

    pub(super) fn poll_shield(&mut self, task: usize, shield: usize) -> Option<Answer> {
        let Some(answer) = self.shields[shield].result.take() else {
            self.shields[shield].waiter = Some(task);
            return None;
        };
        if let Answer::Value(number) | Answer::Panicked(number) = answer {
            self.dies(number);
        }
        Some(answer)
    }

    pub(super) fn drop_shield(&mut self, shield: usize) {
        (self.shields[shield].left, self.shields[shield].waiter) = (true, None);
        self.drop_shielded(shield);
    }
}
