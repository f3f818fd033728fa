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
    pub(crate) fn remove(&mut self, place: usize) {
        let removed = std::mem::replace(&mut self.list[place], Child::Gone);
        self.branches -= usize::from(matches!(removed, Child::Branch(_)));
        if place + 1 == self.list.len() {
            self.list.pop(); // The usual case: scopes are left in the opposite order.
            return;
        }
        self.gone += 1;
        if self.gone > FEW && self.gone * 2 > self.list.len() {
            self.pack();
        }
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
