//! How what a combinator waits for can fail.

use corio_future::FutureError;
use corio_seam::{Report, report};
use corio_task::{Cancelled, JoinError, Panic};
use std::error::Error;
use std::fmt;

/// The error of a limit in time that was reached; asyncio's `TimeoutError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimedOut(());

impl TimedOut {
    pub(crate) const fn new() -> TimedOut {
        TimedOut(())
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl Error for TimedOut {}

/// How a child ended without a value: what asyncio calls its exception.
///
/// Children of many types have one type of failure: an `Err` is boxed as it is, and can be had back by
/// [`downcast`](Failure::downcast). The errors of a task or a cell are unpacked: a task that was cancelled is
/// `Failure::Cancelled`, and not a `Failed` with a `JoinError` in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// It returned `Err`.
    Failed(Box<dyn Error>),
    /// It was cancelled by somebody other than whoever waits here; or, where a gather itself was cancelled, by that.
    Cancelled(Cancelled),
    /// It panicked.
    Panicked(Panic),
    /// It was not done in time; the child itself goes on.
    TimedOut(TimedOut),
}

impl Failure {
    /// Wraps the error of a child, unpacking what says only how a task or a cell ended.
    pub(crate) fn of(error: impl Into<Box<dyn Error>>) -> Failure {
        let error = match error.into().downcast::<JoinError>() {
            Ok(error) => return Failure::from(*error),
            Err(error) => error,
        };
        let error = match error.downcast::<FutureError>() {
            Ok(error) => return Failure::from(*error),
            Err(error) => error,
        };
        match error.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(error) => Failure::Failed(error),
        }
    }

    /// Reports it to the exception handler, as what it is.
    pub(crate) fn report_as(self, message: &'static str) {
        let new = Report::new(message);
        report(match self {
            Failure::Failed(error) => new.with_error(error),
            Failure::Panicked(panic) => new.with_panic(panic),
            other => new.with_error(other),
        });
    }

    /// Tells whether the child was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Failure::Cancelled(_))
    }

    /// Tells whether the child panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, Failure::Panicked(_))
    }

    /// Lends the error that the child returned, if that was an `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Failure::Failed(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the error that the child returned, if that was an `E`.
    ///
    /// # Errors
    ///
    /// The failure itself, if it was anything else.
    pub fn downcast<E: Error + 'static>(self) -> Result<E, Failure> {
        match self {
            Failure::Failed(error) => error.downcast().map(|error| *error).map_err(Failure::Failed),
            other => Err(other),
        }
    }

    /// Ends the awaiter as the child ended, where asyncio would: cancelled, or by the same panic.
    ///
    /// # Errors
    ///
    /// The failure itself, if it is an error or a timeout.
    ///
    /// # Panics
    ///
    /// With the child's own payload, if it panicked; and where there is nothing around the caller to cancel.
    pub async fn resume(self) -> Failure {
        match self {
            Failure::Cancelled(cancelled) => match cancelled.resume().await {},
            Failure::Panicked(panic) => panic.resume_unwind(),
            other => other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Failed(error) => error.fmt(f),
            Failure::Cancelled(cancelled) => cancelled.fmt(f),
            Failure::Panicked(panic) => panic.fmt(f),
            Failure::TimedOut(timed_out) => timed_out.fmt(f),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Failed(error) => error.source(),
            _ => None,
        }
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Failure {
        match error {
            JoinError::Cancelled(cancelled) => Failure::Cancelled(cancelled),
            JoinError::Panicked(panic) => Failure::Panicked(panic),
            other => Failure::Failed(Box::new(other)),
        }
    }
}

impl From<FutureError> for Failure {
    fn from(error: FutureError) -> Failure {
        match error {
            FutureError::Cancelled(cancelled) => Failure::Cancelled(cancelled),
            other => Failure::Failed(Box::new(other)),
        }
    }
}

impl From<TimedOut> for Failure {
    fn from(timed_out: TimedOut) -> Failure {
        Failure::TimedOut(timed_out)
    }
}

/// The failures of a task group's children, and of its body; asyncio's `ExceptionGroup`.
///
/// None at all means that the group was [cancelled](crate::TaskGroup::cancel), and so has no value to return.
#[derive(Debug)]
pub struct ErrorGroup {
    failures: Vec<Failure>,
}

impl ErrorGroup {
    pub(crate) fn new(failures: Vec<Failure>) -> ErrorGroup {
        ErrorGroup { failures }
    }

    /// Tells whether nobody failed, and the group was ended by its [`cancel`](crate::TaskGroup::cancel).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.failures.is_empty()
    }

    /// Lends the failures: the children's in the order in which they came, then the body's.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Returns the failures.
    #[must_use]
    pub fn into_failures(self) -> Vec<Failure> {
        self.failures
    }

    /// Takes out the errors of type `E`: Python's `except* E`. What is left is none if nothing is.
    #[must_use]
    pub fn split<E: Error + 'static>(self) -> (Vec<E>, Option<ErrorGroup>) {
        let (mut found, mut rest) = (Vec::new(), Vec::new());
        for failure in self.failures {
            match failure.downcast() {
                Ok(error) => found.push(error),
                Err(other) => rest.push(other),
            }
        }
        (found, (!rest.is_empty()).then(|| ErrorGroup::new(rest)))
    }
}

impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_cancelled() {
            return f.write_str("the task group was cancelled");
        }
        let count = self.failures.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "unhandled errors in a task group ({count} failure{plural})")?;
        for failure in &self.failures {
            write!(f, "; {failure}")?;
        }
        Ok(())
    }
}

impl Error for ErrorGroup {}
