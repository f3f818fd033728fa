//! One child of a combinator in place: a future, and later its output.

use corio_task::{Cancelled, ChildBody, Entered};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// A future that is polled as a scope of its own; its output lies where it did.
    #[project = Stage]
    #[project_replace = Taken]
    pub enum Member<F: Future> {
        /// Not ended.
        Running { #[pin] future: F },
        /// From the end of the future until the combinator takes it.
        Ended { output: F::Output },
        /// Taken, or never there: a cancellation ended the future.
        Gone,
    }
}

impl<F: Future> Member<F> {
    #[inline]
    pub(crate) fn new(future: F) -> Member<F> {
        Member::Running { future }
    }

    /// Polls the future as the child of that number; when it ends, it is dropped, and its output kept here.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        children: &Entered<'_>,
        index: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cancelled>> {
        children.poll(index, self, cx)
    }

    /// Moves the output out, once.
    #[inline]
    pub(crate) fn take(self: Pin<&mut Self>) -> F::Output {
        match self.project_replace(Member::Gone) {
            Taken::Ended { output } => output,
            Taken::Running { .. } | Taken::Gone => panic!("a child's output is taken once, after its end"),
        }
    }
}

impl<F: Future> ChildBody for Pin<&mut Member<F>> {
    type Output = ();

    #[inline(always)] // As `poll_member`, of which it is the middle.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Stage::Running { future } = self.as_mut().project() else {
            panic!("a child was polled after it had ended")
        };
        let Poll::Ready(output) = future.poll(cx) else { return Poll::Pending };
        self.set(Member::Ended { output });
        Poll::Ready(())
    }

    fn clear(&mut self) {
        self.set(Member::Gone);
    }
}
