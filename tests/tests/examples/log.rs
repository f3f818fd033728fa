//! What the examples print, with the loop's time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lines of the program that runs.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Held while a program runs: others would print among its lines.
static TURN: Mutex<()> = Mutex::new(());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the examples' `println!` is here: notes the line, after the seconds that the loop's clock shows if one runs on
/// this thread.
pub(crate) fn print(line: std::fmt::Arguments<'_>) {
    let time = corio::LoopHandle::try_current().map(|event_loop| event_loop.time().since_start().as_millis() as f64);
    let line = time.map_or_else(|| line.to_string(), |time| format!("{} {line}", time / 1000.0));
    lock(&LINES).push(line);
}

/// Runs a program on virtual time, and returns what it printed.
pub(crate) fn of<F: Future>(program: F) -> (F::Output, Vec<String>) {
    on_a_loop_of_its_own(|| corio::executor::test::run(program))
}

/// Runs a program that makes its own loop, and returns what it printed.
pub(crate) fn on_a_loop_of_its_own<T>(program: impl FnOnce() -> T) -> (T, Vec<String>) {
    let _turn = lock(&TURN);
    lock(&LINES).clear();
    let output = program();
    (output, std::mem::take(&mut *lock(&LINES)))
}

/// Makes a loop on virtual time.
pub(crate) fn virtual_loop() -> corio::EventLoop {
    let builder = corio::EventLoop::builder().clock(corio::executor::VirtualClock::new());
    builder.build().expect("the operating system grants a loop")
}
