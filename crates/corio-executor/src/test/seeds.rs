//! One test under many seeds.

use crate::test::run;
use std::env;
use std::process::{ExitCode, Termination};
use std::thread;

/// The variable that names the one seed to run.
const VARIABLE: &str = "CORIO_SEED";

/// Runs a test `seeds` times, as [`run`] does, each time with another order of what asyncio leaves in no order.
///
/// `test` makes the future anew for each. Under seed 0 everything comes in corio's own order, as it does with [`run`]; under
/// each of the others, up to `seeds - 1`, permuted by the seed are:
///
/// * what several other threads have sent between two looks of the loop; each thread's own calls keep their order;
/// * timers of the same moment, which otherwise fire in the order in which they were set;
/// * the sources that are found ready at once;
/// * what is a set in asyncio: [`all_tasks`](crate::LoopHandle::all_tasks), the tasks that are cancelled at the end of a
///   run or of a task group, those that `wait` finds done.
///
/// The one queue of steps and callbacks is never permuted: its order is asyncio's promise. So a program that fails under
/// some seed depends on what it was not promised; one that is right under all of them may still contain a race between
/// threads, for *when* a thread sends is not the seed's to say.
///
/// Trio's `Random` scheduling order under a fixed seed (its `_r`), made a loop over seeds.
///
/// # Panics
///
/// As `test` does under the first seed that fails, which is printed to standard error with how to run it alone: with
/// the environment variable `CORIO_SEED` set to it. If `test` returns an `Err`, that is printed, and is a panic.
///
/// Also if `seeds` is zero, or `CORIO_SEED` is no number.
///
/// # Examples
///
/// ```
/// use corio_executor::{LoopHandle, sleep, test};
/// use std::cell::RefCell;
/// use std::collections::BTreeSet;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// let orders = RefCell::new(BTreeSet::new());
/// test::run_seeds(50, async || {
///     let order = Rc::new(RefCell::new(Vec::new()));
///     for name in ["a", "b", "c"] {
///         let order = Rc::clone(&order);
///         LoopHandle::current().call_later(Duration::from_secs(1), move || order.borrow_mut().push(name));
///     }
///     sleep(Duration::from_secs(2)).await;
///     orders.borrow_mut().insert(order.take());
/// });
/// assert_eq!(orders.borrow().len(), 6, "nobody promised their order");
/// ```
#[track_caller]
pub fn run_seeds<T: Termination>(seeds: u64, mut test: impl AsyncFnMut() -> T) {
    assert!(seeds > 0, "a test under no seed tests nothing: run it under one at least");
    match wanted() {
        Some(seed) => run_one(seed, &mut test),
        None => (0..seeds).for_each(|seed| run_one(seed, &mut test)),
    }
}

/// Runs the test under one seed.
#[track_caller]
fn run_one<T: Termination>(seed: u64, test: &mut impl AsyncFnMut() -> T) {
    let _tell = Tell(seed);
    let _seeded = corio_seam::seed(seed);
    let outcome = run(test()).report(); // Prints an error.
    // Statuses cannot be compared in Rust 1.85.
    let (failed, success) = (format!("{outcome:?}"), format!("{:?}", ExitCode::SUCCESS));
    assert!(failed == success, "the test returned an error, which stands above");
}

/// Returns the seed that the environment asks for.
fn wanted() -> Option<u64> {
    let value = env::var_os(VARIABLE)?;
    let seed = value.to_str().and_then(|value| value.trim().parse().ok());
    Some(seed.unwrap_or_else(|| panic!("{VARIABLE} is the number of the seed to run, not {value:?}")))
}

/// Says which seed it was, if a panic passes.
struct Tell(u64);

impl Drop for Tell {
    fn drop(&mut self) {
        if thread::panicking() {
            let seed = self.0;
            eprintln!("the test fails under seed {seed}; to run that one alone, set {VARIABLE}={seed}");
        }
    }
}
