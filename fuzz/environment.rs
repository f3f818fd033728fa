//! The environment variable of a seeded test, `CORIO_SEED`: a number, or a sentence that says so.
//!
//! `CORIO_DEBUG` is read once a process, and compared with two texts: nothing to fuzz.

use corio_executor::test;
use std::cell::RefCell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads the bytes as the variable's value.
pub fn run(bytes: &[u8]) {
    let value: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
    set(OsStr::from_bytes(&value));
    let numbers = RefCell::new(Vec::new());
    let noted = async || numbers.borrow_mut().push(corio_seam::random());
    let outcome = catch_unwind(AssertUnwindSafe(|| test::run_seeds(3, noted)));
    match (outcome, std::str::from_utf8(&value).ok().and_then(number)) {
        (Ok(()), Some(seed)) => assert_eq!(numbers.take(), [first_number(seed)], "one run, under seed {seed}"),
        (Err(payload), None) => {
            let sentence = payload.downcast::<String>().expect("a sentence");
            assert!(sentence.starts_with("CORIO_SEED is the number of the seed to run"), "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            assert!(numbers.take().is_empty(), "a run all the same");
        }
        (outcome, number) => panic!("{:?} is {number:?}, and gave {outcome:?}", value.escape_ascii().to_string()),
    }
}

/// Returns the number of a seed: digits, behind a plus perhaps, with white space around.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_matches(char::is_whitespace);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let add = |sum: u64, digit: char| sum.checked_mul(10)?.checked_add(u64::from(digit.to_digit(10)?));
    if digits.is_empty() { None } else { digits.chars().try_fold(0, add) }
}

/// Returns the first number that a program may draw under a seed.
fn first_number(seed: u64) -> Option<u64> {
    let _seeded = corio_seam::seed(seed);
    test::run(async { corio_seam::random() })
}

#[allow(unsafe_code)]
fn set(value: &OsStr) {
    // SAFETY: a target has one thread, and nothing else runs in its process.
    unsafe { std::env::set_var("CORIO_SEED", value) };
}
