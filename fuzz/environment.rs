//! The environment variable of a seeded test, `CORIO_SEED`: a number, or a sentence that says so.
//!
//! `CORIO_DEBUG` is read once a process, and compared with two texts: nothing to fuzz.

use corio_executor::test::run_seeds;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads the bytes as the variable's value.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).replace('\0', "");
    set(&text);
    let runs = Cell::new(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| run_seeds(3, async || runs.set(runs.get() + 1))));
    match (outcome, text.trim().parse::<u64>()) {
        (Ok(()), Ok(_)) => assert_eq!(runs.get(), 1, "one seed is one run"),
        (Err(payload), Err(_)) => {
            let sentence = payload.downcast::<String>().expect("a sentence");
            assert!(sentence.starts_with("CORIO_SEED is the number of the seed to run"), "{sentence}");
        }
        (outcome, number) => panic!("{text:?} is {number:?}, and gave {outcome:?}"),
    }
}

#[allow(unsafe_code)]
fn set(value: &str) {
    // SAFETY: a target has one thread, and nothing else runs in its process.
    unsafe { std::env::set_var("CORIO_SEED", value) };
}
