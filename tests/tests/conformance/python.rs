//! How Python spells what is observed here: one table, which all ports share.

use corio::seam::Report;
use corio::{Cancelled, ErrorGroup, Failure};
use std::error::Error;
use std::fmt;

/// Spells a line as Python would: `true` and `false`, and the quotes around a text.
pub(crate) fn spell(line: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut spelled = String::with_capacity(line.len());
    for part in line.split_inclusive(|c| !is_word(c)) {
        let word = part.trim_end_matches(|c| !is_word(c));
        spelled.push_str(match word {
            "true" => "True",
            "false" => "False",
            word => word,
        });
        spelled.push_str(&part[word.len()..]);
    }
    spelled.replace('"', "'")
}

/// What one of corio's sentences is in Python: an exception's type, and its text.
#[derive(Clone, Copy)]
pub(crate) struct Exception {
    pub(crate) kind: &'static str,
    text: &'static str,
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Corio's sentence, and the type and the text of Python's exception.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("the set of tasks to wait for is empty", "ValueError", "Set of Tasks/Futures is empty."),
    ("a task awaits itself, which would never end", "RuntimeError", "Task cannot await on itself"),
    (
        "deadlock: nothing can wake the event loop, and its only task waits",
        "RuntimeError",
        "Task got Future attached to a different loop",
    ),
    (
        "an event loop is running on this thread already",
        "RuntimeError",
        "Cannot run the event loop while another loop is running",
    ),
    (
        "the event loop is running: stop it, and close it when it has returned",
        "RuntimeError",
        "Cannot close a running event loop",
    ),
    ("no event loop runs on this thread: call this inside `run`", "RuntimeError", "no running event loop"),
    (
        "no event loop runs on this thread: make tasks inside `run`, or while a `TaskSet` is polled",
        "RuntimeError",
        "no running event loop",
    ),
    ("attempt to divide by zero", "ZeroDivisionError", "integer division or modulo by zero"),
    ("cannot notify on un-acquired lock", "RuntimeError", "cannot notify on un-acquired lock"),
    (
        "cannot wait on un-acquired lock: it was released by hand while this guard existed",
        "RuntimeError",
        "cannot wait on un-acquired lock",
    ),
    ("a barrier is for at least one task: `parties` must not be 0", "ValueError", "parties must be >= 1"),
    ("the semaphore was released too many times", "ValueError", "BoundedSemaphore released too many times"),
    ("the lock is not acquired", "RuntimeError", "Lock is not acquired."),
    ("an expired timeout cannot be rescheduled", "RuntimeError", "Cannot change state of expired Timeout"),
    ("a finished timeout cannot be rescheduled", "RuntimeError", "Cannot change state of finished Timeout"),
    ("Runner::run: the event loop is closed", "RuntimeError", "Runner is closed"),
    (
        "Runner::run: an event loop is running on this thread already",
        "RuntimeError",
        "Runner.run() cannot be called from a running event loop",
    ),
    (
        "run: an event loop is running on this thread already",
        "RuntimeError",
        "asyncio.run() cannot be called from a running event loop",
    ),
    ("the event loop is closed", "RuntimeError", "Event loop is closed"),
    ("no event loop runs on this thread, or it is closed", "RuntimeError", "Event loop is closed"),
    ("the event loop is closed: nothing can be scheduled on it any more", "RuntimeError", "Event loop is closed"),
    ("the executor has been shut down", "RuntimeError", "cannot schedule new futures after shutdown"),
    (
        "the event loop was stopped before its main future completed",
        "RuntimeError",
        "Event loop stopped before Future completed.",
    ),
    ("the task group is finished: it takes no more tasks", "RuntimeError", "TaskGroup is finished"),
    ("`task_done` was called more often than items were put", "ValueError", "task_done() called too many times"),
];

/// Looks up how Python would say what corio says.
#[track_caller]
pub(crate) fn python(sentence: impl fmt::Display) -> Exception {
    let sentence = sentence.to_string();
    let row = EXCEPTIONS.iter().find(|(ours, ..)| *ours == sentence);
    let (_, kind, text) = row.unwrap_or_else(|| panic!("the table has no row for {sentence:?}"));
    Exception { kind, text }
}

/// What a report says, in our words and in Python's.
const MESSAGES: &[(&str, &str)] = &[
    ("exception in callback", "Exception in callback"),
    ("future exception was never retrieved", "Future exception was never retrieved"),
    ("task exception was never retrieved", "Task exception was never retrieved"),
    ("exception in shielded future", "exception in shielded future"),
    ("unhandled exception during run() shutdown", "unhandled exception during run() shutdown"),
];

/// Spells what a report says, be it a program's own words: `context["message"]`.
pub(crate) fn message(report: &Report) -> String {
    let row = MESSAGES.iter().find(|(ours, _)| *ours == report.message);
    row.map_or(&*report.message, |(_, python)| python).to_owned()
}

/// Spells what may be absent.
pub(crate) fn none_or(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| value.to_string())
}

/// Spells the reason of a cancellation: `e.args`.
pub(crate) fn args(cancelled: &Cancelled) -> String {
    cancelled.message().map_or_else(|| "()".to_owned(), |message| format!("('{message}',)"))
}

/// Returns the text of what a report is about, an error or a panic: `str(context["exception"])`.
pub(crate) fn exception(report: &Report) -> String {
    let error = report.error.as_ref().map(|error| error.to_string());
    let panic = || report.panic.as_ref().and_then(|panic| panic.message()).map(str::to_owned);
    none_or(error.or_else(panic))
}

/// Makes error types of Python's names: displayed as `str(e)`, debugged as `repr(e)`.
macro_rules! exceptions {
    ($($Name:ident),*) => {
        $(
            #[derive(Clone, Debug, PartialEq)]
            pub(crate) struct $Name(pub(crate) &'static str);

            impl fmt::Display for $Name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.0)
                }
            }

            impl Error for $Name {}
        )*

        /// Names the type of an error: Python's `type(e).__name__`.
        pub(crate) fn type_name(error: &(dyn Error + 'static)) -> &'static str {
            match error.downcast_ref::<Failure>() {
                Some(Failure::Failed(error)) => return type_name(&**error),
                Some(Failure::Cancelled(_)) => return "CancelledError",
                Some(Failure::TimedOut(_)) => return "TimeoutError",
                _ => (),
            }
            if error.is::<ErrorGroup>() { return "ExceptionGroup" }
            $(if error.is::<$Name>() { return stringify!($Name) })*
            panic!("the table has no row for {error:?}")
        }
    };
}

exceptions!(ValueError, KeyError, OSError, RuntimeError);
