//! asyncio refuses a primitive that another loop has waited on. Here a waker knows its own loop, so it works.

use corio_executor::EventLoop;
use corio_queue::Queue;
use corio_sync::{Condition, Event, Lock};
use corio_task::Task;
use std::rc::Rc;

/// Lets two loops take turns until both tasks are done.
fn take_turns<A, B>(one: &EventLoop, other: &EventLoop, first: &Task<A>, second: &Task<B>) {
    for _ in 0..100 {
        // One callback each, so that a turn never waits for the other loop.
        for event_loop in [one, other] {
            event_loop.handle().call_soon(|| ());
            event_loop.run_once().unwrap();
        }
    }
    assert!(first.done() && second.done(), "a wake-up did not cross over");
}

#[test]
fn tasks_of_two_loops_share_a_lock_an_event_a_condition_and_a_queue() {
    let (one, other) = (EventLoop::new().unwrap(), EventLoop::new().unwrap());
    let (lock, event, condition, queue) =
        (Rc::new(Lock::new()), Rc::new(Event::new()), Rc::new(Condition::new()), Queue::new(0));
    let held = lock.try_acquire().unwrap();
    let (lock2, event2, condition2, queue2) = (lock.clone(), event.clone(), condition.clone(), queue.clone());
    let first = one.handle().create_task(async move {
        let _guard = lock2.acquire().await;
        event2.wait().await;
        let guard = condition2.acquire().await;
        drop(condition2.wait(guard).await);
        queue2.put_nowait(7).unwrap();
    });
    let (lock2, condition2) = (lock.clone(), condition.clone());
    let second = other.handle().create_task(async move {
        event.set();
        while condition2.statistics().waiting == 0 {
            corio_executor::yield_now().await;
        }
        let guard = condition2.acquire().await;
        condition2.notify(1).unwrap();
        drop(guard);
        drop(lock2.acquire().await);
        queue.get().await
    });
    one.handle().call_soon(|| ());
    one.run_once().unwrap();
    assert_eq!(lock.statistics().waiting, 1);
    drop(held);
    take_turns(&one, &other, &first, &second);
    assert!(!lock.locked());
}
