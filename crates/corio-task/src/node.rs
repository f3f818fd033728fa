//! The tree along which cancellation travels.
//!
//! Each task is the root of a tree; each [`Scope`] polled inside it is a node. A *request* is aimed at a node and travels
//! down to the innermost live nodes below it. There it is *forwarded*, if the node waits for exactly one thing that can
//! be cancelled, and otherwise makes the node *ripe*: at its next poll the node drops its body without polling it and
//! returns `Err(Cancelled)` to the code around it. [`Cancelled::resume`] *raises* it there again.
//!
//! ```text
//! request ─▶ offer ─▶ (children that have not had it) ─▶ offer ...
//!                └──▶ (none) hit ─▶ forwarded ─▶ heard: raised, or used up ; not heard: pending again
//!                               └─▶ ripe ─▶ begin_poll: body dropped, Err(Cancelled)
//! ```
//! While a node is being polled a request for it is only noted; [`Node::end_poll`] looks at it when the poll ends. So a
//! request is never lost, and hits at an await and nowhere else. User code (a forwarded `cancel`, a waker) runs under no
//! borrow of a node. Of nodes side by side each is hit, and each hears for itself what it forwarded to. What keeps
//! requests out of a node, and what makes one owed again at each suspension, is in `level`.

use crate::about::About;
use crate::branch::Places;
use crate::children::Children;
use crate::forward;
use crate::level::{Count, Level, Shields};
use crate::raw::{self, TaskRef, current};
use crate::request::Request;
use corio_seam::{Cancelled, OnAlarm, TargetId, Waitable};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
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

/// What a node needs that was asked to end, or raises a cancellation.
#[derive(Default)]
pub(crate) struct Asked {
    /// How many requests were aimed at this node, less those taken back by `uncancel`.
    requests: Cell<usize>,
    /// The requests aimed at this node or offered to it that are pending or forwarded.
    owed: RefCell<Vec<Rc<Request>>>,
    /// The requests for which the body is to be dropped at the next poll: several that came before it are delivered once.
    ripe: RefCell<Vec<Rc<Request>>>,
    /// The cancellation that was raised inside, for which the body is to be dropped when the poll ends.
    raised: RefCell<Option<Cancelled>>,
    /// The requests that ended the body.
    taken: RefCell<Vec<Rc<Request>>>,
    /// The request that was forwarded to what the slot named.
    forwarded: RefCell<Option<(TargetId, Rc<Request>)>>,
    pub(crate) level: Level,
    /// A root's: the last round of forwarding that came by.
    round: Cell<u64>,
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

    /// Makes a node that has left the tree, and that nobody knows, as good as new; false if it is not worth that.
    #[inline]
    pub(crate) fn renew(&mut self) -> bool {
        self.dead.set(false);
        self.polling.set(false);
        self.expired.set(false);
        self.shields = Shields::new();
        let is_new = self.asked.get().is_none() && self.children.get_mut().renew();
        debug_assert!(!is_new || self.is_new(), "leaving the tree has emptied it");
        is_new
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

    /// Takes back what hit the scope during its first poll, by a handle that was made inside: nothing was suspended there, and
    /// nobody could be woken. It is owed still, and the end of the poll sees to it.
    fn hit_no_more(&self) {
        if let Some(asked) = self.asked() {
            asked.ripe.borrow_mut().clear();
        }
    }

    // The task's side.

    pub(crate) fn detach(&self) {
        self.dead.set(true);
        self.polling.set(false);
        if let Some(asked) = self.asked() {
            asked.owed.borrow_mut().clear();
        }
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

    // Requests.

    /// Returns what there is about requests, if there ever was one.
    #[inline]
    pub(crate) fn asked(&self) -> Option<&Asked> {
        self.asked.get().map(|asked| &**asked)
    }

    /// As [`asked`](Node::asked), and makes the place for the first.
    pub(crate) fn ask(&self) -> &Asked {
        self.asked.get_or_init(Box::default)
    }

    pub(crate) fn requests(&self) -> usize {
        self.asked().map_or(0, |asked| asked.requests.get())
    }

    /// Notes that a root came by in this round of forwarding.
    pub(crate) fn set_round(&self, round: u64) {
        self.ask().round.set(round);
    }

    pub(crate) fn round(&self) -> u64 {
        self.asked().map_or(0, |asked| asked.round.get())
    }

    /// Tells whether a cancellation was raised inside, and not yet looked at.
    pub(crate) fn has_raised(&self) -> bool {
        self.asked().is_some_and(|asked| asked.raised.borrow().is_some())
    }

    /// Takes the cancellation that was raised inside.
    pub(crate) fn take_raised(&self) -> Option<Cancelled> {
        self.asked()?.raised.take()
    }

    /// Sums the requests on the nodes being polled on this thread, as far as they reach the innermost one: up to a shield.
    #[inline(never)]
    pub(crate) fn requests_around() -> usize {
        let (mut sum, mut is_shielded) = (0, false);
        current::each_scope(|scope, _| {
            if let Some(node) = scope.node_if_any() {
                sum += node.requests();
                is_shielded = node.is_shield();
            } // Without a node nothing was ever asked of it.
            !is_shielded
        });
        sum + if is_shielded { 0 } else { raw::requests_of_current() }
    }

    /// Counts a request, and returns its record if it must be offered: one that is undelivered already does for both.
    pub(crate) fn record(self: &Rc<Node>, message: Option<Arc<str>>) -> Option<Rc<Request>> {
        let asked = self.ask();
        asked.requests.set(asked.requests.get() + 1);
        let does_for_both =
            |request: &Rc<Request>| request.is_pending() && !request.is_forwarded() && !request.is_rearmed();
        if asked.owed.borrow().iter().any(|request| does_for_both(request) && request.is_aimed_at(self)) {
            return None;
        }
        let request = Request::new(message, self);
        self.owe(&request);
        Some(request)
    }

    /// Takes a request back; at zero, what was not delivered yet is withdrawn.
    pub(crate) fn uncancel(&self) -> usize {
        let Some(asked) = self.asked() else { return 0 };
        asked.requests.set(asked.requests.get().saturating_sub(1));
        if asked.requests.get() == 0 {
            for request in asked.owed.borrow().iter() {
                if request.is_pending() && !request.is_forwarded() && request.is_aimed_at(self) {
                    request.withdraw();
                }
            }
        }
        asked.requests.get()
    }

    /// Tells whether its body is to be dropped at its next poll.
    pub(crate) fn is_ripe(&self) -> bool {
        self.asked().is_some_and(|asked| asked.ripe.borrow().iter().any(|request| !request.is_withdrawn()))
    }

    /// Tells whether a request that was aimed at this node is on its way.
    pub(crate) fn owes_its_own(&self) -> bool {
        let is_its_own = |request: &Rc<Request>| request.is_pending() && request.is_aimed_at(self);
        self.asked().is_some_and(|asked| asked.owed.borrow().iter().any(is_its_own))
    }

    pub(crate) fn owe(&self, request: &Rc<Request>) {
        self.ask().owed.borrow_mut().push(Rc::clone(request));
        self.attend();
    }

    fn has_had(&self, request: &Rc<Request>) -> bool {
        self.asked().is_some_and(|asked| asked.owed.borrow().iter().any(|owed| Rc::ptr_eq(owed, request)))
    }

    /// Makes a root's next step look here.
    pub(crate) fn attend(&self) {
        if let Some(owner) = &*self.owner.borrow() {
            owner.set_attention();
        }
    }

    /// Carries a pending request to the innermost live nodes that have not had it.
    pub(crate) fn offer(self: &Rc<Node>, request: &Rc<Request>) {
        if !self.dead.get() && !self.is_polling() {
            self.offer_now(request);
        } // While it is polled, `end_poll` will come back to it.
    }

    pub(crate) fn is_polling(&self) -> bool {
        self.owner.borrow().as_ref().map_or(self.polling.get(), TaskRef::is_running)
    }

    /// As [`offer`](Node::offer), for a node whose poll has just ended.
    pub(crate) fn offer_now(self: &Rc<Node>, request: &Rc<Request>) {
        if request.is_withdrawn() {
            return;
        }
        let below = self.live_children();
        let fresh: Vec<_> = below.into_iter().filter(|child| !child.is_shield() && !child.has_had(request)).collect();
        if fresh.is_empty() && !self.hold_back(request) {
            self.hit(request);
        }
        for child in fresh {
            child.owe(request);
            child.offer(request);
        }
    }

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

    /// Forwards a request to the one thing the node waits for, or makes the node ripe.
    fn hit(self: &Rc<Node>, request: &Rc<Request>) {
        if self.is_ripe() || !self.forward(request) {
            self.ask().ripe.borrow_mut().push(Rc::clone(request));
            self.attend();
            self.wake();
        }
    }

    /// Passes a request on, if the node waits for exactly one thing, and that accepts it.
    fn forward(&self, request: &Rc<Request>) -> bool {
        let slot = self.slot();
        let Some(target) = slot.target() else { return false };
        let forwarded = &self.ask().forwarded;
        let has_passed_it = || forwarded.borrow().as_ref().is_some_and(|(to, _)| *to == target);
        let accepted = request.is_rearmed() && has_passed_it() // Once a suspension, and this is the same.
            || match &slot {
                Slot::Task(task) => forward::cancel(task, request.message(), forward::By::Waiter),
                Slot::Target(target) => target.cancel(request.message()),
                Slot::Empty | Slot::Leaf(_) | Slot::Several | Slot::Listened(_) => false,
            };
        if accepted {
            request.forward();
            let before = forwarded.replace(Some((target, Rc::clone(request))));
            if let Some((_, before)) = before {
                before.stop_forwarding();
                before.take(); // The ending that is awaited now answers both.
            }
            self.attend();
        }
        accepted
    }

    fn wake(&self) {
        let owner = self.owner.borrow().clone();
        match owner {
            Some(task) => task.wake(),
            None => {
                let waker = self.waker.borrow().clone();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    // A poll.

    /// Begins a poll: if the node is ripe, the caller drops the body instead of polling it.
    #[inline]
    pub(crate) fn begin_poll(&self) -> Option<Cancelled> {
        self.polling.set(true);
        self.asked()?.begin_poll()
    }

    /// Ends a poll that is pending: if something was raised, the caller drops the body.
    #[inline]
    pub(crate) fn end_poll(self: &Rc<Node>) -> Option<Cancelled> {
        self.polling.set(false);
        self.end_poll_of(self.asked()?)
    }

    fn end_poll_of(self: &Rc<Node>, asked: &Asked) -> Option<Cancelled> {
        let raised = asked.raised.take();
        if raised.is_some() {
            return raised;
        }
        self.take_back_unheard(asked);
        self.owe_again();
        let due: Vec<_> = asked.owed.borrow().iter().filter(|request| request.is_due()).cloned().collect();
        self.let_go();
        for request in &due {
            if request.is_due() && !self.is_ripe() {
                self.offer_now(request);
            }
        }
        self.forget_settled(asked);
        None
    }

    /// Ends a root's last poll: the cancellation that the task ends with although its coroutine returned.
    pub(crate) fn last_word(&self) -> Option<Cancelled> {
        let asked = self.asked()?;
        let raised = asked.raised.take();
        let undelivered = |request: &&Rc<Request>| request.is_pending() && !request.is_rearmed();
        raised.or_else(|| asked.owed.borrow().iter().find(undelivered).map(|request| request.cancelled()))
    }

    /// Owes a request again whose forwarding led nowhere: the leaf was dropped before it heard the ending.
    fn take_back_unheard(self: &Rc<Node>, asked: &Asked) {
        let target = self.slot.borrow().target();
        let unheard = asked.forwarded.borrow_mut().take_if(|(to, _)| Some(*to) != target);
        let Some((_, request)) = unheard else { return };
        request.stop_forwarding();
        if request.is_taken() {
            self.hit(&request); // By a node beside this one, which does not do for both.
        }
    }

    fn forget_settled(&self, asked: &Asked) {
        let mut owed = asked.owed.borrow_mut();
        owed.retain(|request| request.is_pending());
        let is_quiet =
            || asked.ripe.borrow().is_empty() && asked.forwarded.borrow().is_none() && !asked.level.holds_back();
        if owed.is_empty() && is_quiet() {
            if let Some(owner) = &*self.owner.borrow() {
                owner.clear_attention();
            }
        }
    }

    /// Hears that `target` has ended: true if that delivers a forwarded request, so that the leaf stays pending.
    pub(crate) fn heard(&self, target: TargetId, cancelled: bool) -> bool {
        let asked = self.asked();
        let heard = asked.and_then(|asked| asked.forwarded.borrow_mut().take_if(|(to, _)| *to == target));
        let Some((_, request)) = heard else { return false };
        request.stop_forwarding();
        if request.is_withdrawn() {
            return false;
        }
        request.take();
        if cancelled {
            self.raise(request.cancelled());
            self.ask().taken.replace(vec![request]);
        }
        cancelled
    }

    /// Cancels the node from inside: its body is dropped when the poll under way ends.
    pub(crate) fn raise(&self, cancelled: Cancelled) {
        self.ask().raised.replace(Some(cancelled));
        self.attend();
    }

    /// Owes the requests that ended the body again, to the nodes around up to those they were aimed at.
    pub(crate) fn rearm(&self) -> bool {
        let Some(asked) = self.asked() else { return false };
        let taken = asked.taken.take();
        let again = taken.iter().filter(|request| request.is_taken());
        let aimed = again.filter_map(|request| Some((request, request.target().filter(|target| !target.dead.get())?)));
        aimed.map(Node::owe_around).count() > 0
    }

    /// Has the requests that are pending around the caller not cost its task what it returns.
    pub(crate) fn defer_around() {
        let mut around = Node::current_if_any();
        while let Some(node) = around {
            let owed = node.asked().map(|asked| asked.owed.borrow());
            owed.iter()
                .flat_map(|owed| owed.iter())
                .filter(|request| request.is_pending())
                .for_each(|request| request.rearm());
            drop(owed);
            around = node.parent.borrow().clone();
        }
    }

    /// Owes a delivered request to the nodes around the caller up to its target.
    fn owe_around((request, target): (&Rc<Request>, Rc<Node>)) {
        request.rearm();
        let mut around = Node::current();
        while let Some(node) = around {
            if !node.has_had(request) {
                node.owe(request);
            }
            let last = Rc::ptr_eq(&node, &target);
            around = node.parent.borrow().clone().filter(|_| !last);
        }
    }

    // The tree.

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

    /// As [`leave`](Node::leave), of a node that was asked something.
    #[cold]
    fn leave_with(self: &Rc<Node>, asked: &Asked) {
        if let Some((_, request)) = asked.forwarded.take() {
            request.stop_forwarding();
        }
        self.stop_holding();
        let Some(parent) = self.leave_parent() else { return };
        for request in asked.owed.take() {
            if request.is_due() && parent.has_had(&request) {
                parent.offer(&request);
            }
        }
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

impl Asked {
    /// Begins a poll of the node: if it is ripe, the caller drops the body. That does for a request that was passed on, too,
    /// for its answer will not be heard.
    fn begin_poll(&self) -> Option<Cancelled> {
        let mut ripe = self.ripe.take();
        ripe.retain(|request| !request.is_withdrawn());
        let cancelled = ripe.first()?.cancelled();
        if let Some((_, request)) = self.forwarded.take() {
            request.stop_forwarding();
            ripe.extend(Some(request).filter(|request| request.is_pending()));
        }
        for request in &ripe {
            request.take(); // Before the drop: a destructor that panics must not have it come again.
        }
        self.taken.replace(ripe);
        Some(cancelled)
    }
}
