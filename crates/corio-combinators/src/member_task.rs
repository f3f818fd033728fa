//! The future of a group's child: its failure goes to the group.

use crate::Failure;
use crate::outcome::Outcome;
use corio_seam::Resume;
use corio_task::{Cancelled, Panic};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// Polls a future; if that fails, gives the failure to `fail` and ends the task as cancelled.
    pub(crate) struct MemberTask<F, N> {
        #[pin]
        future: F,
        // None once it was called.
        fail: Option<N>,
        raising: Option<Resume>,
    }
}

impl<F, N> MemberTask<F, N> {
    pub(crate) fn new(future: F, fail: N) -> MemberTask<F, N> {
        MemberTask { future, fail: Some(fail), raising: None }
    }
}

impl<F, N> Future for MemberTask<F, N>
where
    F: Future<Output: Outcome>,
    N: FnOnce(Failure),
{
    type Output = <F::Output as Outcome>::Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
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
