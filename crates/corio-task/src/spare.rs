//! Nodes of scopes that have ended, kept by their set for the next ones.
//!
//! A scope that suspends has a node, and most scopes end soon, asked nothing: a timeout around a read. Such a node is as
//! good as new once it has left the tree, if nobody else knows it.

use crate::node::Node;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A set keeps no more nodes than this: a few kilobytes, and more than it mostly has scopes begin and end at a time.
const MOST: usize = 32;

/// The spare nodes of a set.
#[derive(Default)]
pub(crate) struct SpareNodes {
    /// Each is known here alone, stands nowhere, and holds nothing.
    nodes: RefCell<Vec<Rc<Node>>>,
    /// The set is closed, and its memory may outlive this thread.
    closed: Cell<bool>,
}

impl SpareNodes {
    /// Takes a node, as good as new.
    #[inline]
    pub(crate) fn take(&self) -> Option<Rc<Node>> {
        self.nodes.borrow_mut().pop()
    }

    /// Keeps the node of a scope that is gone, if that is the last of it.
    #[inline]
    pub(crate) fn put(&self, mut node: Rc<Node>) {
        let is_spare = Rc::get_mut(&mut node).is_some_and(Node::renew);
        let mut nodes = self.nodes.borrow_mut();
        if is_spare && nodes.len() < MOST && !self.closed.get() {
            nodes.push(node);
        }
    } // Or it is dropped here, after the borrow.

    /// Keeps none any more.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        let nodes = self.nodes.take();
        drop(nodes);
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
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

    #[test]
    fn no_more_than_a_few_are_kept_and_none_by_a_closed_set() {
        let spare = SpareNodes::default();
        let count = |spare: &SpareNodes| spare.nodes.borrow().len();
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
            let spare = SpareNodes::default();
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
