//! How a task begins, and its context.

use super::state::{CONTEXT, DONE};
use super::{TaskPtr, current};
use crate::options::TaskOptions;
use corio_seam::{Context, capture_context, outside_context};

impl TaskPtr {
    /// Starts a task that was made just now, as the set's tasks are started.
    #[inline(never)]
    pub(super) fn begin(self) {
        if self.core().is_eager() {
            return self.begin_with(TaskOptions::default());
        }
        if let Some(context) = capture_context() {
            self.set_context(context);
        }
        self.enqueue();
    }

    /// Starts a task that was made just now, as `options` say.
    pub(super) fn begin_with(self, options: TaskOptions) {
        let core = self.core();
        if let Some(name) = options.name {
            self.root().set_name(name);
        }
        if let Some(context) = options.context.or_else(capture_context) {
            self.set_context(context);
        }
        if options.eager.unwrap_or(core.is_eager()) && core.runs_the_caller() {
            self.step_at_once();
        } else {
            self.enqueue();
        }
    }

    /// Makes the first step inside the step of another task, or inside a callback, of the same set.
    ///
    /// It never unwinds, as no step does; the caller's task, scopes and context are there again when it returns.
    fn step_at_once(self) {
        let run = self.vtable().node.run;
        // SAFETY:
        // * the cell was made just now, and is in no queue: this is its first step.
        outside_context(|| current::enter_task(self, || unsafe { run(self.0.cast()) }));
        current::resume_context();
    }

    /// Returns the context in which the task is polled, if it has one of its own.
    pub(super) fn context_if_any(self) -> Option<Context> {
        if !self.header().state.has(CONTEXT) {
            return None;
        }
        self.root_if_any().and_then(|root| root.context())
    }

    fn set_context(self, context: Context) {
        self.root().set_context(context);
        self.header().state.set(CONTEXT);
    }

    /// Returns the context of the task, which is `made` if there was none; one that is over takes none any more.
    pub(super) fn context_or(self, made: Context) -> Context {
        self.context_if_any().unwrap_or_else(|| {
            if !self.header().state.has(DONE) {
                self.set_context(made.clone());
            }
            made
        })
    }

    /// Returns the context of the task, made now if there was none.
    pub(super) fn context(self) -> Context {
        let context = self.context_or(Context::new());
        current::resume_context(); // If it is the task being polled.
        context
    }
}
