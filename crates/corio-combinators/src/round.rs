//! Who is polled when, and what a child's cancellation means: what all combinators in place share.

use crate::block::bells::Bells;
use crate::members::Members;
use corio_seam::Resume;
use corio_task::{Cancelled, Entered, with_own_wakers};
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
    /// A child has ended in this round, and others may still have to be polled in it.
    has_more: bool,
}

impl Round {
    pub(crate) fn new(count: usize) -> Round {
        let turns = if count <= FEW {
            Turns::Few { left: (1 << count) - 1, cursor: 0 }
        } else {
            Turns::Many { left: count, bells: Box::new(Bells::new(count)) }
        };
        Round { turns, before: None, cut: None, raising: None, has_more: false }
    }

    /// Begins a round: each poll of the combinator is one.
    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) {
        self.before.get_or_insert_with(corio_seam::cancelling);
        match &mut self.turns {
            Turns::Few { cursor, .. } => *cursor = 0,
            Turns::Many { bells, .. } => bells.begin(cx.waker()),
        }
    }

    /// Goes on with a round that ended early in a poll before, and makes a new one after it, each until a child ends.
    ///
    /// Whoever was woken meanwhile has its turn in the new one: so nobody is polled again because another ended.
    pub(crate) fn go_on<M: Members>(&mut self, mut members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        if self.has_more {
            let turn = self.advance_to(false, members.as_mut(), cx);
            if !matches!(turn, Turn::Pending) || self.raising.is_some() {
                return turn;
            }
        }
        self.begin(cx);
        self.advance(members, cx)
    }

    /// Goes on with the round until a child ends.
    pub(crate) fn advance<M: Members>(&mut self, members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        self.advance_past(false, members, cx)
    }

    /// Goes on with the round until all children have ended, or been polled.
    pub(crate) fn advance_all<M: Members>(&mut self, members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        self.advance_past(true, members, cx)
    }

    #[inline]
    fn advance_past<M: Members>(&mut self, past_ends: bool, mut members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        let turn = self.advance_to(past_ends, members.as_mut(), cx);
        if let Turn::Pending = turn {
            let waker = match &self.turns {
                Turns::Few { .. } => cx.waker(),
                Turns::Many { bells, .. } => bells.waker_of_all(),
            };
            members.branch().pause(waker);
        }
        turn
    }

    #[inline]
    fn advance_to<M: Members>(&mut self, past_ends: bool, mut members: Pin<&mut M>, cx: &mut Context<'_>) -> Turn {
        if self.raising.is_some() {
            return self.raise(cx);
        }
        self.has_more = false;
        let mut cancelled = None;
        while let Some(index) = self.turns.poll(past_ends, members.as_mut(), cx, &mut cancelled) {
            if cancelled.is_none() {
                self.has_more = true;
                return Turn::Ended(index);
            }
            let cancelled = cancelled.take();
            if corio_seam::cancelling() <= self.before.unwrap_or(0) {
                self.raising = cancelled.map(Cancelled::resume);
                return self.raise(cx);
            }
            self.cut = self.cut.take().or(cancelled); // The others have got the same request, and may clean up.
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
    /// Polls whoever is to be polled, until one ends, or, `past` those that end, until one is cancelled; returns its number.
    ///
    /// How it was cancelled is put where there is nothing yet: returned beside the number it would be copied through memory
    /// at each end.
    #[inline(always)]
    fn poll<M: Members>(
        &mut self,
        past: bool,
        members: Pin<&mut M>,
        cx: &mut Context<'_>,
        cancelled: &mut Option<Cancelled>,
    ) -> Option<usize> {
        let children = members.branch().children();
        children.enter(|children| match self {
            Turns::Few { left, cursor } => poll_few(left, cursor, past, members, children, cx, cancelled),
            Turns::Many { left, bells } => poll_many(left, bells, past, members, children, cx, cancelled),
        })
    }

    fn is_over(&self) -> bool {
        match self {
            Turns::Few { left, .. } => *left == 0,
            Turns::Many { left, .. } => *left == 0,
        }
    }
}

/// As [`Turns::poll`], for few: those from the cursor on.
#[inline(never)] // Told apart, what it is given stays in registers.
fn poll_few<M: Members>(
    left: &mut u32,
    cursor: &mut u32,
    past: bool,
    mut members: Pin<&mut M>,
    children: &Entered<'_>,
    cx: &mut Context<'_>,
    cancelled: &mut Option<Cancelled>,
) -> Option<usize> {
    let mut rest = *left & (u32::MAX << *cursor);
    while rest != 0 {
        let index = rest.trailing_zeros();
        rest &= rest - 1;
        let Poll::Ready(ended) = members.as_mut().poll_member(children, index as usize, cx) else { continue };
        *left &= !(1 << index);
        if stops(past, ended, cancelled) {
            *cursor = index + 1;
            return Some(index as usize);
        }
    }
    *cursor = u32::BITS - 1; // Nobody has that number.
    None
}

/// As [`Turns::poll`], for many: those whose bells rang.
#[inline(never)] // As above.
fn poll_many<M: Members>(
    left: &mut usize,
    bells: &Bells,
    past: bool,
    mut members: Pin<&mut M>,
    children: &Entered<'_>,
    cx: &mut Context<'_>,
    cancelled: &mut Option<Cancelled>,
) -> Option<usize> {
    with_own_wakers(&bells.wakers(), || {
        while let Some(bell) = bells.next() {
            let index = bell.index();
            let poll = |own: &mut Context<'_>| members.as_mut().poll_member(children, index, own);
            let Poll::Ready(ended) = bells.poll(bell, cx.waker(), poll) else { continue };
            *left -= 1;
            bell.end();
            if stops(past, ended, cancelled) {
                return Some(index);
            }
        }
        None
    })
}

/// Tells whether an end stops the round, and notes how the child was cancelled, if it was.
#[inline(always)]
fn stops(past: bool, ended: Result<(), Cancelled>, cancelled: &mut Option<Cancelled>) -> bool {
    match ended {
        Ok(()) => !past,
        Err(ended) => {
            *cancelled = Some(ended);
            true
        }
    }
}
