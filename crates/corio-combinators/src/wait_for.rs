//! A limit in time for what may be going on by itself.

use crate::TimedOut;
use crate::outcome::Outcome;
use crate::signal::Signal;
use crate::timeout::timeout;
use corio_task::create_task;
use std::rc::Rc;
use std::time::Duration;

/// Waits for a future for `limit` at most, and cancels it then; asyncio's `wait_for`.
///
/// * `None` waits without a limit.
/// * A limit is a [`timeout`] around awaiting the future, in the caller's own task. A task, cell or gather that is waited
///   for is cancelled when time is up; its ending is waited for, and decides: a value is the result, late as it is.
/// * A limit of zero takes what is over, and otherwise cancels it and waits for its ending; a plain future is never
///   polled.
///
/// Borrowing futures go to [`timeout`], which asks nothing of them.
///
/// # Errors
///
/// [`TimedOut`] if the limit ended the future. A cancellation of the caller wins.
///
/// # Panics
///
/// Where there is no timer and a limit above zero is waited for; with a limit of zero, where no loop runs.
///
/// # Cancel safety
///
/// Dropping it drops the future: a task is detached. Wait for a [`shield`](crate::shield()) to keep one going.
///
/// # Examples
///
/// ```
/// use corio_combinators::wait_for;
/// use corio_task::TaskSet;
/// use std::time::Duration;
///
/// let set = TaskSet::new();
/// pollster::block_on(set.run_until(async {
///     assert_eq!(wait_for(async { 1 }, None).await, Ok(1));
///     assert!(wait_for(async { println!("never polled") }, Duration::ZERO).await.is_err());
/// })).unwrap();
/// ```
pub async fn wait_for<F>(future: F, limit: impl Into<Option<Duration>>) -> Result<F::Output, TimedOut>
where
    F: Future<Output: Outcome> + 'static,
{
    match limit.into() {
        None => Ok(future.await),
        Some(Duration::ZERO) => at_once(future).await,
        Some(limit) => timeout(limit, future).await,
    }
}

/// Takes what is over; cancels anything else, and waits for its ending.
async fn at_once<F>(future: F) -> Result<F::Output, TimedOut>
where
    F: Future<Output: Outcome> + 'static,
{
    let over = Rc::new(Signal::default());
    let ring = Rc::clone(&over);
    let tell = Box::new(move || ring.ring());
    let Some(standing) = Outcome::standing(&future) else {
        let task = create_task(future); // It takes as long as in asyncio, and is named as there; it is never polled.
        task.add_done_callback(move |_| tell());
        task.cancel();
        over.wait(|| Rc::new(task.task_ref())).await;
        return task.await.map_err(|_| TimedOut::new());
    };
    if !standing.is_over() {
        standing.tell(tell);
        standing.ask();
        over.wait(|| standing.waitable()).await;
    }
    if standing.was_cancelled() { Err(TimedOut::new()) } else { Ok(future.await) }
}
