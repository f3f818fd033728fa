//! The body's end of a generator.

use crate::Generator;
use crate::channel::Channel;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// What the body of a [`Generator`] yields with.
///
/// It works inside that body alone, be it in functions that the body calls and awaits.
///
/// # Panics
///
/// Whatever is awaited of it outside the body panics.
pub struct Yielder<Y, S = ()> {
    channel: Rc<Channel<Y, S>>,
}

impl<Y, S> Yielder<Y, S> {
    pub(crate) fn new(channel: &Rc<Channel<Y, S>>) -> Yielder<Y, S> {
        Yielder { channel: Rc::clone(channel) }
    }

    /// Hands a value out, and waits for what is sent in; Python's `sent = yield value`.
    ///
    /// # Panics
    ///
    /// When awaited outside the body of its generator, or beside another yield of the same body.
    ///
    /// # Cancel safety
    ///
    /// Dropped inside the step that made it, it takes its value back; dropped later, what was sent for it is dropped too.
    #[inline]
    pub fn yield_(&self, value: Y) -> Yield<'_, Y, S> {
        Yield::new(&self.channel, value)
    }

    /// Hands out all that another generator yields, sends in to it what is sent, and returns what it returns; Python's
    /// `result = yield from generator`.
    ///
    /// # Panics
    ///
    /// If the other generator has started: what it waits for was never sent to this one. One that takes nothing is an
    /// iterator: give it to [`yield_all`](Yielder::yield_all).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the other generator.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_generator::{Generator, generator};
    ///
    /// /// Adds up what is sent in, until that is 0.
    /// fn adder() -> Generator<'static, u32, u32, u32> {
    ///     generator(async |y| {
    ///         let mut sum = 0;
    ///         loop {
    ///             match y.yield_(sum).await {
    ///                 0 => return sum,
    ///                 sent => sum += sent,
    ///             }
    ///         }
    ///     })
    /// }
    ///
    /// let mut outer = generator(async |y| y.yield_from(adder()).await + y.yield_from(adder()).await);
    /// assert_eq!(outer.start(), Some(0));
    /// assert_eq!(outer.send(3), Some(3));
    /// assert_eq!(outer.send(4), Some(7));
    /// assert_eq!(outer.send(0), Some(0)); // The second adder.
    /// assert_eq!(outer.send(5), Some(5));
    /// assert_eq!(outer.send(0), None);
    /// assert_eq!(outer.take_result(), Some(12));
    /// ```
    pub async fn yield_from<R>(&self, mut generator: Generator<'_, Y, S, R>) -> R {
        let mut next = generator.start();
        while let Some(value) = next {
            let sent = self.yield_(value).await;
            next = generator.send(sent);
        }
        generator.take_result().expect("`yield_from` was given a generator that is over: its result was taken already")
    }
}

impl<Y> Yielder<Y, ()> {
    /// Hands out all values of an iterator, one after the other; Python's `yield from iterable`.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the iterator.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_generator::generator;
    ///
    /// let twice = generator(async |y| {
    ///     y.yield_all(0..3).await;
    ///     y.yield_all([7, 8]).await;
    /// });
    /// assert_eq!(twice.collect::<Vec<_>>(), [0, 1, 2, 7, 8]);
    /// ```
    pub async fn yield_all(&self, values: impl IntoIterator<Item = Y>) {
        for value in values {
            self.yield_(value).await;
        }
    }
}

impl<Y, S> fmt::Debug for Yielder<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

/// Future of [`Yielder::yield_`] and [`AsyncYielder::yield_`](crate::AsyncYielder::yield_).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Yield<'y, Y, S> {
    channel: &'y Channel<Y, S>,
    /// Until the first poll.
    value: Option<Y>,
    /// From the first poll to the end: the channel's `waiting` is this one's.
    waits: bool,
}

impl<'y, Y, S> Yield<'y, Y, S> {
    #[inline]
    pub(crate) fn new(channel: &'y Channel<Y, S>, value: Y) -> Yield<'y, Y, S> {
        Yield { channel, value: Some(value), waits: false }
    }
}

/// Nothing in it is pinned.
impl<Y, S> Unpin for Yield<'_, Y, S> {}

impl<Y, S> Future for Yield<'_, Y, S> {
    type Output = S;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S> {
        if self.waits {
            let Some(sent) = self.channel.receive(cx.waker()) else { return Poll::Pending };
            self.waits = false;
            return Poll::Ready(sent);
        }
        let value = self.value.take().expect("a yield was polled after it had ended");
        self.channel.put(value, cx.waker());
        self.waits = true;
        Poll::Pending
    }
}

impl<Y, S> Drop for Yield<'_, Y, S> {
    #[inline]
    fn drop(&mut self) {
        if self.waits {
            self.channel.withdraw();
        }
    }
}

impl<Y, S> fmt::Debug for Yield<'_, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yield").field("waits", &self.waits).finish()
    }
}
