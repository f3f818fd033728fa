//! The future of a group's child: its failure goes to the group.

use crate::Failure;
use crate::outcome::Outcome;
use crate::turnstile::Place;
use corio_seam::Resume;
use corio_task::{Cancelled, Panic};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// Calls `enter`, and polls a future; if that fails, gives the failure to `fail` and ends the task as cancelled.
    pub(crate) struct MemberTask<F, E, N> {
        #[pin]
        future: F,
        // None once it was called.
        enter: Option<E>,
        // None once it was called.
        fail: Option<N>,
        raising: Option<Resume>,
        // Where its turn comes, if not all children may run at a time. Given up after the future.
        place: Option<Place>,
    }
}

impl<F, E, N> MemberTask<F, E, N> {
    pub(crate) fn new(future: F, enter: E, fail: N, place: Option<Place>) -> MemberTask<F, E, N> {
        MemberTask { future, enter: Some(enter), fail: Some(fail), raising: None, place }
    }
}

impl<F, E, N> Future for MemberTask<F, E, N>
where
    F: Future<Output: Outcome>,
    E: FnOnce(),
    N: FnOnce(Failure),
{
    type Output = <F::Output as Outcome>::Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(enter) = this.enter.take() {
            enter();
        }
        if this.place.as_mut().is_some_and(|place| place.poll_enter(cx).is_pending()) {
            return Poll::Pending;
        }
        // Whoever reads what the future leaves behind after a panic sees a future that panicked, and is dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.as_mut().poll(cx)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => output.settle(),
            Err(payload) => Err(Failure::Panicked(Panic::new(payload))),
        };
        match ended {
            Ok(value) => Poll::Ready(value),
            Err(failure) => {
                if let Some(fail) = this.fail.take() {
                    fail(failure);
                }
                let why = Cancelled::with_message(Some("the task failed, and its group has the error".into()));
                crate::timeout::raise(this.raising, why, cx)
            }
        }
    }
}
