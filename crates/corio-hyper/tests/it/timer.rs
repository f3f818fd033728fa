use corio_executor::{EventLoop, VirtualClock, run, yield_now};
use corio_hyper::Timer;
use futures_lite::future::poll_once;
use hyper::rt::{Sleep, Timer as _};
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs `f` in virtual time, and returns how much of that it took.
fn virtual_time<F: AsyncFnOnce()>(f: F) -> Duration {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let start = Instant::now();
    event_loop.run_until_complete(f()).unwrap();
    assert!(start.elapsed() < HOUR, "it was virtual time");
    event_loop.time().since_start()
}

#[test]
fn a_deadline_is_a_moment_of_the_loops_clock() {
    let taken = virtual_time(async || {
        let start = Timer.now();
        Timer.sleep_until(start + 2 * HOUR).await;
        assert_eq!(Timer.now(), start + 2 * HOUR);
        Timer.sleep_until(start).await;
        assert_eq!(Timer.now(), start + 2 * HOUR, "a deadline that is over takes no time");
    });
    assert_eq!(taken, 2 * HOUR);
}

#[test]
fn a_sleep_can_be_reset_armed_or_not() {
    let taken = virtual_time(async || {
        let start = Timer.now();
        let mut sleep = Timer.sleep(HOUR);
        Timer.reset(&mut sleep, start + 3 * HOUR);
        assert!(poll_once(&mut sleep).await.is_none());
        Timer.reset(&mut sleep, start + 2 * HOUR);
        sleep.as_mut().await;
        assert_eq!(Timer.now(), start + 2 * HOUR);
        Timer.reset(&mut sleep, start + 4 * HOUR);
        sleep.await;
    });
    assert_eq!(taken, 4 * HOUR);
}

#[test]
fn a_dropped_sleep_takes_its_timer_back() {
    let taken = virtual_time(async || {
        let mut sleep = Timer.sleep(HOUR);
        assert!(poll_once(&mut sleep).await.is_none());
        drop(sleep);
        for _ in 0..10 {
            yield_now().await;
        }
    });
    assert_eq!(taken, Duration::ZERO);
}

#[test]
fn a_sleep_may_end_on_another_thread() {
    run(async {
        let mut sleep: Pin<Box<dyn Sleep>> = Timer.sleep(Duration::from_millis(5));
        assert!(poll_once(&mut sleep).await.is_none());
        let elsewhere = thread::spawn(move || futures_lite::future::block_on(sleep));
        Timer.sleep(Duration::from_millis(10)).await; // Meanwhile this loop turns.
        elsewhere.join().unwrap();
    })
    .unwrap();
}

#[test]
fn a_sleep_dropped_on_another_thread_disarms_through_the_door() {
    let taken = virtual_time(async || {
        let mut sleep = Timer.sleep(HOUR);
        assert!(poll_once(&mut sleep).await.is_none());
        thread::spawn(move || drop(sleep)).join().unwrap();
        yield_now().await;
        yield_now().await;
        Timer.sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(taken, Duration::from_secs(1));
}

#[test]
fn a_sleep_that_outlives_its_loop_is_over() {
    let event_loop = EventLoop::new().unwrap();
    let mut sleep = armed_sleep(&event_loop);
    event_loop.close().unwrap();
    drop(event_loop);
    assert!(futures_lite::future::block_on(poll_once(&mut sleep)).is_some());
    drop(sleep);

    let event_loop = EventLoop::new().unwrap();
    let sleep = armed_sleep(&event_loop);
    drop(event_loop);
    thread::spawn(move || drop(sleep)).join().unwrap();
}

/// A sleep of an hour, armed on `event_loop`.
fn armed_sleep(event_loop: &EventLoop) -> Pin<Box<dyn Sleep>> {
    let mut sleep = event_loop.run_until_complete(async { [Timer.sleep(HOUR)] }).unwrap();
    let armed = event_loop.run_until_complete(async { poll_once(&mut sleep[0]).await }).unwrap();
    assert!(armed.is_none());
    let [sleep] = sleep;
    sleep
}

#[test]
fn a_sleep_left_to_a_task_ends_with_the_loop() {
    // The loop drops the task, and the task its armed sleep, while the loop closes: nothing may panic.
    let event_loop = EventLoop::new().unwrap();
    let outcome = event_loop.run_until_complete(async {
        drop(corio_executor::LoopHandle::current().create_task(Timer.sleep(HOUR)));
        yield_now().await;
    });
    outcome.unwrap();
    event_loop.close().unwrap();
}

#[test]
fn without_a_loop_the_time_is_the_machines() {
    let before = Instant::now();
    assert!(Timer.now() >= before);
}
