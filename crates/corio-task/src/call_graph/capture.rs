//! The graph as a list of things, each with the places of those it waits for and of those that wait for it.
//!
//! The forward edges are what tasks and their scopes have noted; the backward ones are those turned round. Both are followed
//! by work lists: a chain may be as long as memory is.

use super::Awaitable;
use crate::node::Slot;
use crate::raw::{TaskRef, current};
use crate::set::Core;
use corio_seam::{IntMap, TargetId, Waitable};
use std::rc::Rc;

/// What a thing is.
pub(super) enum Kind {
    /// A task, with its name at the time.
    Task(TaskRef, String),
    /// Something else that can be awaited, as it describes itself.
    Other(String),
    /// The end of one edge: something that waits for nobody.
    Leaf(&'static str),
}

/// One thing of the graph.
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) waits_for: Vec<usize>,
    pub(super) awaited_by: Vec<usize>,
}

impl Thing {
    pub(super) fn name(&self) -> &str {
        match &self.kind {
            Kind::Task(_, name) | Kind::Other(name) => name,
            Kind::Leaf(name) => name,
        }
    }

    pub(super) fn is_task(&self) -> bool {
        matches!(self.kind, Kind::Task(..))
    }

    /// Tells whether it only stands between those who wait and what they wait for.
    fn is_between(&self) -> bool {
        matches!(self.kind, Kind::Other(_)) && !self.waits_for.is_empty()
    }
}

/// One way to follow the graph: what a thing waits for, or who awaits it.
pub(super) type Edges = fn(&Thing) -> &[usize];

/// The things, the tasks first, in the order in which they were made.
pub(super) struct Graph {
    things: Vec<Thing>,
    /// The place of each, by its identity.
    places: IntMap<usize>,
}

impl Graph {
    /// Captures the set that runs on this thread.
    pub(super) fn capture() -> Graph {
        let tasks = current::with_core(Core::unfinished_as_made).unwrap_or_default();
        let mut graph = Graph { things: Vec::new(), places: IntMap::new() };
        for task in &tasks {
            graph.add(task.address(), Kind::Task(task.clone(), task.name()));
        }
        let mut found = Found::default();
        for (at, task) in tasks.iter().enumerate() {
            for slot in task.slots() {
                graph.add_slot(at, slot, &mut found);
            }
        }
        graph.follow(found);
        graph
    }

    /// Notes one thing that a task waits for.
    fn add_slot(&mut self, at: usize, slot: Slot, found: &mut Found) {
        match slot {
            Slot::Empty => (),
            Slot::Leaf(name) => self.add_leaf(at, name),
            Slot::Several => self.add_leaf(at, "several things"),
            Slot::Task(task) => self.add_waitable(at, Rc::new(task), found),
            Slot::Target(target) | Slot::Listened(target) => self.add_waitable(at, target, found),
        }
    }

    fn add_leaf(&mut self, at: usize, name: &'static str) {
        let leaf = self.push(Kind::Leaf(name));
        self.add_edge(at, leaf);
    }

    /// Notes an edge to something that may wait in its turn, unless that is over.
    fn add_waitable(&mut self, at: usize, waitable: Rc<dyn Waitable>, found: &mut Found) {
        if waitable.is_over() {
            return;
        }
        let id = waitable.target_id();
        let to = match self.places.get(id.number()) {
            Some(&to) => to,
            None => {
                let to = self.add(id, Kind::Other(waitable.describe()));
                found.0.push((to, waitable));
                to
            }
        };
        self.add_edge(at, to);
    }

    /// Asks what was found what it waits for, and so on.
    fn follow(&mut self, mut found: Found) {
        let mut next = 0;
        while let Some((at, waitable)) = found.0.get(next).cloned() {
            next += 1;
            let mut members = Vec::new();
            waitable.waits_for(&mut |member| members.push(member));
            for member in members {
                self.add_waitable(at, member, &mut found);
            }
        }
    }

    /// Returns the place of what was asked about, which may be over, or awaited by nobody.
    pub(super) fn find_or_add(&mut self, of: &(impl Awaitable + ?Sized)) -> usize {
        let id = of.target_id();
        if let Some(&at) = self.places.get(id.number()) {
            return at;
        }
        let kind = match of.as_task() {
            Some(task) => {
                let name = task.name();
                Kind::Task(task, name)
            }
            None => Kind::Other(of.describe()),
        };
        let (at, mut found, mut members) = (self.add(id, kind), Found::default(), Vec::new());
        if !of.is_over() {
            of.waits_for(&mut |member| members.push(member));
        }
        for member in members {
            self.add_waitable(at, member, &mut found);
        }
        self.follow(found);
        at
    }

    fn add(&mut self, id: TargetId, kind: Kind) -> usize {
        let at = self.push(kind);
        self.places.insert(id.number(), at);
        at
    }

    fn push(&mut self, kind: Kind) -> usize {
        self.things.push(Thing { kind, waits_for: Vec::new(), awaited_by: Vec::new() });
        self.things.len() - 1
    }

    /// Notes an edge, once. All edges from a thing are noted before those from another.
    fn add_edge(&mut self, from: usize, to: usize) {
        if self.things[to].awaited_by.last() != Some(&from) {
            self.things[from].waits_for.push(to);
            self.things[to].awaited_by.push(from);
        }
    }

    pub(super) fn thing(&self, at: usize) -> &Thing {
        &self.things[at]
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    /// Returns what is next to a thing by `edges`, beyond what only stands between.
    pub(super) fn beyond(&self, at: usize, edges: Edges) -> Vec<usize> {
        let (mut seen, mut beyond) = (IntMap::new(), Vec::new());
        let mut todo: Vec<usize> = edges(self.thing(at)).iter().rev().copied().collect();
        while let Some(next) = todo.pop() {
            if seen.insert(next as u64, ()).is_some() {
                continue;
            }
            if self.thing(next).is_between() {
                todo.extend(edges(self.thing(next)).iter().rev());
            } else {
                beyond.push(next);
            }
        }
        beyond
    }
}

/// What was found and may wait in its turn. It is kept to the end of the capture, lest its address be used again.
#[derive(Default)]
struct Found(Vec<(usize, Rc<dyn Waitable>)>);
