//! Starting tasks.

use corio_task::create_task;

/// Starts hyper's futures as tasks of the loop that runs here; they need not be `Send`.
///
/// HTTP/2 asks for it, since one connection carries many requests.
///
/// # Panics
///
/// [`execute`](hyper::rt::Executor::execute) panics where no loop runs on this thread.
///
/// # Examples
///
/// ```
/// use hyper::rt::Executor as _;
/// use std::{cell::Cell, rc::Rc};
///
/// let done = Rc::new(Cell::new(false));
/// let flag = done.clone();
/// corio_executor::run(async move {
///     corio_hyper::Executor.execute(async move { flag.set(true) });
///     corio_executor::yield_now().await;
/// })
/// .unwrap();
/// assert!(done.get());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        drop(create_task(future)); // Detached: the loop owns it.
    }
}
