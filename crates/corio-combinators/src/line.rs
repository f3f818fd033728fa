//! Those who wait in line, by their tickets.

use corio_seam::IntMap;
use std::task::Waker;

/// The wakers of those who wait, the lowest ticket first. Usually there is one, which stands in place.
#[derive(Default)]
pub(crate) struct Line {
    /// The lowest ticket, unless all are in `more`.
    first: Option<(u64, Waker)>,
    more: IntMap<Waker>,
}

impl Line {
    /// Tells whether a ticket has a waker here.
    pub(crate) fn contains(&self, ticket: u64) -> bool {
        self.first.as_ref().is_some_and(|(first, _)| *first == ticket) || self.more.contains(ticket)
    }

    /// Adds a waker, or puts it in the place of the ticket's former one, which is returned.
    pub(crate) fn insert(&mut self, ticket: u64, waker: Waker) -> Option<Waker> {
        match &mut self.first {
            None if self.more.is_empty() => {
                self.first = Some((ticket, waker));
                None
            }
            Some((first, old)) if *first == ticket => Some(std::mem::replace(old, waker)),
            Some((first, _)) if ticket < *first => {
                let (second, waker) = self.first.replace((ticket, waker))?;
                self.more.insert(second, waker)
            }
            _ => self.more.insert(ticket, waker),
        }
    }

    /// Takes out the waker of a ticket, if it is there.
    pub(crate) fn remove(&mut self, ticket: u64) -> Option<Waker> {
        match self.first.take_if(|(first, _)| *first == ticket) {
            Some((_, waker)) => Some(waker),
            None => self.more.remove(ticket),
        }
    }

    /// Takes out the waker of the lowest ticket.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        match self.first.take() {
            Some((_, waker)) => Some(waker),
            None => self.more.pop_first(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    /// Tells whether they are the same: their tables, which `will_wake` compares too, may be several under Miri.
    fn is(one: &Waker, other: &Waker) -> bool {
        one.data() == other.data()
    }

    /// A line, and the wakers of the tickets from 0 to 7.
    fn line(tickets: &[usize]) -> (Line, [Waker; 8]) {
        let wakers = std::array::from_fn(|_| Waker::from(Arc::new(Nothing)));
        let mut line = Line::default();
        for &ticket in tickets {
            assert!(line.insert(ticket as u64, wakers[ticket].clone()).is_none());
        }
        (line, wakers)
    }

    /// Takes everybody out, and checks who they are.
    fn assert_holds(mut line: Line, wakers: &[Waker], tickets: &[usize]) {
        for &ticket in tickets {
            assert!(line.pop().is_some_and(|waker| is(&waker, &wakers[ticket])), "{ticket}");
        }
        assert!(line.pop().is_none());
    }

    #[test]
    fn the_lowest_ticket_comes_first_in_whatever_order_they_came() {
        for tickets in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [2, 1, 3], [1, 3, 2], [3, 1, 2]] {
            let (line, wakers) = line(&tickets);
            assert_holds(line, &wakers, &[1, 2, 3]);
        }
    }

    #[test]
    fn an_older_ticket_comes_back_in_front_of_younger_ones() {
        let (mut line, wakers) = line(&[1, 2, 3]);
        assert!(line.pop().is_some_and(|waker| is(&waker, &wakers[1])));
        assert!(line.insert(1, wakers[1].clone()).is_none());
        assert!(line.insert(4, wakers[4].clone()).is_none());
        assert_holds(line, &wakers, &[1, 2, 3, 4]);
    }

    #[test]
    fn a_ticket_has_one_waker() {
        let (mut line, wakers) = line(&[1, 2]);
        assert!(line.insert(1, wakers[5].clone()).is_some_and(|old| is(&old, &wakers[1])));
        assert!(line.insert(2, wakers[6].clone()).is_some_and(|old| is(&old, &wakers[2])));
        assert!(line.pop().is_some_and(|waker| is(&waker, &wakers[5])));
        assert!(line.insert(2, wakers[7].clone()).is_some_and(|old| is(&old, &wakers[6])));
        assert_holds(line, &wakers, &[7]);
    }

    #[test]
    fn whoever_leaves_is_not_there() {
        let (mut line, wakers) = line(&[1, 2, 3]);
        assert!(line.remove(4).is_none() && !line.contains(4));
        assert!(line.contains(1) && line.contains(2));
        assert!(line.remove(2).is_some_and(|waker| is(&waker, &wakers[2])));
        assert!(line.remove(2).is_none() && !line.contains(2));
        assert!(line.remove(1).is_some_and(|waker| is(&waker, &wakers[1])));
        assert_holds(line, &wakers, &[3]);
    }
}
