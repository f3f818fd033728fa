//! Waiting in place for the first of several futures.

use crate::members::{AnyMember, IntoMembers, Members};
use crate::round::{Round, Turn};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs futures side by side in the caller's own task, and returns the output of the first to end; the losers are
/// dropped with the race.
///
/// Takes an iterator, or a tuple of up to twelve whose outputs have one type. Of several that are ready in one poll, the
/// one wins that stands first, or was woken first if there are more than 30.
///
/// # Panics
///
/// If there is nobody to run: the race would never end.
///
/// # Cancel safety
///
/// Dropping it drops the children. A request aimed at the caller reaches each child; a child that catches it and returns
/// has won, and if none does the caller unwinds.
///
/// # Examples
///
/// ```
/// use corio_combinators::race;
///
/// let first = pollster::block_on(race((std::future::pending(), async { "ready" })));
/// assert_eq!(first, "ready");
/// ```
#[track_caller]
pub fn race<Shape, L>(futures: L) -> Race<L::Members>
where
    L: IntoMembers<Shape>,
    L::Members: AnyMember,
{
    let members = futures.into_members();
    assert!(members.count() > 0, "a race of no futures would never end");
    Race { round: Round::new(members.count()), is_over: false, members }
}

pin_project_lite::pin_project! {
    /// Future of [`race`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Race<M> {
        round: Round,
        is_over: bool,
        #[pin]
        members: M,
    }
}

impl<M: AnyMember> Future for Race<M> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        let mut this = self.project();
        assert!(!*this.is_over, "a race was polled after it had ended");
        this.round.begin(cx);
        match this.round.advance(this.members.as_mut(), cx) {
            Turn::Ended(index) => {
                *this.is_over = true;
                Poll::Ready(this.members.take_one(index))
            }
            Turn::Pending => Poll::Pending,
            Turn::Over => unreachable!("a race ends with its first child"),
        }
    }
}

impl<M: Members> fmt::Debug for Race<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Race").field("children", &self.members.count()).finish_non_exhaustive()
    }
}
