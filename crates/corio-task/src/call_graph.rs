//! Who waits for whom: the await graph, drawn on demand from what the tasks have noted.

mod capture;
mod text;

use crate::Task;
use crate::raw::TaskRef;
use capture::{Graph, Kind};
use corio_seam::Waitable;
use std::fmt;
use std::rc::Rc;

/// Something that tasks await: a task, or a future of ours. What [`capture_call_graph`] takes.
pub trait Awaitable: Waitable {
    /// Returns the task, if it is one.
    fn as_task(&self) -> Option<TaskRef> {
        None
    }
}

impl Awaitable for TaskRef {
    fn as_task(&self) -> Option<TaskRef> {
        Some(self.clone())
    }
}

impl<T> Awaitable for Task<T> {
    fn as_task(&self) -> Option<TaskRef> {
        Some(self.task_ref())
    }
}

impl<T: 'static> Awaitable for corio_future::Future<T> {}

/// Captures who waits for a task or a future, and for what that waits itself; asyncio's `capture_call_graph`.
///
/// It looks at each task of the set that runs on this thread, once: nothing is recorded while nobody asks. An edge is gone
/// when what it leads to is over, or when the one that waited goes on. asyncio's gives the lines of a coroutine as well,
/// which no stable compiler tells; a task has the place of its making instead.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, capture_call_graph, create_task, current_task};
///
/// let set = TaskSet::new();
/// let main = set.run_until(async {
///     let leaf = create_task(async {
///         let graph = capture_call_graph(&current_task().unwrap());
///         let names: Vec<String> = graph.awaited_by().iter().map(|waiter| waiter.name().to_string()).collect();
///         names
///     });
///     create_task(leaf).named("waiter").await.unwrap().unwrap()
/// });
/// // The leaf ran first: nobody had begun to wait for it.
/// assert!(pollster::block_on(main).unwrap().is_empty());
/// ```
pub fn capture_call_graph(of: &(impl Awaitable + ?Sized)) -> CallGraph {
    let mut graph = Graph::capture();
    let at = graph.find_or_add(of);
    CallGraph { graph: Rc::new(graph), at }
}

/// Draws who waits for a task or a future, and for what that waits itself, as text; asyncio's `format_call_graph`.
///
/// First what it waits for, a line each, further in what that waits for; then, in the same manner, who awaits it. Whatever
/// comes a second time is not drawn again, and a cycle is named. Deep graphs take no deep stack, and no wide lines.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, create_task, format_call_graph};
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let task = create_task(async {}).named("unborn");
///     let text = format_call_graph(&task);
///     assert!(text.starts_with("unborn (task 2, made at "));
///     assert!(text.ends_with("awaited by nobody\n"));
/// })).unwrap();
/// ```
#[must_use]
pub fn format_call_graph(of: &(impl Awaitable + ?Sized)) -> String {
    let graph = capture_call_graph(of);
    text::of_one(&graph.graph, graph.at)
}

/// Draws what each task of the set that runs on this thread waits for, as text; what `python -m asyncio pstree` prints.
///
/// A tree for each task that nobody awaits; further in stands what it waits for. Cycles are named, and come last.
///
/// # Examples
///
/// ```
/// use corio_task::{TaskSet, create_task, format_all_tasks};
///
/// let set = TaskSet::new();
/// let text = pollster::block_on(set.run_until(async {
///     create_task(std::future::pending::<()>()).named("idle");
///     format_all_tasks()
/// }));
/// assert_eq!(text.unwrap().lines().count(), 2);
/// ```
#[must_use]
pub fn format_all_tasks() -> String {
    text::of_all(&Graph::capture())
}

/// One thing of the await graph as it was when captured: a task, a future, or whatever a task waits for. A clone is the same.
///
/// A graph, not a tree: whoever walks it meets shared waiters more than once, and may go round in a cycle.
#[derive(Clone)]
pub struct CallGraph {
    graph: Rc<Graph>,
    at: usize,
}

impl CallGraph {
    /// Returns the task, if it is one.
    #[must_use]
    pub fn task(&self) -> Option<&TaskRef> {
        match &self.graph.thing(self.at).kind {
            Kind::Task(task, _) => Some(task),
            Kind::Other(_) | Kind::Leaf(_) => None,
        }
    }

    /// Returns the name of the task, or else what the thing is: `"future pending"`, `"Queue.get"`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.graph.thing(self.at).name()
    }

    /// Returns what it waits for: tasks, futures, and others, such as `"Queue.get"`, that wait for nobody.
    ///
    /// What only stands in between (a gather, a shield, a task group, tasks that are waited for together) is passed
    /// through, as in asyncio.
    #[must_use]
    pub fn waits_for(&self) -> Vec<CallGraph> {
        self.view(self.graph.beyond(self.at, |thing| &thing.waits_for))
    }

    /// Returns who waits for it: asyncio's `FutureCallGraph.awaited_by`. What only stands in between is passed through.
    #[must_use]
    pub fn awaited_by(&self) -> Vec<CallGraph> {
        self.view(self.graph.beyond(self.at, |thing| &thing.awaited_by))
    }

    fn view(&self, places: Vec<usize>) -> Vec<CallGraph> {
        places.into_iter().map(|at| CallGraph { graph: Rc::clone(&self.graph), at }).collect()
    }
}

impl fmt::Debug for CallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thing = self.graph.thing(self.at);
        f.debug_struct("CallGraph")
            .field("name", &self.name())
            .field("waits_for", &thing.waits_for.len())
            .field("awaited_by", &thing.awaited_by.len())
            .finish_non_exhaustive()
    }
}
