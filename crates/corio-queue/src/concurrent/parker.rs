//! How a thread waits for a future.

use crate::sync::{Condvar, Mutex, wait_until};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// What a waiting thread is woken by.
struct Parker {
    /// Set by `wake`, cleared by the thread when it looks.
    woken: Mutex<bool>,
    /// Rung by `wake`.
    bell: Condvar,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock() = true;
        self.bell.notify_one();
    }
}

impl Parker {
    /// Sleeps until woken, true, or until `deadline`, false.
    fn park(&self, deadline: Option<Instant>) -> bool {
        let mut woken = self.woken.lock();
        while !*woken {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            wait_until(&self.bell, &mut woken, deadline);
        }
        *woken = false;
        true
    }
}

/// Polls `future` on this thread until it is ready, or `None` when `timeout` has passed first.
///
/// A thread that needs not wait takes the waker that does nothing, and allocates nothing.
pub(super) fn block_on<F: Future + Unpin>(future: &mut F, timeout: Option<Duration>) -> Option<F::Output> {
    if timeout == Some(Duration::ZERO) {
        return poll(future, Waker::noop());
    }
    // A moment past the end of the clock never comes.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let parker = Arc::new(Parker { woken: Mutex::new(false), bell: Condvar::default() });
    let waker = Waker::from(Arc::clone(&parker));
    loop {
        if let Some(output) = poll(future, &waker) {
            return Some(output);
        }
        if !parker.park(deadline) {
            // Once more: it may have been woken between the end of the time and now.
            return poll(future, &waker);
        }
    }
}

/// Polls once.
fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Option<F::Output> {
    match Pin::new(future).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
