//! The list of waiters in a cell: what a loop-bound primitive is made of.

use crate::{Removed, WaiterKey, WaiterList, Wakers};
use corio_seam::{Waiting, local_waker, wait_on};
use std::cell::RefCell;
use std::fmt;
use std::task::{Context, Poll};

/// A [`WaiterList`] in a cell, with the steps of a waiting future: the base of every primitive here, and of primitives
/// of your own; trio's `ParkingLot`.
///
/// The future keeps an `Option<WaiterKey>`, `None` while it is not in the list. It calls
/// [`poll_wait`](Waiters::poll_wait) from its `poll`, and [`leave`](Waiters::leave) from its `Drop`.
///
/// No waker is cloned, woken or dropped while the cell is borrowed. So a waker may use the primitive, even when it is
/// cloned: see [`poll_wait_while`](Waiters::poll_wait_while).
///
/// # Examples
///
/// A gate that lets through one waiter for each call of `open`, and nobody who was not there:
///
/// ```
/// use corio_sync::{WaiterKey, Waiters};
/// use std::pin::{Pin, pin};
/// use std::task::{Context, Poll, Waker};
///
/// #[derive(Default)]
/// struct Gate {
///     waiters: Waiters,
/// }
///
/// struct Pass<'g> {
///     gate: &'g Gate,
///     key: Option<WaiterKey>,
/// }
///
/// impl Gate {
///     fn open(&self) -> bool {
///         self.waiters.notify_one()
///     }
///
///     fn pass(&self) -> Pass<'_> {
///         Pass { gate: self, key: None }
///     }
/// }
///
/// impl Future for Pass<'_> {
///     type Output = ();
///
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
///         let this = &mut *self;
///         this.gate.waiters.poll_wait(&mut this.key, cx, &"Gate.pass")
///     }
/// }
///
/// impl Drop for Pass<'_> {
///     fn drop(&mut self) {
///         if self.gate.waiters.leave(&mut self.key) {
///             self.gate.open(); // It had been let through and does not go: the next one may.
///         }
///     }
/// }
///
/// let gate = Gate::default();
/// let mut cx = Context::from_waker(Waker::noop());
/// let mut first = Box::pin(gate.pass());
/// let mut second = pin!(gate.pass());
/// assert!(first.as_mut().poll(&mut cx).is_pending() && second.as_mut().poll(&mut cx).is_pending());
/// assert!(gate.open());
/// drop(first);
/// assert_eq!(second.poll(&mut cx), Poll::Ready(()));
/// assert!(!gate.open());
/// ```
#[derive(Default)]
pub struct Waiters {
    list: RefCell<WaiterList>,
}

impl Waiters {
    /// Makes an empty list, without an allocation.
    #[must_use]
    pub const fn new() -> Waiters {
        Waiters { list: RefCell::new(WaiterList::new()) }
    }

    /// Waits for a notification: the first call enters the list at the back, later ones keep the place.
    ///
    /// `Ready` when notified; the waiter has then left the list, and `key` is `None` again. `name` is what a report
    /// about a stuck program calls the wait (`&"Gate.pass"`).
    #[inline]
    pub fn poll_wait(&self, key: &mut Option<WaiterKey>, cx: &Context<'_>, name: &'static &'static str) -> Poll<()> {
        self.poll_wait_while(key, cx, name, || true)
    }

    /// Waits as [`poll_wait`](Waiters::poll_wait) does, unless `must_wait` says, just before the list is entered, that
    /// there is no reason to.
    ///
    /// Entering needs a clone of the caller's waker, and cloning one is code of the user's, which may bring about what
    /// is waited for. Whoever looked before and enters then would miss that. `Ready` also when there was no reason to
    /// wait: `key` was `None` then, and still is.
    #[inline]
    pub fn poll_wait_while(
        &self,
        key: &mut Option<WaiterKey>,
        cx: &Context<'_>,
        name: &'static &'static str,
        must_wait: impl FnOnce() -> bool,
    ) -> Poll<()> {
        match *key {
            None => {
                let waker = local_waker(cx.waker());
                if !must_wait() {
                    return Poll::Ready(());
                }
                *key = Some(self.list.borrow_mut().push(waker));
            }
            Some(entered) => {
                if self.list.borrow_mut().remove_notified(entered) {
                    *key = None;
                    return Poll::Ready(());
                }
                self.renew(entered, cx);
            }
        }
        wait_on(Waiting::Leaf(name));
        Poll::Pending
    }

    /// Takes the caller's waker in place of an older one that would wake somebody else.
    #[inline]
    fn renew(&self, key: WaiterKey, cx: &Context<'_>) {
        if self.list.borrow().will_wake(key, cx.waker()) {
            return;
        }
        let waker = local_waker(cx.waker());
        let mut list = self.list.borrow_mut();
        let unused = list.set_waker(key, waker);
        let notified = list.is_notified(key);
        drop(list);
        if notified {
            unused.wake(); // Cloning the waker notified the waiter, and its old waker was woken.
        }
    }

    /// Takes the waiter out, if `key` names one: for the future's `Drop`.
    ///
    /// True if it had been notified and did not use that: the primitive must then pass the notification on.
    #[inline]
    #[must_use = "if true, a notification would be lost"]
    pub fn leave(&self, key: &mut Option<WaiterKey>) -> bool {
        let Some(key) = key.take() else { return false };
        let removed = self.list.borrow_mut().remove(key);
        matches!(removed, Removed::Notified)
    }

    /// Notifies the waiter that has waited longest; false if nobody waits.
    #[inline]
    pub fn notify_one(&self) -> bool {
        let waker = self.list.borrow_mut().notify_one();
        waker.map(|waker| waker.wake()).is_some()
    }

    /// Notifies the `n` that have waited longest, or all if fewer wait.
    ///
    /// They are chosen before the first of them is woken: nobody who enters the list meanwhile is among them.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    #[inline]
    pub fn notify_many(&self, n: usize) {
        let wakers = self.list.borrow_mut().notify_many(n);
        wakers.wake();
    }

    /// Notifies everybody who waits now, longest wait first.
    ///
    /// # Panics
    ///
    /// With the panic of a waker, after all the others have been woken.
    #[inline]
    pub fn notify_all(&self) {
        let wakers = self.list.borrow_mut().notify_all();
        wakers.wake();
    }

    /// Notifies everybody who waits now, and gives their wakers: for a primitive that has several lists.
    pub(crate) fn take_all(&self) -> Wakers {
        self.list.borrow_mut().notify_all()
    }

    /// Tells whether nobody is in the list, neither waiting nor notified.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// Returns how many wait and have not been notified.
    #[inline]
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        self.list.borrow().n_waiting()
    }

    /// Returns how many have been notified and have not left yet.
    #[inline]
    #[must_use]
    pub fn n_notified(&self) -> usize {
        self.list.borrow().n_notified()
    }

    /// Returns the most that have been in the list at one time, waiting or notified.
    #[inline]
    #[must_use]
    pub fn peak(&self) -> usize {
        self.list.borrow().peak()
    }
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut waiters = f.debug_struct("Waiters");
        waiters.field("waiting", &self.n_waiting()).field("notified", &self.n_notified()).finish()
    }
}
