//! The children of a combinator in place, as scopes that share one allocation.
//!
//! Each child of a `join` is a scope, and a request to cancel must find it. But few requests come: so a child has no node
//! of the tree, as long as nobody asks. What it waits for is noted in its *seat*, and the combinator as a whole stands
//! among the children of the node around it, as a *branch*. When a request comes by there, or somebody wants to see the
//! tree, each child that waits gets a node, in its place, as if it had had one all along.

use crate::node::{Node, Slot};
use crate::raw::{self, current};
use crate::scope::ScopeHandle;
use crate::spare::Renew;
use corio_seam::Cancelled;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::ptr;
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
pub struct Branch(Option<Rc<Places>>); // Until it is dropped.

impl Branch {
    /// Makes a branch of so many children.
    #[must_use]
    pub fn new(count: usize) -> Branch {
        let kept = if Places::is_kept(count) { current::with_core(|core| core.spare_places.take()) } else { None };
        let mut places = kept.flatten().unwrap_or_default();
        if places.seats.len() != count {
            let places = Rc::get_mut(&mut places).expect("nobody else knows what is new, or spare");
            places.seats = (0..count).map(|_| Seat::default()).collect();
        }
        Branch(Some(places))
    }

    #[inline]
    fn places(&self) -> &Rc<Places> {
        self.0.as_ref().expect("a branch has its places until it is dropped")
    }

    /// Returns the children, to be polled.
    #[inline]
    #[must_use]
    pub fn children(&self) -> BranchChildren {
        BranchChildren(Rc::clone(self.places()))
    }

    /// Returns a handle to ask a child to end.
    ///
    /// # Panics
    ///
    /// If there is no child of that number.
    #[must_use]
    pub fn handle(&self, index: usize) -> ScopeHandle {
        let places = self.places();
        if places.lacks_node(index) {
            places.make_node(index, places.parent.borrow().clone());
        }
        ScopeHandle::of(places.node(index, false))
    }

    /// Says that the combinator is about to return `Pending`: from now on, requests to the scope around it find those
    /// children that wait, and wake the combinator by `waker`, upon which it polls all of them.
    pub fn pause(&self, waker: &Waker) {
        let seats = self.places();
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
        let Some(places) = self.0.take() else { return };
        places.leave_all();
        places.leave();
        current::with_core(move |core| core.spare_places.put(places)); // Without a set, they are dropped with the closure.
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("count", &self.places().seats.len()).finish_non_exhaustive()
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
    /// [`Cancelled`] if a request hit this child: the body was cleared for it, at an await.
    ///
    /// # Panics
    ///
    /// If there is no child of that number, if `body` has ended already, and whenever the body panics.
    #[inline(always)] // So that how the child ended is not put together in memory.
    pub fn poll<B: ChildBody>(
        &self,
        index: usize,
        mut body: B,
        cx: &mut Context<'_>,
    ) -> Poll<Result<B::Output, Cancelled>> {
        let places = self.0;
        if let Some(cancelled) = places.begin(index) {
            return Poll::Ready(Err(places.unwind(body, cancelled)));
        }
        let polled = body.poll(cx);
        if places.node_if_any(index).is_some() {
            return places.end_node(polled, body, cx.waker());
        }
        match polled {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => {
                places.seats[index].0.set(places.leaf.get());
                Poll::Pending
            }
        }
    }
}

/// The body of a branch's child: a future in its place, which it leaves when it ends.
///
/// An `Option` of a future is one, which is `None` afterwards. A combinator that keeps the outputs of its children can have
/// them lie where the futures did: then an end leaves nothing to return.
///
/// # Examples
///
/// ```
/// use corio_task::{Branch, ChildBody};
/// use std::task::{Context, Poll, Waker};
///
/// /// Is ready after so many polls, and keeps what it has to say.
/// struct Countdown(u32);
/// impl ChildBody for &mut Countdown {
///     type Output = ();
///     fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
///         self.0 -= 1;
///         if self.0 == 0 { Poll::Ready(()) } else { Poll::Pending }
///     }
///     fn clear(&mut self) {}
/// }
///
/// let (branch, mut body) = (Branch::new(1), Countdown(2));
/// let mut cx = Context::from_waker(Waker::noop());
/// let mut poll = || branch.children().enter(|children| children.poll(0, &mut body, &mut cx));
/// assert!(poll().is_pending());
/// assert!(matches!(poll(), Poll::Ready(Ok(()))));
/// ```
pub trait ChildBody {
    /// What an end leaves for [`Entered::poll`] to return.
    type Output;

    /// Polls the future, and drops it when it is ready.
    ///
    /// # Panics
    ///
    /// If it has ended already.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Drops the future, or what it left.
    fn clear(&mut self);
}

impl<F: Future> ChildBody for Pin<&mut Option<F>> {
    type Output = F::Output;

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.as_mut().as_pin_mut();
        let polled = future.expect("a child was polled after it had ended").poll(cx);
        if polled.is_ready() {
            self.clear();
        }
        polled
    }

    fn clear(&mut self) {
        self.set(None);
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("count", &self.0.seats.len()).finish()
    }
}

/// Of more children than this, the places are not kept for another branch.
const FEW: usize = 32;

/// What a branch and the scopes of its children share.
#[derive(Default)]
pub(crate) struct Places {
    seats: Box<[Seat]>,
    /// The number of the child being polled, or polled last.
    polled: Cell<usize>,
    /// What this child's seat is to hold when its poll ends: the number of the leaf that it waits for, if that is all.
    leaf: Cell<u8>,
    /// The leaves that have numbers, in order; they stay when the places are kept for another branch.
    leaves: RefCell<Vec<Leaf>>,
    /// The leaf that was noted last.
    last: Cell<Option<Noted>>,
    /// What few children need, a piece for each; made for the first that does.
    rest: OnceCell<Box<[Rest]>>,
    /// The node around, once the combinator has waited.
    parent: RefCell<Option<Rc<Node>>>,
    /// Where it stands among that node's children.
    pub(crate) place: Cell<usize>,
    /// The combinator's.
    waker: RefCell<Option<Waker>>,
    /// A child was given a node while it waited.
    has_nodes: Cell<bool>,
}

impl Renew for Places {
    fn renew(&mut self) -> bool {
        if !Places::is_kept(self.seats.len()) || self.rest.get().is_some() {
            return false;
        }
        self.seats.iter().for_each(Seat::begin);
        self.leaf.set(NO_LEAF);
        self.waker.take(); // User code perhaps: nothing is borrowed.
        debug_assert!(self.parent.get_mut().is_none() && !self.has_nodes.get(), "leaving the tree has emptied it");
        true
    }
}

/// The name of something of ours that is merely left.
type Leaf = &'static &'static str;

/// What there is of each child: whether its last poll was pending, and for which leaf.
///
/// One byte, without a destructor: most combinators write and read it, and nothing else of a child.
#[derive(Default)]
struct Seat(Cell<u8>);

/// In a seat: the child is being polled, or gone, or was never polled.
const GONE: u8 = 0;
/// In a seat: it waits for no leaf.
const NO_LEAF: u8 = 1;
/// In a seat: it waits for the leaf of this number, or a higher one.
const FIRST_LEAF: u8 = 2;

impl Seat {
    #[inline]
    fn waits(&self) -> bool {
        self.0.get() != GONE
    }

    /// Says that the child is being polled, or is gone.
    #[inline]
    fn begin(&self) {
        self.0.set(GONE);
    }
}

/// A leaf, and its number.
#[derive(Clone, Copy)]
struct Noted {
    leaf: Leaf,
    number: u8,
}

/// What there is of a child that waits for something that is no leaf, or that was asked for.
#[derive(Default)]
struct Rest {
    /// What it waits for, while it has no node, if that is no leaf.
    slot: Cell<Slot>,
    /// Made when somebody asks.
    node: OnceCell<Rc<Node>>,
    /// Something is in `slot`, or there is a node.
    in_use: Cell<bool>,
}

impl Rest {
    /// Takes what is in the slot; there is no node.
    #[inline]
    fn take_slot(&self) -> Slot {
        if self.in_use.replace(false) { self.slot.take() } else { Slot::Empty }
    }
}

impl Places {
    /// Tells whether the places of so many children are worth keeping: few are made often.
    fn is_kept(count: usize) -> bool {
        (1..=FEW).contains(&count)
    }

    fn rest(&self, index: usize) -> &Rest {
        let made = || self.seats.iter().map(|_| Rest::default()).collect();
        &self.rest.get_or_init(made)[index]
    }

    /// Returns a child's piece of the rest, if anything is in it.
    #[inline]
    fn rest_in_use(&self, index: usize) -> Option<&Rest> {
        let rest = &self.rest.get()?[index];
        rest.in_use.get().then_some(rest)
    }

    /// Returns a child's node, if it has one.
    #[inline]
    fn node_if_any(&self, index: usize) -> Option<&Rc<Node>> {
        self.rest.get()?[index].node.get()
    }

    /// Returns a child's node, made now if there was none.
    fn node(&self, index: usize, polling: bool) -> Rc<Node> {
        let rest = self.rest(index);
        let node = rest.node.get_or_init(|| {
            let node = Node::inner(polling);
            node.note(self.take_slot(index));
            node
        });
        rest.in_use.set(true);
        Rc::clone(node)
    }

    /// Returns the node of the child being polled, or polled last, if it has one.
    #[inline]
    pub(crate) fn polled_node_if_any(&self) -> Option<&Rc<Node>> {
        self.node_if_any(self.polled.get())
    }

    /// As [`polled_node_if_any`](Places::polled_node_if_any), made now if there was none.
    pub(crate) fn polled_node(&self) -> Rc<Node> {
        self.node(self.polled.get(), true)
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
        for index in 0..self.seats.len() {
            if self.lacks_node(index) {
                self.make_node(index, Some(Rc::clone(around)));
            }
        }
    }

    /// Tells whether a child waits and has no node.
    pub(crate) fn lacks_node(&self, index: usize) -> bool {
        self.seats[index].waits() && self.node_if_any(index).is_none()
    }

    /// Gives a child that waits a node.
    fn make_node(&self, index: usize, around: Option<Rc<Node>>) {
        self.has_nodes.set(true);
        let node = self.node(index, false);
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
        for (index, seat) in self.seats.iter().enumerate() {
            let node = self.node_if_any(index).filter(|node| seat.waits() && !node.dead.get());
            let Some(node) = node else { continue };
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
        let noted = |index| self.rest_in_use(index).is_some_and(|rest| rest.node.get().is_none());
        self.seats.iter().enumerate().any(|(index, seat)| seat.waits() && (seat.0.get() >= FIRST_LEAF || noted(index)))
    }

    // The child being polled.

    /// Notes what it waits for; of two things, neither is to be cancelled in its stead.
    pub(crate) fn note(&self, slot: Slot) {
        let rest = self.rest(self.polled.get());
        if let Some(node) = rest.node.get() {
            return node.note(slot);
        }
        let both = rest.in_use.replace(true) || self.leaf.replace(NO_LEAF) >= FIRST_LEAF;
        let before = rest.slot.replace(if both { Slot::Several } else { slot });
        drop(before); // A future's last reference perhaps: when the place is whole.
    }

    /// As [`note`](Places::note) with [`Slot::Leaf`].
    #[inline]
    pub(crate) fn note_leaf(&self, name: Leaf) {
        if self.leaf.get() >= FIRST_LEAF || self.rest_in_use(self.polled.get()).is_some() {
            return self.note(Slot::Leaf(name));
        }
        match self.last.get() {
            Some(last) if ptr::eq(last.leaf, name) => self.leaf.set(last.number),
            _ => self.note_another_leaf(name),
        }
    }

    /// As [`note_leaf`](Places::note_leaf), if it is not the leaf that was noted last.
    #[cold]
    fn note_another_leaf(&self, leaf: Leaf) {
        let Some(number) = self.number(leaf) else { return self.note(Slot::Leaf(leaf)) };
        self.last.set(Some(Noted { leaf, number }));
        self.leaf.set(number);
    }

    /// Returns the number of a leaf; none if there are too many.
    fn number(&self, leaf: Leaf) -> Option<u8> {
        let mut leaves = self.leaves.borrow_mut();
        let place = leaves.iter().position(|known| ptr::eq(*known, leaf)).unwrap_or(leaves.len());
        let number = u8::try_from(place).ok()?.checked_add(FIRST_LEAF)?;
        if place == leaves.len() {
            leaves.push(leaf);
        }
        Some(number)
    }

    /// Says that a child is polled now. If it returns a cancellation, the body is to be dropped instead.
    #[inline]
    fn begin(&self, index: usize) -> Option<Cancelled> {
        let seat = &self.seats[index]; // First: nobody is polled whom there is not.
        self.polled.set(index);
        if let Some(rest) = self.rest_in_use(index) {
            return self.begin_rest(seat, rest);
        }
        seat.begin();
        self.leaf.set(NO_LEAF);
        None
    }

    /// As [`begin`](Places::begin), for a child that has a node, or waits for something that is no leaf.
    #[inline(never)]
    fn begin_rest(&self, seat: &Seat, rest: &Rest) -> Option<Cancelled> {
        if let Some(node) = rest.node.get() {
            return current::outside_branch(|| node.begin_scope());
        }
        self.forget(seat, rest);
        None
    }

    /// Forgets what a child without a node waits for.
    #[inline]
    fn forget(&self, seat: &Seat, rest: &Rest) {
        seat.begin();
        self.leaf.set(NO_LEAF);
        drop(rest.take_slot());
    }

    /// Takes what a child without a node waits for, or has noted so far in its poll.
    fn take_slot(&self, index: usize) -> Slot {
        let seat = &self.seats[index];
        let number = if seat.waits() {
            seat.0.replace(NO_LEAF)
        } else if self.polled.get() == index {
            self.leaf.replace(NO_LEAF)
        } else {
            NO_LEAF
        };
        match number.checked_sub(FIRST_LEAF) {
            Some(place) => Slot::Leaf(self.leaves.borrow()[usize::from(place)]),
            None => self.rest(index).take_slot(),
        }
    }

    /// Ends the poll of a child that has a node.
    #[inline(never)]
    fn end_node<B: ChildBody>(
        &self,
        polled: Poll<B::Output>,
        body: B,
        waker: &Waker,
    ) -> Poll<Result<B::Output, Cancelled>> {
        let node = self.polled_node();
        match polled {
            Poll::Ready(output) => match node.take_raised() {
                Some(cancelled) => Poll::Ready(Err(self.unwind(body, cancelled))),
                None => {
                    current::outside_branch(|| node.leave());
                    Poll::Ready(Ok(output))
                }
            },
            Poll::Pending => match current::outside_branch(|| node.pause_scope(waker)) {
                Some(cancelled) => Poll::Ready(Err(self.unwind(body, cancelled))),
                None => Poll::Pending,
            },
        }
    }

    /// Drops the body for a cancellation, as the current scope, so that destructors see where they are.
    fn unwind<B: ChildBody>(&self, mut body: B, cancelled: Cancelled) -> Cancelled {
        body.clear();
        let node = self.polled_node();
        current::outside_branch(|| node.leave());
        cancelled
    }

    /// Says that all children are gone.
    #[inline]
    fn leave_all(&self) {
        if self.rest.get().is_some() {
            self.leave_each();
        }
    }

    #[inline(never)]
    fn leave_each(&self) {
        for (seat, rest) in self.seats.iter().zip(self.rest.get().into_iter().flatten()) {
            match rest.node.get() {
                Some(node) if !node.dead.get() => node.leave(),
                Some(_) => (),
                None => self.forget(seat, rest),
            }
        }
    }
}
