//! How a task begins, and its context.

use super::state::{CONTEXT, DONE};
use super::{TaskPtr, current};
use crate::options::TaskOptions;
use corio_seam::{Context, capture_context, outside_context};
use std::rc::Rc;

impl TaskPtr {
    /// Starts a task that was made just now, as the set's tasks are started.
    ///
    /// What [`begin_as`](Self::begin_as) would do. A lazy task begins here, in a function that has no step to make room
    /// for: by that one it would take 22 instructions more, of 313.
    #[inline(never)]
    pub(super) fn begin(self) {
        if self.core().is_eager() {
            return self.begin_as(None);
        }
        if let Some(context) = capture_context() {
            self.set_context(context);
        }
        self.enqueue();
    }

    /// Starts a task that was made just now, as `options` say.
    ///
    /// Inlined, so that options that are known where the task is made are not put together in memory, and looked at there.
    #[inline(always)]
    pub(super) fn begin_with(self, options: TaskOptions) {
        let TaskOptions { name, context, eager } = options;
        if name.is_none() && context.is_none() {
            self.begin_as(eager);
        } else {
            self.begin_named(name, context, eager);
        }
    }

    /// As [`begin_with`](Self::begin_with), with a name of its own, or in a context that it shares.
    #[inline(never)]
    fn begin_named(self, name: Option<Rc<str>>, context: Option<Context>, eager: Option<bool>) {
        if let Some(name) = name {
            self.root().set_name(name);
        }
        match context {
            Some(context) => {
                self.set_context(context);
                self.begin_in_place(eager);
            }
            None => self.begin_as(eager),
        }
    }

    /// Starts a task that was made just now, in a copy of the context that is current: at once or not, as is said here, or
    /// of its set.
    #[inline(never)]
    fn begin_as(self, eager: Option<bool>) {
        if let Some(context) = capture_context() {
            self.set_context(context);
        }
        self.begin_in_place(eager);
    }

    /// Starts a task that has its name and its context.
    #[inline]
    fn begin_in_place(self, eager: Option<bool>) {
        let core = self.core();
        if eager.unwrap_or(core.is_eager()) && core.runs_the_caller() {
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

    /// Tells whether the task has a context of its own.
    #[inline]
    pub(super) fn has_context(self) -> bool {
        self.header().state.has(CONTEXT)
    }

    /// Returns the context in which the task is polled, if it has one of its own.
    pub(super) fn context_if_any(self) -> Option<Context> {
        if !self.has_context() {
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
