//! What the root of a task's tree knows of the task: what is neither on the way of a request nor waited for.

use crate::node::Node;
use corio_seam::{Cancelled, Context};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;

/// How an error in an output that nobody took is reported: given the place of the output and the task's description.
pub(crate) type Reporter = unsafe fn(NonNull<()>, &str);

/// What is known about the task of a root.
#[derive(Default)]
pub(crate) struct About {
    name: RefCell<Option<Rc<str>>>,
    /// How the task was cancelled.
    ended: RefCell<Option<Cancelled>>,
    reporter: Cell<Option<Reporter>>,
    /// The context in which the task is polled, if it has one.
    context: RefCell<Option<Context>>,
}

impl Node {
    fn about(&self) -> &About {
        self.about.get_or_init(Box::default)
    }

    pub(crate) fn name(&self) -> Option<Rc<str>> {
        self.about.get()?.name.borrow().clone()
    }

    pub(crate) fn set_name(&self, name: Rc<str>) {
        self.about().name.replace(Some(name));
    }

    pub(crate) fn ended(&self) -> Option<Cancelled> {
        self.about.get()?.ended.borrow().clone()
    }

    pub(crate) fn set_ended(&self, cancelled: Cancelled) {
        self.about().ended.replace(Some(cancelled));
    }

    pub(crate) fn reporter(&self) -> Option<Reporter> {
        self.about.get()?.reporter.get()
    }

    pub(crate) fn set_reporter(&self, reporter: Reporter) {
        self.about().reporter.set(Some(reporter));
    }

    pub(crate) fn context(&self) -> Option<Context> {
        self.about.get()?.context.borrow().clone()
    }

    pub(crate) fn set_context(&self, context: Context) {
        self.about().context.replace(Some(context));
    }
}
