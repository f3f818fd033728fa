//! Which of many children were woken: one board, and a waker for each child that pins its number to it.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// What the wakers share. They may be on any thread, and outlive the combinator.
struct Board {
    notes: Mutex<Notes>,
}

struct Notes {
    /// The numbers of the children that were woken since they were last taken, each once, in order.
    woken: VecDeque<usize>,
    /// Who polls the combinator; taken by the first who wakes it, and put back by its next poll.
    owner: Option<Waker>,
}

impl Board {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner) // Nothing that can panic runs under it.
    }

    /// Moves the woken behind those in `batch`, and notes who is to be woken next; returns who was.
    fn take_woken(&self, batch: &mut VecDeque<usize>, owner: Waker) -> Option<Waker> {
        let mut notes = self.notes();
        if batch.is_empty() {
            mem::swap(&mut notes.woken, batch);
        } else {
            batch.append(&mut notes.woken);
        }
        notes.owner.replace(owner)
    }
}

/// The waker of one child.
struct Bell {
    board: Arc<Board>,
    index: usize,
    /// Its number is on the board. Cleared, before the child is polled, by whoever took the numbers.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Acquire and Release pair with the swap in `Bells::begin`: what led to this wake is seen by the poll that a
        // bell rung before it has caused.
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let owner = {
            let mut notes = self.board.notes();
            notes.woken.push_back(self.index);
            notes.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake(); // User code: not under the lock.
        }
    }
}

/// How a child stands.
enum Place {
    New,
    /// It is pending, and has a waker.
    Live(Arc<Bell>, Waker),
    Ended,
}

/// The wakers of many children.
pub(crate) struct Bells {
    board: Arc<Board>,
    places: Vec<Place>,
    /// The numbers of those to be polled; some may have ended.
    batch: VecDeque<usize>,
    /// Who polled last.
    owner: Option<Waker>,
}

impl Bells {
    /// Makes wakers for `count` children, all of which are to be polled first.
    pub(crate) fn new(count: usize) -> Bells {
        let notes = Notes { woken: VecDeque::new(), owner: None };
        Bells {
            board: Arc::new(Board { notes: Mutex::new(notes) }),
            places: (0..count).map(|_| Place::New).collect(),
            batch: (0..count).collect(),
            owner: None,
        }
    }

    /// Begins a poll: those who were woken are to be polled, in that order.
    ///
    /// If somebody else polls than before, all are polled, so that scopes and leaves see where they are now.
    pub(crate) fn begin(&mut self, owner: &Waker) {
        let for_board = owner.clone(); // User code: not under the lock, and nor is the drop of the old one.
        let old = self.board.take_woken(&mut self.batch, for_board);
        drop(old);
        if !self.owner.as_ref().is_some_and(|old| old.will_wake(owner)) && self.owner.replace(owner.clone()).is_some() {
            self.batch = (0..self.places.len()).collect();
        }
    }

    /// Returns the number of a child that is to be polled.
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let index = self.batch.pop_front()?;
            if !matches!(self.places[index], Place::Ended) {
                return Some(index);
            }
        }
    }

    /// Returns the waker of a child that is about to be polled, and allows it to be woken again.
    pub(crate) fn waker(&mut self, index: usize) -> &Waker {
        let place = &mut self.places[index];
        if matches!(place, Place::New) {
            let bell = Arc::new(Bell { board: Arc::clone(&self.board), index, rung: AtomicBool::new(true) });
            *place = Place::Live(Arc::clone(&bell), Waker::from(bell));
        }
        let Place::Live(bell, waker) = place else { unreachable!("a child that has ended is not polled") };
        bell.rung.swap(false, Ordering::AcqRel); // Pairs with the swap in `wake_by_ref`.
        waker
    }

    /// Forgets a child that has ended.
    pub(crate) fn end(&mut self, index: usize) {
        self.places[index] = Place::Ended;
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        let owner = self.board.notes().owner.take();
        drop(owner); // Wakers of children may outlive us; they wake nobody now.
    }
}
