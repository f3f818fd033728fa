//! Waiting for some of several tasks, which stay the caller's.

use crate::outcome::Outcome;
use crate::signal::{Alarmed, Signal};
use corio_seam::{OnAlarm, Waitable};
use corio_task::{CallbackKey, Task, TaskRef};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// When [`wait`] returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// When a task is over, however it ended.
    FirstCompleted,
    /// When a task returned an `Err` or panicked, or all are over; a cancelled task is no exception.
    FirstException,
    /// When all tasks are over.
    #[default]
    AllCompleted,
}

/// Waits until `when`, or for `limit` at most, and moves the tasks that are over out of `tasks`, in their order; asyncio's
/// `wait`, whose `done` is returned, and whose `pending` is what is left.
///
/// It raises no task's error and cancels nothing. Who is over is judged when the caller wakes up: it may be more than one
/// with `FirstCompleted`. It always yields, also if all are over; running out of time is no error. Each call looks at
/// each task: to take many tasks one by one, use a [`WaitSet`](crate::WaitSet), or [`as_completed`](crate::as_completed()).
///
/// # Errors
///
/// [`NothingToWaitFor`] if there are no tasks.
///
/// # Panics
///
/// Where `limit` is given, and there is no timer.
///
/// # Cancel safety
///
/// Dropped, it leaves `tasks` as they were.
///
/// # Examples
///
/// ```
/// use corio_combinators::{ReturnWhen, wait};
/// use corio_task::{TaskSet, create_task};
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let mut tasks = vec![create_task(std::future::pending()), create_task(async { 7 })];
///     let mut done = wait(&mut tasks, ReturnWhen::FirstCompleted, None).await.unwrap();
///     assert_eq!((done.len(), tasks.len()), (1, 1));
///     assert_eq!(done.pop().unwrap().await.unwrap(), 7);
/// })).unwrap();
/// ```
///
/// asyncio collapses duplicates; here a task's handle is one, and giving it twice does not compile:
///
/// ```compile_fail,E0382
/// # use corio_combinators::{ReturnWhen, wait};
/// # async fn twice(task: corio_task::Task<()>) {
/// wait(&mut vec![task, task], ReturnWhen::AllCompleted, None).await.unwrap();
/// # }
/// ```
pub async fn wait<T: Outcome>(
    tasks: &mut Vec<Task<T>>,
    when: ReturnWhen,
    limit: impl Into<Option<Duration>>,
) -> Result<Vec<Task<T>>, NothingToWaitFor> {
    if tasks.is_empty() {
        return Err(NothingToWaitFor);
    }
    let watch = Watch::new(tasks, when);
    let alarm = limit.into().map(|limit| Alarmed::after(limit, Rc::clone(&watch.shared) as Rc<dyn OnAlarm>));
    watch.ring().await;
    while !watch.is_enough() {
        watch.ring().await;
    }
    drop((alarm, watch));
    Ok(extract_over(tasks))
}

/// What the callbacks share.
struct Shared {
    signal: Signal,
    when: ReturnWhen,
    /// How many are not over.
    left: Cell<usize>,
    /// The numbers of those that returned something that nobody has looked at yet.
    unseen: RefCell<Vec<usize>>,
    enough: Cell<bool>,
    /// The tasks, each with the callback by which it is listened to, until the caller leaves.
    listened: RefCell<Vec<(TaskRef, CallbackKey)>>,
}

impl Shared {
    /// Notes that a task is over, and wakes the caller if that may be enough.
    fn ended(&self, index: usize, task: &TaskRef) {
        self.left.set(self.left.get() - 1);
        let is_enough = match self.when {
            ReturnWhen::FirstCompleted => true,
            ReturnWhen::FirstException => task.panicked(),
            ReturnWhen::AllCompleted => false,
        };
        if is_enough || self.left.get() == 0 {
            self.enough.set(true);
        } else if self.when == ReturnWhen::FirstException && !task.cancelled() {
            self.unseen.borrow_mut().push(index);
        } else {
            return;
        }
        self.signal.ring();
    }
}

impl OnAlarm for Shared {
    fn on_alarm(self: Rc<Self>) {
        self.enough.set(true);
        self.signal.ring();
    }
}

impl Waitable for Shared {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false // The tasks stay the caller's.
    }

    fn describe(&self) -> String {
        "wait".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let listened = self.listened.borrow();
        let unfinished = listened.iter().filter(|(task, _)| !task.done());
        unfinished.for_each(|(task, _)| visit(Rc::new(task.clone())));
    }
}

/// Listens to tasks, and stops when dropped.
struct Watch<'t, T> {
    tasks: &'t [Task<T>],
    shared: Rc<Shared>,
}

impl<'t, T: Outcome> Watch<'t, T> {
    fn new(tasks: &'t [Task<T>], when: ReturnWhen) -> Watch<'t, T> {
        let shared = Rc::new(Shared {
            signal: Signal::default(),
            when,
            left: Cell::new(tasks.len()),
            unseen: RefCell::default(),
            enough: Cell::new(false),
            listened: RefCell::default(),
        });
        let listen = |(index, task): (usize, &Task<T>)| {
            let (task, shared) = (task.task_ref(), Rc::clone(&shared));
            let key = task.add_done_callback(move |task| shared.ended(index, task));
            (task, key)
        };
        let listened = tasks.iter().enumerate().map(listen).collect();
        shared.listened.replace(listened);
        Watch { tasks, shared }
    }

    /// Waits until something has happened.
    async fn ring(&self) {
        self.shared.signal.wait(|| Rc::clone(&self.shared) as Rc<dyn Waitable>).await;
    }

    /// Tells whether the caller may return.
    fn is_enough(&self) -> bool {
        let unseen = self.shared.unseen.take();
        let failed = |index: &usize| self.tasks[*index].output().is_some_and(Outcome::is_failure);
        self.shared.enough.get() || unseen.iter().any(failed)
    }
}

impl<T> Drop for Watch<'_, T> {
    fn drop(&mut self) {
        for (task, key) in self.shared.listened.take() {
            task.remove_done_callback(key);
        }
    }
}

/// Takes out those that are over.
fn extract_over<T>(tasks: &mut Vec<Task<T>>) -> Vec<Task<T>> {
    let (mut over, pending) = std::mem::take(tasks).into_iter().partition::<Vec<_>, _>(Task::done);
    *tasks = pending;
    corio_seam::permute(&mut over); // asyncio returns a set.
    over
}

/// The error of waiting for no tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingToWaitFor;

impl fmt::Display for NothingToWaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the set of tasks to wait for is empty")
    }
}

impl Error for NothingToWaitFor {}
