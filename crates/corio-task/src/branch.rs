//! The children of a combinator in place, as scopes that share one allocation.
//!
//! Each child of a `join` is a scope, and a request to cancel must find it. But few requests come: so a child has no node
//! of the tree, as long as nobody asks. What it waits for is noted in its *seat*, and the combinator as a whole stands
//! among the children of the node around it, as a *branch*. When a request comes by there, or somebody wants to see the
//! tree, each child that waits gets a node, in its place, as if it had had one all along.

use crate::node::{Node, Slot};
use crate::raw::{self, current};
use crate::scope::ScopeHandle;
use corio_seam::Cancelled;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The scopes of a combinator's children, in one allocation: for writers of combinators that poll their children in place.
///
/// The combinator polls each child by its number, all of a round inside one call of [`BranchChildren::enter`], and calls
/// [`pause`](Branch::pause) before it returns `Pending`. Then a child's scope costs no allocation as long as nobody asks it
/// to end, and next to nothing to enter. A child that has a [`Scope`](crate::Scope) of its own costs an allocation when it
/// is first pending.
///
/// Drop it before the children, as those are dropped that wait no more.
///
/// # Examples
///
/// ```
/// use corio_task::Branch;
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// let branch = Branch::new(2);
/// let (mut one, mut two) = (pin!(Some(async { 1 })), pin!(Some(std::future::pending::<u32>())));
/// let mut cx = Context::from_waker(Waker::noop());
/// branch.children().enter(|children| {
///     assert!(matches!(children.poll(0, one.as_mut(), &mut cx), Poll::Ready(Ok(1))));
///     assert!(children.poll(1, two.as_mut(), &mut cx).is_pending());
/// });
/// branch.pause(cx.waker());
/// assert!(branch.handle(1).request(None));
/// branch.children().enter(|children| {
///     assert!(matches!(children.poll(1, two.as_mut(), &mut cx), Poll::Ready(Err(_))));
/// });
/// ```
pub struct Branch(Rc<Places>);

impl Branch {
    /// Makes a branch of so many children.
    #[must_use]
    pub fn new(count: usize) -> Branch {
        let seats = (0..count).map(|_| Seat::default()).collect();
        Branch(Rc::new(Places { seats, ..Places::default() }))
    }

    /// Returns the children, to be polled.
    #[inline]
    #[must_use]
    pub fn children(&self) -> BranchChildren {
        BranchChildren(Rc::clone(&self.0))
    }

    /// Returns a handle to ask a child to end.
    ///
    /// # Panics
    ///
    /// If there is no child of that number.
    #[must_use]
    pub fn handle(&self, index: usize) -> ScopeHandle {
        let seat = self.0.at(index);
        if seat.waits.get() && seat.node.get().is_none() {
            self.0.make_node(seat, self.0.parent.borrow().clone());
        }
        ScopeHandle::of(seat.node(false))
    }

    /// Says that the combinator is about to return `Pending`: from now on, requests to the scope around it find those
    /// children that wait, and wake the combinator by `waker`, upon which it polls all of them.
    pub fn pause(&self, waker: &Waker) {
        let seats = &self.0;
        let same = seats.waker.borrow().as_ref().is_some_and(|old| raw::will_wake(old, waker));
        if !same {
            let old = seats.waker.replace(Some(raw::keep(waker)));
            drop(old);
        }
        let (around, stands_there) = (Node::current(), |around: &Rc<Node>| seats.stands_below(around));
        let stays = around.as_ref().is_some_and(stands_there);
        if !stays {
            seats.leave();
            if let Some(around) = around {
                around.add_branch(seats);
                seats.parent.replace(Some(around));
            }
        }
        if !(same && stays) {
            seats.take_along(waker);
        }
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        self.0.seats.iter().for_each(Seat::leave);
        self.0.leave();
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("count", &self.0.seats.len()).finish_non_exhaustive()
    }
}

/// The children of a [`Branch`], to be polled: a way in that borrows nothing of the combinator.
pub struct BranchChildren(Rc<Places>);

impl BranchChildren {
    /// Calls `f`, inside which children can be polled. It should do nothing else: what asks for the current scope there is
    /// answered with the child polled last.
    #[inline(always)] // So that what `f` captures is not moved from frame to frame.
    pub fn enter<R>(&self, f: impl FnOnce(&Entered<'_>) -> R) -> R {
        if self.0.seats.is_empty() {
            return f(&Entered(&self.0));
        }
        let _seam = crate::seam::cover();
        current::enter_branch(&self.0, || f(&Entered(&self.0)))
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> &Rc<Places> {
        &self.0
    }
}

impl fmt::Debug for BranchChildren {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BranchChildren").field("count", &self.0.seats.len()).finish()
    }
}

/// The children of a [`Branch`] that are being polled.
pub struct Entered<'b>(&'b Places);

impl Entered<'_> {
    /// Polls the body of a child as a scope of its own, as [`Scope::poll`](crate::Scope::poll) does.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if a request hit this child: the body was dropped for it, at an await.
    ///
    /// # Panics
    ///
    /// If there is no child of that number, if `body` is `None` already, and whenever the body panics.
    #[inline]
    pub fn poll<F: Future>(
        &self,
        index: usize,
        mut body: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Cancelled>> {
        let seat = self.0.at(index);
        self.0.polled.set(index);
        if seat.node.get().is_none() {
            seat.begin();
        } else if let Some(cancelled) = seat.begin_node() {
            return Poll::Ready(Err(seat.unwind(body, cancelled)));
        }
        let future = body.as_mut().as_pin_mut();
        let polled = future.expect("a child was polled after it had ended").poll(cx);
        if seat.node.get().is_some() {
            return seat.end_node(polled, body, cx.waker());
        }
        match polled {
            Poll::Ready(value) => {
                body.set(None);
                Poll::Ready(Ok(value))
            }
            Poll::Pending => {
                seat.waits.set(true);
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("count", &self.0.seats.len()).finish()
    }
}

/// What a branch and the scopes of its children share.
#[derive(Default)]
pub(crate) struct Places {
    seats: Box<[Seat]>,
    /// The number of the child being polled, or polled last.
    polled: Cell<usize>,
    /// The node around, once the combinator has waited.
    parent: RefCell<Option<Rc<Node>>>,
    /// Where it stands among that node's children.
    pub(crate) place: Cell<usize>,
    /// The combinator's.
    waker: RefCell<Option<Waker>>,
    /// A child was given a node while it waited.
    has_nodes: Cell<bool>,
}

/// What there is of a child.
#[derive(Default)]
pub(crate) struct Seat {
    /// The leaf that it waits for, while it has no node, if that is all.
    leaf: Cell<Option<&'static &'static str>>,
    /// What it waits for, while it has no node, if that is no leaf.
    slot: Cell<Slot>,
    /// Something is in `slot`.
    noted: Cell<bool>,
    /// Its last poll was pending.
    waits: Cell<bool>,
    /// Made when somebody asks.
    pub(crate) node: OnceCell<Rc<Node>>,
}

impl Places {
    #[inline]
    pub(crate) fn at(&self, index: usize) -> &Seat {
        &self.seats[index]
    }

    /// Returns the child being polled, or polled last.
    #[inline]
    pub(crate) fn polled(&self) -> &Seat {
        self.at(self.polled.get())
    }

    fn stands_below(&self, node: &Rc<Node>) -> bool {
        self.parent.borrow().as_ref().is_some_and(|parent| Rc::ptr_eq(parent, node))
    }

    /// Leaves the tree. Those of the children that have nodes leave by themselves.
    fn leave(&self) {
        let parent = self.parent.take();
        if let Some(parent) = parent {
            parent.remove_branch(self);
        }
    }

    /// Gives each child that waits a node below `around`.
    pub(crate) fn make_nodes(&self, around: &Rc<Node>) {
        for seat in &self.seats {
            if seat.waits.get() && seat.node.get().is_none() {
                self.make_node(seat, Some(Rc::clone(around)));
            }
        }
    }

    /// Gives a child that waits a node.
    fn make_node(&self, seat: &Seat, around: Option<Rc<Node>>) {
        self.has_nodes.set(true);
        let node = seat.node(false);
        let waker = self.clone_waker();
        node.waker.replace(waker); // There was none.
        node.adopt(around);
    }

    /// Gives the waker, and the place in the tree, to those children that waited when they got their nodes: that may have
    /// been before the combinator paused, or when it was somebody else's.
    #[inline]
    fn take_along(&self, waker: &Waker) {
        if self.has_nodes.get() {
            self.take_all_along(waker);
        }
    }

    #[cold]
    fn take_all_along(&self, waker: &Waker) {
        let mut was_hit = false;
        for seat in &self.seats {
            let Some(node) = seat.node.get().filter(|node| seat.waits.get() && !node.dead.get()) else { continue };
            let new = raw::keep(waker);
            let old = node.waker.replace(Some(new));
            drop(old); // User code perhaps: under no borrow.
            node.adopt(self.parent.borrow().clone());
            if node.is_ripe() {
                was_hit = true;
            }
        }
        if was_hit {
            waker.wake_by_ref(); // It was hit when it had no waker, or that of somebody else.
        }
    }

    /// Clones the combinator's waker, which may be user code: under no borrow.
    fn clone_waker(&self) -> Option<Waker> {
        let waker = self.waker.take();
        let clone = waker.clone();
        self.waker.replace(waker);
        clone
    }

    /// Tells whether a child without a node waits for something that was noted.
    pub(crate) fn has_noted(&self) -> bool {
        self.seats.iter().any(Seat::has_noted)
    }
}

impl Seat {
    /// Returns the child's node, made now if there was none.
    pub(crate) fn node(&self, polling: bool) -> Rc<Node> {
        Rc::clone(self.node.get_or_init(|| {
            let node = Node::inner(polling);
            node.note(self.take_slot());
            node
        }))
    }

    fn has_noted(&self) -> bool {
        self.waits.get() && (self.noted.get() || self.leaf.get().is_some())
    }

    /// Notes what the child, which is being polled, waits for; of two things, neither is to be cancelled in its stead.
    pub(crate) fn note(&self, slot: Slot) {
        if let Some(node) = self.node.get() {
            return node.note(slot);
        }
        let both = self.noted.replace(true) || self.leaf.take().is_some();
        let before = self.slot.replace(if both { Slot::Several } else { slot });
        drop(before); // A future's last reference perhaps: when the place is whole.
    }

    /// As [`note`](Seat::note) with [`Slot::Leaf`].
    #[inline]
    pub(crate) fn note_leaf(&self, name: &'static &'static str) {
        if self.noted.get() || self.leaf.get().is_some() || self.node.get().is_some() {
            return self.note(Slot::Leaf(name));
        }
        self.leaf.set(Some(name));
    }

    /// Says that the child's poll begins, which has no node.
    #[inline]
    fn begin(&self) {
        self.waits.set(false);
        self.leaf.set(None);
        if self.noted.get() {
            drop(self.take_slot());
        }
    }

    fn take_slot(&self) -> Slot {
        self.noted.set(false);
        match self.leaf.take() {
            Some(name) => Slot::Leaf(name),
            None => self.slot.take(),
        }
    }

    /// Begins the poll of a child that has a node: if it returns a cancellation, the body is to be dropped instead.
    #[inline(never)]
    fn begin_node(&self) -> Option<Cancelled> {
        let node = self.node.get()?;
        current::outside_branch(|| node.begin_scope())
    }

    /// Ends the poll of a child that has a node.
    #[inline(never)]
    fn end_node<F: Future>(
        &self,
        polled: Poll<F::Output>,
        mut body: Pin<&mut Option<F>>,
        waker: &Waker,
    ) -> Poll<Result<F::Output, Cancelled>> {
        let node = self.node(false);
        match polled {
            Poll::Ready(value) => match node.take_raised() {
                Some(cancelled) => Poll::Ready(Err(self.unwind(body, cancelled))),
                None => {
                    body.set(None);
                    current::outside_branch(|| node.leave());
                    Poll::Ready(Ok(value))
                }
            },
            Poll::Pending => match current::outside_branch(|| node.pause_scope(waker)) {
                Some(cancelled) => Poll::Ready(Err(self.unwind(body, cancelled))),
                None => Poll::Pending,
            },
        }
    }

    /// Drops the body for a cancellation, as the current scope, so that destructors see where they are.
    fn unwind<F: Future>(&self, mut body: Pin<&mut Option<F>>, cancelled: Cancelled) -> Cancelled {
        body.set(None);
        let node = self.node(false);
        current::outside_branch(|| node.leave());
        cancelled
    }

    /// Says that the child is gone.
    fn leave(&self) {
        match self.node.get() {
            Some(node) if !node.dead.get() => node.leave(),
            Some(_) => (),
            None => self.begin(),
        }
    }
}
