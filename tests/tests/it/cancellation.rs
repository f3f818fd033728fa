//! One request, all layers; in every order that asyncio allows.

use corio_combinators::{TaskGroup, gather, timeout};
use corio_executor::{sleep, yield_now};
use corio_queue::Queue;
use corio_sync::Lock;
use corio_task::{JoinError, catch_cancelled, create_task};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Writes a word when it is dropped.
struct OnDrop(Rc<RefCell<Vec<&'static str>>>, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn a_request_reaches_the_innermost_await_and_comes_back_out() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let outer = create_task(async move {
        let _outer = OnDrop(log.clone(), "outer");
        let group_log = log.clone();
        let _ = timeout(SECOND * 60, async {
            let _timeout = OnDrop(log.clone(), "timeout");
            TaskGroup::run(async |group| {
                let child = OnDrop(group_log.clone(), "child");
                let _child = group.create_task(async move {
                    let _child = child;
                    sleep(SECOND * 100).await;
                    Ok::<(), std::io::Error>(())
                });
                sleep(SECOND * 100).await;
            })
            .await
        })
        .await;
    });
    sleep(SECOND).await;
    assert!(outer.cancel());
    assert!(matches!(outer.await, Err(JoinError::Cancelled(_))));
    let mut lines = lines.take();
    assert_eq!(lines.pop(), Some("outer"));
    assert_eq!(lines.pop(), Some("timeout"));
    assert_eq!(lines, ["child"]);
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn a_timeout_cuts_its_own_body_and_nothing_beside_it() {
    let (slow, quick) = corio_combinators::join((
        timeout(SECOND, sleep(SECOND * 10)),
        timeout(SECOND * 5, async {
            sleep(SECOND * 2).await;
            7
        }),
    ))
    .await;
    assert_eq!((slow.is_err(), quick.ok()), (true, Some(7)));
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn a_cancelled_gather_cancels_its_children() {
    let children: Vec<_> = (0..3).map(|_| create_task(sleep(SECOND * 100))).collect();
    let views: Vec<_> = children.iter().map(corio_task::Task::task_ref).collect();
    let waiter = create_task(async move { gather(children).await.is_ok() });
    sleep(SECOND).await;
    waiter.cancel();
    assert!(matches!(waiter.await, Err(JoinError::Cancelled(_))));
    assert!(views.iter().all(corio_task::TaskRef::cancelled));
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn what_is_held_is_given_back() {
    let lock = Rc::new(Lock::new());
    let queue: Queue<u32> = Queue::new(1);
    let (theirs, source) = (Rc::clone(&lock), queue.clone());
    let holder = create_task(async move {
        let _guard = theirs.acquire().await;
        source.get().await.unwrap()
    });
    yield_now().await;
    assert!(lock.locked());
    queue.put_nowait(5).unwrap(); // Woken, and cancelled before it runs: the item stays.
    holder.cancel();
    assert!(holder.await.is_err());
    assert!(!lock.locked());
    assert_eq!(queue.get_nowait().unwrap(), 5);
}

#[corio_macros::test(seeds = 20, crate = corio_executor)]
async fn cleanup_may_wait_and_is_not_cut_by_the_same_request() {
    let start = corio_seam::now();
    let task = create_task(async {
        if let Err(cancelled) = catch_cancelled(sleep(SECOND * 100)).await {
            sleep(SECOND).await;
            cancelled.resume().await;
        }
    });
    yield_now().await;
    task.cancel();
    assert!(task.await.is_err());
    assert_eq!(corio_seam::now() - start, SECOND);
}
