use corio_seam::{Waiting, local_waker, wait_on};
use corio_task::{Bell, Cancelled, JoinError, Scope, ScopeHandle, TaskSet, catch_cancelled};
use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

/// A log of what happened, shared by the parts of a test.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn new() -> Log {
        Log::default()
    }

    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Writes a line into a log when dropped.
pub(crate) struct OnDrop(pub(crate) Log, pub(crate) &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

/// Runs `main` to its end, panicking if the set gets stuck.
pub(crate) fn run<T>(set: &TaskSet, main: impl Future<Output = T>) -> Result<T, JoinError> {
    let mut idle = 0;
    let ended = set.drive(main, |set| {
        set.drain_inbox();
        idle = if set.has_ready() { 0 } else { idle + 1 };
        assert!(idle < 100, "nothing is ready, and nothing ever will be");
        set.run_batch();
        ControlFlow::Continue(())
    });
    ended.expect("`turn` never breaks")
}

/// Runs `main` in a set of its own.
pub(crate) fn run_alone<T>(main: impl Future<Output = T>) -> T {
    run(&TaskSet::new(), main).expect("the main future ends with a value")
}

/// Yields once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits for ever, without a waker.
pub(crate) async fn forever() {
    std::future::pending().await
}

/// A leaf of ours that waits for ever, and keeps its waker on this thread.
#[derive(Default)]
pub(crate) struct Door(pub(crate) RefCell<Vec<Waker>>);

impl Door {
    pub(crate) async fn wait(&self) {
        poll_fn(|cx| {
            self.0.borrow_mut().push(local_waker(cx.waker()));
            wait_on(Waiting::Leaf(&"Door.wait"));
            Poll::<()>::Pending
        })
        .await;
    }
}

/// Whether a set, none of whose tasks is ready, can be woken no more.
pub(crate) fn stuck(set: &TaskSet) -> bool {
    assert!(set.fall_asleep());
    let stuck = set.is_stuck(0);
    set.wake_up();
    stuck
}

/// A future in a scope of its own.
pub(crate) struct InScope<F> {
    scope: Scope,
    body: Pin<Box<Option<F>>>,
}

impl<F> InScope<F> {
    pub(crate) fn new(scope: Scope, body: F) -> InScope<F> {
        InScope { scope, body: Box::pin(Some(body)) }
    }

    pub(crate) fn handle(&self) -> ScopeHandle {
        self.scope.handle()
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let InScope { scope, body } = &mut *self;
        scope.poll(body.as_mut(), cx)
    }
}

/// Suspends once: tells whether a request hits there.
pub(crate) async fn was_hit() -> bool {
    catch_cancelled(yield_now()).await.is_err()
}

/// Polls a future once: tells whether it is pending.
pub(crate) async fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
}

/// A bell that notes its end, which is that of the memory of its set.
pub(crate) struct Gone(pub(crate) Arc<AtomicBool>);

impl Bell for Gone {
    fn ring(&self) {}
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Tells whether a task was cancelled by somebody else.
pub(crate) fn was_cancelled<T>(result: &Result<T, JoinError>) -> bool {
    matches!(result, Err(JoinError::Cancelled(_)))
}
