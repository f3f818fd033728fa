use crate::toy::{Counter, poll};
use corio_sync::{Barrier, BarrierWait, BrokenBarrier};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

const BROKEN: Poll<Result<usize, BrokenBarrier>> = Poll::Ready(Err(BrokenBarrier));

/// Makes a wait that has been polled once and must wait.
fn arrived<'b>(barrier: &'b Barrier, waker: &Waker) -> BarrierWait<'b> {
    let mut wait = barrier.wait();
    assert!(poll(&mut wait, waker).is_pending());
    wait
}

#[test]
fn each_round_numbers_those_who_come() {
    let (count, waker) = Counter::new();
    let barrier = Barrier::new(3);
    for round in 1..=3 {
        let mut line = [arrived(&barrier, &waker), arrived(&barrier, &waker)];
        assert_eq!((barrier.n_waiting(), barrier.parties(), barrier.broken()), (2, 3, false));
        assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(2)), "the last one does not wait");
        assert_eq!((barrier.n_waiting(), count.count()), (0, 2 * round));
        line.reverse(); // In whatever order they run.
        assert_eq!(line.each_mut().map(|wait| poll(wait, &waker)), [1, 0].map(|index| Poll::Ready(Ok(index))));
    }
    assert_eq!(barrier.statistics().passed, 3);
}

#[test]
fn who_comes_while_others_leave_waits_for_the_next_round() {
    let ((_, waker), (count, late_waker)) = (Counter::new(), Counter::new());
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &waker);
    assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(1)));
    let mut late = arrived(&barrier, &late_waker);
    assert_eq!((barrier.n_waiting(), barrier.statistics().queued, count.count()), (0, 1, 0));
    assert_eq!(poll(&mut first, &waker), Poll::Ready(Ok(0)));
    assert_eq!(count.count(), 1);
    assert!(poll(&mut late, &late_waker).is_pending());
    assert_eq!(barrier.n_waiting(), 1);
    assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(poll(&mut late, &late_waker), Poll::Ready(Ok(0)));
}

#[test]
fn of_many_in_the_queue_as_many_come_in_as_there_is_room() {
    let (_, waker) = Counter::new();
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &waker);
    assert!(poll(&mut barrier.wait(), &waker).is_ready());
    let mut late = [(); 3].map(|()| arrived(&barrier, &waker));
    assert!(poll(&mut first, &waker).is_ready());
    let [a, b, c] = late.each_mut().map(|wait| poll(wait, &waker));
    assert_eq!((a, b, c), (Poll::Pending, Poll::Ready(Ok(1)), Poll::Pending));
    assert_eq!(poll(&mut late[0], &waker), Poll::Ready(Ok(0)));
    assert!(poll(&mut late[2], &waker).is_pending());
    assert_eq!(barrier.n_waiting(), 1);
}

#[test]
fn a_reset_breaks_those_who_wait_and_nobody_later() {
    let ((count, waker), (late_count, late_waker)) = (Counter::new(), Counter::new());
    let barrier = Barrier::new(3);
    barrier.reset(); // Nobody is there.
    let mut line = [arrived(&barrier, &waker), arrived(&barrier, &waker)];
    barrier.reset();
    assert_eq!((count.count(), barrier.n_waiting(), barrier.broken()), (2, 0, false));
    let mut late = arrived(&barrier, &late_waker);
    assert_eq!(line.each_mut().map(|wait| poll(wait, &waker)), [BROKEN, BROKEN]);
    assert_eq!(late_count.count(), 1);
    assert!(poll(&mut late, &late_waker).is_pending());
    assert_eq!(barrier.n_waiting(), 1);
}

#[test]
fn a_reset_breaks_those_too_who_were_let_through_and_have_not_run() {
    let (_, waker) = Counter::new();
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &waker);
    assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(1)));
    barrier.reset();
    assert_eq!(poll(&mut first, &waker), BROKEN, "as asyncio has it");
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 2, state: Filling, inside: 0, queue: 0 }");
}

#[test]
fn an_abort_breaks_everybody_until_a_reset() {
    let (count, waker) = Counter::new();
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &waker);
    assert!(poll(&mut barrier.wait(), &waker).is_ready());
    let mut queued = arrived(&barrier, &waker);
    barrier.abort();
    assert_eq!(count.count(), 2);
    assert!(barrier.broken());
    assert_eq!([&mut first, &mut queued, &mut barrier.wait()].map(|wait| poll(wait, &waker)), [BROKEN; 3]);
    assert!(barrier.broken() && barrier.statistics().broken);
    barrier.reset();
    assert!(!barrier.broken());
    let _first = arrived(&barrier, &waker);
    assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(1)));
}

#[test]
fn a_reset_right_behind_an_abort_still_breaks_those_inside() {
    let (_, waker) = Counter::new();
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &waker);
    barrier.abort();
    barrier.reset();
    let mut late = arrived(&barrier, &waker);
    assert_eq!(poll(&mut first, &waker), BROKEN);
    assert!(poll(&mut late, &waker).is_pending());
    assert_eq!(barrier.n_waiting(), 1);
}

#[test]
fn a_cancelled_waiter_just_leaves_and_the_others_move_up() {
    let (count, waker) = Counter::new();
    let barrier = Barrier::new(3);
    let [first, mut second, third] = [(); 3].map(|()| barrier.wait());
    let mut first = Box::new(first);
    assert!(poll(&mut first, &waker).is_pending() && poll(&mut second, &waker).is_pending());
    drop(first);
    drop(third); // Never polled, never there.
    assert_eq!((barrier.n_waiting(), count.count()), (1, 0));
    let mut fourth = arrived(&barrier, &waker);
    assert_eq!(poll(&mut barrier.wait(), &waker), Poll::Ready(Ok(2)));
    assert_eq!([poll(&mut second, &waker), poll(&mut fourth, &waker)], [0, 1].map(|index| Poll::Ready(Ok(index))));
}

#[test]
fn who_is_cancelled_when_all_were_there_keeps_nobody_waiting() {
    let ((_, waker), (count, late_waker)) = (Counter::new(), Counter::new());
    let barrier = Barrier::new(3);
    let (first, mut second) = (arrived(&barrier, &waker), arrived(&barrier, &waker));
    assert!(poll(&mut barrier.wait(), &waker).is_ready());
    let (late, mut later) = (arrived(&barrier, &waker), arrived(&barrier, &late_waker));
    drop(late);
    assert_eq!(poll(&mut second, &waker), Poll::Ready(Ok(1)));
    assert_eq!(count.count(), 0);
    drop(first);
    assert_eq!(count.count(), 1);
    assert!(poll(&mut later, &late_waker).is_pending());
    assert_eq!(barrier.n_waiting(), 1);
}

#[test]
fn a_barrier_for_one_lets_it_through() {
    let barrier = Barrier::new(1);
    for _ in 0..2 {
        assert_eq!(poll(&mut barrier.wait(), Waker::noop()), Poll::Ready(Ok(0)));
    }
    assert_eq!((barrier.n_waiting(), barrier.statistics().passed), (0, 2));
}

#[test]
#[should_panic(expected = "`parties` must not be 0")]
fn hazard_43_a_barrier_for_nobody_is_refused() {
    let _ = Barrier::new(0);
}

#[test]
#[should_panic(expected = "`Barrier.wait` was polled after it had completed")]
fn hazard_3_a_wait_is_not_polled_twice() {
    let barrier = Barrier::new(1);
    let mut wait = barrier.wait();
    let _ = (poll(&mut wait, Waker::noop()), poll(&mut wait, Waker::noop()));
}

/// A waker that panics when woken.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a waker's own affair");
    }
}

#[test]
fn hazard_6_an_abort_wakes_all_though_a_waker_panics() {
    let ((count, waker), bomb) = (Counter::new(), Waker::from(Arc::new(Bomb)));
    let barrier = Barrier::new(2);
    let mut first = arrived(&barrier, &bomb);
    let last = catch_unwind(AssertUnwindSafe(|| poll(&mut barrier.wait(), &waker).is_ready()));
    assert!(last.is_err(), "the last one is told of the panic, and all are let through");
    let mut queued = arrived(&barrier, &waker);
    let mut again = arrived(&barrier, &bomb);
    assert!(catch_unwind(AssertUnwindSafe(|| barrier.abort())).is_err());
    assert_eq!(count.count(), 1);
    assert_eq!([&mut first, &mut queued, &mut again].map(|wait| poll(wait, &waker)), [BROKEN; 3]);
}
