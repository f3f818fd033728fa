//! The exception handler: where errors go that nobody looks at.

use corio_seam::{Panic, Report};
use std::cell::RefCell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// A function that is told of errors nobody looked at; see [`set_exception_handler`].
///
/// [`set_exception_handler`]: crate::LoopHandle::set_exception_handler
pub type ExceptionHandler = Rc<dyn Fn(Report)>;

/// How a report ends about an error that nobody took: a task's, a future's.
const UNCLAIMED: &str = "was never retrieved";

/// A loop's exception handler.
#[derive(Default)]
pub(crate) struct Exceptions {
    /// The user's handler; none: the default. Never borrowed while it runs.
    handler: RefCell<Option<ExceptionHandler>>,
    /// While the tasks that `run` has cancelled are waited for: their errors so far.
    held_back: RefCell<Option<Vec<Report>>>,
}

impl Exceptions {
    pub(crate) fn get(&self) -> Option<ExceptionHandler> {
        self.handler.borrow().clone()
    }

    /// Puts `handler` in the place of the one before, which is returned: dropping it is user code.
    pub(crate) fn replace(&self, handler: Option<ExceptionHandler>) -> Option<ExceptionHandler> {
        self.handler.replace(handler)
    }

    /// Keeps errors that nobody takes from the handler, for they are those of a shutdown: until all cleanup is over, as
    /// in asyncio.
    pub(crate) fn hold_back(&self) {
        self.held_back.replace(Some(Vec::new()));
    }

    /// Hands over what was held back.
    pub(crate) fn let_go(&self) {
        for report in self.held_back.take().into_iter().flatten() {
            self.call(report);
        }
    }

    /// Hands `report` to the handler; if that panics, what is known of both goes to the default handler.
    pub(crate) fn call(&self, mut report: Report) {
        if report.message.ends_with(UNCLAIMED) {
            if let Some(held_back) = &mut *self.held_back.borrow_mut() {
                report.message = String::from("unhandled exception during run() shutdown");
                return held_back.push(report);
            }
        }
        let Some(handler) = self.get() else { return default_exception_handler(&report) };
        let mut subject = None;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            subject = Some(report.to_string());
            handler(report);
        }));
        if let Err(payload) = outcome {
            let message = "Unhandled error in exception handler";
            let report = Report { source: subject, ..Report::new(message) };
            default_exception_handler(&report.with_panic(Panic::new(payload)));
        }
    }
}

/// Prints `report` to standard error: what a loop does that has no other handler; asyncio's
/// `default_exception_handler`.
///
/// Nothing happens if that cannot be done: there is nobody left to tell.
pub(crate) fn default_exception_handler(report: &Report) {
    let printing = AssertUnwindSafe(|| writeln!(std::io::stderr(), "{report}"));
    if let Err(payload) = catch_unwind(printing) {
        std::mem::forget(payload); // Its destructor may panic too.
    }
}
