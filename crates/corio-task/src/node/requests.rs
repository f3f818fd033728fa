//! How a request travels along the tree, and what becomes of it.
//!
//! A *request* is aimed at a node and travels down to the innermost live nodes below it. There it is *forwarded*, if the
//! node waits for exactly one thing that can be cancelled, and otherwise makes the node *ripe*: at its next poll the node
//! drops its body without polling it and returns `Err(Cancelled)` to the code around it. [`Cancelled::resume`] *raises* it
//! there again.
//!
//! ```text
//! request ─▶ offer ─▶ (children that have not had it) ─▶ offer ...
//!                └──▶ (none) hit ─▶ forwarded ─▶ heard: raised, or used up ; not heard: pending again
//!                               └─▶ ripe ─▶ begin_poll: body dropped, Err(Cancelled)
//! ```
//! While a node is being polled a request for it is only noted; [`Node::end_poll`] looks at it when the poll ends. So a
//! request is never lost, and hits at an await and nowhere else. User code (a forwarded `cancel`, a waker) runs under no
//! borrow of a node. Of nodes side by side each is hit, and each hears for itself what it forwarded to.

use super::{Node, Slot};
use crate::forward;
use crate::level::Level;
use crate::raw::{self, TaskRef, current};
use crate::request::Request;
use corio_seam::{Cancelled, TargetId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

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

    /// Takes back what hit the scope during its first poll, by a handle that was made inside: nothing was suspended there, and
    /// nobody could be woken. It is owed still, and the end of the poll sees to it.
    pub(super) fn hit_no_more(&self) {
        if let Some(asked) = self.asked() {
            asked.ripe.borrow_mut().clear();
        }
    }

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

    // Its end.

    /// Forgets what it is owed: its task is over.
    pub(super) fn forget_owed(&self) {
        if let Some(asked) = self.asked() {
            asked.owed.borrow_mut().clear();
        }
    }

    /// As [`leave`](Node::leave), of a node that was asked something.
    #[cold]
    pub(super) fn leave_with(self: &Rc<Node>, asked: &Asked) {
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
