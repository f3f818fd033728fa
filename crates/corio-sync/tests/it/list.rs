use crate::random::Random;
use crate::toy::Counter;
use corio_sync::{Removed, WaiterKey, WaiterList};
use std::collections::VecDeque;
use std::sync::Arc;

/// A waiter as the model knows it.
struct Known {
    key: WaiterKey,
    counter: Arc<Counter>,
    notified: bool,
}

#[test]
fn the_list_does_what_a_deque_would() {
    for seed in 0..if cfg!(miri) { 4 } else { 200 } {
        let mut random = Random(seed);
        let (mut list, mut known, mut line) = (WaiterList::new(), Vec::<Known>::new(), VecDeque::new());
        let mut peak = 0;
        for _ in 0..200 {
            match random.below(5) {
                0 | 1 => {
                    let (counter, waker) = Counter::new();
                    let key = list.push(waker);
                    known.push(Known { key, counter, notified: false });
                    line.push_back(key);
                    peak = peak.max(known.len());
                }
                2 => notify(&mut list, &mut known, line.pop_front()),
                3 if random.below(10) == 0 => {
                    list.notify_all().wake();
                    known.iter_mut().for_each(|waiter| waiter.notified = true);
                    line.clear();
                }
                _ if known.is_empty() => {}
                _ => {
                    let waiter = known.swap_remove(random.below(known.len()));
                    line.retain(|&key| key != waiter.key);
                    let removed = list.remove(waiter.key);
                    assert_eq!(matches!(removed, Removed::Notified), waiter.notified);
                }
            }
            assert_eq!(list.n_waiting(), line.len());
            assert_eq!(list.n_notified(), known.len() - line.len());
            assert_eq!((list.is_empty(), list.peak()), (known.is_empty(), peak));
            for waiter in &known {
                assert_eq!(list.is_notified(waiter.key), waiter.notified);
                assert_eq!(waiter.counter.count(), usize::from(waiter.notified));
            }
        }
    }
}

/// Notifies one, and checks that it is the one the model names.
fn notify(list: &mut WaiterList, known: &mut [Known], first: Option<WaiterKey>) {
    let waker = list.notify_one();
    assert_eq!(waker.is_some(), first.is_some());
    if let Some(waker) = waker {
        waker.wake();
    }
    if let Some(waiter) = known.iter_mut().find(|waiter| Some(waiter.key) == first) {
        waiter.notified = true;
    }
}

#[test]
fn wakers_that_are_dropped_wake() {
    let ((first, waker), (second, other)) = (Counter::new(), Counter::new());
    let mut list = WaiterList::new();
    let _keys = [list.push(waker), list.push(other)];
    drop(list.notify_all());
    assert_eq!((first.count(), second.count()), (1, 1));
}
