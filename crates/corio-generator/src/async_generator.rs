//! Async generators: generators whose bodies may wait for anything.

use crate::async_yielder::AsyncYielder;
use crate::body::{Body, Phase};
use crate::channel::Channel;
use futures_core::stream::{FusedStream, Stream};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Makes an async generator of an async closure that yields; Python's `async def` with a `yield` in it.
///
/// The closure is given the [`AsyncYielder`] to yield with: `async_generator(async |y| ...)`, or
/// `async_generator(|y| async move { ... })`. Nothing of its `async` part runs until the first step. It owns what it
/// uses (`async move |y|`): its loop may have to close it when its owner is gone.
///
/// # Panics
///
/// If the closure does, before its `async` part.
///
/// # Examples
///
/// ```
/// use corio_generator::{AsyncGenerator, async_generator};
/// # async fn sleep() {}
///
/// fn powers_of_two(n: u32) -> AsyncGenerator<u64> {
///     async_generator(async move |y| {
///         for i in 0..n {
///             sleep().await;
///             y.yield_(1 << i).await;
///         }
///     })
/// }
///
/// pollster::block_on(async {
///     // Python's [x async for x in powers_of_two(10)].
///     let mut all = Vec::new();
///     let mut powers = powers_of_two(10);
///     while let Some(x) = powers.next().await {
///         all.push(x);
///     }
///     assert_eq!(all, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
///
///     // [x async for x in powers_of_two(20) if x % 10 == 4]; as a `Stream` it has `filter` and `collect`, too.
///     let mut some = Vec::new();
///     let mut powers = powers_of_two(20);
///     while let Some(x) = powers.next().await {
///         if x % 10 == 4 {
///             some.push(x);
///         }
///     }
///     assert_eq!(some, [4, 64, 1024, 16384, 262_144]);
/// });
/// ```
pub fn async_generator<Y, S, B>(body: impl FnOnce(AsyncYielder<Y, S>) -> B) -> AsyncGenerator<Y, S>
where
    B: Future<Output = ()> + 'static,
{
    let channel = Channel::new();
    let coroutine = body(AsyncYielder::new(&channel));
    AsyncGenerator { body: Body::new(channel, Box::pin(coroutine)) }
}

/// A generator whose body may await; Python's async generator object. Made by [`async_generator`].
///
/// It is pulled: its body runs inside its steps, in the task that makes them, and nowhere else. One that takes nothing in
/// (`S = ()`) is a [`Stream`].
///
/// # Closing
///
/// A generator that is not wanted to its end is closed, by [`close`](AsyncGenerator::close), or by dropping it. Where the
/// body stands inside an [`AsyncYielder::catch_closed`], what that holds is dropped, and what comes after it may await.
/// Elsewhere the body is dropped, at once.
///
/// | what | where a loop of corio's ran at the first step | elsewhere |
/// |---|---|---|
/// | `close().await` | the cleanup is awaited by the caller | the same |
/// | dropped half-way | a task of the loop awaits the cleanup | the body is dropped, and no cleanup runs that awaits |
/// | kept until after `run` | the loop's shutdown closes it | nothing |
///
/// A panic in a cleanup that the loop awaits goes to its exception handler.
///
/// # Cancellation
///
/// A cancellation of the consumer that finds it waiting inside the body lands there, as in asyncio: `catch_cancelled` in
/// the body catches it. If the body awaits `cancelled.resume()`, it is over, and the consumer unwinds. A body that does
/// not catch it stays as it stands, unlike asyncio's, and the next step goes on there.
///
/// # Examples
///
/// ```
/// use corio_generator::async_generator;
///
/// let mut total = async_generator(async |y| {
///     let mut sum = 5;
///     while sum < 100 {
///         sum += y.yield_(sum).await;
///     }
/// });
/// pollster::block_on(async {
///     assert_eq!(total.start().await, Some(5));
///     assert_eq!(total.send(3).await, Some(8));
///     assert_eq!(total.send(92).await, None);
/// });
/// ```
#[must_use = "a generator does nothing until its first step"]
pub struct AsyncGenerator<Y: 'static, S: 'static = ()> {
    body: Rc<Body<Y, S>>,
}

impl<Y: 'static, S: 'static> AsyncGenerator<Y, S> {
    /// Runs the body to its first yield; Python's first `asend(None)`. Also goes on with a step that was dropped half-way.
    ///
    /// Gives what it yields, or `None` if it ends without.
    ///
    /// # Panics
    ///
    /// If a yield waits for a value already: [`send`](AsyncGenerator::send) brings one. Also if the body panics, when the
    /// generator is over.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the body stays as it stands, and `start` goes on there.
    #[track_caller]
    pub fn start(&mut self) -> Step<'_, Y, S> {
        assert!(!self.body.is_waiting(), "a generator was started twice: it waits for a value, which `send` brings");
        Step { generator: self, sent: None }
    }

    /// Sends a value in, and runs the body from where that is waited for to its next yield; Python's `asend`.
    ///
    /// Gives what it yields, or `None` if it ends first, or has: the value is dropped then.
    ///
    /// # Panics
    ///
    /// If nothing waits for a value: the generator has not started, or its last step was dropped half-way. Also if the
    /// body panics, when the generator is over.
    ///
    /// # Cancel safety
    ///
    /// Dropped unpolled, it drops the value, and has sent nothing. Dropped half-way, it has sent the value; `start` goes on
    /// with the step.
    #[track_caller]
    pub fn send(&mut self, value: S) -> Step<'_, Y, S> {
        assert!(
            self.body.is_waiting() || self.is_over(),
            "a value was sent into a generator that waits for none, as it has not started or has not ended its last step: \
             await `start` first"
        );
        Step { generator: self, sent: Some(value) }
    }

    /// Closes the generator, and waits for its cleanup; Python's `aclose`.
    ///
    /// The body is told where it [catches](AsyncYielder::catch_closed) that, and else dropped. Whatever comes after is
    /// `None`. Closing again does nothing, or goes on.
    ///
    /// # Panics
    ///
    /// If the body panics, be it because it yields instead of ending.
    ///
    /// # Cancel safety
    ///
    /// Dropped unpolled, it does nothing. Dropped half-way, the cleanup stays as it stands; another `close` goes on there,
    /// and so does the loop when the generator is dropped.
    pub fn close(&mut self) -> Close<'_, Y, S> {
        Close { generator: self }
    }

    /// Tells whether the generator will yield no more: the body has ended, or is being closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.body.phase(), Phase::Closing | Phase::Over)
    }
}

impl<Y: 'static> AsyncGenerator<Y, ()> {
    /// Runs the body to its next yield; Python's `anext`, and what `async for` does.
    ///
    /// Gives what it yields, or `None` if it ends first, or has.
    ///
    /// Two at once do not compile; Python's "asynchronous generator is already running":
    ///
    /// ```compile_fail,E0499
    /// # async fn two<F>(_: F, _: F) {}
    /// # async fn example() {
    /// let mut numbers = corio_generator::async_generator(async |y| y.yield_(1).await);
    /// two(numbers.next(), numbers.next()).await;
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the body panics, when the generator is over; or if it was the body that asked.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the body stays as it stands, and the next step goes on there.
    #[expect(clippy::should_implement_trait, reason = "it is a stream's, and asyncio's")]
    pub fn next(&mut self) -> Step<'_, Y, ()> {
        Step { generator: self, sent: Some(()) }
    }
}

impl<Y: 'static> Stream for AsyncGenerator<Y, ()> {
    type Item = Y;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        Pin::new(&mut self.next()).poll(cx)
    }
}

impl<Y: 'static> FusedStream for AsyncGenerator<Y, ()> {
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}

impl<Y: 'static, S: 'static> Drop for AsyncGenerator<Y, S> {
    fn drop(&mut self) {
        self.body.abandon();
    }
}

impl<Y: 'static, S: 'static> fmt::Debug for AsyncGenerator<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncGenerator").field("phase", &self.body.phase()).finish()
    }
}

/// Future of [`AsyncGenerator::next`], [`start`](AsyncGenerator::start) and [`send`](AsyncGenerator::send).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Step<'g, Y: 'static, S: 'static> {
    generator: &'g mut AsyncGenerator<Y, S>,
    /// What is sent if a yield waits for it; until the first poll.
    sent: Option<S>,
}

/// Nothing in it is pinned.
impl<Y: 'static, S: 'static> Unpin for Step<'_, Y, S> {}

impl<Y: 'static, S: 'static> Future for Step<'_, Y, S> {
    type Output = Option<Y>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        let sent = self.sent.take();
        let body = &self.generator.body;
        if let Some(sent) = sent.filter(|_| body.is_waiting()) {
            body.channel.send(sent);
        }
        body.poll_next(cx)
    }
}

impl<Y: 'static, S: 'static> fmt::Debug for Step<'_, Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("generator", &self.generator).finish_non_exhaustive()
    }
}

/// Future of [`AsyncGenerator::close`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Close<'g, Y: 'static, S: 'static> {
    generator: &'g mut AsyncGenerator<Y, S>,
}

impl<Y: 'static, S: 'static> Future for Close<'_, Y, S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.generator.body.poll_close(cx)
    }
}
