//! The orderly end of a loop.

use crate::{EventLoop, RunError};
use corio_seam::{Waiting, local_waker, take_shutdown_hooks, wait_on};
use corio_task::TaskRef;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// How long the end of a program waits for jobs on other threads; asyncio's figure.
const JOIN_LIMIT: Duration = Duration::from_secs(300);

/// Cancels what is left over and waits for it, closes the async generators, joins the thread pool, and closes the loop.
pub(crate) fn shut_down(event_loop: &EventLoop) -> Result<(), RunError> {
    let ended = cancel_all_tasks(event_loop).and_then(|()| run_hooks(event_loop));
    let ended = ended.and_then(|()| join_pool(event_loop));
    let _ = event_loop.close(); // It does not run.
    ended
}

/// Cancels all tasks and waits for their ends; what they panic with goes to the exception handler.
fn cancel_all_tasks(event_loop: &EventLoop) -> Result<(), RunError> {
    let core = event_loop.core();
    let mut tasks = core.tasks.tasks_as_made(); // asyncio leaves the order open.
    corio_seam::permute(&mut tasks);
    if tasks.is_empty() {
        return Ok(());
    }
    core.run(|| tasks.iter().for_each(|task| _ = task.cancel()))?;
    core.exceptions.hold_back();
    let ended = event_loop.run_until_complete(all_ended(tasks));
    core.run(|| core.exceptions.let_go())?;
    ended
}

/// Closes what asked for it, as async generators do that were left open; all at once, and then what that left open.
fn run_hooks(event_loop: &EventLoop) -> Result<(), RunError> {
    loop {
        let hooks = event_loop.core().run(take_shutdown_hooks)?;
        if hooks.is_empty() {
            return Ok(());
        }
        let tasks = hooks.into_iter().map(|hook| event_loop.create_task(hook.close()).task_ref());
        event_loop.run_until_complete(all_ended(tasks.collect()))?;
    }
}

/// Waits until each task has ended, however.
async fn all_ended(tasks: Vec<TaskRef>) {
    let unfinished = Rc::new(Cell::new(tasks.len()));
    let waker = Rc::new(RefCell::new(None::<Waker>));
    for task in tasks {
        let (unfinished, waker) = (Rc::clone(&unfinished), Rc::clone(&waker));
        task.add_done_callback(move |_| {
            unfinished.set(unfinished.get() - 1);
            let waker = if unfinished.get() == 0 { waker.take() } else { None };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
    }
    poll_fn(|cx| {
        if unfinished.get() == 0 {
            return Poll::Ready(());
        }
        drop(waker.replace(Some(local_waker(cx.waker()))));
        wait_on(Waiting::Leaf(&"the end of all tasks"));
        Poll::Pending
    })
    .await;
}

/// Shuts the loop's thread pool down, and waits for its threads; not for ever.
fn join_pool(event_loop: &EventLoop) -> Result<(), RunError> {
    event_loop.run_until_complete(event_loop.shutdown_default_executor(JOIN_LIMIT)).map(drop)
}
