use crate::my_turn;
use corio_signal::{Bell, Fallback, LoopBell, SIGHUP, SIGUSR1, Signal, Signals};

#[test]
fn a_signal_is_its_name_or_its_number() {
    assert_eq!(format!("{SIGHUP} {SIGHUP:?}"), "SIGHUP SIGHUP");
    let nameless = Signal::from_raw(40).unwrap();
    assert_eq!(format!("{nameless} {nameless:?}"), "signal 40 signal 40");
}

#[test]
fn who_listens_says_to_what() {
    let _turn = my_turn();
    let signals = Signals::new([SIGUSR1, SIGHUP]).unwrap();
    assert_eq!(format!("{signals:?}"), "{SIGHUP, SIGUSR1}");
    drop(signals);
    let fallback = Fallback::new(SIGUSR1).unwrap().unwrap();
    assert_eq!(format!("{fallback:?}"), "{SIGUSR1}");
}

#[test]
fn bells_say_that_they_are_bells() {
    let _turn = my_turn();
    assert_eq!(format!("{:?} {:?}", Bell::new().unwrap(), LoopBell::new()), "Bell { .. } LoopBell { .. }");
}
