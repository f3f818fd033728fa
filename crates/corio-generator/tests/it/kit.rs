//! A log, a payload's text, a poll by hand, a wait, and combinators that poll both of two, or what was woken.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What happened, word by word.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    pub(crate) fn say(&self, word: &'static str) {
        self.0.borrow_mut().push(word);
    }

    /// Returns the words since the last call.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }

    /// Returns what says `word` when it is dropped.
    pub(crate) fn on_drop(&self, word: &'static str) -> OnDrop {
        OnDrop(self.clone(), word)
    }
}

pub(crate) struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// Calls `f`, which must panic, and returns what it says.
pub(crate) fn panics<R>(f: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("there was no panic") };
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).expect("a text")
}

/// Polls once.
pub(crate) fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Is pending once.
#[derive(Default)]
pub(crate) struct Wait(bool);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits for both, and polls both at each poll.
pub(crate) async fn both<A: Future, B: Future>(a: A, b: B) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut a_done, mut b_done) = (false, false);
    std::future::poll_fn(|cx| {
        a_done = a_done || a.as_mut().poll(cx).is_ready();
        b_done = b_done || b.as_mut().poll(cx).is_ready();
        if a_done && b_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A bell that a combinator rings for itself, and hands on.
struct Bell(AtomicBool, Waker);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
        self.1.wake_by_ref();
    }
}

/// Polls `future` when it was woken, and not else, with a waker of its own.
pub(crate) async fn when_woken<F: Future>(future: F) -> F::Output {
    let (mut future, mut bell) = (Box::pin(future), None::<Arc<Bell>>);
    std::future::poll_fn(move |cx| {
        let bell = bell.get_or_insert_with(|| Arc::new(Bell(AtomicBool::new(true), cx.waker().clone())));
        if !bell.0.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(bell));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}
