use super::runtime::Spawner;
use corio_sync::Event;
use std::cell::Cell;
use std::rc::Rc;

on_every_runtime!(a_set_wakes_everybody_though_it_is_cleared a_cancelled_waiter_just_leaves);

async fn a_set_wakes_everybody_though_it_is_cleared(at: Spawner) {
    let event = Rc::new(Event::new());
    let start = || {
        let event = Rc::clone(&event);
        at.spawn(async move { event.wait().await })
    };
    let children: Vec<_> = (0..10).map(|_| start()).collect();
    at.until(|| event.statistics().waiting == 10).await;
    event.set();
    event.clear();
    at.join(children).await;
    let late = start();
    at.until(|| event.statistics().waiting == 1).await;
    assert!(!late.done(), "the flag is clear");
    event.set();
    at.join(vec![late]).await;
    event.wait().await; // It is set.
}

async fn a_cancelled_waiter_just_leaves(at: Spawner) {
    let (event, woken) = (Rc::new(Event::new()), Rc::new(Cell::new(0)));
    let start = || {
        let (event, woken) = (Rc::clone(&event), Rc::clone(&woken));
        at.spawn(async move {
            event.wait().await;
            woken.set(woken.get() + 1);
        })
    };
    let (first, second, third) = (start(), start(), start());
    at.until(|| event.statistics().waiting == 3).await;
    first.cancel().await;
    event.set();
    second.cancel().await; // Woken, and never run.
    at.join(vec![third]).await;
    assert_eq!((woken.get(), event.statistics().waiting), (1, 0));
}
