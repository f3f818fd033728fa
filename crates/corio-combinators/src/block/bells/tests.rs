//! What is touched where, and what does not grow.

use super::*;

/// Bells whose children were all polled once, and the plain wakers that they got.
fn polled(count: usize) -> (Bells, Vec<Waker>) {
    let mut bells = Bells::new(count);
    bells.begin(Waker::noop());
    let mut wakers = Vec::new();
    while let Some(bell) = bells.next() {
        bells.poll(bell, Waker::noop(), |cx| wakers.push(cx.waker().clone()));
    }
    (bells, wakers)
}

#[test]
fn what_is_touched_at_home_only_is_not_touched_elsewhere() {
    let (bells, wakers) = polled(3);
    let elsewhere = wakers[1].clone();
    std::thread::spawn(move || elsewhere.wake()).join().unwrap();
    assert!(bells.shared.woken_here.borrow().is_empty() && bells.shared.bell(1).here().get() == Here::Silent);
    assert_eq!(bells.shared.board().woken, [1]);
    wakers[2].wake_by_ref();
    assert_eq!(*bells.shared.woken_here.borrow(), [2]);
    assert_eq!(bells.shared.board().woken, [1]);
}

#[test]
fn a_bell_of_any_row_rings_its_own_number() {
    let count = 3 * BELLS + 1;
    let (mut bells, wakers) = polled(count);
    let there = wakers.iter().step_by(2).cloned().collect::<Vec<_>>();
    std::thread::spawn(move || there.iter().for_each(Waker::wake_by_ref)).join().unwrap();
    for waker in wakers.iter().skip(1).step_by(2).rev().chain(&wakers) {
        waker.wake_by_ref(); // Of those that are on the board the number is here as well.
    }
    bells.begin(Waker::noop());
    let (here, last) = ((1..count).step_by(2).rev(), (0..count).step_by(2));
    let expected = here.chain(last.clone()).chain(last).map(|index| index as u32);
    assert!(bells.batch.iter().copied().eq(expected));
    while let Some(bell) = bells.next() {
        bells.poll(bell, Waker::noop(), |_| ());
    }
    let rings = |bell: Bell<'_>| bell.here().get() != Here::Silent || bell.row.rung.load(Ordering::Relaxed) != 0;
    assert!((0..count).all(|index| !rings(bells.shared.bell(index))));
}

#[test]
fn a_list_of_rounds_does_not_grow() {
    let (mut bells, wakers) = polled(10);
    for round in 0..1_000 {
        wakers[round % 10].wake_by_ref();
        bells.begin(Waker::noop());
        let bell = bells.next().expect("one was woken");
        assert_eq!(bell.index(), round % 10);
        bells.poll(bell, Waker::noop(), |_| ());
        assert!(bells.next().is_none());
        assert!(bells.batch.len() <= 2 * 11, "as long as twice the children, at most");
    }
}

#[test]
fn each_waker_of_a_child_has_a_counterpart_and_no_other_has() {
    let (bells, plain) = polled(2);
    let (others, plain_of_others) = polled(1);
    let (own, theirs) = (bells.wakers(), others.wakers());
    let local: Vec<_> = plain.iter().map(|waker| own.local(waker).unwrap()).collect();
    assert!((0..2).all(|n| own.is_local(&local[n], &plain[n])));
    assert!(!own.is_local(&local[0], &plain[1]) && !own.is_local(&plain[0], &plain[0]));
    for stranger in [&plain_of_others[0], &local[0], Waker::noop()] {
        assert!(own.local(stranger).is_none() && !own.is_local(&local[0], stranger));
    }
    assert!(theirs.local(&plain[0]).is_none());
    assert_eq!(bells.shared.plain.load(Ordering::Relaxed), 2, "counterparts are not counted");
    drop(bells);
    local[1].wake_by_ref(); // It may outlive them.
}
