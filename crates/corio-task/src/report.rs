//! Errors that nobody takes.

use corio_seam::{Report, report};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reports the error of an output that nobody took; a panic on the way goes no further.
pub(crate) fn unclaimed<U, E: Into<Box<dyn Error>>>(output: Result<U, E>, source: &str) {
    let told = catch_unwind(AssertUnwindSafe(|| match output {
        Ok(value) => drop(value),
        Err(error) => report(Report::new("task exception was never retrieved").with_source(source).with_error(error)),
    }));
    if let Err(payload) = told {
        std::mem::forget(payload); // Its destructor may panic too.
    }
}
