//! Errors that nobody looks at.

use crate::seam::current;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// An error that no program text will see, on its way to the loop's exception handler; asyncio's `context` dictionary.
pub struct Report {
    /// What happened, in a sentence without a full stop ("exception in callback").
    pub message: String,
    /// Which task, future or handle it concerns, as it describes itself.
    pub source: Option<String>,
    /// The error, if there is one.
    pub error: Option<Box<dyn Error>>,
    /// The panic, if there was one.
    pub panic: Option<Panic>,
}

impl Report {
    /// Starts a report.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Report {
        Report { message: message.into(), source: None, error: None, panic: None }
    }

    /// Says whom it concerns.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<String>) -> Report {
        self.source = Some(source.into());
        self
    }

    /// Adds the error.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<Box<dyn Error>>) -> Report {
        self.error = Some(error.into());
        self
    }

    /// Adds the panic.
    #[must_use]
    pub fn with_panic(mut self, panic: Panic) -> Report {
        self.panic = Some(panic);
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        if let Some(error) = &self.error {
            write!(f, ": {error}")?;
        }
        if let Some(panic) = &self.panic {
            write!(f, ": {panic}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("message", &self.message)
            .field("source", &self.source)
            .field("error", &self.error)
            .field("panic", &self.panic)
            .finish()
    }
}

/// Hands `report` to the exception handler of the loop that runs here, or else prints it to standard error.
pub fn report(report: Report) {
    let unheard = match current() {
        Some(seam) => seam.report(report).err(),
        None => Some(report),
    };
    if let Some(report) = unheard {
        eprintln!("{report}");
    }
}

/// Calls `f`; its panic is [reported](report()), as `message`, and goes no further.
///
/// It is for user code whose panic must not stop what comes after it: the next waker, callback or destructor. A panic of
/// the exception handler, or in the destructor of a payload, goes no further either, and vanishes: there is nobody left
/// to tell. So this never panics.
///
/// `f` is taken for unwind-safe: it should not leave behind half-changed what others can see.
///
/// # Examples
///
/// ```
/// let mut woken = 0;
/// for waker in 0..3 {
///     corio_seam::catch_and_report("panic in a waker", || {
///         assert_ne!(waker, 1, "the second one is broken");
///         woken += 1;
///     });
/// }
/// assert_eq!(woken, 2); // On standard error: panic in a waker: panicked: ...
/// ```
#[inline]
pub fn catch_and_report(message: &'static str, f: impl FnOnce()) {
    catch_and_report_from(message, None, f);
}

/// As [`catch_and_report`], of something that was made or scheduled at `location`: the report's source says so.
#[inline]
pub fn catch_and_report_from(message: &'static str, location: Option<&'static Location<'static>>, f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        report_panic(message, location, payload);
    }
}

/// Reports a panic, whatever the exception handler and the payload do.
#[cold]
fn report_panic(message: &'static str, location: Option<&'static Location<'static>>, payload: Box<dyn Any + Send>) {
    let mut about = Report::new(message).with_panic(Panic::new(payload));
    about.source = location.map(|location| format!("scheduled at {location}"));
    let reporting = AssertUnwindSafe(|| report(about));
    if let Err(payload) = catch_unwind(reporting) {
        std::mem::forget(payload); // Its destructor may panic too; there is nobody left to tell.
    }
}

/// A panic that was caught: the payload, with its message at hand.
///
/// `Send` and `Sync`, so that errors that carry one are too: the payload can only be taken out, never shared.
pub struct Panic(Box<Caught>);

/// What a panic is made of; boxed, so that a `Result` that may hold one stays small.
struct Caught {
    message: Option<String>,
    /// Under a lock that is never taken, for a payload is `Send` and not `Sync`.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    /// Wraps what `catch_unwind` caught.
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Panic {
        let text = payload.downcast_ref::<&'static str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Panic(Box::new(Caught { message, payload: Mutex::new(payload) }))
    }

    /// Returns the message, if the payload is a text, as that of `panic!` is.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the payload, as `std::panic::resume_unwind` takes it.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on panicking.
    pub fn resume_unwind(self) -> ! {
        std::panic::resume_unwind(self.into_payload())
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "panicked: {message}"),
            None => f.write_str("panicked"),
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message().unwrap_or("..")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload whose destructor panics, with another of its kind, a few times.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 && !std::thread::panicking() {
                std::panic::panic_any(Bomb(self.0 - 1));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "leaks the last payload, for its destructor might panic too")]
    fn a_panic_goes_no_further_nor_does_its_payload_s() {
        let mut called = false;
        catch_and_report("a test's panic", || called = true);
        assert!(called);
        catch_and_report("a test's panic", || panic!("with a text"));
        catch_and_report("a test's panic", || std::panic::panic_any(Bomb(3)));
    }
}
