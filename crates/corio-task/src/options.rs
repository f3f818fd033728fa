//! How a task is to be started.

use corio_seam::Context;
use std::rc::Rc;

/// What can be said of a task where it is made: the keywords of asyncio's `create_task`.
///
/// # Examples
///
/// ```
/// use corio_seam::{Context, ContextVar};
/// use corio_task::{TaskOptions, TaskSet, create_task_with};
///
/// static USER: ContextVar<&str> = ContextVar::new("user");
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     let context = Context::new();
///     let options = TaskOptions::new().name("login").context(&context).eager(true);
///     let task = create_task_with(options, async { drop(USER.set("ada")) });
///     assert!(task.done() && task.name() == "login");
///     assert_eq!(context.get(&USER), Some("ada"));
/// }))
/// .unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a task is made with them"]
pub struct TaskOptions {
    pub(crate) name: Option<Rc<str>>,
    pub(crate) context: Option<Context>,
    pub(crate) eager: Option<bool>,
}

impl TaskOptions {
    /// Says nothing: a task made with these is as [`create_task`](crate::create_task) makes it.
    pub fn new() -> TaskOptions {
        TaskOptions::default()
    }

    /// Gives the task a name, in the place of `Task-N`.
    pub fn name(mut self, name: impl Into<String>) -> TaskOptions {
        self.name = Some(Rc::from(name.into()));
        self
    }

    /// Has the task share `context`, instead of copying the one in which it is made.
    pub fn context(mut self, context: &Context) -> TaskOptions {
        self.context = Some(context.clone());
        self
    }

    /// Says whether the task makes its first step at once, inside the call that makes it; asyncio's `eager_start`.
    ///
    /// Without it, the set's own setting counts ([`TaskSet::set_eager_tasks`](crate::TaskSet::set_eager_tasks)). See
    /// [`create_task_with`](crate::create_task_with) for what that means.
    pub fn eager(mut self, eager: bool) -> TaskOptions {
        self.eager = Some(eager);
        self
    }
}
