//! Waiting in place for all of several futures, or for the first error.

use crate::members::{IntoMembers, Members, TryMembers};
use crate::round::{Round, Turn};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs futures of results side by side in the caller's own task, until the first fails; the others are dropped then.
///
/// As [`join`](crate::join), for outputs `Result<T, E>` with one `E`.
///
/// # Errors
///
/// The first error in time.
///
/// # Cancel safety
///
/// Dropping it drops the children, and the outputs that are there.
///
/// # Examples
///
/// ```
/// use corio_combinators::try_join;
///
/// let both = pollster::block_on(try_join((async { Ok::<_, String>(1) }, async { Ok("two") })));
/// assert_eq!(both, Ok((1, "two")));
///
/// let never = std::future::pending();
/// let failed = pollster::block_on(try_join((never, async { Err::<(), _>("no") })));
/// assert_eq!(failed, Err::<((), ()), _>("no"));
/// ```
pub fn try_join<Shape, L>(futures: L) -> TryJoin<L::Members>
where
    L: IntoMembers<Shape>,
    L::Members: TryMembers,
{
    let members = futures.into_members();
    TryJoin { round: Round::new(members.count()), is_over: false, kept: Default::default(), members }
}

pin_project_lite::pin_project! {
    /// Future of [`try_join`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TryJoin<M: TryMembers> {
        round: Round,
        is_over: bool,
        kept: M::Kept,
        #[pin]
        members: M,
    }
}

impl<M: TryMembers> Future for TryJoin<M> {
    type Output = Result<M::Values, M::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(!*this.is_over, "a `try_join` was polled after it had ended");
        this.round.begin(cx);
        loop {
            match this.round.advance(this.members.as_mut(), cx) {
                Turn::Ended(index) => {
                    if let Some(error) = this.members.as_mut().failure(index, this.kept) {
                        *this.is_over = true;
                        return Poll::Ready(Err(error));
                    }
                }
                Turn::Pending => return Poll::Pending,
                Turn::Over => {
                    *this.is_over = true;
                    return Poll::Ready(Ok(this.members.values(std::mem::take(this.kept))));
                }
            }
        }
    }
}

impl<M: TryMembers> fmt::Debug for TryJoin<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryJoin").field("children", &Members::count(&self.members)).finish_non_exhaustive()
    }
}
