//! Many readers of one value.

use crate::ledger::{Counted, Wakes, poll, poll_with};
use corio_future::{InvalidState, concurrent, promise};
use std::task::Poll;

#[test]
fn the_only_reader_moves_the_value() {
    let value = Counted::new();
    let counters = value.counters();
    let (promise, mut future) = promise();
    promise.set_result(value).unwrap();
    let Poll::Ready(Ok(value)) = poll(&mut future) else { panic!("it is set") };
    assert_eq!(counters(), (0, 0));
    assert_eq!(future.result().unwrap_err(), InvalidState::Taken);
    assert!(future.done() && !future.cancelled());
    drop((value, future));
    assert_eq!(counters(), (1, 0));
}

#[test]
fn all_but_the_last_reader_clone() {
    let value = Counted::new();
    let counters = value.counters();
    let (promise, one) = promise();
    let (two, three) = (one.clone(), one.share());
    promise.set_result(value).unwrap();
    for (future, clones) in [(one, 1), (two, 2), (three, 2)] {
        pollster::block_on(future).unwrap();
        assert_eq!(counters().1, clones);
    }
    assert_eq!(counters().0, 3);
}

#[test]
fn all_but_the_last_thread_clone() {
    let value = Counted::new();
    let counters = value.counters();
    let (promise, mut one) = concurrent::promise();
    let mut two = one.clone();
    promise.set_result(value).unwrap();
    one.result(None).unwrap();
    drop(one);
    two.result(None).unwrap();
    assert_eq!(counters(), (2, 1));
}

#[test]
fn hazard_04_each_end_has_its_own_waker_and_the_last_one_counts() {
    let (promise, mut one) = promise::<u32>();
    let mut two = one.share();
    let ((old, old_wakes), (new, new_wakes), (other, other_wakes)) = (Wakes::new(), Wakes::new(), Wakes::new());
    assert!(poll_with(&mut one, &old).is_pending());
    assert!(poll_with(&mut two, &other).is_pending());
    assert!(poll_with(&mut one, &new).is_pending());
    assert!(poll_with(&mut one, &new).is_pending());
    promise.set_result(7).unwrap();
    assert_eq!([old_wakes.count(), new_wakes.count(), other_wakes.count()], [0, 1, 1]);
}

#[test]
fn hazard_04_also_between_threads() {
    let (promise, mut one) = concurrent::promise::<u32>();
    let mut two = one.share();
    let ((old, old_wakes), (new, new_wakes), (other, other_wakes)) = (Wakes::new(), Wakes::new(), Wakes::new());
    assert!(poll_with(&mut one, &old).is_pending());
    assert!(poll_with(&mut two, &other).is_pending());
    assert!(poll_with(&mut one, &new).is_pending());
    promise.set_result(7).unwrap();
    assert_eq!([old_wakes.count(), new_wakes.count(), other_wakes.count()], [0, 1, 1]);
}

#[test]
#[should_panic(expected = "after its value had been moved out: `share` it to await it twice")]
fn hazard_03_awaiting_twice_says_what_to_do() {
    let (promise, mut future) = promise();
    promise.set_result(7).unwrap();
    assert_eq!(poll(&mut future), Poll::Ready(Ok(7)));
    let _ = poll(&mut future);
}

#[test]
#[should_panic(expected = "after it had been moved out: `share` it to read it twice")]
fn hazard_03_reading_twice_says_what_to_do() {
    let (promise, mut future) = concurrent::promise();
    promise.set_result(7).unwrap();
    future.result(None).unwrap();
    let _ = future.result(None);
}

#[test]
fn an_ending_without_a_value_can_be_read_again() {
    let (promise, mut future) = promise::<u32>();
    drop(promise);
    for _ in 0..2 {
        assert!(matches!(poll(&mut future), Poll::Ready(Err(corio_future::FutureError::BrokenPromise))));
    }
}

#[test]
fn a_value_is_lent_and_moved_out_later() {
    let (promise, mut future) = promise();
    promise.set_result(String::from("hello")).unwrap();
    assert_eq!(future.result().unwrap().len(), 5);
    assert_eq!(future.take().unwrap().unwrap(), "hello");
    assert_eq!(future.result().unwrap_err().to_string(), "the result was moved out by whoever awaited it");
}

#[test]
fn hazard_13_a_leaked_loan_blocks_nobody_who_can_clone() {
    let (promise, future) = promise();
    let other = future.share();
    promise.set_result(String::from("hello")).unwrap();
    std::mem::forget(future.result().unwrap());
    drop(future);
    assert_eq!(pollster::block_on(other).unwrap(), "hello");
}

#[test]
#[should_panic(expected = "while its value was lent")]
fn hazard_13_a_leaked_loan_is_named_where_nobody_can_clone() {
    let (promise, mut future) = promise();
    promise.set_result(7).unwrap();
    std::mem::forget(future.result().unwrap());
    let _ = future.take();
}
