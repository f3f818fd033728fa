//! What makes a node of the tree more than a place where a request stops once: it may shield its body from requests, and
//! it may be owed the same request at each suspension.
//!
//! A *shield* is a node into which no request from outside goes. As long as one is alive and awaited somewhere below a
//! node, that node is not hit either, for it would take the shield with it: it *holds* the request *back*, and is hit when
//! the shield is gone. Each node counts the shields below it, so that nodes without any pay one test.
//!
//! A node that was *cancelled for good* owes its request again whenever a poll of it ends pending. As everything inside
//! is polled by way of it, each suspension inside is one of its own, and only such a node ever has to look.

use crate::node::Node;
use crate::request::Request;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// The shields at a node, and below it.
pub(crate) struct Shields {
    /// No request from outside goes in here.
    own: Cell<bool>,
    /// A shield's: it has reached its limit, and was not polled since. It may be parked, and holds nobody up.
    lifted: Cell<bool>,
    /// How many shields below hold requests up.
    below: Cell<usize>,
}

impl Shields {
    pub(crate) const fn new() -> Shields {
        Shields { own: Cell::new(false), lifted: Cell::new(false), below: Cell::new(0) }
    }
}

/// The part of what a node was asked that only nodes with shields below, and scopes cancelled for good, use.
#[derive(Default)]
pub(crate) struct Level {
    /// The requests that wait for the shields below to end.
    held: RefCell<Vec<Rc<Request>>>,
    /// The reason for which this is cancelled for good.
    for_good: RefCell<Option<Option<Arc<str>>>>,
}

impl Level {
    pub(crate) fn holds_back(&self) -> bool {
        !self.held.borrow().is_empty()
    }
}

/// Whether a node comes into a tree or leaves it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    In,
    Out,
}

impl Node {
    /// Makes the node of a scope that keeps requests out.
    pub(crate) fn shield() -> Rc<Node> {
        let node = Node::inner(false);
        node.shields.own.set(true);
        node
    }

    pub(crate) fn is_shield(&self) -> bool {
        self.shields.own.get()
    }

    /// Keeps a request until the shields below have ended; false if there are none.
    pub(crate) fn hold_back(&self, request: &Rc<Request>) -> bool {
        let holds = self.shields.below.get() > 0;
        if holds {
            request.hold();
            self.ask().level.held.borrow_mut().push(Rc::clone(request));
            self.attend();
        }
        holds
    }

    pub(crate) fn holds_back(&self) -> bool {
        self.asked().is_some_and(|asked| asked.level.holds_back())
    }

    /// Gives back what is held, without acting upon it.
    pub(crate) fn stop_holding(&self) -> Vec<Rc<Request>> {
        let held = self.asked().map(|asked| asked.level.held.take()).unwrap_or_default();
        held.iter().for_each(|request| request.stop_holding());
        held
    }

    /// Acts upon what is held, if no shield is left below; also where a node beside this one has done so.
    pub(crate) fn let_go(self: &Rc<Node>) {
        if self.holds_back() && self.shields.below.get() == 0 {
            self.stop_holding().iter().for_each(|request| self.offer_now(request));
        }
    }

    /// Does so here and around, where nothing is being polled that will do it itself.
    pub(crate) fn let_go_around(self: &Rc<Node>) {
        let mut around = Some(Rc::clone(self));
        while let Some(node) = around {
            if !node.dead.get() && !node.is_polling() {
                node.let_go();
            }
            around = node.parent.borrow().clone();
        }
    }

    /// Tells the nodes around how many shields come, or go, with this one; false if none does.
    #[inline]
    pub(crate) fn count_shields(&self, count: Count) -> bool {
        let own = self.shields.own.get() && !self.shields.lifted.get();
        let many = self.shields.below.get() + usize::from(own);
        if many > 0 {
            self.add_shields_around(many, count);
        }
        many > 0
    }

    #[inline(never)]
    fn add_shields_around(&self, many: usize, count: Count) {
        let mut around = self.parent.borrow().clone();
        while let Some(node) = around {
            let below = &node.shields.below;
            match count {
                Count::In => below.set(below.get() + many),
                Count::Out => below.set(below.get() - many),
            }
            around = node.parent.borrow().clone();
        }
    }

    /// Has the nodes around hit although this shield is alive, unless it is polled before.
    pub(crate) fn lift_shield(&self) {
        if self.shields.own.get() && !self.shields.lifted.replace(true) {
            self.add_shields_around(1, Count::Out);
        }
    }

    /// Holds requests up again: the shield is not parked.
    pub(crate) fn hold_shield(&self) {
        if self.shields.lifted.replace(false) {
            self.add_shields_around(1, Count::In);
        }
    }

    /// Has the request owed at each suspension; false if it is already.
    pub(crate) fn cancel_for_good(&self, message: Option<Arc<str>>) -> bool {
        let for_good = &self.ask().level.for_good;
        let is_new = for_good.borrow().is_none();
        if is_new {
            for_good.replace(Some(message));
        }
        is_new
    }

    /// Owes the request once more, if this was cancelled for good and all that came of it is done.
    pub(crate) fn owe_again(self: &Rc<Node>) {
        let Some(message) = self.asked().and_then(|asked| asked.level.for_good.borrow().clone()) else { return };
        if !self.owes_its_own() {
            self.owe(&Request::again(message, self));
        }
    }
}
