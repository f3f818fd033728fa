//! What can go wrong between a call and its answer.

use crate::Job;
use corio_future::concurrent::{Future, FutureError};
use corio_seam::{Cancelled, Panic};
use std::error::Error;
use std::fmt;
use std::io;

/// The error of [`Executor::execute`](crate::Executor::execute): the job was not taken, and is given back.
#[derive(Debug)]
pub struct Rejected {
    job: Job,
    reason: RejectReason,
}

impl Rejected {
    /// Gives `job` back, for a reason.
    #[must_use]
    pub fn new(job: Job, reason: RejectReason) -> Rejected {
        Rejected { job, reason }
    }

    /// Returns the reason.
    #[must_use]
    pub fn reason(&self) -> &RejectReason {
        &self.reason
    }

    /// Returns the job and the reason.
    pub fn into_parts(self) -> (Job, RejectReason) {
        (self.job, self.reason)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

impl Error for Rejected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.source()
    }
}

/// Why an executor took no job.
#[derive(Debug)]
#[non_exhaustive]
pub enum RejectReason {
    /// It has been shut down; Python's "cannot schedule new futures after shutdown".
    ShutDown,
    /// An initializer has panicked; Python's `BrokenThreadPool`.
    Broken,
    /// It has no thread yet, and the operating system gives it none.
    NoThread(io::Error),
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RejectReason::ShutDown => "the executor has been shut down",
            RejectReason::Broken => "the executor is broken: an initializer has panicked",
            RejectReason::NoThread(_) => "no thread could be started for the executor",
        })
    }
}

impl Error for RejectReason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RejectReason::NoThread(error) => Some(error),
            _ => None,
        }
    }
}

/// The error of [`ExecutorExt::submit`](crate::ExecutorExt::submit): the call was not taken, and is given back.
///
/// Dropping it cancels the future.
pub struct SubmitError<T> {
    rejected: Rejected,
    future: Future<T>,
}

impl<T> SubmitError<T> {
    pub(crate) fn new(rejected: Rejected, future: Future<T>) -> SubmitError<T> {
        SubmitError { rejected, future }
    }

    /// Returns the reason.
    #[must_use]
    pub fn reason(&self) -> &RejectReason {
        &self.rejected.reason
    }

    /// Returns the job and its future: the job may be run here, or go to another executor.
    pub fn into_parts(self) -> (Job, Future<T>) {
        (self.rejected.job, self.future)
    }

    /// Drops the call, and returns the reason.
    #[must_use]
    pub fn into_reason(self) -> RejectReason {
        self.rejected.reason
    }
}

impl<T> fmt::Debug for SubmitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitError").field("reason", self.reason()).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SubmitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.reason(), f)
    }
}

impl<T> Error for SubmitError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.rejected.source()
    }
}

/// Why a call in an executor has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// It was cancelled, by its future or by a shutdown, before a thread took it.
    Cancelled(Cancelled),
    /// It panicked.
    Panicked(Panic),
    /// It was queued when its executor broke; Python's `BrokenExecutor`.
    Broken,
    /// Its executor did not take it.
    Rejected(RejectReason),
}

impl CallError {
    /// Tells whether the call was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, CallError::Cancelled(_))
    }

    /// Tells whether the call panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, CallError::Panicked(_))
    }

    /// Returns the panic of the call, to resume it here.
    ///
    /// # Errors
    ///
    /// The error itself, if it is another one.
    pub fn try_into_panic(self) -> Result<Panic, CallError> {
        match self {
            CallError::Panicked(panic) => Ok(panic),
            other => Err(other),
        }
    }
}

impl From<FutureError> for CallError {
    fn from(error: FutureError) -> CallError {
        match error {
            FutureError::Cancelled(cancelled) => CallError::Cancelled(cancelled),
            FutureError::Panicked(panic) => CallError::Panicked(panic),
            // Only an abandoned job breaks its promise.
            _ => CallError::Broken,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Cancelled(cancelled) => write!(f, "the call was {cancelled}"),
            CallError::Panicked(panic) => write!(f, "the call {panic}"),
            CallError::Broken => f.write_str("the executor broke before it came to the call"),
            CallError::Rejected(reason) => fmt::Display::fmt(reason, f),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CallError::Rejected(reason) => reason.source(),
            _ => None,
        }
    }
}

/// What ends a [`Map`](crate::Map) early.
#[derive(Debug)]
#[non_exhaustive]
pub enum MapError {
    /// The time was over before the next result was there; Python's `TimeoutError`.
    TimedOut,
    /// The next call has no result.
    Failed(CallError),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapError::TimedOut => f.write_str("the time for the results is over"),
            MapError::Failed(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl Error for MapError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            MapError::TimedOut => None,
            MapError::Failed(error) => error.source(),
        }
    }
}

/// The error of building a pool from impossible settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool of no threads; Python's "max_workers must be greater than 0".
    NoThreads,
    /// A name with a zero byte in it, which no thread can bear.
    BadName,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BuildError::NoThreads => "a pool needs at least one thread",
            BuildError::BadName => "a thread's name cannot contain a zero byte",
        })
    }
}

impl Error for BuildError {}
