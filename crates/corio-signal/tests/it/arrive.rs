use crate::{Count, my_turn, raise};
use corio_signal::{LoopBell, SIGHUP, SIGUSR1, SIGUSR2, Signal, Signals, dispatch};
use futures_lite::StreamExt;
use std::task::{Context, Poll, Waker};

#[test]
fn a_signal_wakes_the_task_that_waits() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(signals.poll_recv(&mut cx).is_pending());

    raise(SIGUSR1);
    assert_eq!(count.wakes(), 0, "a handler wakes nobody");
    assert_eq!(bell.dispatch(), 1);
    assert_eq!(count.wakes(), 1);
    assert_eq!(signals.poll_recv(&mut cx), Poll::Ready(SIGUSR1));
    assert!(signals.poll_recv(&mut cx).is_pending());
}

#[test]
fn a_wait_that_was_polled_in_vain_is_woken_all_the_same() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    assert!(signals.poll_recv(&mut cx).is_pending() && signals.poll_recv(&mut cx).is_pending());
    raise(SIGUSR1);
    assert_eq!((bell.dispatch(), count.wakes()), (1, 1));
    assert_eq!(signals.poll_recv(&mut cx), Poll::Ready(SIGUSR1));
}

#[test]
fn who_dispatches_is_told_how_many_were_woken() {
    let _turn = my_turn();
    let _bell = LoopBell::new();
    let mut waits =
        [Signals::new([SIGUSR1]).unwrap(), Signals::new([SIGUSR1]).unwrap(), Signals::new([SIGUSR2]).unwrap()];
    for signals in &mut waits {
        assert!(signals.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(dispatch(), 0);
    raise(SIGUSR1);
    assert_eq!((dispatch(), dispatch()), (2, 0));
}

/// The last place of each table, and the last bit of each mask.
#[test]
#[cfg(target_os = "linux")]
fn the_highest_number_arrives_as_the_others_do() {
    let _turn = my_turn();
    let highest = Signal::from_raw(64).unwrap();
    let mut signals = Signals::new([SIGUSR1, highest]).unwrap();
    raise(highest);
    assert_eq!((signals.try_recv(), signals.try_recv()), (Some(highest), None));
}

#[test]
fn a_signal_before_the_wait_is_kept() {
    let _turn = my_turn();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR1);
    assert_eq!(pollster::block_on(signals.recv()), SIGUSR1);
    assert_eq!(signals.try_recv(), None);
}

#[test]
fn the_lowest_number_comes_first() {
    let _turn = my_turn();
    let mut signals = Signals::new([SIGUSR2, SIGHUP, SIGUSR1]).unwrap();
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGHUP);
    let heard = pollster::block_on(async { [signals.recv().await, signals.recv().await, signals.recv().await] });
    assert_eq!(heard, [SIGHUP, SIGUSR1, SIGUSR2]);
}

#[test]
fn every_listener_hears_it() {
    let _turn = my_turn();
    let mut one = Signals::new([SIGUSR1]).unwrap();
    let mut two = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
    let mut other = Signals::new([SIGUSR2]).unwrap();
    raise(SIGUSR1);
    dispatch();
    assert_eq!((one.try_recv(), two.try_recv(), other.try_recv()), (Some(SIGUSR1), Some(SIGUSR1), None));
}

#[test]
fn a_new_listener_does_not_hear_the_past() {
    let _turn = my_turn();
    let mut old = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR1);
    let mut new = Signals::new([SIGUSR1]).unwrap();
    assert_eq!(new.try_recv(), None);
    assert_eq!(old.try_recv(), Some(SIGUSR1));

    raise(SIGUSR1);
    drop((old, new));
    let mut again = Signals::new([SIGUSR1]).unwrap();
    assert_eq!(again.try_recv(), None);
}

#[test]
fn a_listener_is_a_stream() {
    let _turn = my_turn();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR1);
    assert_eq!(pollster::block_on(signals.next()), Some(SIGUSR1));
}

#[test]
fn debug_names_the_signals() {
    let _turn = my_turn();
    let signals = Signals::new([SIGUSR1, SIGHUP, SIGUSR1]).unwrap();
    assert_eq!(format!("{signals:?}"), "{SIGHUP, SIGUSR1}");
}
