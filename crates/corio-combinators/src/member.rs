//! One child of a combinator in place: a future, and later its output.

use corio_task::{Cancelled, Entered};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// A future that is polled as a scope of its own.
    pub struct Member<F: Future> {
        #[pin]
        body: Option<F>,
        // From the end of the body until the combinator takes it.
        output: Option<F::Output>,
    }
}

impl<F: Future> Member<F> {
    pub(crate) fn new(future: F) -> Member<F> {
        Member { body: Some(future), output: None }
    }

    /// Polls the future as the child of that number; when it ends, it is dropped, and its output kept here.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        children: &Entered<'_>,
        index: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cancelled>> {
        let this = self.project();
        let output = &mut *this.output;
        children.poll(index, this.body, cx).map_ok(|value| *output = Some(value))
    }

    /// Moves the output out, once.
    #[inline]
    pub(crate) fn take(self: Pin<&mut Self>) -> F::Output {
        self.project().output.take().expect("a child's output is taken once, after its end")
    }
}
