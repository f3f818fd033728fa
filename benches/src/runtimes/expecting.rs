//! A task's handle whose end is its value.

use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A handle that gives a `Result`, which is expected to be a value.
#[derive(Debug)]
pub struct Expecting<H>(pub H);

impl<T, E: Debug, H: Future<Output = Result<T, E>> + Unpin> Future for Expecting<H> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.expect("the task completes"))
    }
}
