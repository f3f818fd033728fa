//! Nodes of scopes that have ended, and the places of branches, kept by their set for the next ones.
//!
//! A scope that suspends has a node, and most scopes end soon, asked nothing: a timeout around a read. So do most
//! branches: a race of two in a loop. Such a thing is as good as new once it has left the tree, if nobody else knows it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A set keeps no more of a kind than this: a few kilobytes, and more than it mostly has begin and end at a time.
const MOST: usize = 32;

/// What can be used again.
pub(crate) trait Renew {
    /// Makes what has left the tree, and what nobody knows, as good as new; false if it is not worth that.
    fn renew(&mut self) -> bool;
}

/// The spare things of one kind.
pub(crate) struct Spare<T> {
    /// Each is known here alone, stands nowhere, and holds nothing.
    kept: RefCell<Vec<Rc<T>>>,
    /// The set is closed, and its memory may outlive this thread.
    closed: Cell<bool>,
}

impl<T> Default for Spare<T> {
    fn default() -> Spare<T> {
        Spare { kept: RefCell::default(), closed: Cell::new(false) }
    }
}

impl<T: Renew> Spare<T> {
    /// Takes one, as good as new.
    #[inline]
    pub(crate) fn take(&self) -> Option<Rc<T>> {
        self.kept.borrow_mut().pop()
    }

    /// Keeps what has left the tree, if that is the last of it.
    #[inline]
    pub(crate) fn put(&self, mut thing: Rc<T>) {
        let is_spare = Rc::get_mut(&mut thing).is_some_and(T::renew);
        let mut kept = self.kept.borrow_mut();
        if is_spare && kept.len() < MOST && !self.closed.get() {
            kept.push(thing);
        }
    } // Or it is dropped here, after the borrow.

    /// Keeps none any more.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        let kept = self.kept.take();
        drop(kept);
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::branch::{Branch, Places};
    use crate::node::Node;
    use crate::scope::Scope;
    use crate::set::TaskSet;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// Where the node of a new scope lies, which ends as `end` says.
    fn address(end: impl FnOnce(Scope)) -> *const Node {
        let scope = Scope::new();
        let address = Rc::as_ptr(&scope.node(false));
        assert!(scope.node_if_any().is_some_and(|node| node.is_new()));
        let mut body = pin!(Some(std::future::pending::<()>()));
        assert!(scope.poll(body.as_mut(), &mut Context::from_waker(Waker::noop())).is_pending());
        end(scope);
        address
    }

    #[test]
    fn the_next_scope_has_the_node_of_the_one_that_is_gone() {
        TaskSet::new().enter(|| assert_eq!(address(drop), address(drop)));
    }

    #[test]
    fn a_node_that_somebody_knows_is_not_given_away() {
        TaskSet::new().enter(|| {
            let (mut handle, mut alarm) = (None, None);
            let first = address(|scope| handle = Some(scope.handle()));
            let second = address(|scope| alarm = Some(scope.handle().alarm()));
            let third = address(drop);
            assert!(first != second && first != third && second != third);
            assert!(!handle.unwrap().request(None), "it has ended");
            drop(alarm);
        });
    }

    #[test]
    fn a_node_that_was_asked_or_rung_is_new_again_or_gone() {
        TaskSet::new().enter(|| {
            for _ in 0..3 {
                address(|scope| scope.handle().alarm().on_alarm());
                address(|scope| assert!(scope.handle().request(None)));
                address(|scope| assert!(scope.handle().request_for_good(None)));
                address(|scope| assert_eq!(scope.handle().uncancel(), 0));
            }
        });
    }

    #[test]
    fn a_shield_is_none_the_next_time() {
        TaskSet::new().enter(|| {
            for _ in 0..3 {
                let scope = Scope::shielding();
                let mut body = pin!(Some(std::future::pending::<()>()));
                assert!(scope.poll(body.as_mut(), &mut Context::from_waker(Waker::noop())).is_pending());
                scope.handle().lift_shield();
                drop(scope);
                address(drop);
            }
        });
    }

    /// Where the places of a new branch lie, one of whose children waits when `end` ends it.
    fn places(count: usize, end: impl FnOnce(&Branch)) -> *const Places {
        let branch = Branch::new(count);
        let places = Rc::clone(branch.children().places());
        assert!(!places.has_noted() && (0..count).all(|index| !places.lacks_node(index)), "as good as new");
        let mut body = pin!(Some(std::future::pending::<()>()));
        let mut cx = Context::from_waker(Waker::noop());
        branch.children().enter(|children| assert!(children.poll(0, body.as_mut(), &mut cx).is_pending()));
        branch.pause(cx.waker());
        assert!(places.lacks_node(0));
        end(&branch);
        Rc::as_ptr(&places)
    }

    #[test]
    fn the_next_branch_has_the_places_of_the_one_that_is_gone() {
        TaskSet::new().enter(|| {
            let first = places(2, |_| ());
            assert_eq!(places(2, |_| ()), first);
            assert_eq!(places(3, |_| ()), first, "with other seats");
            assert_ne!(places(1000, |_| ()), first, "few are kept");
            assert_eq!(places(2, |_| ()), first);
        });
    }

    #[test]
    fn places_that_somebody_asked_or_knows_are_not_given_away() {
        let set = TaskSet::new();
        let kept = || set.core.spare_places.kept.borrow().len();
        set.enter(|| {
            places(2, |branch| drop(branch.handle(0)));
            assert_eq!(kept(), 0);
            let mut known = None;
            places(2, |branch| known = Some(branch.children()));
            assert_eq!(kept(), 0);
            places(2, |_| ());
            assert_eq!(kept(), 1);
        });
    }

    #[test]
    fn no_more_than_a_few_are_kept_and_none_by_a_closed_set() {
        let spare = Spare::default();
        let count = |spare: &Spare<Node>| spare.kept.borrow().len();
        (0..2 * MOST).for_each(|_| spare.put(Node::inner(true)));
        assert_eq!(count(&spare), MOST);
        assert!(spare.take().is_some_and(|node| node.is_new()));
        spare.close();
        spare.put(Node::inner(true));
        assert_eq!(count(&spare), 0);
        assert!(spare.take().is_none());
    }

    #[test]
    fn a_node_that_has_had_many_children_is_let_go() {
        TaskSet::new().enter(|| {
            let parent = Node::inner(false);
            let children: Vec<_> = (0..100).map(|_| Node::inner(false)).collect();
            children.iter().for_each(|child| child.adopt(Some(Rc::clone(&parent))));
            children.iter().for_each(Node::leave);
            drop(children);
            let spare = Spare::default();
            spare.put(parent);
            assert!(spare.take().is_none());
        });
    }

    #[test]
    fn the_body_s_end_ends_the_scope_also_when_it_is_ready_at_once() {
        TaskSet::new().enter(|| {
            let mut body = pin!(Some(async { 1 }));
            let polled = Scope::new().poll(body.as_mut(), &mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(Ok(1)));
        });
    }
}
