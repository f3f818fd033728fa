//! Tasks that other threads start: how a future of their own meets a task of the loop's.

use crate::RemoteHandle;
use corio_future::concurrent::{self, Promise};
use corio_seam::{Closed, IntMap};
use corio_task::{JoinError, Task, TaskRef, create_task};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The loop's unfinished tasks that other threads have started, by the number that those know them by: a task's own
/// handle cannot leave the thread.
#[derive(Default)]
struct Started(RefCell<IntMap<TaskRef>>);

/// Returns the table of the loop that runs here.
fn started() -> Option<Rc<Started>> {
    corio_seam::local(Started::default)
}

/// Sends the making of a task to the loop; see [`RemoteHandle::run_coroutine_threadsafe`].
pub(crate) fn start<M, F>(remote: &RemoteHandle, make: M) -> Result<concurrent::Future<F::Output>, Closed>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (promise, future) = concurrent::promise();
    remote.send(move || begin(number, make, promise))?;
    // Sent later, and so called later: a cancellation finds its task, or the task sees the cancellation and never is.
    let remote = remote.clone();
    future.add_done_callback(move |future| {
        if future.cancelled() {
            let _ = remote.send(move || cancel(number)); // A closed loop has cancelled the task.
        }
    });
    Ok(future)
}

/// Starts the task, on the loop.
fn begin<M, F>(number: u64, make: M, promise: Promise<F::Output>)
where
    M: FnOnce() -> F + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    if promise.is_cancelled() {
        return;
    }
    let task = create_task(async move { make().await });
    let reference = task.task_ref();
    if let Some(started) = started() {
        started.0.borrow_mut().insert(number, reference.clone());
    }
    reference.add_done_callback(move |_| {
        if let Some(started) = started() {
            started.0.borrow_mut().remove(number);
        }
        finish(task, promise);
    });
}

/// Passes the task's ending on.
fn finish<T: Send>(mut task: Task<T>, promise: Promise<T>) {
    match task.take_output() {
        Some(Ok(output)) => drop(promise.set_result(output)), // Given back, and dropped, if nobody wants it.
        Some(Err(JoinError::Cancelled(cancelled))) => promise.cancel(cancelled),
        Some(Err(JoinError::Panicked(panic))) => promise.set_panic(panic),
        Some(Err(_)) | None => {} // The promise is broken.
    }
}

/// Cancels the task, on the loop, if it has not ended.
fn cancel(number: u64) {
    let task = started().and_then(|started| started.0.borrow().get(number).cloned());
    if let Some(task) = task {
        task.cancel();
    }
}
