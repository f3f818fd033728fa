use super::runtime::Spawner;
use corio_sync::{BoundedSemaphore, Semaphore, TooManyReleases};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

on_every_runtime!(
    first_come_first_served a_cancelled_waiter_gives_its_permit_to_the_next never_more_at_once_than_permits
);

async fn first_come_first_served(at: Spawner) {
    let (semaphore, served) = (Rc::new(Semaphore::new(0)), Rc::new(RefCell::new(Vec::new())));
    let mut children = Vec::new();
    for name in 0..5 {
        let (semaphore2, served) = (Rc::clone(&semaphore), Rc::clone(&served));
        children.push(at.spawn(async move {
            semaphore2.acquire().await.forget();
            served.borrow_mut().push(name);
        }));
        at.until(|| semaphore.statistics().waiting == name + 1).await;
    }
    for n in 1..=5 {
        semaphore.release().unwrap();
        assert!(semaphore.try_acquire().is_none(), "the permit is reserved");
        at.until(|| served.borrow().len() == n).await;
    }
    at.join(children).await;
    assert_eq!((served.take(), semaphore.available()), (vec![0, 1, 2, 3, 4], 0));
}

async fn a_cancelled_waiter_gives_its_permit_to_the_next(at: Spawner) {
    let semaphore = Rc::new(Semaphore::new(0));
    let start = || {
        let semaphore = Rc::clone(&semaphore);
        at.spawn(async move { semaphore.acquire().await.forget() })
    };
    let (first, second, third) = (start(), start(), start());
    at.until(|| semaphore.statistics().waiting == 3).await;
    second.cancel().await; // While it waits.
    semaphore.release().unwrap();
    first.cancel().await; // With a permit reserved.
    at.join(vec![third]).await;
    let last = start();
    at.until(|| semaphore.statistics().waiting == 1).await;
    semaphore.release().unwrap();
    last.cancel().await;
    assert_eq!((semaphore.available(), semaphore.locked()), (1, false));
}

async fn never_more_at_once_than_permits(at: Spawner) {
    let places = Rc::new(BoundedSemaphore::new(3));
    let (inside, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let children = (0..20).map(|n| {
        let (at2, places, inside, most) = (at.clone(), places.clone(), inside.clone(), most.clone());
        at.spawn(async move {
            let _permit = places.acquire().await;
            inside.set(inside.get() + 1);
            most.set(most.get().max(inside.get()));
            for _ in 0..n % 4 {
                at2.yield_now().await;
            }
            inside.set(inside.get() - 1);
        })
    });
    let children = children.collect();
    at.join(children).await;
    assert_eq!((most.get(), places.available(), places.statistics().acquired), (3, 3, 20));
    assert_eq!(places.release(), Err(TooManyReleases));
}
