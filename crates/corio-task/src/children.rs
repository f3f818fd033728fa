//! What stands right below a node, in the order in which it came.

use crate::branch::Places;
use crate::node::Node;
use std::rc::{Rc, Weak};

/// A list from which a child is taken in constant time, however many there are: scopes come and go.
pub(crate) struct Children {
    /// Each knows its place.
    list: Vec<Child>,
    /// How many were taken out since the list was last packed.
    gone: usize,
    /// How many are branches.
    branches: usize,
}

enum Child {
    Node(Weak<Node>),
    /// The children of a combinator in place, as far as they have no nodes.
    Branch(Weak<Places>),
    Gone,
}

/// A list with fewer gaps than this is not worth packing.
const FEW: usize = 16;

impl Children {
    pub(crate) const fn new() -> Children {
        Children { list: Vec::new(), gone: 0, branches: 0 }
    }

    pub(crate) fn add(&mut self, node: &Rc<Node>) {
        node.place.set(self.list.len());
        self.list.push(Child::Node(Rc::downgrade(node)));
    }

    pub(crate) fn add_branch(&mut self, branch: &Rc<Places>) {
        branch.place.set(self.list.len());
        self.branches += 1;
        self.list.push(Child::Branch(Rc::downgrade(branch)));
    }

    /// Takes out what stands at a place.
    #[inline]
    pub(crate) fn remove(&mut self, place: usize) {
        if place + 1 == self.list.len() {
            let removed = self.list.pop(); // The usual case: scopes are left in the opposite order.
            self.branches -= usize::from(matches!(removed, Some(Child::Branch(_))));
        } else {
            self.remove_between(place);
        }
    }

    #[inline(never)]
    fn remove_between(&mut self, place: usize) {
        let removed = std::mem::replace(&mut self.list[place], Child::Gone);
        self.branches -= usize::from(matches!(removed, Child::Branch(_)));
        self.gone += 1;
        if self.gone > FEW && self.gone * 2 > self.list.len() {
            self.pack();
        }
    }

    /// Forgets the gaps, where nothing is left; false if the list has become too long to be kept.
    #[inline]
    pub(crate) fn renew(&mut self) -> bool {
        self.list.clear();
        self.gone = 0;
        self.branches == 0 && self.list.capacity() <= FEW
    }

    /// Returns the nodes that live.
    pub(crate) fn live(&self) -> Vec<Rc<Node>> {
        let node = |child: &Child| if let Child::Node(node) = child { node.upgrade() } else { None };
        self.list.iter().filter_map(node).collect()
    }

    /// Returns the branches.
    pub(crate) fn branches(&self) -> Vec<Rc<Places>> {
        if self.branches == 0 {
            return Vec::new();
        }
        let branch = |child: &Child| if let Child::Branch(branch) = child { branch.upgrade() } else { None };
        self.list.iter().filter_map(branch).collect()
    }

    fn pack(&mut self) {
        self.gone = 0;
        self.list.retain(|child| !matches!(child, Child::Gone));
        for (place, child) in self.list.iter().enumerate() {
            match child {
                Child::Node(node) => drop(node.upgrade().inspect(|node| node.place.set(place))),
                Child::Branch(branch) => drop(branch.upgrade().inspect(|branch| branch.place.set(place))),
                Child::Gone => (),
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::branch::Branch;

    fn nodes(count: usize) -> Vec<Rc<Node>> {
        (0..count).map(|_| Node::inner(false)).collect()
    }

    fn is(live: &[Rc<Node>], expected: &[&Rc<Node>]) -> bool {
        live.len() == expected.len() && live.iter().zip(expected).all(|(one, other)| Rc::ptr_eq(one, other))
    }

    /// Of each size, taken out in each of three orders.
    #[test]
    fn those_that_are_left_stay_in_order() {
        let counts: &[usize] = if cfg!(miri) { &[1, 3, 18] } else { &[1, 2, 3, 16, 17, 18, 33, 34, 35, 40, 100] };
        for &count in counts {
            for stride in [1, 7, count - 1] {
                let (mut children, nodes) = (Children::new(), nodes(count));
                nodes.iter().for_each(|node| children.add(node));
                let mut left: Vec<&Rc<Node>> = nodes.iter().collect();
                while !left.is_empty() {
                    let gone = left.remove(stride % left.len());
                    children.remove(gone.place.get());
                    assert!(is(&children.live(), &left), "{count} by {stride}, {} left", left.len());
                }
                assert!(children.list.len() <= FEW);
            }
        }
    }

    /// Scopes that come and go beside others leave nothing behind.
    #[test]
    fn the_list_is_no_longer_than_twice_what_lives() {
        let count = if cfg!(miri) { 150 } else { 1_000 };
        for window in [1, 2, 17, 30, 60] {
            let (mut children, mut alive) = (Children::new(), std::collections::VecDeque::new());
            for node in nodes(count) {
                children.add(&node);
                alive.push_back(node);
                if alive.len() > window {
                    children.remove(alive.pop_front().unwrap().place.get());
                }
                assert!(children.list.len() <= (2 * alive.len() + 1).max(window + 1 + FEW), "{window}");
            }
            assert_eq!(children.live().len(), window);
        }
    }

    #[test]
    fn the_last_to_come_leaves_no_gap() {
        let (mut children, nodes) = (Children::new(), nodes(10));
        nodes.iter().for_each(|node| children.add(node));
        for left in (0..10).rev() {
            children.remove(nodes[left].place.get());
            assert_eq!((children.list.len(), children.gone), (left, 0));
        }
    }

    /// A list is packed when more than half of it is gone, and more than a few.
    #[test]
    fn gaps_are_worth_packing_when_they_are_many_and_most() {
        for (count, gone, expected) in
            [(100, 50, 100), (100, 51, 49), (20, 16, 20), (20, 17, 3), (33, 16, 33), (33, 17, 16)]
        {
            let (mut children, nodes) = (Children::new(), nodes(count));
            nodes.iter().for_each(|node| children.add(node));
            nodes[..gone].iter().for_each(|node| children.remove(node.place.get()));
            assert_eq!(children.list.len(), expected, "{gone} of {count}");
        }
    }

    #[test]
    fn branches_stand_among_the_nodes() {
        let (mut children, nodes) = (Children::new(), nodes(40));
        let branches: Vec<_> = (0..3).map(|_| Branch::new(1).children()).collect();
        for (n, node) in nodes.iter().enumerate() {
            children.add(node);
            if let Some(branch) = branches.get(n) {
                children.add_branch(branch.places());
            }
        }
        assert_eq!((children.live().len(), children.branches().len(), children.branches), (40, 3, 3));
        nodes[..39].iter().for_each(|node| children.remove(node.place.get()));
        assert!(children.branches().iter().zip(&branches).all(|(one, other)| Rc::ptr_eq(one, other.places())));
        for (n, branch) in branches.iter().enumerate() {
            children.remove(branch.places().place.get());
            assert_eq!((children.branches().len(), children.branches, children.live().len()), (2 - n, 2 - n, 1));
        }
    }
}
