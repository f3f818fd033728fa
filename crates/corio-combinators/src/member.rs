//! One child of a combinator in place: a future, the scope it is polled in, and later its output.

use corio_task::{Cancelled, Scope};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// A future with a scope of its own.
    pub struct Member<F: Future> {
        scope: Scope,
        #[pin]
        body: Option<F>,
        // From the end of the body until the combinator takes it.
        output: Option<F::Output>,
    }
}

impl<F: Future> Member<F> {
    pub(crate) fn new(future: F, scope: Scope) -> Member<F> {
        Member { scope, body: Some(future), output: None }
    }

    /// Polls the future; when it ends, it is dropped, and its output kept here.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        let this = self.project();
        let output = &mut *this.output;
        this.scope.poll(this.body, cx).map_ok(|value| *output = Some(value))
    }

    /// Moves the output out, once.
    #[inline]
    pub(crate) fn take(self: Pin<&mut Self>) -> F::Output {
        self.project().output.take().expect("a child's output is taken once, after its end")
    }
}
