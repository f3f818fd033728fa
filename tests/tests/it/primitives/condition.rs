use super::runtime::{Child, Spawner};
use corio_sync::Condition;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

on_every_runtime!(
    notify_wakes_the_oldest a_cancelled_waiter_passes_its_notification_on a_stack_of_jobs_between_many
    a_cancelled_wait_leaves_the_lock_alone
);

/// Starts a task that waits, and then says its name with the lock held.
fn waiter(at: &Spawner, condition: &Rc<Condition>, woken: &Rc<RefCell<Vec<u32>>>, name: u32) -> Child {
    let (condition, woken) = (Rc::clone(condition), Rc::clone(woken));
    at.spawn(async move {
        let guard = condition.acquire().await;
        let _guard = condition.wait(guard).await;
        assert!(condition.locked());
        woken.borrow_mut().push(name);
    })
}

async fn notify_wakes_the_oldest(at: Spawner) {
    let (condition, woken) = (Rc::new(Condition::new()), Rc::new(RefCell::new(Vec::new())));
    let mut children = Vec::new();
    for name in 0..5 {
        children.push(waiter(&at, &condition, &woken, name));
        at.until(|| condition.statistics().waiting == name as usize + 1).await;
    }
    for (n, expected) in [(1, 1), (2, 3), (usize::MAX, 5)] {
        let guard = condition.acquire().await;
        condition.notify(n).unwrap();
        at.settle().await;
        assert!(woken.borrow().len() < expected, "the lock is held");
        drop(guard);
        at.until(|| woken.borrow().len() == expected).await;
        at.settle().await;
        assert_eq!(woken.borrow().len(), expected, "nobody was woken for nothing");
    }
    at.join(children).await;
    let mut woken = woken.take();
    woken[1..3].sort_unstable(); // Who were notified together may run in any order.
    woken[3..].sort_unstable();
    assert_eq!(woken, [0, 1, 2, 3, 4]);
}

async fn a_cancelled_waiter_passes_its_notification_on(at: Spawner) {
    let (condition, woken) = (Rc::new(Condition::new()), Rc::new(RefCell::new(Vec::new())));
    let mut children = Vec::new();
    for name in 0..3 {
        children.push(waiter(&at, &condition, &woken, name));
        at.until(|| condition.statistics().waiting == name as usize + 1).await;
    }
    let guard = condition.acquire().await;
    condition.notify(1).unwrap();
    children.remove(0).cancel().await; // Notified, and never run.
    assert_eq!(condition.statistics().waiting, 1, "the next one is notified in its place");
    at.until(|| condition.statistics().lock.waiting == 1).await;
    children.remove(0).cancel().await; // In the lock's line by now.
    assert_eq!(condition.statistics().waiting, 0);
    drop(guard);
    at.join(children).await;
    assert_eq!(*woken.borrow(), [2]);
    assert!(condition.try_acquire().is_some());
}

async fn a_cancelled_wait_leaves_the_lock_alone(at: Spawner) {
    let (condition, woken) = (Rc::new(Condition::new()), Rc::new(RefCell::new(Vec::new())));
    let child = waiter(&at, &condition, &woken, 0);
    at.until(|| condition.statistics().waiting == 1).await;
    let guard = condition.acquire().await;
    child.cancel().await; // It needs no lock to end, which asyncio's would wait for.
    assert!(condition.locked() && condition.statistics().lock.waiting == 0);
    drop(guard);
}

async fn a_stack_of_jobs_between_many(at: Spawner) {
    let (changed, jobs) = (Rc::new(Condition::new()), Rc::new(RefCell::new(VecDeque::new())));
    let done = Rc::new(RefCell::new(Vec::new()));
    let workers: Vec<Child> = (0..4)
        .map(|_| {
            let (at2, changed, jobs, done) = (at.clone(), changed.clone(), jobs.clone(), done.clone());
            at.spawn(async move {
                for _ in 0..25 {
                    let guard = changed.acquire().await;
                    let (guard, job) = changed.wait_for(guard, || jobs.borrow_mut().pop_front()).await;
                    drop(guard);
                    at2.yield_now().await;
                    done.borrow_mut().push(job);
                }
            })
        })
        .collect();
    for job in 0..100 {
        let guard = changed.acquire().await;
        jobs.borrow_mut().push_back(job);
        changed.notify(1).unwrap();
        drop(guard);
        if job % 3 == 0 {
            at.yield_now().await;
        }
    }
    at.join(workers).await;
    let mut done = done.take();
    done.sort_unstable();
    assert!(done.into_iter().eq(0..100));
}
