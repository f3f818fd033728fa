use crate::{Count, LONG, my_turn, raise};
use corio_signal::{Bell, LoopBell, SIGUSR1, Signals, is_listening};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn a_loop_learns_that_somebody_listens() {
    let _turn = my_turn();
    assert!(!is_listening());
    let one = Signals::new([SIGUSR1]).unwrap();
    let two = Signals::new([SIGUSR1]).unwrap();
    assert!(is_listening());
    drop(one);
    assert!(is_listening());
    drop(two);
    assert!(!is_listening());
}

#[test]
fn all_bells_are_one_descriptor() {
    let _turn = my_turn();
    let (one, two) = (Bell::new().unwrap(), Bell::new().unwrap());
    let here = LoopBell::new();
    assert_eq!(one.as_raw_fd(), two.as_fd().as_raw_fd());
    assert_eq!(one.as_raw_fd(), here.descriptor().unwrap().as_raw_fd());
}

/// Whoever comes first hands the signals out, also to tasks of the other.
#[test]
fn two_watchers_do_not_rob_each_other() {
    let _turn = my_turn();
    let (one, two) = (Bell::new().unwrap(), Bell::new().unwrap());
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (count, waker) = Count::new();
    assert!(signals.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    raise(SIGUSR1);
    assert_eq!((one.dispatch(), two.dispatch()), (1, 0));
    assert!(!two.wait(Some(Duration::ZERO)).unwrap());
    assert_eq!(count.wakes(), 1);
}

/// A poll for another reason sees what has arrived, without waiting for the watcher.
#[test]
fn a_poll_looks_for_itself() {
    let _turn = my_turn();
    let _bell = LoopBell::new();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let (_, waker) = Count::new();
    assert!(signals.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    raise(SIGUSR1);
    assert_eq!(signals.poll_recv(&mut Context::from_waker(&waker)), Poll::Ready(SIGUSR1));
}

#[test]
fn a_thread_can_watch() {
    let _turn = my_turn();
    let bell = Bell::new().unwrap();
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let watch = thread::spawn(move || bell.wait(Some(LONG)).unwrap());
    let (tx, rx) = mpsc::channel();
    let wait = thread::spawn(move || tx.send(pollster::block_on(signals.recv())).unwrap());
    thread::sleep(Duration::from_millis(5)); // So that it waits, most times.
    raise(SIGUSR1);
    assert_eq!(rx.recv_timeout(LONG), Ok(SIGUSR1));
    wait.join().unwrap();
    assert!(watch.join().unwrap());
}

/// A word is hung for good: so all of it is one test.
#[test]
#[cfg(target_os = "linux")]
fn a_loop_can_sleep_on_a_word() {
    use rustix::thread::futex::{Flags, wait};
    use std::sync::atomic::{AtomicU32, Ordering};
    static WORD: AtomicU32 = AtomicU32::new(0);
    static ANOTHER: AtomicU32 = AtomicU32::new(0);
    let _turn = my_turn();
    let bell = LoopBell::new();
    assert!(bell.hang_at(&WORD));
    assert!(!bell.hang_at(&ANOTHER));
    assert!(bell.hang_at(&WORD), "it hangs there");
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    raise(SIGUSR1);
    assert_eq!(WORD.swap(0, Ordering::SeqCst), 1);
    assert_eq!(signals.try_recv(), Some(SIGUSR1));
    for _ in 0..100 {
        WORD.store(u32::MAX, Ordering::SeqCst);
        let ringer = thread::spawn(|| raise(SIGUSR1));
        while WORD.load(Ordering::SeqCst) == u32::MAX {
            let _ = wait(&WORD, Flags::PRIVATE, u32::MAX, None);
        }
        assert_eq!(signals.try_recv(), Some(SIGUSR1), "the flag is up before the word is written");
        ringer.join().unwrap();
        WORD.store(0, Ordering::SeqCst);
    }
    assert_eq!(ANOTHER.load(Ordering::SeqCst), 0);
}

#[test]
fn a_loop_bell_counts_for_its_own_thread() {
    let _turn = my_turn();
    let _bell = LoopBell::default();
    let elsewhere = thread::spawn(|| {
        let mut signals = Signals::new([SIGUSR1]).unwrap();
        let (_, waker) = Count::new();
        let _ = signals.poll_recv(&mut Context::from_waker(&waker));
    });
    assert!(elsewhere.join().is_err(), "nobody promised to watch for that thread");
}

#[test]
fn a_loop_bell_that_is_gone_watches_no_more() {
    let _turn = my_turn();
    let (first, second) = (LoopBell::new(), LoopBell::new());
    let mut signals = Signals::new([SIGUSR1]).unwrap();
    let mut wait = || catch_unwind(AssertUnwindSafe(|| signals.poll_recv(&mut Context::from_waker(Waker::noop()))));
    drop(first);
    assert!(wait().unwrap().is_pending(), "one is left");
    drop(second);
    assert!(wait().is_err(), "nobody promised to watch any longer");
}
