//! Jobs of the pool.

use super::Model;
use super::state::{Entry, Job, JobState, Sent};
use crate::trace::{Answer, Event};

impl Model<'_> {
    pub(super) fn submit(&mut self, panics: bool) -> usize {
        let closure = self.born();
        let busy = self.inside;
        self.busy += usize::from(busy);
        self.jobs.push(Job { closure, panics, busy, state: JobState::Pending, call: true, waiter: None });
        self.queued_jobs.push(self.jobs.len() - 1);
        self.jobs.len() - 1
    }

    pub(super) fn poll_job(&mut self, task: usize, job: usize) -> Option<Answer> {
        let it = &mut self.jobs[job];
        let answer = match std::mem::replace(&mut it.state, JobState::Taken) {
            JobState::Pending => {
                (it.state, it.waiter) = (JobState::Pending, Some(task));
                return None;
            }
            JobState::Value(value) => {
                self.dies(value);
                Answer::Value(value)
            }
            JobState::Panicked(payload) => {
                self.dies(payload);
                Answer::Panicked(payload)
            }
            JobState::Cancelled | JobState::Taken => Answer::Cancelled,
        };
        self.jobs[job].call = false;
        Some(answer)
    }

    pub(super) fn drop_call(&mut self, job: usize) {
        let it = &mut self.jobs[job];
        it.call = false;
        match std::mem::replace(&mut it.state, JobState::Taken) {
            JobState::Pending => {
                it.state = JobState::Cancelled;
                if let Some(task) = it.waiter.take() {
                    self.wake(task);
                }
            }
            JobState::Value(number) | JobState::Panicked(number) => self.dies(number),
            other => it.state = other,
        }
    }

    pub(super) fn run_job(&mut self, place: usize) {
        let job = self.queued_jobs.remove(place);
        let (closure, panics) = (self.jobs[job].closure, self.jobs[job].panics);
        if matches!(self.jobs[job].state, JobState::Pending) {
            self.note(Event::Ran(closure));
            let value = self.born();
            if self.jobs[job].call {
                self.jobs[job].state = if panics { JobState::Panicked(value) } else { JobState::Value(value) };
            } else {
                self.dies(value);
            }
            if let Some(task) = self.jobs[job].waiter.take() {
                self.wake_from_elsewhere(task);
            }
        }
        self.dies(closure);
        self.end_busy(job);
    }

    pub(super) fn drop_job(&mut self, place: usize) {
        let job = self.queued_jobs.remove(place);
        if matches!(self.jobs[job].state, JobState::Pending) {
            self.jobs[job].state = JobState::Cancelled;
            if let Some(task) = self.jobs[job].waiter.take() {
                self.wake(task);
            }
        }
        self.dies(self.jobs[job].closure);
        self.end_busy(job);
    }

    /// Lets time go on, if nothing else holds it; the loop is told.
    pub(super) fn end_busy(&mut self, job: usize) {
        if self.jobs[job].busy {
            self.busy -= 1;
            if self.busy == 0 {
                self.send(Sent::Entry(Entry::Nothing));
            }
        }
    }
}
