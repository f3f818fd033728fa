//! The state machine of a queue, without a cell or a lock around it.
//!
//! The loop-bound queue keeps it in a `RefCell`, the thread-safe one under a mutex. No method runs code of the user's
//! (apart from `push` and `pop` of a storage that compares, see `COMPARES`): wakers and items come in by
//! value, and go out by value to be woken and dropped when the borrow or the lock is gone.
//!
//! A wake-up is not a hand-over. `push` wakes the getter that has waited longest, but the item lies in the storage
//! for whoever comes first; a getter that comes too late goes to the back of the line. A waiter that was notified and
//! is dropped before it ran passes the notification on, if there is still something to be had.

use crate::storage::Storage;
use crate::{GetError, QueueStatistics, TooManyTaskDone};
use corio_sync::{Removed, WaiterKey, WaiterList, Wakers};
use std::cmp::Ordering;
use std::task::Waker;

/// What a queue knows.
pub(crate) struct State<S> {
    /// The items that were put and not yet got.
    items: S,
    /// How many items there may be; 0 for any number.
    maxsize: usize,
    /// How many items were put. It is the count of unfinished items and a total in one: nothing is counted twice.
    n_put: u64,
    /// For how many of them `task_done` was said, or nobody will say it: they were thrown away.
    n_done: u64,
    /// How many were thrown away.
    n_thrown: u64,
    /// The most items that there were at one time.
    most_items: usize,
    /// Set by `shut_down`, never cleared.
    shut_down: bool,
    /// Who waits for an item.
    pub(crate) getters: WaiterList,
    /// Who waits for room.
    pub(crate) putters: WaiterList,
    /// Who waits for everything that was put to be done.
    pub(crate) joiners: WaiterList,
}

/// Chooses one of the three lines.
pub(crate) type Line<S> = fn(&mut State<S>) -> &mut WaiterList;

impl<S: Storage> State<S> {
    /// Makes the state of an empty queue.
    pub(crate) fn new(maxsize: usize) -> State<S> {
        State {
            items: S::default(),
            maxsize,
            n_put: 0,
            n_done: 0,
            n_thrown: 0,
            most_items: 0,
            shut_down: false,
            getters: WaiterList::new(),
            putters: WaiterList::new(),
            joiners: WaiterList::new(),
        }
    }

    /// Takes a queue out of service: no puts from now on, and gets only of what is left. `immediate` throws that away
    /// as well, as done. Gives what was thrown away, to be dropped after the wakers have been woken.
    pub(crate) fn shut_down(&mut self, immediate: bool) -> (S, Wakers) {
        let mut thrown = S::default();
        let mut wakers = Wakers::new();
        if immediate {
            thrown = self.items.lend();
            self.items.take_back(S::default());
        }
        self.shut_down = true;
        if immediate {
            self.n_thrown += thrown.len() as u64;
            self.n_done = self.n_put.min(self.n_done + thrown.len() as u64);
            if self.is_done() {
                wakers.append(self.joiners.notify_all());
            }
        }
        wakers.append(self.getters.notify_all());
        wakers.append(self.putters.notify_all());
        (thrown, wakers)
    }
}

impl<S: Storage> State<S> {
    /// Returns the number of items.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns the bound; 0 for none.
    #[inline]
    pub(crate) fn maxsize(&self) -> usize {
        self.maxsize
    }

    /// Tells whether an item more would pass the bound.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        // With `maxsize` 0 the right-hand side wraps to the greatest number.
        self.items.len() > self.maxsize.wrapping_sub(1)
    }

    /// Tells whether the queue was shut down.
    #[inline]
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// Tells whether every item that was put is done.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.n_done == self.n_put
    }

    /// Reads what `statistics` tells and `Debug` shows.
    pub(crate) fn statistics(&self) -> QueueStatistics {
        QueueStatistics {
            maxsize: self.maxsize,
            len: self.len(),
            most_items: self.most_items,
            put: self.n_put,
            got: self.n_put - self.n_thrown - self.len() as u64,
            thrown: self.n_thrown,
            unfinished: self.n_put - self.n_done,
            getters: self.getters.n_waiting(),
            putters: self.putters.n_waiting(),
            joiners: self.joiners.n_waiting(),
            most_getters: self.getters.peak(),
            most_putters: self.putters.peak(),
            shut_down: self.shut_down,
        }
    }

    /// Tells whether an item could be got now.
    #[inline]
    pub(crate) fn may_get(&self) -> Result<(), GetError> {
        match (self.items.len(), self.shut_down) {
            (0, true) => Err(GetError::ShutDown),
            (0, false) => Err(GetError::QueueEmpty),
            _ => Ok(()),
        }
    }

    /// Adds an item, for which there is room.
    #[inline]
    #[must_use]
    pub(crate) fn push(&mut self, item: S::Item) -> Option<Waker> {
        self.items.push(item);
        self.pushed()
    }

    /// Takes an item, if there is one.
    #[inline]
    pub(crate) fn pop(&mut self) -> (Option<S::Item>, Option<Waker>) {
        let item = self.items.pop();
        (item, self.popped())
    }

    /// Lends the items out; see `Sealed::lend`.
    #[inline]
    pub(crate) fn lend(&mut self) -> S {
        self.items.lend()
    }

    /// Takes back what was lent out, and does what goes with an item that was added or taken meanwhile: a comparison
    /// may have panicked, before or after that.
    #[inline]
    #[must_use]
    pub(crate) fn take_back(&mut self, lent: S) -> Option<Waker> {
        let before = self.items.len();
        self.items.take_back(lent);
        match self.items.len().cmp(&before) {
            Ordering::Greater => self.pushed(),
            Ordering::Less => self.popped(),
            Ordering::Equal => None,
        }
    }

    /// Counts an item that was added, and notifies a getter.
    #[inline]
    #[must_use]
    fn pushed(&mut self) -> Option<Waker> {
        self.n_put += 1;
        self.most_items = self.most_items.max(self.items.len());
        self.getters.notify_one()
    }

    /// Notifies a putter, an item having been taken.
    #[inline]
    #[must_use]
    fn popped(&mut self) -> Option<Waker> {
        self.putters.notify_one()
    }

    /// Counts an item as done.
    #[inline]
    pub(crate) fn task_done(&mut self) -> Result<Wakers, TooManyTaskDone> {
        if self.is_done() {
            return Err(TooManyTaskDone);
        }
        self.n_done += 1;
        Ok(if self.is_done() { self.joiners.notify_all() } else { Wakers::new() })
    }

    /// Enters the line of getters at the back, unless there is something to be had by now: the waker comes back then.
    #[inline]
    pub(crate) fn enter_get(&mut self, waker: Waker) -> Result<WaiterKey, Waker> {
        let must_wait = self.may_get() == Err(GetError::QueueEmpty);
        if must_wait { Ok(self.getters.push(waker)) } else { Err(waker) }
    }

    /// Enters the line of putters at the back, unless there is room by now: the waker comes back then.
    #[inline]
    pub(crate) fn enter_put(&mut self, waker: Waker) -> Result<WaiterKey, Waker> {
        let must_wait = self.is_full() && !self.shut_down;
        if must_wait { Ok(self.putters.push(waker)) } else { Err(waker) }
    }

    /// Enters the line of joiners, unless everything is done by now: the waker comes back then.
    #[inline]
    pub(crate) fn enter_join(&mut self, waker: Waker) -> Result<WaiterKey, Waker> {
        if self.is_done() { Err(waker) } else { Ok(self.joiners.push(waker)) }
    }

    /// Gives a waiter another waker. Returns the one that is not used, and true if that one must be woken: the waiter
    /// was notified meanwhile, and so its old waker was woken.
    #[cold]
    pub(crate) fn renew(&mut self, line: Line<S>, key: WaiterKey, waker: Waker) -> (Waker, bool) {
        let line = line(self);
        (line.set_waker(key, waker), line.is_notified(key))
    }

    /// Takes a `get` out of the line that is dropped before its end.
    #[inline]
    pub(crate) fn leave_get(&mut self, key: WaiterKey) -> Left {
        match self.getters.remove(key) {
            Removed::Notified if self.items.len() > 0 => Left::pass_on(self.getters.notify_one()),
            removed => Left::behind(removed),
        }
    }

    /// Takes a `put` out of the line that is dropped before its end.
    #[inline]
    pub(crate) fn leave_put(&mut self, key: WaiterKey) -> Left {
        match self.putters.remove(key) {
            Removed::Notified if !self.is_full() => Left::pass_on(self.putters.notify_one()),
            removed => Left::behind(removed),
        }
    }

    /// Takes a `join` out of the line that is dropped before its end.
    #[inline]
    pub(crate) fn leave_join(&mut self, key: WaiterKey) -> Left {
        Left::behind(self.joiners.remove(key))
    }
}

/// What a waiter leaves when it is dropped: a waker to be woken, or one to be dropped.
#[must_use = "settle it when no borrow or lock is held"]
pub(crate) struct Left {
    wake: Option<Waker>,
    /// The waiter's own waker; only its destructor is of interest.
    _unused: Option<Waker>,
}

impl Left {
    /// A notification for somebody else.
    fn pass_on(wake: Option<Waker>) -> Left {
        Left { wake, _unused: None }
    }

    /// Nothing but the waiter's own waker.
    fn behind(removed: Removed) -> Left {
        match removed {
            Removed::Waiting(waker) => Left { wake: None, _unused: Some(waker) },
            Removed::Notified => Left { wake: None, _unused: None },
        }
    }

    /// Wakes whom it concerns.
    #[inline]
    pub(crate) fn settle(self) {
        wake(self.wake);
    }
}

/// Wakes whoever was notified, if anybody was.
#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
