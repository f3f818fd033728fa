//! A seam that is installed for one poll, and writes down what the poll says to the runner around.

use corio_seam::{Cancelled, LoopId, Node, Remote, Report, Seam, TargetId, Timer, Waitable, Waiting, install};
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static NOTED: RefCell<Vec<Waiting>> = RefCell::default();
    /// What a waker that is to be kept on this thread is exchanged for.
    static KEPT: RefCell<Option<Waker>> = RefCell::default();
}

struct Spy;

impl Seam for Spy {
    fn loop_id(&self) -> Option<LoopId> {
        None
    }
    fn push(&self, node: Node) -> Result<(), Node> {
        Err(node)
    }
    fn spawn(&self, future: LocalFuture) -> Result<(), LocalFuture> {
        Err(future)
    }
    fn remote(&self) -> Option<Arc<dyn Remote>> {
        None
    }
    fn timer(&self) -> Option<Rc<dyn Timer>> {
        None
    }
    fn local(&self, _: TypeId, _: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        None
    }
    fn report(&self, report: Report) -> Result<(), Report> {
        Err(report)
    }
    fn wait_on(&self, waiting: Waiting) {
        NOTED.with_borrow_mut(|noted| noted.push(waiting));
    }
    fn local_waker(&self, waker: &Waker) -> Waker {
        KEPT.with_borrow(|kept| kept.clone().unwrap_or_else(|| waker.clone()))
    }
    fn heard(&self, _: TargetId, _: bool) -> bool {
        false
    }
    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled> {
        Err(cancelled)
    }
    fn cancelling(&self) -> usize {
        0
    }
}

/// Polls once, in the stead of the task around, and returns what is waited for, as the last word says.
pub(crate) fn noted<F: Future>(future: Pin<&mut F>) -> Option<Waiting> {
    let polled = {
        let _installed = install(&Spy);
        future.poll(&mut Context::from_waker(Waker::noop()))
    };
    assert!(polled.is_pending());
    NOTED.take().pop()
}

/// As [`noted`], of what is listened to and not asked.
pub(crate) fn listened<F: Future>(future: Pin<&mut F>) -> Rc<dyn Waitable> {
    match noted(future) {
        Some(Waiting::Listened(target)) => target,
        other => panic!("it should say to whom it listens, and says {other:?}"),
    }
}

/// Polls once by `cx`'s waker, in whose place `kept` is kept where a waker never leaves this thread.
pub(crate) fn poll_keeping<F: Future>(future: Pin<&mut F>, waker: &Waker, kept: &Waker) -> Poll<F::Output> {
    KEPT.set(Some(kept.clone()));
    let _installed = install(&Spy);
    let polled = future.poll(&mut Context::from_waker(waker));
    KEPT.take();
    polled
}

/// Describes what a thing waits for.
pub(crate) fn waited_for(target: &(impl Waitable + ?Sized)) -> Vec<String> {
    let mut seen = Vec::new();
    target.waits_for(&mut |target| seen.push(target.describe()));
    seen
}
