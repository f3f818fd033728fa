//! Generators: functions that are left in the middle with a value, and entered there again with another.

use crate::channel::Channel;
use crate::yielder::Yielder;
use std::fmt;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Makes a generator of an async closure that yields; Python's `def` with a `yield` in it.
///
/// The closure is given the [`Yielder`] to yield with: `generator(async |y| ...)`, or `generator(|y| async move { ... })`.
/// Nothing of its `async` part runs until the first step. It may borrow: the generator lives as long as what it borrows.
///
/// # Panics
///
/// If the closure does, before its `async` part.
///
/// # Examples
///
/// ```
/// use corio_generator::generator;
///
/// let names = ["a", "b"];
/// let mut letters = generator(async |y| {
///     for name in &names {
///         y.yield_(*name).await; // A value goes out; the next step goes on here.
///     }
///     y.yield_("c").await;
/// });
/// assert_eq!(letters.next(), Some("a"));
/// assert_eq!(letters.collect::<Vec<_>>(), ["b", "c"]);
///
/// // A countdown in a `for`.
/// let mut seen = Vec::new();
/// for n in generator(|y| async move {
///     let mut n = 5;
///     while n > 0 {
///         y.yield_(n).await;
///         n -= 1;
///     }
/// }) {
///     seen.push(n);
/// }
/// assert_eq!(seen, [5, 4, 3, 2, 1]);
/// ```
pub fn generator<'a, Y, S, R, B>(body: impl FnOnce(Yielder<Y, S>) -> B) -> Generator<'a, Y, S, R>
where
    B: Future<Output = R> + 'a,
{
    let channel = Channel::new();
    let body = body(Yielder::new(&channel));
    Generator { body: Some(Box::pin(body)), channel, result: None }
}

/// The future that the async closure made.
type Coroutine<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;

/// A function that hands out values of type `Y` as it goes, takes values of type `S` in for them, and returns an `R`;
/// Python's generator object.
///
/// One that takes nothing in (`S = ()`) is an [`Iterator`]. Made by [`generator`]; a boxed future and a shared cell, so it
/// can be named, stored and moved: two allocations, none a step.
///
/// Dropping it, or [`close`](Generator::close), drops the body at its yield, and with it what the body holds, the last made
/// first: `Drop` is its `finally`.
///
/// A body that panics is over; the panic goes through the step to whoever made it. A step within a step does not compile:
///
/// ```compile_fail,E0499
/// use corio_generator::generator;
///
/// let mut numbers = generator(async |y| y.yield_(1).await);
/// let (a, b) = (&mut numbers, &mut numbers);
/// assert_eq!((a.next(), b.next()), (Some(1), None));
/// ```
///
/// # Examples
///
/// ```
/// use corio_generator::generator;
///
/// let mut total = generator(async |y| {
///     let mut sum = 5;
///     loop {
///         sum += y.yield_(sum).await;
///     }
/// });
/// assert_eq!(total.start(), Some(5));
/// assert_eq!(total.send(3), Some(8));
/// assert_eq!(total.send(7), Some(15));
/// total.close();
/// assert_eq!(total.send(1), None);
/// ```
#[must_use = "a generator does nothing until its first step"]
pub struct Generator<'a, Y, S = (), R = ()> {
    /// None when it is over.
    body: Option<Coroutine<'a, R>>,
    channel: Rc<Channel<Y, S>>,
    result: Option<R>,
}

impl<Y, S, R> Generator<'_, Y, S, R> {
    /// Runs the body to its first yield; Python's first `next(generator)`, or `send(None)`.
    ///
    /// Returns what it yields, or `None` if it returns without.
    ///
    /// # Panics
    ///
    /// If the generator has started: then the body waits for a value, and [`send`](Generator::send) brings one. Also if the
    /// body panics, or awaits anything but its yielder.
    #[track_caller]
    pub fn start(&mut self) -> Option<Y> {
        assert!(!self.channel.is_waiting(), "a generator was started twice: it waits for a value, which `send` brings");
        self.step()
    }

    /// Sends a value in, and runs the body from where that is waited for to its next yield; Python's `send`.
    ///
    /// Returns what it yields, or `None` if it returns first, or has: nobody takes the value then, and it is dropped.
    ///
    /// # Panics
    ///
    /// If the generator has not started: nothing waits for a value yet, as Python's "can't send non-None value to a
    /// just-started generator" has it. Also if the body panics, or awaits anything but its yielder.
    #[track_caller]
    pub fn send(&mut self, value: S) -> Option<Y> {
        if self.is_over() {
            return None;
        }
        assert!(
            self.channel.is_waiting(),
            "a value was sent into a generator that has not started, where nothing waits for it: call `start` first"
        );
        self.channel.send(value);
        self.step()
    }

    /// Drops the body where it stands, with all that it holds; Python's `close`.
    ///
    /// Whatever comes after is `None`. Closing again does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_generator::generator;
    /// use std::cell::Cell;
    ///
    /// struct Finally<'c>(&'c Cell<bool>);
    /// impl Drop for Finally<'_> {
    ///     fn drop(&mut self) {
    ///         self.0.set(true);
    ///     }
    /// }
    ///
    /// let cleaned = Cell::new(false);
    /// let mut numbers = generator(async |y| {
    ///     let _finally = Finally(&cleaned);
    ///     y.yield_all(0..).await;
    /// });
    /// assert_eq!(numbers.next(), Some(0));
    /// numbers.close();
    /// assert!(cleaned.get());
    /// assert_eq!(numbers.next(), None);
    /// ```
    pub fn close(&mut self) {
        drop(self.body.take());
    }

    /// Takes what the body has returned; Python's `StopIteration.value`.
    ///
    /// `None` before the end, after a close or a panic, and if it was taken.
    pub fn take_result(&mut self) -> Option<R> {
        self.result.take()
    }

    /// Tells whether the body has returned, panicked, or was closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.body.is_none()
    }

    /// Polls the body, once: to its next yield, or its end.
    #[inline]
    #[track_caller]
    fn step(&mut self) -> Option<Y> {
        let turn = Turn(&mut self.body);
        let body = turn.0.as_mut()?;
        let waker = Waker::noop();
        let running = self.channel.enter(waker);
        let polled = body.as_mut().poll(&mut Context::from_waker(waker));
        drop(running);
        if let Poll::Ready(result) = polled {
            self.result = Some(result);
            return None;
        }
        let yielded = self.channel.take();
        assert!(
            yielded.is_some(),
            "the body of a generator awaited something else than its yielder, which a generator cannot wait for: take \
             `async_generator`"
        );
        turn.pause();
        yielded
    }
}

/// A poll of the body under way: it is over, also by a panic, unless it pauses.
struct Turn<'g, 'a, R>(&'g mut Option<Coroutine<'a, R>>);

impl<R> Turn<'_, '_, R> {
    #[inline]
    fn pause(self) {
        std::mem::forget(self);
    }
}

impl<R> Drop for Turn<'_, '_, R> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

impl<Y, R> Iterator for Generator<'_, Y, (), R> {
    type Item = Y;

    #[inline]
    fn next(&mut self) -> Option<Y> {
        if self.channel.is_waiting() {
            self.channel.send(());
        }
        self.step()
    }
}

impl<Y, R> FusedIterator for Generator<'_, Y, (), R> {}

impl<Y, S, R> fmt::Debug for Generator<'_, Y, S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("started", &(self.is_over() || self.channel.is_waiting()))
            .field("is_over", &self.is_over())
            .finish()
    }
}
