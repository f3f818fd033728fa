//! Queues: a wake-up is not a hand-over.

use super::Model;
use super::state::{Leaf, Queue, Task};
use crate::trace::Answer;
use std::collections::VecDeque;

impl Model<'_> {
    pub(super) const ROOM: usize = 2;

    pub(super) fn notify(line: &mut [(u64, usize, bool)]) -> Option<usize> {
        let (_, task, notified) = line.iter_mut().find(|(_, _, notified)| !*notified)?;
        *notified = true;
        Some(*task)
    }

    pub(super) fn notify_getter(&mut self, queue: usize) {
        if let Some(task) = Self::notify(&mut self.queues[queue].getters) {
            self.wake(task);
        }
    }

    pub(super) fn notify_putter(&mut self, queue: usize) {
        if let Some(task) = Self::notify(&mut self.queues[queue].putters) {
            self.wake(task);
        }
    }

    pub(super) fn get_now(&mut self, queue: usize) -> Option<u32> {
        let item = self.queues[queue].items.pop_front()?;
        self.notify_putter(queue);
        Some(item)
    }

    /// Puts an item in; false if the queue is full.
    pub(super) fn put_now(&mut self, queue: usize, item: u32) -> bool {
        if self.queues[queue].items.len() >= Self::ROOM {
            return false;
        }
        self.queues[queue].items.push_back(item);
        self.notify_getter(queue);
        true
    }

    /// Leaves a line in which one was notified, or was never; `None` if it must stay there.
    pub(super) fn come_up(line: &mut Vec<(u64, usize, bool)>, number: u64) -> Option<()> {
        let Some(place) = line.iter().position(|(wait, ..)| *wait == number) else { return Some(()) };
        if !line[place].2 {
            return None;
        }
        line.remove(place);
        Some(())
    }

    pub(super) fn poll_get(&mut self, task: usize, queue: usize, number: u64) -> Option<Answer> {
        Self::come_up(&mut self.queues[queue].getters, number)?;
        if let Some(item) = self.get_now(queue) {
            self.dies(item);
            return Some(Answer::Value(item));
        }
        if self.queues[queue].shut {
            return Some(Answer::ShutDown);
        }
        self.queues[queue].getters.push((number, task, false));
        None
    }

    pub(super) fn poll_put(
        &mut self,
        task: usize,
        queue: usize,
        item: &mut Option<u32>,
        number: u64,
    ) -> Option<Answer> {
        Self::come_up(&mut self.queues[queue].putters, number)?;
        let value = item.take().expect("it is put once");
        if self.queues[queue].shut {
            self.dies(value);
            return Some(Answer::ShutDown);
        }
        if self.put_now(queue, value) {
            return Some(Answer::Ready);
        }
        *item = Some(value);
        self.queues[queue].putters.push((number, task, false));
        None
    }

    pub(super) fn leave_get(&mut self, queue: usize, task: usize) {
        let line = &mut self.queues[queue].getters;
        let place = line.iter().position(|(_, waiter, _)| *waiter == task);
        let notified = place.is_some_and(|place| line.remove(place).2);
        if notified && !self.queues[queue].items.is_empty() {
            self.notify_getter(queue);
        }
    }

    pub(super) fn leave_put(&mut self, queue: usize, task: usize) {
        let line = &mut self.queues[queue].putters;
        let place = line.iter().position(|(_, waiter, _)| *waiter == task);
        let notified = place.is_some_and(|place| line.remove(place).2);
        if notified && self.queues[queue].items.len() < Self::ROOM {
            self.notify_putter(queue);
        }
    }

    /// Shuts a queue down, and opens another in its place.
    pub(super) fn close_queue(&mut self, place: usize, immediate: bool) {
        let queue = self.open_queues[place];
        self.queues[queue].shut = true;
        let thrown = if immediate { std::mem::take(&mut self.queues[queue].items) } else { VecDeque::new() };
        while let Some(task) = Self::notify(&mut self.queues[queue].getters) {
            self.wake(task);
        }
        while let Some(task) = Self::notify(&mut self.queues[queue].putters) {
            self.wake(task);
        }
        thrown.into_iter().for_each(|item| self.dies(item));
        self.queues.push(Queue::default());
        self.open_queues[place] = self.queues.len() - 1;
    }

    /// Drops the items of a queue that nobody has any more.
    pub(super) fn forget_queue(&mut self, queue: usize) {
        let waits = |task: &Task| match &task.wait {
            Some(wait) => matches!(wait.leaf, Leaf::Get(at) | Leaf::Put(at, _) if at == queue),
            None => false,
        };
        if !self.open_queues.contains(&queue) && !self.tasks.iter().any(waits) {
            let items = std::mem::take(&mut self.queues[queue].items);
            items.into_iter().for_each(|item| self.dies(item));
        }
    }
}
