//! How a combinator listens to many children: by seats, to tasks, and by callbacks, to the rest.

use crate::standing::Key;
use corio_task::{Audience, Seats, Task};
use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

/// An audience, and its seats, made when the first task is listened to.
pub struct Ears<A> {
    audience: Rc<A>,
    count: usize,
    seats: OnceCell<Seats>,
    /// Makes the seats.
    make: fn(usize, Rc<dyn Audience>) -> Seats,
}

impl<A: Audience + 'static> Ears<A> {
    /// Prepares to listen to so many children.
    pub(crate) fn new(count: usize, audience: &Rc<A>) -> Ears<A> {
        Ears { audience: Rc::clone(audience), count, seats: OnceCell::new(), make: Seats::new }
    }

    /// As [`new`](Ears::new), for an audience that has something to say at once.
    pub(crate) fn announcing(count: usize, audience: &Rc<A>) -> Ears<A> {
        Ears { make: Seats::announcing, ..Ears::new(count, audience) }
    }

    /// Listens to a task.
    #[inline]
    pub(crate) fn seat<T>(&self, task: &Task<T>, index: usize) -> Key {
        task.take_seat(self.seats(), index);
        Key::Seat
    }

    /// Listens to a task that is over; false if that takes a callback.
    #[inline]
    pub(crate) fn late_seat<T>(&self, task: &Task<T>, index: usize) -> bool {
        task.take_late_seat(self.seats(), index)
    }

    #[inline]
    fn seats(&self) -> &Seats {
        self.seats.get_or_init(|| (self.make)(self.count, Rc::clone(&self.audience) as Rc<dyn Audience>))
    }

    /// Returns a callback for what is no task.
    pub(crate) fn callback(&self, index: usize) -> impl FnOnce() + use<A> {
        let audience = Rc::clone(&self.audience);
        move || audience.ended(index)
    }

    /// Returns the seats that are taken, to leave them by; they, too, hold the audience.
    pub(crate) fn into_seats(self) -> Option<Seats> {
        self.seats.into_inner()
    }
}

impl<A> fmt::Debug for Ears<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ears").field("count", &self.count).field("seats", &self.seats).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Audience for Nobody {
        fn ended(&self, _: usize) {}
    }

    #[test]
    fn ears_say_for_how_many_they_are() {
        assert_eq!(format!("{:?}", Ears::new(3, &Rc::new(Nobody))), "Ears { count: 3, seats: OnceCell(<uninit>), .. }");
    }
}
