//! The tree along which cancellation travels.
//!
//! Each task is the root of a tree; each [`Scope`](crate::Scope) polled inside it is a node. A node stands in the tree
//! from its first pending poll on, and knows what its body waits for. How a request comes to it, and what becomes of it
//! there, is in `requests`; what keeps requests out of a node, and what makes one owed again at each suspension, in `level`.

mod requests;

pub(crate) use requests::Asked;

use crate::about::About;
use crate::branch::Places;
use crate::children::Children;
use crate::level::{Count, Shields};
use crate::raw::{self, TaskRef, current};
use crate::spare::Renew;
use corio_seam::{Cancelled, OnAlarm, TargetId, Waitable};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// What a node waits for.
#[derive(Clone, Default)]
pub(crate) enum Slot {
    /// Nothing, or something that is not ours.
    #[default]
    Empty,
    /// Something of ours that is merely left.
    Leaf(&'static &'static str),
    /// More than one thing of ours.
    Several,
    /// A task, by its handle.
    Task(TaskRef),
    /// A future of ours.
    Target(Rc<dyn Waitable>),
    /// Something of ours that is only listened to.
    Listened(Rc<dyn Waitable>),
}

impl Slot {
    /// Returns the identity of the one thing to which a request would be forwarded.
    pub(crate) fn target(&self) -> Option<TargetId> {
        match self {
            Slot::Task(task) => Some(task.address()),
            Slot::Target(target) => Some(TargetId::of(Rc::as_ptr(target))),
            Slot::Empty | Slot::Leaf(_) | Slot::Several | Slot::Listened(_) => None,
        }
    }
}

/// A node of the tree.
///
/// Few nodes are ever asked to end, and few tasks have a name or a context: what only those need stands apart, so that a
/// scope that is merely entered and left is cheap.
#[repr(align(8))] // Everywhere: the word that holds a root scope tells it from a future by the lowest three bits.
pub(crate) struct Node {
    /// The task of which this is the root, until that is over.
    owner: RefCell<Option<TaskRef>>,
    pub(crate) parent: RefCell<Option<Rc<Node>>>,
    /// The live nodes right below.
    children: RefCell<Children>,
    /// Where it stands among its parent's children.
    pub(crate) place: Cell<usize>,
    slot: RefCell<Slot>,
    /// The waker that the node was last polled with; a root's task schedules itself.
    pub(crate) waker: RefCell<Option<Waker>>,
    /// It is being polled; a root asks its task.
    pub(crate) polling: Cell<bool>,
    /// The body is gone.
    pub(crate) dead: Cell<bool>,
    /// A timer has rung it.
    pub(crate) expired: Cell<bool>,
    pub(crate) shields: Shields,
    asked: OnceCell<Box<Asked>>,
    pub(crate) about: OnceCell<Box<About>>,
}

impl Node {
    /// Makes the root of a task; without an owner, of one that is over.
    pub(crate) fn root(owner: Option<TaskRef>, slot: Slot) -> Rc<Node> {
        let is_dead = owner.is_none();
        let node = Node::make(owner, slot);
        node.dead.set(is_dead);
        node
    }

    /// Makes the node of a scope that is not a task's own.
    pub(crate) fn inner(polling: bool) -> Rc<Node> {
        let spare = current::with_core(|core| core.spare_nodes.take()).flatten();
        let node = spare.unwrap_or_else(|| Node::make(None, Slot::Empty));
        node.polling.set(polling);
        node
    }

    /// Leaves the tree, with the scope, and gives the node to the set, which may have a use for it.
    #[inline(never)]
    pub(crate) fn retire(self: Rc<Node>) {
        if !self.dead.get() {
            self.leave();
        }
        current::with_core(move |core| core.spare_nodes.put(self)); // Without a set, it is dropped with the closure.
    }

    /// Tells whether the node is one of no task that stands nowhere, waits for nothing and was asked nothing.
    pub(crate) fn is_new(&self) -> bool {
        let is_idle = !self.dead.get() && !self.polling.get() && !self.expired.get() && self.waker.borrow().is_none();
        let is_alone = self.owner.borrow().is_none() && self.parent.borrow().is_none() && !self.is_shield();
        let knows_nothing = self.asked.get().is_none() && self.about.get().is_none();
        is_idle && is_alone && knows_nothing && matches!(*self.slot.borrow(), Slot::Empty)
    }

    /// Makes a node, part by part in its place: put together on the stack it would be copied.
    fn make(owner: Option<TaskRef>, slot: Slot) -> Rc<Node> {
        Rc::new_cyclic(|_| Node {
            owner: RefCell::new(owner),
            parent: const { RefCell::new(None) },
            children: const { RefCell::new(Children::new()) },
            place: const { Cell::new(0) },
            slot: RefCell::new(slot),
            waker: const { RefCell::new(None) },
            polling: const { Cell::new(false) },
            dead: const { Cell::new(false) },
            expired: const { Cell::new(false) },
            shields: const { Shields::new() },
            asked: const { OnceCell::new() },
            about: const { OnceCell::new() },
        })
    }

    /// Returns the innermost node being polled on this thread, in its place in the tree: those around it that had no
    /// node, for nobody had needed one, have one now.
    pub(crate) fn current() -> Option<Rc<Node>> {
        let (mut innermost, mut orphan): (Option<Rc<Node>>, Option<Rc<Node>>) = (None, None);
        current::each_scope(|scope, _| {
            let node = scope.node();
            innermost.get_or_insert_with(|| Rc::clone(&node));
            if let Some(below) = orphan.take() {
                below.adopt(Some(Rc::clone(&node)));
            }
            let is_orphan = node.parent.borrow().is_none();
            orphan = is_orphan.then_some(node);
            is_orphan
        });
        if innermost.is_none() || orphan.is_some() {
            let root = raw::current_root();
            orphan.inspect(|orphan| orphan.adopt(root.clone()));
            innermost = innermost.or(root);
        }
        innermost
    }

    /// Tells whether the node stands right below the innermost one being polled: without making any, and cheaply.
    #[inline]
    pub(crate) fn is_below_current(&self) -> bool {
        let parent = self.parent.borrow();
        let Some(parent) = &*parent else { return false };
        current::with_scope(|scope| match scope {
            Some(scope) => scope.node_if_any().is_some_and(|node| Rc::ptr_eq(node, parent) && node.is_in_place()),
            None => raw::is_current_root(parent),
        })
    }

    /// Tells whether the node stands somewhere in a tree; those around one that does stand as they did when it came.
    fn is_in_place(&self) -> bool {
        self.parent.borrow().is_some()
    }

    /// As [`current`](Node::current), without making the node of a task of which nothing was ever asked.
    pub(crate) fn current_if_any() -> Option<Rc<Node>> {
        if current::with_scope(|scope| scope.is_some()) {
            return Node::current();
        }
        raw::current_root_if_any()
    }

    // The scope's side.

    /// Begins a poll of the scope: if it returns a cancellation, the body is to be dropped instead.
    #[inline(never)]
    pub(crate) fn begin_scope(self: &Rc<Node>) -> Option<Cancelled> {
        if !self.is_below_current() {
            self.adopt(Node::current());
        }
        self.hold_shield();
        let ripe = self.begin_poll();
        self.clear_slot();
        ripe
    }

    /// Ends a poll of the scope that is pending: if it returns a cancellation, the body is to be dropped.
    pub(crate) fn pause_scope(self: &Rc<Node>, waker: &Waker) -> Option<Cancelled> {
        if self.parent.borrow().is_none() {
            self.settle_below_current();
        }
        let same = self.waker.borrow().as_ref().is_some_and(|old| raw::will_wake(old, waker));
        if !same {
            let old = self.waker.replace(Some(raw::keep(waker)));
            if old.is_none() {
                self.hit_no_more();
            }
            drop(old);
        }
        self.end_poll()
    }

    /// Puts a node that stands nowhere below the innermost one being polled.
    #[inline]
    fn settle_below_current(self: &Rc<Node>) {
        let is_task_s_own = current::with_scope(|scope| scope.is_none());
        let parent = if is_task_s_own { raw::current_root() } else { Node::current() };
        self.settle_below(parent);
    }

    // The task's side.

    pub(crate) fn detach(&self) {
        self.dead.set(true);
        self.polling.set(false);
        self.forget_owed();
        drop(self.owner.take());
    }

    // What it waits for.

    pub(crate) fn slot(&self) -> Slot {
        self.slot.borrow().clone()
    }

    /// Notes what the node waits for; of two things in one poll, neither is to be cancelled in its stead.
    pub(crate) fn note(&self, slot: Slot) {
        let both = !matches!(*self.slot.borrow(), Slot::Empty);
        let old = self.slot.replace(if both { Slot::Several } else { slot });
        drop(old); // A future's last reference perhaps: not under the borrow.
    }

    /// As [`note`](Node::note) with [`Slot::Leaf`]: the usual wait, for which no slot is dropped.
    #[inline]
    pub(crate) fn note_leaf(&self, name: &'static &'static str) {
        let mut slot = self.slot.borrow_mut();
        if matches!(*slot, Slot::Empty) {
            *slot = Slot::Leaf(name);
        } else {
            drop(slot);
            self.note(Slot::Leaf(name));
        }
    }

    /// Tells whether this node, or one below it, waits for something that was noted.
    pub(crate) fn has_noted(&self) -> bool {
        if self.has_noted_itself() {
            return true;
        }
        let mut below = self.children.borrow().live();
        while let Some(node) = below.pop() {
            if node.has_noted_itself() {
                return true;
            }
            below.extend(node.children.borrow().live());
        }
        false
    }

    fn has_noted_itself(&self) -> bool {
        let in_branch = || self.children.borrow().branches().iter().any(|branch| branch.has_noted());
        !matches!(*self.slot.borrow(), Slot::Empty) || in_branch()
    }

    /// Returns what this node, and each below it, waits for: depth first, in the order in which the nodes came.
    pub(crate) fn slots(self: &Rc<Node>) -> Vec<Slot> {
        let mut slots = vec![self.slot()];
        let mut below = self.live_children();
        below.reverse();
        while let Some(node) = below.pop() {
            slots.push(node.slot());
            below.extend(node.live_children().into_iter().rev());
        }
        slots.retain(|slot| !matches!(slot, Slot::Empty));
        slots
    }

    #[inline]
    pub(crate) fn clear_slot(&self) {
        let mut slot = self.slot.borrow_mut();
        match &mut *slot {
            Slot::Empty => (),
            leaf @ (Slot::Leaf(_) | Slot::Several) => *leaf = Slot::Empty,
            _ => {
                drop(slot);
                drop(self.slot.take()); // A future's last reference perhaps: not under the borrow.
            }
        }
    }

    // The tree.

    /// Returns the live nodes right below, those of branches included, which are made now.
    fn live_children(self: &Rc<Node>) -> Vec<Rc<Node>> {
        let branches = self.children.borrow().branches();
        branches.iter().for_each(|branch| branch.make_nodes(self));
        self.children.borrow().live()
    }

    pub(crate) fn add_branch(&self, branch: &Rc<Places>) {
        self.children.borrow_mut().add_branch(branch);
    }

    pub(crate) fn remove_branch(&self, branch: &Places) {
        self.children.borrow_mut().remove(branch.place.get());
    }

    /// Puts the node below `parent`, from wherever it was.
    pub(crate) fn adopt(self: &Rc<Node>, parent: Option<Rc<Node>>) {
        let same = match (&*self.parent.borrow(), &parent) {
            (Some(old), Some(new)) => Rc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        self.leave_parent();
        self.settle_below(parent);
    }

    /// Puts the node, which stands nowhere, below `parent`.
    #[inline(always)] // So is one of these every scope that suspends.
    fn settle_below(self: &Rc<Node>, parent: Option<Rc<Node>>) {
        let Some(parent) = parent else { return };
        parent.children.borrow_mut().add(self);
        self.parent.replace(Some(parent));
        self.count_shields(Count::In);
    }

    #[inline(always)] // One of its two callers is every scope that ends.
    fn leave_parent(self: &Rc<Node>) -> Option<Rc<Node>> {
        let brought_shields = self.count_shields(Count::Out);
        let parent = self.parent.take()?;
        parent.children.borrow_mut().remove(self.place.get());
        if brought_shields {
            parent.let_go_around();
        }
        Some(parent)
    }

    /// Leaves the tree: the body is gone. What it was owed, the parent owes still, and offers elsewhere.
    pub(crate) fn leave(self: &Rc<Node>) {
        self.dead.set(true);
        self.clear_slot();
        drop(self.waker.take());
        match self.asked() {
            Some(asked) => self.leave_with(asked),
            None => drop(self.leave_parent()),
        }
    }
}

impl Renew for Node {
    #[inline]
    fn renew(&mut self) -> bool {
        self.dead.set(false);
        self.polling.set(false);
        self.expired.set(false);
        self.shields = Shields::new();
        let is_new = self.asked.get().is_none() && self.children.get_mut().renew();
        debug_assert!(!is_new || self.is_new(), "leaving the tree has emptied it");
        is_new
    }
}

impl OnAlarm for Node {
    fn on_alarm(self: Rc<Node>) {
        if self.dead.get() {
            return;
        }
        self.expired.set(true);
        if let Some(request) = self.record(None) {
            self.offer(&request);
        }
    }
}
