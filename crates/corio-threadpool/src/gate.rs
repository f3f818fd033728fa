//! The one place where submitters, workers and whoever shuts down meet.
//!
//! One lock holds the numbers ([`Counts`]) and the sending end of the queue, so these three are atomic to each other:
//! a job comes in (and a thread starts for it), the gate closes (and the sending end is dropped), a worker leaves.
//! Hence no job comes in after the gate has closed, and a worker leaves only when the queue has told it, by being
//! disconnected *and* empty, that no job is left for it. Workers take jobs without the lock.
//!
//! A thread is started with the lock held: it costs some 20 µs, at most `max` times in a pool's life, and makes "a job
//! is queued only if a worker is there to take it" true by inspection. No user code runs under the lock: jobs are
//! moved, wakers are cloned, woken and dropped outside.

use crate::counts::{Admission, Counts, Phase};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, Receiver, Sender, unbounded};
use corio_seam::{Panic, Report, report};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A queue of jobs `T` with the workers, whose join handles are `H`, that serve it.
pub(crate) struct Gate<T, H> {
    state: Mutex<State<T, H>>,
    /// Notified when a worker leaves or starts to wait for the end; partner of `wait`.
    left: Condvar,
    queue: Receiver<T>,
    /// Whether queued jobs are to fail. Relaxed: set under the lock before the queue is disconnected; a worker that
    /// reads it too early runs a job that it took before the pool broke.
    broken: AtomicBool,
}

struct State<T, H> {
    counts: Counts,
    /// There exactly while the phase is open.
    sender: Option<Sender<T>>,
    handles: Vec<H>,
    /// Who awaits the end, by number; empty once it has come.
    waiting: Vec<(u64, Waker)>,
    next_number: u64,
}

/// Why a job was given back.
#[derive(Debug)]
pub(crate) enum Refusal {
    ShutDown,
    Broken,
    NoThread(io::Error),
}

/// What a worker does next.
#[derive(Debug)]
pub(crate) enum Next<T> {
    /// Run it, then say `done`.
    Run(T),
    /// Fail it, then say `done`.
    Fail(T),
    /// Say `leave`.
    Leave,
}

impl<T, H> Gate<T, H> {
    pub(crate) fn new(max: usize) -> Gate<T, H> {
        let (sender, queue) = unbounded();
        let state = State {
            counts: Counts::new(max),
            sender: Some(sender),
            handles: Vec::new(),
            waiting: Vec::new(),
            next_number: 0,
        };
        Gate { state: Mutex::new(state), left: Condvar::new(), queue, broken: AtomicBool::new(false) }
    }

    /// Queues `job`; `spawn` starts the worker with that number if one is needed. Gives the job back if nobody will
    /// take it.
    pub(crate) fn admit(&self, job: T, spawn: impl FnOnce(usize) -> io::Result<H>) -> Result<(), (T, Refusal)> {
        let mut state = self.state.lock();
        match state.counts.admit() {
            Admission::Refuse(Phase::Broken) => return Err((job, Refusal::Broken)),
            Admission::Refuse(_) => return Err((job, Refusal::ShutDown)),
            Admission::Queue => {}
            Admission::Spawn => match spawn(state.counts.threads()) {
                Ok(handle) => {
                    state.handles.push(handle);
                    state.counts.spawned();
                }
                Err(error) => {
                    if !state.counts.not_spawned() {
                        return Err((job, Refusal::NoThread(error)));
                    }
                }
            },
        }
        match &state.sender {
            Some(sender) => sender.send(job).map_err(|unsent| (unsent.into_inner(), Refusal::ShutDown)),
            None => Err((job, Refusal::ShutDown)),
        }
    }

    /// Waits for a worker's next job.
    pub(crate) fn next(&self) -> Next<T> {
        match self.queue.recv() {
            Ok(job) if self.broken.load(Ordering::Relaxed) => Next::Fail(job),
            Ok(job) => Next::Run(job),
            Err(_) => Next::Leave,
        }
    }

    /// Notes that a worker has done with its job.
    pub(crate) fn done(&self) {
        self.state.lock().counts.done();
    }

    /// Notes that a worker is gone; the last one completes every wait.
    pub(crate) fn leave(&self) {
        let mut state = self.state.lock();
        state.counts.leave();
        let waiting = if state.counts.has_ended() { std::mem::take(&mut state.waiting) } else { Vec::new() };
        self.left.notify_all();
        drop(state);
        for (_, waker) in waiting {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                report(Report::new("panic in a waker").with_panic(Panic::new(payload)));
            }
        }
    }

    /// Lets no more jobs in. Workers leave once the queue is empty.
    pub(crate) fn close(&self) {
        self.end(Phase::ShutDown);
    }

    /// Lets no more jobs in, and has the queued ones fail.
    pub(crate) fn break_down(&self) {
        self.end(Phase::Broken);
    }

    fn end(&self, phase: Phase) {
        let mut state = self.state.lock();
        state.counts.close(phase);
        if state.counts.phase() == Phase::Broken {
            self.broken.store(true, Ordering::Relaxed);
        }
        let sender = state.sender.take();
        drop(state);
        drop(sender);
    }

    /// Takes a job that no worker has taken yet.
    pub(crate) fn take_queued(&self) -> Option<T> {
        self.queue.try_recv().ok()
    }

    /// Blocks until all workers have left; false if the deadline comes first. `inside`, that is from a job of this
    /// pool: until all have left but those that wait inside too.
    pub(crate) fn wait(&self, inside: bool, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock();
        if inside {
            state.counts.wait_inside();
            self.left.notify_all(); // Others that wait inside may have waited for this.
        }
        let ended = loop {
            let ended = match inside {
                true => state.counts.has_ended_but_for_waiters(),
                false => state.counts.has_ended(),
            };
            match deadline {
                _ if ended => break true,
                None => self.left.wait(&mut state),
                Some(deadline) if Instant::now() >= deadline => break false,
                Some(deadline) => _ = self.left.wait_until(&mut state, deadline),
            }
        };
        if inside {
            state.counts.waited_inside();
        }
        ended
    }

    /// Returns a number under which [`poll_end`](Gate::poll_end) knows its caller.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.state.lock();
        state.next_number += 1;
        state.next_number
    }

    /// Waits, without blocking, until all workers have left.
    pub(crate) fn poll_end(&self, number: u64, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.lock().counts.has_ended() {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        if state.counts.has_ended() {
            drop(state);
            return Poll::Ready(());
        }
        let before = state.forget(number);
        state.waiting.push((number, waker));
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Forgets the caller with that number.
    pub(crate) fn stop_polling(&self, number: u64) {
        let waker = self.state.lock().forget(number);
        drop(waker);
    }

    /// Takes the join handles of the workers so far.
    pub(crate) fn take_handles(&self) -> Vec<H> {
        std::mem::take(&mut self.state.lock().handles)
    }

    /// Returns the phase and the number of workers.
    pub(crate) fn status(&self) -> (Phase, usize) {
        let state = self.state.lock();
        (state.counts.phase(), state.counts.threads())
    }

    /// Counts the workers that wait for a job, while the pool is open.
    pub(crate) fn idle(&self) -> usize {
        self.state.lock().counts.idle()
    }

    /// Counts the jobs that no worker has taken yet.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }
}

impl<T, H> State<T, H> {
    fn forget(&mut self, number: u64) -> Option<Waker> {
        let place = self.waiting.iter().position(|(other, _)| *other == number)?;
        Some(self.waiting.swap_remove(place).1)
    }
}
