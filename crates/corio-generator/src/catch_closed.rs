//! The place where the closing of an async generator stops.

use crate::channel::Channel;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// Future of [`AsyncYielder::catch_closed`](crate::AsyncYielder::catch_closed).
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CatchClosed<'y, Y: 'static, S: 'static, F> {
        channel: &'y Rc<Channel<Y, S>>,
        // Its scope, from the first poll to the end.
        scope: Option<u64>,
        #[pin]
        body: Option<F>,
    }

    impl<Y: 'static, S: 'static, F> PinnedDrop for CatchClosed<'_, Y, S, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(scope) = *this.scope {
                this.channel.scopes.leave(scope);
            }
        }
    }
}

impl<'y, Y: 'static, S: 'static, F: Future> CatchClosed<'y, Y, S, F> {
    pub(crate) fn new(channel: &'y Rc<Channel<Y, S>>, body: F) -> CatchClosed<'y, Y, S, F> {
        CatchClosed { channel, scope: None, body: Some(body) }
    }

    /// Ends the scope: what is in it is dropped, in it.
    fn end(self: Pin<&mut Self>, scope: u64) {
        let mut this = self.project();
        this.channel.scopes.within(scope, || this.body.set(None));
        this.channel.scopes.leave(scope);
        *this.scope = None;
    }
}

impl<Y: 'static, S: 'static, F: Future> Future for CatchClosed<'_, Y, S, F> {
    type Output = Result<F::Output, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project(); // A look at `self` as a whole would end the borrows inside the body.
        this.channel.assert_running();
        let scopes = &this.channel.scopes;
        let body = this.body.as_pin_mut().expect("`catch_closed` was polled after it had ended");
        let scope = *this.scope.get_or_insert_with(|| scopes.open());
        let polled = match scopes.take_ripe(scope) {
            true => None,
            false => Some(scopes.within(scope, || body.poll(cx))).filter(|_| !scopes.take_raised(scope)),
        };
        match polled {
            Some(Poll::Pending) => {
                let foreign = this.channel.is_foreign(cx.waker());
                scopes.set_waker(scope, foreign.then(|| cx.waker().clone()));
                Poll::Pending
            }
            Some(Poll::Ready(value)) => {
                self.end(scope);
                Poll::Ready(Ok(value))
            }
            None => {
                let channel: Rc<dyn Raise> = Rc::<Channel<Y, S>>::clone(this.channel);
                self.end(scope);
                Poll::Ready(Err(Closed { channel }))
            }
        }
    }
}

impl<Y: 'static, S: 'static, F> fmt::Debug for CatchClosed<'_, Y, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchClosed").field("ended", &self.body.is_none()).finish_non_exhaustive()
    }
}

/// Where a closing can be raised again: a channel of any type.
trait Raise {
    fn raise(&self);
}

impl<Y, S> Raise for Channel<Y, S> {
    fn raise(&self) {
        self.assert_running();
        self.scopes.raise();
    }
}

/// The sign that an async generator is being closed; Python's `GeneratorExit`.
///
/// After it, the body cleans up, which may await, and returns. It may not yield any more.
pub struct Closed {
    channel: Rc<dyn Raise>,
}

impl Closed {
    /// Closes what is around the caller: Python's `raise` at the end of an `except GeneratorExit`.
    ///
    /// The future never completes: it is dropped, with all that is around it, up to the next
    /// [`catch_closed`](crate::AsyncYielder::catch_closed), or the whole body. A body without another one around may as
    /// well return.
    ///
    /// # Panics
    ///
    /// When awaited outside the body of its generator.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was polled, it does nothing.
    pub fn resume(self) -> ResumeClosed {
        ResumeClosed { closed: Some(self) }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the generator is being closed")
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}

impl std::error::Error for Closed {}

/// Future of [`Closed::resume`]: never ready.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ResumeClosed {
    closed: Option<Closed>,
}

impl Future for ResumeClosed {
    type Output = Infallible;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Infallible> {
        if let Some(closed) = self.closed.take() {
            closed.channel.raise();
        }
        Poll::Pending
    }
}
