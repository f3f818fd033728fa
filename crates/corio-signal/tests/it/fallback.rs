use crate::{Count, my_turn, raise};
use corio_signal::{Fallback, LoopBell, SIGUSR1, SIGUSR2, Signal, Signals, is_listening};
use std::io::ErrorKind;
use std::task::Context;

fn fallback() -> Fallback {
    Fallback::new(SIGUSR2).unwrap().expect("nobody else handles it")
}

#[test]
fn it_hears_what_nobody_else_does() {
    let _turn = my_turn();
    let fallback = fallback();
    assert!(!fallback.has_arrived() && !fallback.take());
    raise(SIGUSR2);
    raise(SIGUSR2);
    assert!(fallback.has_arrived());
    assert!(fallback.take());
    assert!(!fallback.has_arrived() && !fallback.take());
}

#[test]
fn whoever_listens_takes_over_for_as_long_as_he_does() {
    let _turn = my_turn();
    let bell = LoopBell::new();
    let fallback = fallback();
    let mut signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
    let (count, waker) = Count::new();
    assert!(signals.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    raise(SIGUSR2);
    assert!(!fallback.take());
    assert_eq!((count.wakes(), signals.try_recv()), (1, Some(SIGUSR2)));

    raise(SIGUSR2);
    drop(signals); // It was his, be it that he never looked.
    assert!(!fallback.take());
    let _other = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR2);
    bell.dispatch();
    assert!(fallback.take(), "nobody listens to this one any more");
}

#[test]
fn what_arrived_before_a_listener_was_made_stays_with_the_fallback() {
    let _turn = my_turn();
    let fallback = fallback();
    raise(SIGUSR2);
    let mut signals = Signals::new([SIGUSR2]).unwrap();
    assert_eq!(signals.try_recv(), None);
    assert!(fallback.take());
}

#[test]
fn no_loop_but_its_owner_s_watches_for_it() {
    let _turn = my_turn();
    let _fallback = fallback();
    assert!(!is_listening());
}

#[test]
fn what_cannot_be_caught_is_refused() {
    let signal = Signal::from_raw(9).unwrap();
    assert_eq!(Fallback::new(signal).unwrap_err().kind(), ErrorKind::InvalidInput);
}
