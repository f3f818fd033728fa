//! Where the children of a limited group wait for their turn.

use crate::line::Line;
use corio_seam::{Waiting, local_waker, wait_on};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Lets so many through at a time, in the order of their numbers.
pub(crate) struct Turnstile {
    /// How many more may run.
    free: Cell<usize>,
    closed: Cell<bool>,
    /// Those who wait; none has a waker who was told that it may go.
    waiting: RefCell<Line>,
}

impl Turnstile {
    pub(crate) fn new(limit: usize) -> Turnstile {
        Turnstile { free: Cell::new(limit), closed: Cell::new(false), waiting: RefCell::default() }
    }

    /// Lets nobody through any more: those who wait are about to be cancelled.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    /// Gives a place to whoever waits longest, who has it from now on, or keeps it for whoever comes.
    fn pass_on(&self) {
        if self.closed.get() {
            return;
        }
        let next = self.waiting.borrow_mut().pop();
        match next {
            Some(waker) => waker.wake(),
            None => self.free.set(self.free.get() + 1),
        }
    }
}

/// How a child stands with its turnstile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It was never polled.
    // --> Waiting, Inside
    New,
    /// It is on the list, or was just taken off it, and then has a place.
    // --> Inside
    Waiting,
    Inside,
}

/// A child's place, given up when this is dropped.
pub(crate) struct Place {
    turnstile: Rc<Turnstile>,
    number: u64,
    stand: Stand,
}

impl Place {
    pub(crate) fn new(turnstile: &Rc<Turnstile>, number: u64) -> Place {
        Place { turnstile: Rc::clone(turnstile), number, stand: Stand::New }
    }

    /// Waits for the turn.
    pub(crate) fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.stand {
            Stand::Inside => return Poll::Ready(()),
            Stand::Waiting if !self.turnstile.waiting.borrow().contains(self.number) => return self.enter(),
            Stand::New if self.turnstile.free.get() > 0 => {
                self.turnstile.free.set(self.turnstile.free.get() - 1);
                return self.enter();
            }
            Stand::New | Stand::Waiting => (),
        }
        self.stand = Stand::Waiting;
        let waker = local_waker(cx.waker()); // User code: no borrow is held.
        let old = self.turnstile.waiting.borrow_mut().insert(self.number, waker);
        drop(old);
        wait_on(Waiting::Leaf(&"a turn in the task group"));
        Poll::Pending
    }

    fn enter(&mut self) -> Poll<()> {
        self.stand = Stand::Inside;
        Poll::Ready(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let waiting = self.turnstile.waiting.borrow_mut().remove(self.number);
        if waiting.is_none() && self.stand != Stand::New {
            self.turnstile.pass_on();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_place_says_whose_it_is() {
        let place = Place::new(&Rc::new(Turnstile::new(1)), 7);
        assert_eq!(format!("{place:?}"), "Place { number: 7, .. }");
    }

    #[test]
    fn whoever_is_polled_in_the_line_stays_in_it_until_its_turn() {
        let turnstile = Rc::new(Turnstile::new(1));
        let (mut first, mut second) = (Place::new(&turnstile, 1), Place::new(&turnstile, 2));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(first.poll_enter(&mut cx).is_ready());
        assert!(second.poll_enter(&mut cx).is_pending());
        assert!(second.poll_enter(&mut cx).is_pending(), "nobody has left");
        drop(first);
        assert!(second.poll_enter(&mut cx).is_ready());
        assert!(second.poll_enter(&mut cx).is_ready(), "once inside, it is");
    }
}
