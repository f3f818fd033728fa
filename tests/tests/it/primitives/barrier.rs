use super::runtime::Spawner;
use corio_sync::{Barrier, BrokenBarrier};
use std::cell::RefCell;
use std::rc::Rc;

on_every_runtime!(
    rounds_do_not_mix a_reset_breaks_only_those_who_wait an_abort_breaks_everybody a_cancelled_waiter_just_leaves
);

/// Starts a task that waits once, and notes what it got.
macro_rules! waiter {
    ($at:ident, $barrier:ident, $log:ident) => {{
        let (barrier, log) = (Rc::clone(&$barrier), Rc::clone(&$log));
        $at.spawn(async move {
            let got = barrier.wait().await;
            log.borrow_mut().push(got);
        })
    }};
}

async fn rounds_do_not_mix(at: Spawner) {
    let (barrier, log) = (Rc::new(Barrier::new(3)), Rc::new(RefCell::new(Vec::new())));
    let children = (0..3).map(|n| {
        let (at2, barrier, log) = (at.clone(), Rc::clone(&barrier), Rc::clone(&log));
        at.spawn(async move {
            for round in 0..10 {
                for _ in 0..(n + round) % 3 {
                    at2.yield_now().await;
                }
                let index = barrier.wait().await.unwrap();
                log.borrow_mut().push((round, index));
            }
        })
    });
    let children = children.collect();
    at.join(children).await;
    let log = log.take();
    assert!(log.is_sorted_by_key(|(round, _)| *round), "{log:?}");
    for round in log.chunks(3) {
        let mut indices: Vec<usize> = round.iter().map(|(_, index)| *index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
    }
    assert_eq!(barrier.statistics().passed, 10);
}

async fn a_reset_breaks_only_those_who_wait(at: Spawner) {
    let (barrier, log) = (Rc::new(Barrier::new(3)), Rc::new(RefCell::new(Vec::new())));
    let children = vec![waiter!(at, barrier, log), waiter!(at, barrier, log)];
    at.until(|| barrier.n_waiting() == 2).await;
    barrier.reset();
    at.join(children).await;
    assert_eq!(log.take(), [Err(BrokenBarrier); 2]);
    let children = (0..3).map(|_| waiter!(at, barrier, log)).collect();
    at.join(children).await;
    let mut indices: Vec<usize> = log.take().into_iter().map(Result::unwrap).collect();
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2]);
}

async fn an_abort_breaks_everybody(at: Spawner) {
    let (barrier, log) = (Rc::new(Barrier::new(3)), Rc::new(RefCell::new(Vec::new())));
    let children = vec![waiter!(at, barrier, log), waiter!(at, barrier, log)];
    at.until(|| barrier.n_waiting() == 2).await;
    barrier.abort();
    at.join(children).await;
    at.join(vec![waiter!(at, barrier, log)]).await;
    assert_eq!((log.take(), barrier.broken()), (vec![Err(BrokenBarrier); 3], true));
}

async fn a_cancelled_waiter_just_leaves(at: Spawner) {
    let (barrier, log) = (Rc::new(Barrier::new(2)), Rc::new(RefCell::new(Vec::new())));
    let first = waiter!(at, barrier, log);
    at.until(|| barrier.n_waiting() == 1).await;
    first.cancel().await;
    let second = waiter!(at, barrier, log);
    at.until(|| barrier.n_waiting() == 1).await;
    assert_eq!(barrier.wait().await, Ok(1));
    second.cancel().await; // Let through, and never run: nobody waits for it.
    let third = waiter!(at, barrier, log);
    at.until(|| barrier.n_waiting() == 1).await;
    assert_eq!(barrier.wait().await, Ok(1));
    at.join(vec![third]).await;
    assert_eq!(log.take(), [Ok(0)]);
}
