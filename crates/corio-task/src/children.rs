//! The nodes right below a node, in the order in which they came.

use crate::node::Node;
use std::rc::{Rc, Weak};

/// A list from which a node is taken in constant time, however many there are: the children of a `join` come and go.
#[derive(Default)]
pub(crate) struct Children {
    /// Dead where a node was taken out; each live node knows its place.
    list: Vec<Weak<Node>>,
    /// How many were taken out since the list was last packed.
    gone: usize,
}

/// A list with fewer gaps than this is not worth packing.
const FEW: usize = 16;

impl Children {
    pub(crate) fn add(&mut self, node: &Rc<Node>) {
        node.place.set(self.list.len());
        self.list.push(Rc::downgrade(node));
    }

    /// Takes a node out, which is in this list.
    pub(crate) fn remove(&mut self, node: &Node) {
        let place = node.place.get();
        if place + 1 == self.list.len() {
            self.list.pop(); // The usual case: scopes are left in the opposite order.
            return;
        }
        self.list[place] = Weak::new();
        self.gone += 1;
        if self.gone > FEW && self.gone * 2 > self.list.len() {
            self.pack();
        }
    }

    /// Returns those that live.
    pub(crate) fn live(&self) -> Vec<Rc<Node>> {
        self.list.iter().filter_map(Weak::upgrade).collect()
    }

    fn pack(&mut self) {
        self.gone = 0;
        self.list.retain(|node| node.strong_count() > 0);
        for (place, node) in self.live().into_iter().enumerate() {
            node.place.set(place);
        }
    }
}
