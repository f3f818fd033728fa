//! What is touched where, and what does not grow.

use super::*;

/// Bells whose children were all polled once, and the plain wakers that they got.
fn polled(count: usize) -> (Bells, Vec<Waker>) {
    let mut bells = Bells::new(count);
    bells.begin(Waker::noop());
    let mut wakers = Vec::new();
    while let Some(index) = bells.next() {
        bells.poll(index, Waker::noop(), |cx| wakers.push(cx.waker().clone()));
    }
    (bells, wakers)
}

#[test]
fn what_is_touched_at_home_only_is_not_touched_elsewhere() {
    let (bells, wakers) = polled(3);
    let elsewhere = wakers[1].clone();
    std::thread::spawn(move || elsewhere.wake()).join().unwrap();
    assert!(bells.shared.woken_here.borrow().is_empty() && !bells.shared.bells[1].rung_here.get());
    assert_eq!(bells.shared.board().woken, [1]);
    wakers[2].wake_by_ref();
    assert_eq!(*bells.shared.woken_here.borrow(), [2]);
    assert_eq!(bells.shared.board().woken, [1]);
}

#[test]
fn a_list_of_rounds_does_not_grow() {
    let (mut bells, wakers) = polled(10);
    for round in 0..1_000 {
        wakers[round % 10].wake_by_ref();
        bells.begin(Waker::noop());
        let index = bells.next().expect("one was woken");
        assert_eq!(index, round % 10);
        bells.poll(index, Waker::noop(), |_| ());
        assert!(bells.next().is_none());
        assert!(bells.batch.len() <= 2 * 11, "as long as twice the children, at most");
    }
}
