//! The body of an async generator, and whoever runs it: its consumer, its closer, or the loop.
//!
//! ```text
//! fresh ── first step ──▶ started ── close, or the loop ──▶ closing ──▶ over
//!   └──── close, drop ───────┴── end, panic, no scope to stop the closing ──▶┘
//! ```
//! The body is taken out of its place to be polled. So a step within a step finds none, and a panic leaves none.

use crate::channel::Channel;
use corio_seam::{OnShutdown, ShutdownHook, catch_and_report, on_shutdown, raised};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// The future that the async closure made.
type Coroutine = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Fresh,
    Started,
    Closing,
    Over,
}

/// What an async generator is a handle to; its loop has another.
pub(crate) struct Body<Y: 'static, S: 'static> {
    pub(crate) channel: Rc<Channel<Y, S>>,
    /// None when it is over, and while it is polled.
    coroutine: Cell<Option<Coroutine>>,
    phase: Cell<Phase>,
    /// Those who close it, to be woken when it is over.
    closers: RefCell<Vec<Waker>>,
    /// Its place on the loop's list, from the first step, if a loop ran, to the end.
    hook: Cell<Option<ShutdownHook>>,
}

impl<Y: 'static, S: 'static> Body<Y, S> {
    pub(crate) fn new(channel: Rc<Channel<Y, S>>, coroutine: Coroutine) -> Rc<Body<Y, S>> {
        Rc::new(Body {
            channel,
            coroutine: Cell::new(Some(coroutine)),
            phase: Cell::new(Phase::Fresh),
            closers: RefCell::default(),
            hook: Cell::new(None),
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Tells whether a yield waits for a value.
    pub(crate) fn is_waiting(&self) -> bool {
        self.phase.get() == Phase::Started && self.channel.is_waiting()
    }

    /// Runs the body to its next yield, or its end.
    pub(crate) fn poll_next(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        match self.phase.get() {
            Phase::Fresh => self.begin(),
            Phase::Started => (),
            Phase::Closing | Phase::Over => return Poll::Ready(None),
        }
        self.step(cx)
    }

    /// Has the loop that runs here, if one does, close the generator if nobody else does.
    #[cold]
    fn begin(self: &Rc<Self>) {
        self.phase.set(Phase::Started);
        let this: Weak<Self> = Rc::downgrade(self);
        self.hook.set(on_shutdown(this).ok());
    }

    /// Polls the body once.
    #[inline]
    fn step(&self, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        let mut turn = self.take();
        let running = self.channel.enter(cx.waker());
        let polled = turn.coroutine.as_mut().map_or(Poll::Ready(()), |coroutine| coroutine.as_mut().poll(cx));
        drop(running);
        if polled.is_ready() {
            return Poll::Ready(None);
        }
        let yielded = self.channel.take();
        if yielded.is_some() {
            turn.pause();
            return Poll::Ready(yielded);
        }
        if self.channel.scopes.is_raised() {
            return Poll::Ready(None);
        }
        if !raised() {
            turn.pause();
        } // Else a cancellation leaves the body, as an exception would; the scope around drops the caller.
        Poll::Pending
    }

    /// Takes the body out of its place.
    #[inline]
    fn take(&self) -> Turn<'_, Y, S> {
        let coroutine = self.coroutine.take();
        assert!(
            coroutine.is_some(),
            "an async generator is already running: its own body asked it for a step, or closed it"
        );
        Turn { body: self, coroutine }
    }

    /// Closes the generator: drops the body, or runs it on from where it catches that to its end.
    pub(crate) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.phase.get() {
            Phase::Over => return Poll::Ready(()),
            Phase::Fresh => {
                drop(self.take());
                return Poll::Ready(());
            }
            Phase::Started => {
                let turn = self.take();
                self.phase.set(Phase::Closing);
                if !self.channel.scopes.close() {
                    drop(turn);
                    return Poll::Ready(());
                }
                turn.pause();
            }
            Phase::Closing => (),
        }
        self.keep_closer(cx.waker());
        self.step(cx).map(drop)
    }

    fn keep_closer(&self, waker: &Waker) {
        if !self.closers.borrow().iter().any(|closer| closer.will_wake(waker)) {
            let closer = waker.clone();
            self.closers.borrow_mut().push(closer);
        }
    }

    /// Wakes all who close the generator: it is over, or one of them has left, and another must go on.
    fn wake_closers(&self) {
        for closer in self.closers.take() {
            catch_and_report("panic in a waker", || closer.wake());
        }
    }

    /// Hears that the owner is gone: if there is something to clean up that takes awaits, the loop does it.
    pub(crate) fn abandon(self: &Rc<Self>) {
        let has_cleanup = match self.phase.get() {
            Phase::Started => !self.channel.scopes.is_empty(),
            Phase::Closing => true,
            Phase::Fresh | Phase::Over => false,
        };
        if has_cleanup {
            let hook = self.hook.take();
            if let Some(hook) = &hook {
                hook.abandon(Rc::<Self>::clone(self));
            }
            self.hook.set(hook);
        }
    }

    /// Ends the generator, but for the body itself.
    fn end(&self) {
        self.phase.set(Phase::Over);
        drop(self.hook.take());
        self.wake_closers();
    }
}

/// A body that was taken out of its place: it is over, unless it is put back.
struct Turn<'b, Y: 'static, S: 'static> {
    body: &'b Body<Y, S>,
    coroutine: Option<Coroutine>,
}

impl<Y: 'static, S: 'static> Turn<'_, Y, S> {
    /// Puts the body back: it goes on later.
    #[inline]
    fn pause(self) {
        let mut turn = ManuallyDrop::new(self);
        turn.body.coroutine.set(turn.coroutine.take());
    }
}

impl<Y: 'static, S: 'static> Drop for Turn<'_, Y, S> {
    fn drop(&mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            self.body.end(); // First: the body's destructors may panic.
            drop(coroutine);
        }
    }
}

impl<Y: 'static, S: 'static> OnShutdown for Body<Y, S> {
    fn close(self: Rc<Self>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(CloseByLoop(self))
    }

    fn describe(&self) -> String {
        format!("async generator of {}", std::any::type_name::<Y>())
    }
}

/// The closing of a generator by its loop: reports a panic, for nobody else would hear of it.
struct CloseByLoop<Y: 'static, S: 'static>(Rc<Body<Y, S>>);

impl<Y: 'static, S: 'static> Future for CloseByLoop<Y, S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut polled = Poll::Ready(());
        catch_and_report("an error occurred while an async generator was closed", || polled = self.0.poll_close(cx));
        polled
    }
}

impl<Y: 'static, S: 'static> Drop for CloseByLoop<Y, S> {
    fn drop(&mut self) {
        if self.0.phase() == Phase::Closing {
            self.0.wake_closers(); // Who polled last is woken by what the body waits for: that may have been this one.
        }
    }
}
