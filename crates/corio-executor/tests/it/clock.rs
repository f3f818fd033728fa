//! Danger: time that goes on while somebody is at work, or that stands still for ever.

use corio_executor::{EventLoop, LoopHandle, VirtualClock, sleep};
use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn virtual_time_stands_still_while_a_guard_lives() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    event_loop
        .run_until_complete(async {
            let (promise, result) = corio_future::concurrent::promise();
            let busy = clock.busy();
            let timed_out = Rc::new(Cell::new(false));
            let inner = Rc::clone(&timed_out);
            LoopHandle::current().call_later(HOUR, move || inner.set(true));
            let thread = thread::spawn(move || {
                thread::sleep(Duration::from_millis(2)); // The work.
                promise.set_result(7).unwrap();
                drop(busy);
            });
            assert_eq!((result.await.unwrap(), timed_out.get()), (7, false));
            sleep(HOUR).await;
            assert!(timed_out.get());
            thread.join().unwrap();
        })
        .unwrap();
}

#[test]
fn the_last_guard_wakes_the_loop() {
    let rounds = if cfg!(miri) { 10 } else { 500 };
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    for _ in 0..rounds {
        let busy = clock.busy();
        let thread = thread::spawn(move || drop(busy));
        event_loop.run_until_complete(sleep(HOUR)).unwrap();
        thread.join().unwrap();
    }
    assert_eq!(event_loop.time().since_start(), HOUR * rounds);
}

#[test]
fn time_does_not_pass_by_itself() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    event_loop.run_until_complete(sleep(Duration::ZERO)).unwrap();
    event_loop
        .run_until_complete(async { assert_eq!(LoopHandle::current().time(), LoopHandle::current().time()) })
        .unwrap();
    assert_eq!(event_loop.time().since_start(), Duration::ZERO);
}

#[test]
fn a_job_of_the_thread_pool_is_not_overtaken_by_a_timer() {
    corio_executor::test::run(async {
        let overtaken = Rc::new(Cell::new(false));
        let inner = Rc::clone(&overtaken);
        let timer = LoopHandle::current().call_later(Duration::from_nanos(1), move || inner.set(true));
        let answer = corio_threadpool::to_thread(|| {
            thread::sleep(Duration::from_millis(2)); // The work.
            7
        });
        assert_eq!((answer.await.unwrap(), overtaken.get()), (7, false));
        assert!(timer.cancel());
        assert_eq!(LoopHandle::current().time().since_start(), Duration::ZERO);
    });
}
