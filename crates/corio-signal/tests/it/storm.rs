use crate::{Count, LONG, my_turn, raise};
use corio_signal::{Bell, SIGUSR1, SIGUSR2, Signals};
use std::sync::mpsc;
use std::task::Context;
use std::thread;
use std::time::Duration;

/// A full pipe has been rung; emptied once, it is silent.
#[test]
fn hazard_33_a_storm_is_one_wake_and_one_signal() {
    let _turn = my_turn();
    let bell = Bell::new().unwrap();
    let mut signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
    let (count, waker) = Count::new();
    assert!(signals.poll_recv(&mut Context::from_waker(&waker)).is_pending());

    (0..100_000).for_each(|_| raise(SIGUSR1));
    raise(SIGUSR2); // The pipe is full by now; the flag is not lost.
    assert!(bell.wait(Some(LONG)).unwrap());
    assert_eq!(count.wakes(), 1);
    assert_eq!([signals.try_recv(), signals.try_recv(), signals.try_recv()], [Some(SIGUSR1), Some(SIGUSR2), None]);
    assert!(!bell.wait(Some(Duration::ZERO)).unwrap(), "hazard 32: one ring, then silence");
}

/// Signals fall on a task that goes on waiting while another thread dispatches: the last one is always heard.
#[test]
fn hazard_32_no_wake_is_lost_between_two_threads() {
    let _turn = my_turn();
    let bell = Bell::new().unwrap();
    let mut signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
    let (stop, stopped) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            bell.wait(Some(Duration::from_millis(1))).unwrap();
        }
    });
    let (done, is_done) = mpsc::channel();
    let wait = thread::spawn(move || {
        for _ in 0..500 {
            assert_eq!(pollster::block_on(signals.recv()), SIGUSR1);
            done.send(()).unwrap();
        }
    });
    for _ in 0..500 {
        raise(SIGUSR1);
        is_done.recv_timeout(LONG).expect("a signal was lost");
    }
    drop(stop);
    wait.join().unwrap();
    watch.join().unwrap();
}
