//! Something that happens once, and one who waits for it.

use corio_seam::{Alarm, LoopTime, OnAlarm, Timer, TimerKey, Waitable, Waiting, local_waker, wait_on};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A flag with one waiter.
#[derive(Default)]
pub(crate) struct Signal {
    rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Signal {
    /// Sets the flag, and wakes whoever waits.
    pub(crate) fn ring(&self) {
        self.rung.set(true);
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the flag back.
    pub(crate) fn clear(&self) {
        self.rung.set(false);
    }

    /// Waits for the flag, and takes it. The caller is seen to wait for `what`, to which it only listens.
    pub(crate) async fn wait(&self, what: impl Fn() -> Rc<dyn Waitable>) {
        poll_fn(|cx| self.poll(cx, &what)).await;
    }

    /// As [`wait`](Signal::wait), by hand.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, what: impl Fn() -> Rc<dyn Waitable>) -> Poll<()> {
        if self.rung.take() {
            return Poll::Ready(());
        }
        let new = local_waker(cx.waker()); // User code: no borrow is held.
        drop(self.waker.replace(Some(new)));
        wait_on(Waiting::Listened(what()));
        Poll::Pending
    }
}

/// A timer that is taken back when this is dropped.
pub(crate) struct Alarmed(Rc<dyn Timer>, TimerKey);

impl Alarmed {
    /// Has `object` called after `delay`.
    #[track_caller]
    pub(crate) fn after(delay: Duration, object: Rc<dyn OnAlarm>) -> Alarmed {
        let timer = corio_seam::timer();
        let when: LoopTime = timer.now() + delay;
        let key = timer.arm(when, Alarm::Call(object));
        Alarmed(timer, key)
    }
}

impl Drop for Alarmed {
    fn drop(&mut self) {
        self.0.disarm(self.1);
    }
}
