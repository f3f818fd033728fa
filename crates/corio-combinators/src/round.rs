//! Who is polled when, and what a child's cancellation means: what all combinators in place share.

use crate::block::bells::Bells;
use crate::members::Members;
use corio_seam::Resume;
use corio_task::Cancelled;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Up to this many children are all polled each time, which is cheaper than finding out who was woken.
const FEW: usize = 30;

/// Who is polled.
enum Turns {
    /// All that have not ended, a bit each, with the caller's waker; `cursor` stands behind the one polled last.
    Few { left: u32, cursor: u32 },
    /// Those that were woken.
    Many { left: usize, bells: Box<Bells> },
}

/// What a round led to.
pub(crate) enum Turn {
    /// This child has ended, and its output is there. The round can go on.
    Ended(usize),
    /// Whoever was to be polled has been, and somebody is left; or a cancellation was raised.
    Pending,
    /// All have ended, and none by a cancellation.
    Over,
}

/// The course of a combinator.
pub(crate) struct Round {
    turns: Turns,
    /// How many requests there were around at the first poll.
    before: Option<usize>,
    /// The first cancellation that ended a child because of a request from outside.
    cut: Option<Cancelled>,
    /// A cancellation that goes on from here: nothing else happens any more.
    raising: Option<Resume>,
}

impl Round {
    pub(crate) fn new(count: usize) -> Round {
        let turns = if count <= FEW {
            Turns::Few { left: (1 << count) - 1, cursor: 0 }
        } else {
            Turns::Many { left: count, bells: Box::new(Bells::new(count)) }
        };
        Round { turns, before: None, cut: None, raising: None }
    }

    /// Begins a round: each poll of the combinator is one.
    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) {
        self.before.get_or_insert_with(corio_seam::cancelling);
        match &mut self.turns {
            Turns::Few { cursor, .. } => *cursor = 0,
            Turns::Many { bells, .. } => bells.begin(cx.waker()),
        }
    }

    /// Goes on with the round until a child ends.
    pub(crate) fn advance<M: Members>(&mut self, mut members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        let turn = self.advance_to(members.as_mut(), cx);
        if let Turn::Pending = turn {
            let waker = match &self.turns {
                Turns::Few { .. } => cx.waker(),
                Turns::Many { bells, .. } => bells.waker_of_all(),
            };
            members.branch().pause(waker);
        }
        turn
    }

    fn advance_to<M: Members>(&mut self, mut members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        if self.raising.is_some() {
            return self.raise(cx);
        }
        while let Some(index) = self.turns.next() {
            let Poll::Ready(ended) = self.turns.poll(members.as_mut(), index, cx) else { continue };
            self.turns.end(index);
            match ended {
                Ok(()) => return Turn::Ended(index),
                Err(cancelled) if corio_seam::cancelling() > self.before.unwrap_or(0) => {
                    self.cut.get_or_insert(cancelled); // The others have got the same request, and may clean up.
                }
                Err(cancelled) => {
                    self.raising = Some(cancelled.resume());
                    return self.raise(cx);
                }
            }
        }
        self.rest(cx)
    }

    /// Ends a round in which nobody is left to be polled.
    fn rest(&mut self, cx: &mut Context<'_>) -> Turn {
        if !self.turns.is_over() {
            return Turn::Pending;
        }
        match self.cut.take() {
            Some(cancelled) => {
                self.raising = Some(cancelled.resume());
                self.raise(cx)
            }
            None => Turn::Over,
        }
    }

    /// Cancels the scope around, which drops the combinator.
    fn raise(&mut self, cx: &mut Context<'_>) -> Turn {
        let raised = self.raising.as_mut().map(|resume| Pin::new(resume).poll(cx));
        debug_assert!(raised.is_none_or(|raised| raised.is_pending()));
        Turn::Pending
    }
}

impl Turns {
    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Turns::Few { left, cursor } => {
                let rest = *left >> *cursor;
                if rest == 0 {
                    return None;
                }
                *cursor += rest.trailing_zeros() + 1;
                Some(*cursor as usize - 1)
            }
            Turns::Many { bells, .. } => bells.next(),
        }
    }

    #[inline]
    fn poll<M: Members>(
        &mut self,
        members: Pin<&mut M>,
        index: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cancelled>> {
        match self {
            Turns::Few { .. } => members.poll_member(index, cx),
            Turns::Many { bells, .. } => bells.poll(index, cx.waker(), |own| members.poll_member(index, own)),
        }
    }

    fn end(&mut self, index: usize) {
        match self {
            Turns::Few { left, .. } => *left &= !(1 << index),
            Turns::Many { left, bells } => {
                *left -= 1;
                bells.end(index);
            }
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Turns::Few { left, .. } => *left == 0,
            Turns::Many { left, .. } => *left == 0,
        }
    }
}
