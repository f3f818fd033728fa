use super::runtime::Spawner;
use corio_sync::Lock;
use std::cell::RefCell;
use std::rc::Rc;

on_every_runtime!(first_come_first_served a_cancelled_waiter_passes_the_lock_on);

async fn first_come_first_served(at: Spawner) {
    let (lock, served) = (Rc::new(Lock::new()), Rc::new(RefCell::new(Vec::new())));
    let held = lock.acquire().await;
    let mut children = Vec::new();
    for name in 0..5 {
        let (at2, lock2, served) = (at.clone(), Rc::clone(&lock), Rc::clone(&served));
        children.push(at.spawn(async move {
            let _guard = lock2.acquire().await;
            served.borrow_mut().push(name);
            at2.yield_now().await;
            assert!(lock2.locked());
        }));
        at.until(|| lock.statistics().waiting == name + 1).await;
    }
    drop(held);
    assert!(lock.try_acquire().is_none(), "nobody overtakes");
    at.join(children).await;
    assert_eq!(*served.borrow(), [0, 1, 2, 3, 4]);
    assert_eq!((lock.statistics().acquired, lock.locked()), (6, false));
}

async fn a_cancelled_waiter_passes_the_lock_on(at: Spawner) {
    let lock = Rc::new(Lock::new());
    let held = lock.acquire().await;
    let start = || {
        let lock = Rc::clone(&lock);
        at.spawn(async move { drop(lock.acquire().await) })
    };
    let (first, second, third) = (start(), start(), start());
    at.until(|| lock.statistics().waiting == 3).await;
    second.cancel().await; // While it waits.
    assert_eq!(lock.statistics().waiting, 2);
    drop(held);
    first.cancel().await; // While the lock is on its way to it.
    at.join(vec![third]).await;
    assert!(lock.try_acquire().is_some());
}
