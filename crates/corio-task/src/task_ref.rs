//! What can be asked of a task by anybody.

use crate::forward::{self, By};
use crate::listeners::{CallbackKey, SCHEDULED_AT_ONCE};
use crate::node::Slot;
use crate::raw::TaskRef;
use corio_seam::{Context, LoopId, Node, TargetId, Waitable};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

/// The identity of a task, never used twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    set: LoopId,
    number: u64,
}

impl TaskId {
    /// Returns the number of the task in its set, counted from 1: the N of its default name `Task-N`.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// Returns the identity of the task's set.
    #[must_use]
    pub fn set(self) -> LoopId {
        self.set
    }
}

impl TaskRef {
    /// Asks the task to end; false if it is over. asyncio's `Task.cancel()`.
    ///
    /// It is a request. It is delivered where the task is suspended, and there it unwinds, by dropping the task's
    /// futures from the inside out, up to the nearest [`catch_cancelled`](crate::catch_cancelled), or the whole task,
    /// which then ends CANCELLED. If the task waits for exactly one task or future of ours, that is asked in its stead,
    /// and its ending decides. Several requests before the first is delivered are delivered once. A task that asks
    /// itself is hit at its next await that suspends. A task that was never polled ends without being polled. One that
    /// returns before the request was delivered ends CANCELLED, and what it returned is dropped, be it an `Err`; a panic wins.
    pub fn cancel(&self) -> bool {
        forward::cancel(self, None, By::Anybody)
    }

    /// Asks the task to end, with the reason that [`Cancelled::message`](corio_seam::Cancelled::message) will give.
    pub fn cancel_with(&self, message: impl Into<String>) -> bool {
        forward::cancel(self, Some(Arc::from(message.into())), By::Anybody)
    }

    /// Returns how many requests to end were made of the task itself, less those taken back.
    ///
    /// Requests aimed at scopes inside it (a timeout's own) are not among them; [`corio_seam::cancelling`] sums those.
    #[must_use]
    pub fn cancelling(&self) -> usize {
        self.root_if_any().map_or(0, |root| root.requests())
    }

    /// Takes one request to end back, and returns how many are left. At zero, one that was not delivered never will be.
    pub fn uncancel(&self) -> usize {
        self.root_if_any().map_or(0, |root| root.uncancel())
    }

    /// Tells whether the task is over.
    #[must_use]
    pub fn done(&self) -> bool {
        self.is_done()
    }

    /// Tells whether the task ended by being cancelled.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.is_cancelled()
    }

    /// Tells whether the task ended by a panic that nobody has taken yet.
    #[must_use]
    pub fn panicked(&self) -> bool {
        self.is_panicked()
    }

    /// Returns the identity of the task.
    #[must_use]
    pub fn id(&self) -> TaskId {
        TaskId { set: self.core().inbox.id, number: self.number() }
    }

    /// Returns the name: `Task-N`, if none was given.
    #[must_use]
    pub fn name(&self) -> String {
        self.current_name()
    }

    /// Gives the task a name.
    pub fn set_name(&self, name: impl Into<String>) {
        self.root().set_name(Rc::from(name.into()));
    }

    /// Returns the context in which the task is polled; asyncio's `Task.get_context`.
    ///
    /// It is the task's own, not a copy: what is set in it the task sees.
    ///
    /// # Examples
    ///
    /// ```
    /// use corio_seam::ContextVar;
    /// use corio_task::{TaskSet, create_task};
    ///
    /// static USER: ContextVar<&str> = ContextVar::new("user");
    ///
    /// let set = TaskSet::new();
    /// let user = set.run_until(async {
    ///     let task = create_task(async { USER.get() });
    ///     task.task_ref().context().run(|| USER.set("ada"));
    ///     task.await.unwrap()
    /// });
    /// assert_eq!(pollster::block_on(user).unwrap(), Some("ada"));
    /// ```
    #[must_use]
    pub fn context(&self) -> Context {
        self.own_context()
    }

    /// Returns where the task was made.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.place()
    }

    /// Has `callback` called when the task is over; asyncio's `add_done_callback`.
    ///
    /// It is never called at once: it becomes one entry of the ready queue when the task ends, or now if it is over.
    /// Callbacks run in the order in which they were added, each in a copy of the context that is current now. A panic of
    /// one is reported and stops no other. If the set closes first, the callback is dropped uncalled.
    pub fn add_done_callback(&self, callback: impl FnOnce(&TaskRef) + 'static) -> CallbackKey {
        let task = self.clone();
        self.add_callback(Node::new(move || callback(&task)))
    }

    /// Has `callback` called when the task is over, in `context`, which is shared; asyncio's
    /// `add_done_callback(f, context=context)`.
    pub fn add_done_callback_in(&self, context: &Context, callback: impl FnOnce(&TaskRef) + 'static) -> CallbackKey {
        let task = self.clone();
        self.add_callback(Node::in_context(context, move || callback(&task)))
    }

    fn add_callback(&self, node: Node) -> CallbackKey {
        if self.is_done() {
            drop(self.core().push(node));
            return SCHEDULED_AT_ONCE;
        }
        self.with_listeners(|listeners| listeners.add_callback(node))
    }

    /// Takes a done callback back; false if it ran, or is on its way.
    pub fn remove_done_callback(&self, key: CallbackKey) -> bool {
        if self.is_done() {
            return false;
        }
        let removed = self.with_listeners(|listeners| listeners.remove_callback(key));
        removed.is_some()
    }

    /// Has `tell` called the moment the task ends, and not through the ready queue: for code of ours that passes the
    /// ending on.
    pub(crate) fn tell_at_once(&self, tell: impl FnOnce(&TaskRef) + 'static) {
        if self.is_done() {
            tell(self);
        } else {
            self.with_listeners(|listeners| listeners.add_inline(Box::new(tell)));
        }
    }

    /// Describes what the task waits for, as far as it is known: the edges of asyncio's `capture_call_graph`.
    #[must_use]
    pub fn waiting_on(&self) -> Option<String> {
        match self.slot() {
            Slot::Empty => None,
            Slot::Leaf(name) => Some((*name).to_string()),
            Slot::Several => Some("several".to_string()),
            Slot::Task(task) => Some(task.describe_all()),
            Slot::Target(target) | Slot::Listened(target) => Some(target.describe()),
        }
    }
}

impl Waitable for TaskRef {
    fn cancel(&self, message: Option<Arc<str>>) -> bool {
        forward::cancel(self, message, By::Waiter)
    }

    fn describe(&self) -> String {
        self.describe_all()
    }

    fn is_over(&self) -> bool {
        self.is_done()
    }

    fn target_id(&self) -> TargetId {
        self.address()
    }
}

impl PartialEq for TaskRef {
    fn eq(&self, other: &TaskRef) -> bool {
        self.is_same(other)
    }
}

impl Eq for TaskRef {}

impl Hash for TaskRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef")
            .field("name", &self.name())
            .field("done", &self.done())
            .field("cancelled", &self.cancelled())
            .finish_non_exhaustive()
    }
}
