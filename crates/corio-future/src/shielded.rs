//! User code whose panic must not stop what comes after it.

use corio_seam::{Panic, Report, report};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f`; a panic is reported, and goes no further.
#[inline]
pub(crate) fn shielded(message: &'static str, f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        report_panic(message, Panic::new(payload));
    }
}

/// Reports a panic; the handler, and the payload's destructor, are user code that may panic too.
#[cold]
fn report_panic(message: &'static str, panic: Panic) {
    let reporting = AssertUnwindSafe(|| report(Report::new(message).with_panic(panic)));
    if let Err(payload) = catch_unwind(reporting) {
        mem::forget(payload); // There is nobody left to tell, and its destructor may panic in turn.
    }
}
