//! Waiting for some of several tasks, which stay the caller's.

use crate::ears::Ears;
use crate::outcome::Outcome;
use crate::signal::{Alarmed, Signal};
use crate::standing::{Key, Standing};
use corio_future::InvalidState;
use corio_seam::{OnAlarm, Waitable};
use corio_task::{Audience, Seats, Task, TaskRef};
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
/// They are handles of tasks, or cells: a task that others wait for as well is [shared](corio_task::Task::share) first.
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
/// What several wait for is shared:
///
/// ```
/// # use corio_combinators::{ReturnWhen, wait};
/// # use corio_task::{TaskSet, create_task};
/// # let set = TaskSet::new();
/// # pollster::block_on(set.run_until(async {
/// let task = create_task(async { 7 }).share();
/// let (mut mine, mut yours) = (vec![task.clone()], vec![task.clone()]);
/// assert_eq!(wait(&mut mine, ReturnWhen::AllCompleted, None).await.unwrap().len(), 1);
/// assert_eq!(wait(&mut yours, ReturnWhen::AllCompleted, None).await.unwrap().len(), 1);
/// assert_eq!(task.await.unwrap(), 7);
/// # })).unwrap();
/// ```
///
/// asyncio collapses duplicates; here a task's handle is one, and giving it twice does not compile (a cell that is given twice
/// comes back twice):
///
/// ```compile_fail,E0382
/// # use corio_combinators::{ReturnWhen, wait};
/// # async fn twice(task: corio_task::Task<()>) {
/// wait(&mut vec![task, task], ReturnWhen::AllCompleted, None).await.unwrap();
/// # }
/// ```
pub async fn wait<H: Waited>(
    tasks: &mut Vec<H>,
    when: ReturnWhen,
    limit: impl Into<Option<Duration>>,
) -> Result<Vec<H>, NothingToWaitFor> {
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

/// What [`wait`] waits for: a task, or a cell, such as [`share`](corio_task::Task::share) makes of a task. Sealed.
///
/// A cell can be given by many, and to many, at once: asyncio's tasks are like that.
pub trait Waited: Standing {
    /// Has the audience told through the loop, when it is over.
    #[doc(hidden)]
    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> Key;

    /// Takes that back.
    #[doc(hidden)]
    fn unlisten(&self, key: &Key, _seats: Option<&Seats>, _index: usize) {
        self.forget(key);
    }

    /// Tells whether it ended by an error, and not by being cancelled.
    #[doc(hidden)]
    fn failed(&self) -> bool;

    /// Returns what the await graph shows of it.
    #[doc(hidden)]
    fn shown(&self) -> Shown;
}

/// What the await graph shows of something that is waited for; a task costs nothing while nobody asks.
pub enum Shown {
    /// A task.
    Task(TaskRef),
    /// A cell.
    Cell(Rc<dyn Waitable>),
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Task(task) => f.debug_tuple("Task").field(task).finish(),
            Shown::Cell(cell) => f.debug_tuple("Cell").field(&cell.describe()).finish(),
        }
    }
}

impl<T: Outcome> Waited for Task<T> {
    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> Key {
        ears.seat(self, index)
    }

    fn unlisten(&self, _: &Key, seats: Option<&Seats>, index: usize) {
        if let Some(seats) = seats {
            self.leave_seat(seats, index);
        }
    }

    fn failed(&self) -> bool {
        self.task_ref().panicked() || self.output().is_some_and(T::is_failure)
    }

    fn shown(&self) -> Shown {
        Shown::Task(self.task_ref())
    }
}

impl<T: Outcome> Waited for corio_future::Future<T> {
    fn listen<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> Key {
        let tell = ears.callback(index);
        Key::Cell(self.add_done_callback(|_| tell()))
    }

    fn failed(&self) -> bool {
        match self.result() {
            Ok(value) => value.is_failure(),
            Err(InvalidState::Ended(error)) => !error.is_cancelled(),
            Err(_) => false,
        }
    }

    fn shown(&self) -> Shown {
        Shown::Cell(Standing::waitable(self))
    }
}

/// What the callbacks share.
struct Shared {
    signal: Signal,
    when: ReturnWhen,
    /// How many are not over.
    left: Cell<usize>,
    /// The numbers of those that are over, and that nobody has looked at yet.
    unseen: RefCell<Vec<usize>>,
    enough: Cell<bool>,
    /// What is waited for, until the caller leaves.
    shown: RefCell<Vec<Shown>>,
}

impl Audience for Shared {
    /// Notes that a task is over, and wakes the caller if that may be enough.
    fn ended(&self, index: usize) {
        self.left.set(self.left.get() - 1);
        if self.when == ReturnWhen::FirstCompleted || self.left.get() == 0 {
            self.enough.set(true);
        } else if self.when == ReturnWhen::FirstException {
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
        for shown in &*self.shown.borrow() {
            match shown {
                Shown::Task(task) => visit(Rc::new(task.clone())),
                Shown::Cell(cell) => visit(Rc::clone(cell)),
            }
        }
    }
}

/// Listens to tasks, and stops when dropped.
struct Watch<'t, H: Waited> {
    tasks: &'t [H],
    keys: Vec<Key>,
    seats: Option<Seats>,
    shared: Rc<Shared>,
}

impl<'t, H: Waited> Watch<'t, H> {
    fn new(tasks: &'t [H], when: ReturnWhen) -> Watch<'t, H> {
        let shared = Rc::new(Shared {
            signal: Signal::default(),
            when,
            left: Cell::new(tasks.len()),
            unseen: RefCell::default(),
            enough: Cell::new(false),
            shown: RefCell::new(tasks.iter().map(H::shown).collect()),
        });
        let ears = Ears::new(tasks.len(), &shared);
        let keys = tasks.iter().enumerate().map(|(index, task)| task.listen(&ears, index)).collect();
        Watch { tasks, keys, seats: ears.into_seats(), shared }
    }

    /// Waits until something has happened.
    async fn ring(&self) {
        self.shared.signal.wait(|| Rc::clone(&self.shared) as Rc<dyn Waitable>).await;
    }

    /// Tells whether the caller may return.
    fn is_enough(&self) -> bool {
        let unseen = self.shared.unseen.take();
        self.shared.enough.get() || unseen.iter().any(|index| self.tasks[*index].failed())
    }
}

impl<H: Waited> Drop for Watch<'_, H> {
    fn drop(&mut self) {
        drop(self.shared.shown.take());
        for (index, (task, key)) in self.tasks.iter().zip(&self.keys).enumerate() {
            task.unlisten(key, self.seats.as_ref(), index);
        }
    }
}

/// Takes out those that are over.
fn extract_over<H: Waited>(tasks: &mut Vec<H>) -> Vec<H> {
    let (mut over, pending) = std::mem::take(tasks).into_iter().partition::<Vec<_>, _>(H::is_over);
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
