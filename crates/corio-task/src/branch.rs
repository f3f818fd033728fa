//! The children of a combinator in place, as scopes that share one allocation.
//!
//! Each child of a `join` is a scope, and a request to cancel must find it. But few requests come: so a child has no node
//! of the tree, as long as nobody asks. What it waits for is noted in its *seat*, and the combinator as a whole stands
//! among the children of the node around it, as a *branch*. When a request comes by there, or somebody wants to see the
//! tree, each child that waits gets a node, in its place, as if it had had one all along.

use crate::node::{Node, Slot};
use crate::raw;
use crate::scope::Scope;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

/// The scopes of a combinator's children, in one allocation: for writers of combinators that poll their children in place.
///
/// The combinator gives each child the scope [`scope`](Branch::scope) of its number, polls each by it, and calls
/// [`pause`](Branch::pause) before it returns `Pending`. Then a child's scope costs no allocation as long as nobody asks it
/// to end. A child that has a [`Scope`] of its own costs one when it is first pending.
///
/// # Examples
///
/// ```
/// use corio_task::Branch;
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// let branch = Branch::new();
/// branch.set_count(2);
/// let (ready, waiting) = (branch.scope(0), branch.scope(1));
/// let (mut one, mut two) = (pin!(Some(async { 1 })), pin!(Some(std::future::pending::<u32>())));
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(matches!(ready.poll(one.as_mut(), &mut cx), Poll::Ready(Ok(1))));
/// assert!(waiting.poll(two.as_mut(), &mut cx).is_pending());
/// branch.pause(cx.waker());
/// assert!(waiting.handle().request(None));
/// assert!(matches!(waiting.poll(two.as_mut(), &mut cx), Poll::Ready(Err(_))));
/// ```
pub struct Branch(Rc<Places>);

impl Branch {
    /// Makes a branch without children: see [`set_count`](Branch::set_count).
    #[must_use]
    pub fn new() -> Branch {
        Branch(Rc::new(Places::default()))
    }

    /// Says how many children there are. To be called once, before the first is polled.
    pub fn set_count(&self, count: usize) {
        let seats = (0..count).map(|_| Seat::default()).collect();
        assert!(self.0.seats.set(seats).is_ok(), "a branch was told twice how many children it has");
    }

    /// Returns the scope of a child. One child has one.
    #[must_use]
    pub fn scope(&self, index: usize) -> Scope {
        Scope::seated(Rc::clone(&self.0), index)
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
        if !around.as_ref().is_some_and(stands_there) {
            seats.leave();
            if let Some(around) = around {
                around.add_branch(seats);
                seats.parent.replace(Some(around));
            }
        }
    }
}

impl Default for Branch {
    fn default() -> Branch {
        Branch::new()
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("count", &self.0.seats.get().map(|seats| seats.len())).finish_non_exhaustive()
    }
}

/// What a branch and the scopes of its children share.
#[derive(Default)]
pub(crate) struct Places {
    seats: OnceCell<Box<[Seat]>>,
    /// The node around, once the combinator has waited.
    parent: RefCell<Option<Rc<Node>>>,
    /// Where it stands among that node's children.
    pub(crate) place: Cell<usize>,
    /// The combinator's.
    waker: RefCell<Option<Waker>>,
}

/// What there is of a child.
#[derive(Default)]
pub(crate) struct Seat {
    /// The leaf that it waits for, while it has no node, if that is all.
    leaf: Cell<Option<&'static &'static str>>,
    /// What it waits for, while it has no node, if that is no leaf.
    slot: Cell<Slot>,
    /// Something is in `leaf` or `slot`.
    noted: Cell<bool>,
    /// Its last poll was pending.
    waits: Cell<bool>,
    /// Made when somebody asks.
    pub(crate) node: OnceCell<Rc<Node>>,
}

impl Places {
    #[inline]
    pub(crate) fn at(&self, index: usize) -> &Seat {
        &self.seats.get().expect("a branch was used before it was told how many children it has")[index]
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
        for seat in self.seats.get().into_iter().flatten() {
            if seat.waits.get() && seat.node.get().is_none() {
                let node = seat.node(false);
                let waker = self.clone_waker();
                node.waker.replace(waker); // There was none.
                node.adopt(Some(Rc::clone(around)));
            }
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
        self.seats.get().into_iter().flatten().any(Seat::has_noted)
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
        self.noted.get() && self.waits.get()
    }

    /// Notes what the child, which is being polled, waits for; of two things, neither is to be cancelled in its stead.
    pub(crate) fn note(&self, slot: Slot) {
        if let Some(node) = self.node.get() {
            return node.note(slot);
        }
        let both = self.noted.replace(true);
        self.leaf.set(None);
        let before = self.slot.replace(if both { Slot::Several } else { slot });
        drop(before); // A future's last reference perhaps: when the place is whole.
    }

    /// As [`note`](Seat::note) with [`Slot::Leaf`].
    #[inline]
    pub(crate) fn note_leaf(&self, name: &'static &'static str) {
        if self.noted.get() || self.node.get().is_some() {
            return self.note(Slot::Leaf(name));
        }
        self.noted.set(true);
        self.leaf.set(Some(name));
    }

    /// Says that the child's poll begins.
    #[inline]
    pub(crate) fn begin(&self) {
        self.waits.set(false);
        if self.noted.get() {
            drop(self.take_slot());
        }
    }

    #[inline]
    fn take_slot(&self) -> Slot {
        self.noted.set(false);
        match self.leaf.take() {
            Some(name) => Slot::Leaf(name),
            None => self.slot.take(),
        }
    }

    /// Says that the child's poll was pending.
    #[inline]
    pub(crate) fn wait(&self) {
        self.waits.set(true);
    }

    /// Says that the child is gone.
    pub(crate) fn leave(&self) {
        self.begin();
    }
}
