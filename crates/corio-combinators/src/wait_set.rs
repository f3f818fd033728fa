//! Waiting for some of many tasks, again and again.

use crate::outcome::Outcome;
use crate::signal::{Alarmed, Signal};
use crate::{NothingToWaitFor, ReturnWhen};
use corio_seam::{IntMap, Node, OnAlarm, Waitable, push};
use corio_task::{CallbackKey, Task};
use futures_core::Stream;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Tasks that are waited for again and again: what a loop around [`wait`](crate::wait()) would do, at linear cost.
///
/// Each task is listened to once, when it comes in, and not once a call. Tasks may come in between the calls. Dropped, it
/// leaves no callback behind, and its tasks go on.
///
/// # Examples
///
/// ```
/// use corio_combinators::{ReturnWhen, WaitSet};
/// use corio_task::{TaskSet, create_task};
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let mut pending: WaitSet<_> = (1..=3).map(|n| create_task(async move { n })).collect();
///     let mut sum = 0;
///     while let Ok(done) = pending.wait(ReturnWhen::FirstCompleted, None).await {
///         for task in done {
///             sum += task.await.unwrap();
///         }
///     }
///     assert_eq!((sum, pending.len()), (6, 0));
/// })).unwrap();
/// ```
pub struct WaitSet<T> {
    last_number: u64,
    shared: Rc<Shared<T>>,
}

/// The tasks by number, each with the callback by which it is listened to.
type Listened<T> = IntMap<(Task<T>, CallbackKey)>;

/// What the callbacks share with the set.
struct Shared<T> {
    tasks: RefCell<Listened<T>>,
    signal: Signal,
    /// The numbers of the tasks that are over, in that order, less those that were given out.
    over: RefCell<VecDeque<u64>>,
    /// One of them panicked.
    panicked: Cell<bool>,
    /// Time is up.
    late: Cell<bool>,
}

impl<T> Default for Shared<T> {
    fn default() -> Shared<T> {
        Shared {
            tasks: RefCell::default(),
            signal: Signal::default(),
            over: RefCell::default(),
            panicked: Cell::new(false),
            late: Cell::new(false),
        }
    }
}

impl<T> Waitable for Shared<T> {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false // The tasks stay the set's.
    }

    fn describe(&self) -> String {
        "wait".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        let tasks = self.tasks.borrow();
        for (_, (task, _)) in tasks.iter().filter(|(_, (task, _))| !task.done()) {
            visit(Rc::new(task.task_ref()));
        }
    }
}

impl<T> OnAlarm for Shared<T> {
    fn on_alarm(self: Rc<Self>) {
        self.late.set(true);
        self.signal.ring();
    }
}

impl<T: 'static> WaitSet<T> {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> WaitSet<T> {
        WaitSet { last_number: 0, shared: Rc::default() }
    }

    /// Adds a task.
    pub fn push(&mut self, task: Task<T>) {
        self.last_number += 1;
        let (number, shared) = (self.last_number, Rc::clone(&self.shared));
        let key = task.add_done_callback(move |task| {
            shared.over.borrow_mut().push_back(number);
            shared.panicked.set(shared.panicked.get() || task.panicked());
            shared.signal.ring();
        });
        self.shared.tasks.borrow_mut().insert(number, (task, key));
    }

    /// Returns how many tasks are in the set, those among them that are over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.tasks.borrow().len()
    }

    /// Tells whether no task is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes out the tasks that are over by their callbacks, in the order of their ends.
    fn take_over(&mut self) -> Vec<Task<T>> {
        self.shared.panicked.set(false);
        let over = self.shared.over.take();
        let mut tasks = self.shared.tasks.borrow_mut();
        over.iter().filter_map(|number| Some(tasks.remove(*number)?.0)).collect()
    }
}

impl<T: Outcome> WaitSet<T> {
    /// Waits until `when`, or for `limit` at most, and takes out the tasks that are over; asyncio's `wait`.
    ///
    /// See [`wait`](crate::wait()); but the tasks come in the order of their ends.
    ///
    /// # Errors
    ///
    /// [`NothingToWaitFor`] if the set is empty.
    ///
    /// # Panics
    ///
    /// Where `limit` is given, and there is no timer.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it loses nothing.
    pub async fn wait(
        &mut self,
        when: ReturnWhen,
        limit: impl Into<Option<Duration>>,
    ) -> Result<Vec<Task<T>>, NothingToWaitFor> {
        if self.is_empty() {
            return Err(NothingToWaitFor);
        }
        self.shared.late.set(false);
        self.ring_if_some_are_over();
        let alarm = limit.into().map(|limit| Alarmed::after(limit, Rc::clone(&self.shared) as Rc<dyn OnAlarm>));
        let mut seen = 0;
        self.ring().await;
        while !self.is_enough(when, &mut seen) {
            self.ring().await;
        }
        drop(alarm);
        Ok(self.take_over())
    }

    /// Waits until something has happened.
    async fn ring(&self) {
        self.shared.signal.wait(|| Rc::clone(&self.shared) as Rc<dyn Waitable>).await;
    }

    /// Yields, as always, also if the set has what is waited for already: by a callback, as in asyncio.
    fn ring_if_some_are_over(&self) {
        self.shared.signal.clear();
        if !self.shared.over.borrow().is_empty() {
            let shared = Rc::clone(&self.shared);
            drop(push(Node::new(move || shared.signal.ring()))); // Where no loop runs, no task ends either.
        }
    }

    /// Tells whether `wait` may return; the first `seen` of those that are over have been looked at.
    fn is_enough(&self, when: ReturnWhen, seen: &mut usize) -> bool {
        let (over, tasks) = (self.shared.over.borrow(), self.shared.tasks.borrow());
        let failed = |number: &u64| tasks.get(*number).and_then(|(task, _)| task.output()).is_some_and(T::is_failure);
        self.shared.late.get()
            || over.len() == tasks.len()
            || match when {
                ReturnWhen::FirstCompleted => !over.is_empty(),
                ReturnWhen::FirstException => {
                    let fresh = over.range(std::mem::replace(seen, over.len())..);
                    self.shared.panicked.get() || fresh.into_iter().any(failed)
                }
                ReturnWhen::AllCompleted => false,
            }
    }
}

impl<T: 'static> WaitSet<T> {
    /// Returns the next task that is over, itself, in the order of their ends; `None` once the set is empty. Python 3.13's
    /// `async for task in as_completed(tasks)`.
    ///
    /// It is a stream, too. It does not yield if a task is over by its callback already.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it loses nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::WaitSet;
    /// use corio_task::{TaskSet, create_task};
    ///
    /// let set = TaskSet::new();
    /// pollster::block_on(set.run_until(async {
    ///     let mut tasks: WaitSet<_> = (1..=3).map(|n| create_task(async move { n }).named(format!("square of {n}"))).collect();
    ///     while let Some(task) = tasks.next().await {
    ///         assert_eq!(task.name(), format!("square of {}", task.await.unwrap()));
    ///     }
    /// })).unwrap();
    /// ```
    pub async fn next(&mut self) -> Option<Task<T>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Takes out the one that was over first.
    fn take_one(&mut self) -> Option<Task<T>> {
        let first = self.shared.over.borrow_mut().pop_front()?;
        let (task, _) = self.shared.tasks.borrow_mut().remove(first)?;
        Some(task)
    }
}

impl<T: 'static> Stream for WaitSet<T> {
    type Item = Task<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Task<T>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(task) = self.take_one() {
            return Poll::Ready(Some(task));
        }
        self.shared.signal.clear();
        let shared = &self.shared;
        shared.signal.poll(cx, || Rc::clone(shared) as Rc<dyn Waitable>).map(|()| None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> Unpin for WaitSet<T> {}

impl<T: 'static> Default for WaitSet<T> {
    fn default() -> WaitSet<T> {
        WaitSet::new()
    }
}

impl<T: 'static> Extend<Task<T>> for WaitSet<T> {
    fn extend<I: IntoIterator<Item = Task<T>>>(&mut self, tasks: I) {
        tasks.into_iter().for_each(|task| self.push(task));
    }
}

impl<T: 'static> FromIterator<Task<T>> for WaitSet<T> {
    fn from_iter<I: IntoIterator<Item = Task<T>>>(tasks: I) -> WaitSet<T> {
        let mut set = WaitSet::new();
        set.extend(tasks);
        set
    }
}

impl<T> Drop for WaitSet<T> {
    fn drop(&mut self) {
        let tasks = self.shared.tasks.take(); // The callbacks share what holds the tasks: a ring, broken here.
        for (task, key) in tasks.into_values() {
            task.remove_done_callback(key);
        }
    }
}

impl<T> fmt::Debug for WaitSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSet").field("tasks", &self.shared.tasks.borrow().len()).finish_non_exhaustive()
    }
}
