use crate::answers::answers;
use corio_seam::{LoopTime, Sleep, busy, now, sleep_until};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn poll(sleep: Pin<&mut Sleep>) -> Poll<()> {
    sleep.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn moments_are_counted_from_the_loop_s_start() {
    let mut moment = LoopTime::from_nanos(7) + SECOND;
    moment += SECOND;
    assert_eq!((moment.as_nanos(), moment.since_start()), (2_000_000_007, 2 * SECOND + Duration::from_nanos(7)));
    assert_eq!(moment - (LoopTime::ZERO + SECOND), SECOND + Duration::from_nanos(7));
    assert_eq!(moment.saturating_since(LoopTime::MAX), Duration::ZERO);
    assert_eq!(LoopTime::ZERO - moment, Duration::ZERO);
    assert_eq!(moment + Duration::MAX, LoopTime::MAX);
}

#[test]
fn a_sleep_ends_at_its_moment_and_not_before() {
    let (_seam, told) = answers();
    let (clock, when) = (told.give_clock(), LoopTime::ZERO + SECOND);
    let mut sleep = pin!(sleep_until(when));
    assert_eq!(sleep.when(), when);
    assert!(poll(sleep.as_mut()).is_pending() && poll(sleep.as_mut()).is_pending());
    assert_eq!((clock.armed.get(), told.take()), (Some(when), vec![r#"Leaf("sleep")"#.to_owned(); 2]));
    clock.now.set(when);
    assert_eq!((now(), poll(sleep.as_mut())), (when, Poll::Ready(())));
}

#[test]
fn a_sleep_that_is_due_already_yields_once() {
    let (_seam, told) = answers();
    let clock = told.give_clock();
    let mut sleep = pin!(Sleep::new(clock.clone(), LoopTime::ZERO));
    assert!(poll(sleep.as_mut()).is_pending() && poll(sleep.as_mut()).is_ready());
}

#[test]
fn a_sleep_that_is_dropped_takes_its_timer_back() {
    let (_seam, told) = answers();
    let clock = told.give_clock();
    let mut sleep = Box::pin(sleep_until(LoopTime::MAX));
    assert!(poll(sleep.as_mut()).is_pending() && clock.armed.get().is_some());
    drop(sleep);
    assert_eq!(clock.armed.get(), None);
}

#[test]
fn a_virtual_clock_stands_while_somebody_is_busy() {
    assert_eq!(format!("{:?}", busy()), "Busy { holds: false }", "no loop");
    let (_seam, told) = answers();
    let clock = told.give_clock();
    assert_eq!(format!("{:?}", busy()), "Busy { holds: false }", "a real clock");
    let stands = Arc::new(());
    clock.stands.replace(Some(stands.clone()));
    let guard = busy();
    assert_eq!((format!("{guard:?}"), Arc::strong_count(&stands)), ("Busy { holds: true }".to_owned(), 3));
    std::thread::spawn(move || drop(guard)).join().unwrap();
    assert_eq!((Arc::strong_count(&stands), Rc::strong_count(&clock)), (2, 2));
}
