use crate::{Count, my_turn, raise};
use corio_signal::{LoopBell, SIGUSR1, Signals};
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;

#[test]
fn a_dropped_wait_loses_nothing() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    {
        let recv = pin!(signals.recv());
        assert!(recv.poll(&mut Context::from_waker(&waker)).is_pending());
        raise(SIGUSR1);
        assert_eq!(bell.dispatch(), 1);
    }
    assert_eq!(count.wakes(), 1);
    assert_eq!(signals.try_recv(), Some(SIGUSR1));
}

#[test]
fn hazard_07_a_dropped_wait_drops_its_waker() {
    let _turn = my_turn();
    let _bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    {
        let recv = pin!(signals.recv());
        assert!(recv.poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(Arc::strong_count(&count), 3);
    }
    assert_eq!(Arc::strong_count(&count), 2);
}

#[test]
fn hazard_04_the_last_waker_counts() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (first, first_waker) = Count::new();
    let (last, last_waker) = Count::new();
    assert!(signals.poll_recv(&mut Context::from_waker(&first_waker)).is_pending());
    assert!(signals.poll_recv(&mut Context::from_waker(&last_waker)).is_pending());
    raise(SIGUSR1);
    bell.dispatch();
    assert_eq!((first.wakes(), last.wakes()), (0, 1));
}
