//! A child that tells when it is ready.

use crate::Failure;
use crate::signal::Signal;
use corio_seam::Waitable;
use corio_task::TaskRef;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;

/// What a child and its starter share.
struct Shared<V> {
    value: RefCell<Option<V>>,
    /// The failure of a child that had not started.
    failure: RefCell<Option<Failure>>,
    /// The child called `started`, and the starter was there to hear it.
    started: Cell<bool>,
    /// The starter has left.
    left: Cell<bool>,
    /// Rung when the child has started, has dropped its status, or is over.
    told: Signal,
}

/// How a child of [`TaskGroup::start`](crate::TaskGroup::start) tells that it is ready; trio's `task_status`. `!Send`.
#[must_use = "dropped, it tells that the child will never be ready"]
pub struct TaskStatus<V> {
    shared: Rc<Shared<V>>,
}

impl<V> TaskStatus<V> {
    /// Tells that the child is ready, and gives its starter a value: the port it listens on, a handle to speak to it.
    ///
    /// If the starter has left, the value is dropped, and the child is being cancelled.
    pub fn started(self, value: V) {
        if self.shared.left.get() {
            return;
        }
        self.shared.started.set(true);
        self.shared.value.replace(Some(value));
    }
}

impl<V> Drop for TaskStatus<V> {
    fn drop(&mut self) {
        self.shared.told.ring();
    }
}

impl<V> fmt::Debug for TaskStatus<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStatus").finish_non_exhaustive()
    }
}

/// The starter's side.
pub(crate) struct Starting<V>(Rc<Shared<V>>);

impl<V: 'static> Starting<V> {
    pub(crate) fn new() -> (TaskStatus<V>, Starting<V>) {
        let shared = Rc::new(Shared {
            value: RefCell::default(),
            failure: RefCell::default(),
            started: Cell::new(false),
            left: Cell::new(false),
            told: Signal::default(),
        });
        (TaskStatus { shared: Rc::clone(&shared) }, Starting(shared))
    }

    /// Returns who takes the child's failure, if it had not started.
    pub(crate) fn failures(&self) -> EarlyFailures<V> {
        EarlyFailures(Rc::clone(&self.0))
    }

    /// Waits for `child` to be ready; asks it to end if it will never be, or this is dropped before it is.
    pub(crate) async fn wait(self, child: TaskRef) -> Result<V, NotStarted> {
        let shared = &self.0;
        let told = Rc::clone(shared);
        child.add_done_callback(move |_| told.told.ring());
        let leaving = Leaving { shared, child: &child };
        shared.told.wait(|| Rc::new(child.clone()) as Rc<dyn Waitable>).await;
        let value = shared.value.take();
        if let Some(value) = value {
            return Ok(value);
        }
        drop(leaving);
        let failure = shared.failure.take();
        Err(match failure {
            Some(failure) => NotStarted::Failed(failure),
            None if child.cancelled() => NotStarted::Cancelled,
            None => NotStarted::Silent,
        })
    }
}

/// Takes the failure of a child that has not started.
pub(crate) struct EarlyFailures<V>(Rc<Shared<V>>);

impl<V> EarlyFailures<V> {
    /// Returns the failure if it is the group's: the child had started, or nobody waits for its start any more.
    pub(crate) fn note(&self, failure: Failure) -> Option<Failure> {
        if self.0.started.get() || self.0.left.get() {
            return Some(failure);
        }
        drop(self.0.failure.replace(Some(failure)));
        None
    }
}

/// Asks the child to end if its starter leaves before it has started.
struct Leaving<'s, V> {
    shared: &'s Shared<V>,
    child: &'s TaskRef,
}

impl<V> Drop for Leaving<'_, V> {
    fn drop(&mut self) {
        if !self.shared.started.get() {
            self.shared.left.set(true);
            self.child.cancel();
        }
    }
}

/// The error of [`TaskGroup::start`](crate::TaskGroup::start): the child will never tell that it is ready.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotStarted {
    /// The child returned an `Err`, or panicked, before it was ready.
    Failed(Failure),
    /// The child was cancelled before it was ready.
    Cancelled,
    /// The child returned, or dropped its status, without calling `started`.
    Silent,
    /// The group is over, or is shutting down: this says which.
    Refused(&'static str),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotStarted::Failed(failure) => write!(f, "the task failed before it was ready: {failure}"),
            NotStarted::Cancelled => f.write_str("the task was cancelled before it was ready"),
            NotStarted::Silent => f.write_str("the task will not be ready: it ended without calling `started`"),
            NotStarted::Refused(why) => f.write_str(why),
        }
    }
}

impl Error for NotStarted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotStarted::Failed(failure) => failure.source(),
            _ => None,
        }
    }
}
