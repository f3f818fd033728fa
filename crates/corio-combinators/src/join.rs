//! Waiting in place for all of several futures.

use crate::members::{AllMembers, IntoMembers, Members};
use crate::round::{Round, Turn};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs futures side by side in the caller's own task, and returns their outputs in order.
///
/// Takes an iterator of futures of one type, and gives a `Vec`; or a tuple of up to twelve, and gives a tuple. They are
/// plain futures, which may borrow: no executor, no `'static`, no allocation each but their scopes. For tasks, which go
/// on by themselves, see [`gather`](crate::gather()).
///
/// Up to 30 children are all polled each time. Of more, only those that were woken: a join of a million costs a million
/// polls and wakes, not their square.
///
/// # Cancellation
///
/// Each child is a scope of its own. A request that is aimed at the caller reaches every child at its own await; when
/// all have ended, and one of them did not catch it, the caller unwinds. A child that cancels itself
/// ([`Cancelled::resume`](corio_task::Cancelled::resume)) makes the caller unwind at once, as a panic would.
///
/// # Cancel safety
///
/// Dropping it drops the children, and the outputs that are there.
///
/// # Examples
///
/// ```
/// use corio_combinators::join;
///
/// let text = String::from("borrowed");
/// let (n, c) = pollster::block_on(join((async { text.len() }, async { text.chars().next() })));
/// assert_eq!((n, c), (8, Some('b')));
///
/// let squares = pollster::block_on(join((1..=3).map(|n| async move { n * n })));
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub fn join<Shape, L>(futures: L) -> Join<L::Members>
where
    L: IntoMembers<Shape>,
    L::Members: AllMembers,
{
    let members = futures.into_members();
    Join { round: Round::new(members.count()), members }
}

pin_project_lite::pin_project! {
    /// Future of [`join`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Join<M> {
        round: Round,
        #[pin]
        members: M,
    }
}

impl<M: AllMembers> Future for Join<M> {
    type Output = M::Outputs;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Outputs> {
        let mut this = self.project();
        this.round.begin(cx);
        match this.round.advance_all(this.members.as_mut(), cx) {
            Turn::Ended(_) | Turn::Pending => Poll::Pending,
            Turn::Over => Poll::Ready(this.members.take_all()),
        }
    }
}

impl<M: Members> fmt::Debug for Join<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("children", &self.members.count()).finish_non_exhaustive()
    }
}
