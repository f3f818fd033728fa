//! The graph as text: a line for each thing, what it waits for (or who awaits it) further in.

use super::capture::{Edges, Graph, Kind};
use std::fmt::Write;

/// The deepest indentation, in steps: a long chain goes straight down from there.
const DEEPEST: usize = 24;

/// How many names of a cycle are written out; of a longer one, those in the middle are counted.
const CYCLE_NAMES: usize = 16;

/// Draws what one thing waits for, and who awaits it.
pub(super) fn of_one(graph: &Graph, at: usize) -> String {
    let mut drawing = Drawing::new(graph, |thing| &thing.waits_for);
    drawing.draw(at, 0);
    let mut text = drawing.text;
    let mut drawing = Drawing::new(graph, |thing| &thing.awaited_by);
    let waiters = &graph.thing(at).awaited_by;
    text.push_str(if waiters.is_empty() { "awaited by nobody\n" } else { "awaited by\n" });
    drawing.enter(at);
    for &waiter in waiters {
        drawing.draw(waiter, 1);
    }
    text + &drawing.text
}

/// Draws what each task waits for: first the trees of those that nobody awaits, then the cycles and what hangs on them.
pub(super) fn of_all(graph: &Graph) -> String {
    let tasks: Vec<usize> = (0..graph.len()).filter(|&at| graph.thing(at).is_task()).collect();
    let mut drawing = Drawing::new(graph, |thing| &thing.waits_for);
    let is_root = |&at: &usize| {
        let waiters = graph.beyond(at, |thing| &thing.awaited_by);
        waiters.is_empty()
    };
    tasks.iter().copied().filter(is_root).for_each(|root| drawing.draw(root, 0));
    for task in tasks {
        if drawing.places[task] == Place::New {
            drawing.draw(task, 0);
        }
    }
    drawing.text
}

/// Whether a thing was drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    New,
    /// It stands above the line that is being drawn, at this depth.
    Above(usize),
    Drawn,
}

/// A text that is being made.
struct Drawing<'g> {
    graph: &'g Graph,
    edges: Edges,
    places: Vec<Place>,
    /// What stands above the next line, outermost first.
    path: Vec<usize>,
    text: String,
}

impl<'g> Drawing<'g> {
    fn new(graph: &'g Graph, edges: Edges) -> Drawing<'g> {
        Drawing { graph, edges, places: vec![Place::New; graph.len()], path: Vec::new(), text: String::new() }
    }

    /// Draws a thing, and what it leads to, without recursion.
    fn draw(&mut self, root: usize, depth: usize) {
        let mut todo = vec![(root, depth)];
        while let Some((at, depth)) = todo.pop() {
            self.leave(depth);
            match self.places[at] {
                Place::New => {
                    self.line(at, depth);
                    self.enter(at);
                    let below = (self.edges)(self.graph.thing(at)).iter().rev();
                    todo.extend(
                        below.filter(|&&below| !self.is_on_the_line_of(at, below)).map(|&below| (below, depth + 1)),
                    );
                }
                Place::Above(from) => self.cycle(from, depth),
                Place::Drawn => {
                    let more = if (self.edges)(self.graph.thing(at)).is_empty() { "" } else { ", as above" };
                    let name = self.short(at);
                    self.indent(depth);
                    let _ = writeln!(self.text, "{name}{more}");
                }
            }
        }
        self.leave(depth);
    }

    /// Goes further in: what is drawn next hangs on `at`.
    fn enter(&mut self, at: usize) {
        self.places[at] = Place::Above(self.path.len());
        self.path.push(at);
    }

    /// Goes back out, to what stands at a depth.
    fn leave(&mut self, depth: usize) {
        for at in self.path.drain(depth.min(self.path.len())..) {
            self.places[at] = Place::Drawn;
        }
    }

    fn indent(&mut self, depth: usize) {
        (0..depth.min(DEEPEST)).for_each(|_| self.text.push_str("  "));
    }

    /// Tells whether `below` is named by the line of `at` itself: the one leaf that a task waits for.
    fn is_on_the_line_of(&self, at: usize, below: usize) -> bool {
        self.only_leaf(at) == Some(below)
    }

    fn only_leaf(&self, at: usize) -> Option<usize> {
        match self.graph.thing(at).waits_for[..] {
            [only] if matches!(self.graph.thing(only).kind, Kind::Leaf(_)) => Some(only),
            _ => None,
        }
    }

    fn line(&mut self, at: usize, depth: usize) {
        let thing = self.graph.thing(at);
        let what = match &thing.kind {
            Kind::Task(task, name) => {
                let state = match self.only_leaf(at) {
                    Some(leaf) => format!(" waits for {}", self.graph.thing(leaf).name()),
                    None if !thing.waits_for.is_empty() => String::new(),
                    None if task.done() => " is over".to_string(),
                    None if task.is_running() => " runs".to_string(),
                    None => " waits for nothing that is known".to_string(),
                };
                format!("{name} (task {}, made at {}){state}", task.id().number(), task.location())
            }
            Kind::Other(name) => name.clone(),
            Kind::Leaf(name) => (*name).to_string(),
        };
        self.indent(depth);
        let _ = writeln!(self.text, "{what}");
    }

    fn short(&self, at: usize) -> String {
        match &self.graph.thing(at).kind {
            Kind::Task(task, name) => format!("{name} (task {})", task.id().number()),
            Kind::Other(name) => name.clone(),
            Kind::Leaf(name) => (*name).to_string(),
        }
    }

    /// Names the cycle that leads back to what stands above at depth `from`.
    fn cycle(&mut self, from: usize, depth: usize) {
        let round = &self.path[from..];
        let mut names: Vec<String> = round.iter().take(CYCLE_NAMES).map(|&at| self.short(at)).collect();
        if round.len() > CYCLE_NAMES {
            names.push(format!("{} more", round.len() - CYCLE_NAMES));
        }
        names.push(self.short(round[0]));
        self.indent(depth);
        let _ = writeln!(self.text, "cycle: {}", names.join(" -> "));
    }
}
