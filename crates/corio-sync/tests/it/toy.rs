//! A toy executor: one first-in, first-out ready queue, batches, and a clock that moves when nothing is ready.

pub(crate) use crate::counter::{Counter, poll};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Display;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// The executor; cloning gives another handle to it.
#[derive(Clone, Default)]
pub(crate) struct Toy {
    ready: Arc<Mutex<VecDeque<usize>>>,
    tasks: Rc<RefCell<Vec<Rc<Task>>>>,
    sleepers: Rc<RefCell<Vec<(u64, Waker)>>>,
    now: Rc<Cell<u64>>,
    log: Rc<RefCell<Vec<String>>>,
}

#[derive(Default)]
struct Task {
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    cancelled: Cell<bool>,
    done: Cell<bool>,
    joiner: RefCell<Option<Waker>>,
}

/// A handle to a task of the toy.
#[derive(Clone)]
pub(crate) struct Handle {
    id: usize,
    task: Rc<Task>,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

struct WakeTask {
    id: usize,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        schedule(&self.ready, self.id);
    }
}

/// Queues a task, once.
fn schedule(ready: &Mutex<VecDeque<usize>>, id: usize) {
    let mut ready = ready.lock().unwrap();
    if !ready.contains(&id) {
        ready.push_back(id);
    }
}

impl Toy {
    /// Runs what `main` makes to the end, and everything it started as far as it goes; returns the log's lines.
    pub(crate) fn run<F: Future<Output = ()> + 'static>(main: impl FnOnce(Toy) -> F) -> Vec<String> {
        let toy = Toy::default();
        let handle = toy.spawn(main(toy.clone()));
        toy.drain();
        assert!(handle.done(), "the main task is stuck; the log so far: {:?}", toy.log.borrow());
        let log = toy.log.take();
        toy.tasks.borrow_mut().clear();
        log
    }

    /// Notes a line.
    pub(crate) fn print(&self, line: impl Display) {
        self.log.borrow_mut().push(line.to_string());
    }

    /// Starts a task; its first step comes in the next iteration.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) -> Handle {
        let task = Rc::new(Task { future: RefCell::new(Some(Box::pin(future))), ..Task::default() });
        let id = self.tasks.borrow().len();
        self.tasks.borrow_mut().push(Rc::clone(&task));
        schedule(&self.ready, id);
        Handle { id, task, ready: Arc::clone(&self.ready) }
    }

    /// Waits for `ticks` of virtual time; 0 yields once.
    pub(crate) async fn sleep(&self, ticks: u64) {
        let due = self.now.get() + ticks;
        let mut slept = false;
        poll_fn(|cx| {
            if slept && self.now.get() >= due {
                return Poll::Ready(());
            }
            slept = true;
            match ticks {
                0 => cx.waker().wake_by_ref(),
                _ => self.sleepers.borrow_mut().push((due, cx.waker().clone())),
            }
            Poll::Pending
        })
        .await;
    }

    /// Runs until nothing is ready and nobody sleeps.
    fn drain(&self) {
        loop {
            let batch: Vec<usize> = self.ready.lock().unwrap().drain(..).collect();
            if batch.is_empty() && !self.move_clock() {
                return;
            }
            batch.into_iter().for_each(|id| self.step(id));
        }
    }

    /// Moves the clock to the next sleeper, and wakes all that are due.
    fn move_clock(&self) -> bool {
        let Some(due) = self.sleepers.borrow().iter().map(|sleeper| sleeper.0).min() else { return false };
        self.now.set(due);
        let sleepers = self.sleepers.take();
        let (woken, later): (Vec<_>, Vec<_>) = sleepers.into_iter().partition(|sleeper| sleeper.0 <= due);
        self.sleepers.borrow_mut().extend(later);
        woken.into_iter().for_each(|sleeper| sleeper.1.wake());
        true
    }

    /// Polls a task once, or drops its future if it was cancelled.
    fn step(&self, id: usize) {
        let task = Rc::clone(&self.tasks.borrow()[id]);
        let Some(mut future) = task.future.take() else { return };
        let waker = Waker::from(Arc::new(WakeTask { id, ready: Arc::clone(&self.ready) }));
        let ended = task.cancelled.get() || future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if !ended {
            task.future.replace(Some(future));
            return;
        }
        drop(future);
        task.done.set(true);
        if let Some(joiner) = task.joiner.take() {
            joiner.wake();
        }
    }
}

#[allow(dead_code)] // Not every crate that uses the toy uses all of it.
impl Handle {
    /// Asks the task to end: its next step drops it.
    pub(crate) fn cancel(&self) {
        self.task.cancelled.set(true);
        schedule(&self.ready, self.id);
    }

    /// Tells whether the task has ended.
    pub(crate) fn done(&self) -> bool {
        self.task.done.get()
    }

    /// Waits for the end of the task.
    pub(crate) async fn join(&self) {
        poll_fn(|cx| {
            if self.done() {
                return Poll::Ready(());
            }
            self.task.joiner.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}
