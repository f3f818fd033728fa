//! The results of several tasks, each as soon as it is there.

use crate::ears::Ears;
use crate::line::Line;
use crate::outcome::Outcome;
use crate::signal::Alarmed;
use crate::slots::{AnySlot, Collected, Slot};
use crate::standing::Key;
use crate::{Failure, TimedOut};
use corio_seam::{OnAlarm, Waitable, Waiting, local_waker, wait_on};
use corio_task::{Audience, Seats};
use futures_core::Stream;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Runs children side by side, and gives their results in the order of completion; asyncio's `as_completed`.
///
/// Children are tasks, cells, gathers, and `'static` futures, of which it makes tasks at once. They go on by themselves.
/// What it returns is asked by [`next`](AsCompleted::next), polled as a stream, or iterated: then it gives as many
/// futures as there are children, and the n-th awaited gives the n-th result. Whose result it is
/// [`next_indexed`](AsCompleted::next_indexed) and [`indexed`](AsCompleted::indexed) tell: by number, as the handles went in
/// with it. To have finished tasks back as they are, what Python 3.13's `async for` gives, use a
/// [`WaitSet`](crate::WaitSet), which is a stream of them.
///
/// A failure comes in its turn, and the others after it. Left half-way, the children go on, and no callback stays behind.
///
/// # Panics
///
/// Where a plain future is given, and no loop runs to make a task of it; of four billion children or more.
///
/// # Examples
///
/// ```
/// use corio_combinators::as_completed;
/// use corio_task::TaskSet;
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let mut results = as_completed((1..=3).map(|n| async move { n * n }));
///     let mut sum = 0;
///     while let Some(result) = results.next().await {
///         sum += result.unwrap();
///     }
///     assert_eq!(sum, 14);
///
///     for turn in as_completed((1..=3).map(|n| async move { n })) {
///         sum -= turn.await.unwrap();
///     }
///     assert_eq!(sum, 8);
/// })).unwrap();
/// ```
#[track_caller]
pub fn as_completed<I>(children: I) -> AsCompleted<<I::Item as Future>::Output>
where
    I: IntoIterator,
    I::Item: Future<Output: Outcome> + 'static,
{
    let children: Box<[_]> = children.into_iter().map(Slot::new).collect();
    let count = children.len();
    assert!(u32::try_from(count).is_ok(), "an as_completed takes fewer than four billion children");
    let course = Rc::new(Course {
        pending: Cell::new(count),
        children,
        seats: RefCell::default(),
        keys: RefCell::default(),
        results: RefCell::new(VecDeque::with_capacity(count.min(ROOM))),
        waiters: RefCell::default(),
        last_ticket: Cell::new(0),
    });
    course.listen();
    AsCompleted { front: Rc::new(Front { course, limit: RefCell::default() }), left: count, ticket: 0 }
}

/// A result, and which child's it is.
type Numbered<O> = (usize, Result<<O as Outcome>::Value, Failure>);

/// For how many results there is room from the start: many children may end before anybody looks.
const ROOM: usize = 32;

/// What the callbacks of the children share.
struct Course<O: Outcome> {
    /// The children, and the results of those that are over, until each is taken.
    children: Box<[Slot<O>]>,
    /// How many are not known to be over.
    pending: Cell<usize>,
    /// What tasks are listened to by, until the listening ends: they hold what holds them.
    seats: RefCell<Option<Seats>>,
    /// What the others are listened to by, with their numbers, the lowest first.
    keys: RefCell<Vec<(usize, Key)>>,
    /// Those whose results nobody has taken, in the order in which they ended.
    results: RefCell<VecDeque<u32>>,
    /// Those who wait for one, by their tickets, first come first served.
    waiters: RefCell<Line>,
    last_ticket: Cell<u64>,
}

impl<O: Outcome> Course<O> {
    fn listen(self: &Rc<Self>) {
        let ears = Ears::new(self.children.len(), self);
        let (mut over, mut keys) = (Vec::new(), Vec::new());
        for (index, child) in self.children.iter().enumerate() {
            // Nothing runs now. Those that are over are told in their order, by seats as long as that can be.
            match child.listen(&ears, index) {
                Some(Key::Seat) => {}
                Some(key) => keys.push((index, key)),
                None if over.is_empty() && child.listen_late(&ears, index) => {}
                None => over.push(index),
            }
        }
        self.keys.replace(keys);
        for index in over {
            // By a callback: where no loop runs, it is called at once.
            if let Err(node) = corio_seam::push(corio_seam::Node::new(ears.callback(index))) {
                node.run();
            }
        }
        self.seats.replace(ears.into_seats());
    }

    /// Notes that a child has left its result, and wakes whoever waited longest.
    fn give(&self, index: usize) {
        self.results.borrow_mut().push_back(index as u32); // There are fewer than four billion.
        self.wake_one();
    }

    fn wake_one(&self) {
        let first = self.waiters.borrow_mut().pop();
        if let Some(waker) = first {
            waker.wake();
        }
    }

    /// Takes the next result, for whoever holds `ticket`: 0 before the first poll.
    fn poll_next(self: &Rc<Self>, ticket: &mut u64, cx: &mut Context<'_>) -> Poll<Numbered<O>> {
        let first = self.results.borrow_mut().pop_front();
        if let Some(index) = first {
            self.leave(ticket);
            let index = index as usize;
            return Poll::Ready((index, self.children[index].take()));
        }
        let waker = local_waker(cx.waker()); // User code: no borrow is held.
        let old = self.wait(ticket, waker);
        drop(old);
        wait_on(Waiting::Listened(Rc::clone(self) as Rc<dyn Waitable>));
        Poll::Pending
    }

    fn wait(&self, ticket: &mut u64, waker: Waker) -> Option<Waker> {
        if *ticket == 0 {
            self.last_ticket.set(self.last_ticket.get() + 1);
            *ticket = self.last_ticket.get();
        }
        self.waiters.borrow_mut().insert(*ticket, waker)
    }

    /// Gives a ticket up. If its holder was woken, and took nothing, somebody else is woken in its stead.
    fn leave(&self, ticket: &mut u64) {
        let number = std::mem::take(ticket);
        if number == 0 {
            return;
        }
        let waker = self.waiters.borrow_mut().remove(number);
        drop(waker);
        if !self.results.borrow().is_empty() {
            self.wake_one();
        }
    }

    /// Stops listening: lets go of the children that are not over, and returns their numbers.
    fn stop(&self) -> Vec<usize> {
        let (seats, keys) = (self.seats.take(), self.keys.take());
        if self.pending.take() == 0 {
            return Vec::new();
        }
        let key = |index| keys.binary_search_by_key(&index, |(number, _)| *number).map_or(&Key::Seat, |at| &keys[at].1);
        let children = self.children.iter().enumerate();
        children
            .filter(|(index, child)| child.let_go(key(*index), seats.as_ref(), *index))
            .map(|(index, _)| index)
            .collect()
    }
}

impl<O: Outcome> Audience for Course<O> {
    /// Notes that a child is over.
    fn ended(&self, index: usize) {
        if self.children[index].collect() != Collected::Nothing {
            self.pending.set(self.pending.get().saturating_sub(1)); // It was none, if somebody stopped meanwhile.
            self.give(index);
        }
    }
}

impl<O: Outcome> Waitable for Course<O> {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false // The children go on by themselves.
    }

    fn describe(&self) -> String {
        "as_completed".to_string()
    }

    fn waits_for(&self, visit: &mut dyn FnMut(Rc<dyn Waitable>)) {
        self.children.iter().filter_map(Slot::waitable).for_each(visit);
    }
}

impl<O: Outcome> OnAlarm for Course<O> {
    fn on_alarm(self: Rc<Self>) {
        for index in self.stop() {
            self.children[index].fail(Failure::TimedOut(TimedOut::new()));
            self.give(index);
        }
    }
}

/// What the stream and the futures of its turns share: with the last of them, listening ends.
struct Front<O: Outcome> {
    course: Rc<Course<O>>,
    limit: RefCell<Option<Alarmed>>,
}

impl<O: Outcome> Drop for Front<O> {
    fn drop(&mut self) {
        self.course.stop();
    }
}

/// Stream of [`as_completed`]. `!Send`.
#[must_use = "the children go on, but nobody hears their results"]
pub struct AsCompleted<O: Outcome> {
    front: Rc<Front<O>>,
    left: usize,
    ticket: u64,
}

impl<O: Outcome> AsCompleted<O> {
    /// Waits for the children at most `delay` from now; asyncio's `timeout` argument.
    ///
    /// Then each turn that is left gives [`Failure::TimedOut`]. The children go on: nothing is cancelled.
    ///
    /// # Panics
    ///
    /// Where there is no timer.
    #[track_caller]
    pub fn within(self, delay: Duration) -> AsCompleted<O> {
        if self.left > 0 {
            let course = Rc::clone(&self.front.course);
            self.front.limit.replace(Some(Alarmed::after(delay, course)));
        }
        self
    }

    /// Returns the next result; `None` after the last.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it loses nothing.
    pub async fn next(&mut self) -> Option<Result<O::Value, Failure>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns the next result, and the number of the child whose it is, counted from 0; `None` after the last.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it loses nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_combinators::as_completed;
    /// use corio_task::{TaskSet, create_task};
    ///
    /// let set = TaskSet::new();
    /// pollster::block_on(set.run_until(async {
    ///     let (slow, fast) = (create_task(async { std::future::pending().await }), create_task(async { 7 }));
    ///     let mut results = as_completed([slow, fast]);
    ///     let (index, result) = results.next_indexed().await.unwrap();
    ///     assert_eq!((index, result.unwrap()), (1, 7));
    /// })).unwrap();
    /// ```
    pub async fn next_indexed(&mut self) -> Option<(usize, Result<O::Value, Failure>)> {
        poll_fn(|cx| self.poll_numbered(cx)).await
    }

    /// Turns it into a stream of results with the numbers of their children.
    pub fn indexed(self) -> IndexedCompleted<O> {
        IndexedCompleted { results: self }
    }

    fn poll_numbered(&mut self, cx: &mut Context<'_>) -> Poll<Option<Numbered<O>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let polled = self.front.course.poll_next(&mut self.ticket, cx);
        polled.map(|numbered| {
            self.left -= 1;
            Some(numbered)
        })
    }

    /// Returns how many results are still to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Tells whether all results have been given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<O: Outcome> Stream for AsCompleted<O> {
    type Item = Result<O::Value, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_numbered(cx).map(|numbered| Some(numbered?.1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<O: Outcome> Drop for AsCompleted<O> {
    fn drop(&mut self) {
        self.front.course.leave(&mut self.ticket);
    }
}

impl<O: Outcome> fmt::Debug for AsCompleted<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Stream of [`AsCompleted::indexed`]. `!Send`.
#[derive(Debug)]
#[must_use = "the children go on, but nobody hears their results"]
pub struct IndexedCompleted<O: Outcome> {
    results: AsCompleted<O>,
}

impl<O: Outcome> Stream for IndexedCompleted<O> {
    type Item = (usize, Result<O::Value, Failure>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_numbered(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.results.size_hint()
    }
}

impl<O: Outcome> IntoIterator for AsCompleted<O> {
    type Item = NextCompleted<O>;
    type IntoIter = Turns<O>;

    fn into_iter(self) -> Turns<O> {
        Turns { front: Rc::clone(&self.front), left: self.left }
    }
}

/// Iterator of an [`AsCompleted`]: one future for each result that is to come.
#[derive(Debug)]
pub struct Turns<O: Outcome> {
    front: Rc<Front<O>>,
    left: usize,
}

impl<O: Outcome> fmt::Debug for Front<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

impl<O: Outcome> Iterator for Turns<O> {
    type Item = NextCompleted<O>;

    fn next(&mut self) -> Option<NextCompleted<O>> {
        self.left = self.left.checked_sub(1)?;
        Some(NextCompleted { front: Rc::clone(&self.front), ticket: 0 })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<O: Outcome> ExactSizeIterator for Turns<O> {}

/// Future of the next result of an [`AsCompleted`].
///
/// # Cancel safety
///
/// Dropped, it loses nothing: the result goes to whoever asks next.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct NextCompleted<O: Outcome> {
    front: Rc<Front<O>>,
    ticket: u64,
}

impl<O: Outcome> Future for NextCompleted<O> {
    type Output = Result<O::Value, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.front.course.poll_next(&mut this.ticket, cx).map(|(_, result)| result)
    }
}

impl<O: Outcome> Drop for NextCompleted<O> {
    fn drop(&mut self) {
        self.front.course.leave(&mut self.ticket);
    }
}
