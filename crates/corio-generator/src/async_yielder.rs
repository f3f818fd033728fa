//! The body's end of an async generator.

use crate::catch_closed::CatchClosed;
use crate::channel::Channel;
use crate::yielder::Yield;
use std::fmt;
use std::rc::Rc;

/// What the body of an [`AsyncGenerator`](crate::AsyncGenerator) yields with, and learns of its closing.
///
/// It works inside that body alone, be it in functions that the body calls and awaits.
pub struct AsyncYielder<Y: 'static, S: 'static = ()> {
    channel: Rc<Channel<Y, S>>,
}

impl<Y: 'static, S: 'static> AsyncYielder<Y, S> {
    pub(crate) fn new(channel: &Rc<Channel<Y, S>>) -> AsyncYielder<Y, S> {
        AsyncYielder { channel: Rc::clone(channel) }
    }

    /// Hands a value out, and waits for the next step, and what it sends in; Python's `sent = yield value`.
    ///
    /// # Panics
    ///
    /// When awaited outside the body of its generator, beside another yield of the same body, or after the body has caught
    /// its closing; Python's "async generator ignored GeneratorExit".
    ///
    /// # Cancel safety
    ///
    /// Dropped inside the step that made it, it takes its value back; dropped later, what was sent for it is dropped too.
    #[inline]
    pub fn yield_(&self, value: Y) -> Yield<'_, Y, S> {
        Yield::new(&self.channel, value)
    }

    /// Runs `future`, and stops a closing of the generator that unwinds out of it; Python's
    /// `try: ... except GeneratorExit:`, or `finally:`.
    ///
    /// It is to closing what `catch_unwind` is to panics. What comes after it is ordinary code, and may await: it cleans up.
    /// A body without one is dropped by its closing at once: for it, `Drop` is the `finally`.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::Closed) if the generator is being closed: `future` was dropped at an await (at its yield, as a
    /// rule), without being polled.
    ///
    /// # Panics
    ///
    /// When awaited outside the body of its generator.
    ///
    /// # Cancel safety
    ///
    /// That of `future`.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_generator::{AsyncGenerator, async_generator};
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// async fn give_back(connection: &Cell<u32>) {
    ///     connection.set(connection.get() - 1); // Might take some awaits.
    /// }
    ///
    /// fn rows(connections: Rc<Cell<u32>>) -> AsyncGenerator<u32> {
    ///     async_generator(async move |y| {
    ///         connections.set(connections.get() + 1);
    ///         // try:
    ///         let rows = async {
    ///             for row in 0.. {
    ///                 y.yield_(row).await;
    ///             }
    ///         };
    ///         let _closed = y.catch_closed(rows).await;
    ///         // finally:
    ///         give_back(&connections).await;
    ///     })
    /// }
    ///
    /// pollster::block_on(async {
    ///     let open = Rc::new(Cell::new(0));
    ///     let mut rows = rows(Rc::clone(&open));
    ///     assert_eq!(rows.next().await, Some(0));
    ///     assert_eq!(open.get(), 1);
    ///     rows.close().await;
    ///     assert_eq!(open.get(), 0);
    /// });
    /// ```
    pub fn catch_closed<F: Future>(&self, future: F) -> CatchClosed<'_, Y, S, F> {
        CatchClosed::new(&self.channel, future)
    }
}

impl<Y: 'static, S: 'static> fmt::Debug for AsyncYielder<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncYielder").finish_non_exhaustive()
    }
}
