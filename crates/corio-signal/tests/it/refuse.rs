use crate::{my_turn, raise};
use corio_signal::{SIGUSR1, Signal, Signals, is_listening};
use std::io::ErrorKind;

#[test]
fn what_cannot_be_caught_is_an_error() {
    let _turn = my_turn();
    for number in [4, 8, 9, 11, 19] {
        let signal = Signal::from_raw(number).unwrap();
        let error = Signals::new([SIGUSR1, signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{signal}");
    }
    assert!(!is_listening());
}

#[test]
fn an_empty_list_is_an_error() {
    assert_eq!(Signals::new([]).unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// 32 and 33 belong to the C library, which refuses them.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_refusal_of_the_system_leaves_nothing_behind() {
    let _turn = my_turn();
    let reserved = Signal::from_raw(32).unwrap();
    assert!(Signals::new([SIGUSR1, reserved]).is_err());
    assert!(!is_listening());

    let mut signals = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR1);
    assert_eq!(signals.try_recv(), Some(SIGUSR1));
}

#[test]
fn numbers_out_of_range_name_no_signal() {
    assert_eq!([i32::MIN, -1, 0, 65, 256, i32::MAX].map(Signal::from_raw), [None; 6]);
    assert_eq!(Signal::from_raw(64).unwrap().to_string(), "signal 64");
}
