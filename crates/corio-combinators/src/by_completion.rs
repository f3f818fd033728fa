//! The outputs of several futures in place, each as soon as it is there.

use crate::members::{AnyMember, IntoMembers, List, Many, Members};
use crate::round::{Round, Turn};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs futures side by side in the caller's own task, and streams their outputs in the order of completion.
///
/// The futures advance only while the stream is asked. For tasks, which go on by themselves, see
/// [`as_completed`](crate::as_completed()).
///
/// # Cancel safety
///
/// Dropping the future of `next` loses nothing; dropping the stream drops the children.
///
/// # Examples
///
/// ```
/// use corio_combinators::by_completion;
///
/// let mut outputs = by_completion((0..3).map(|n| async move { n * 10 }));
/// pollster::block_on(async {
///     assert_eq!(outputs.next().await, Some(0));
///     assert_eq!(outputs.len(), 2);
///     assert_eq!(outputs.next().await, Some(10));
///     assert_eq!(outputs.next().await, Some(20));
///     assert_eq!(outputs.next().await, None);
/// });
/// ```
pub fn by_completion<I>(futures: I) -> ByCompletion<I::Item>
where
    I: IntoIterator,
    I::Item: Future,
{
    let members = IntoMembers::<List>::into_members(futures);
    ByCompletion { round: Round::new(members.count()), left: members.count(), members }
}

/// Stream of [`by_completion`].
#[must_use = "streams do nothing unless polled"]
pub struct ByCompletion<F: Future> {
    round: Round,
    left: usize,
    members: Many<F>,
}

impl<F: Future> ByCompletion<F> {
    /// Returns the next output; `None` after the last.
    pub async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns how many outputs are still to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Tells whether all outputs have been given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<F: Future> Unpin for ByCompletion<F> {}

impl<F: Future> Stream for ByCompletion<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let this = &mut *self;
        let mut members = Pin::new(&mut this.members);
        match this.round.go_on(members.as_mut(), cx) {
            Turn::Ended(index) => {
                this.left -= 1;
                Poll::Ready(Some(members.take_one(index)))
            }
            Turn::Pending => Poll::Pending,
            Turn::Over => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<F: Future> fmt::Debug for ByCompletion<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByCompletion").field("left", &self.left).finish_non_exhaustive()
    }
}
