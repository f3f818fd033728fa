//! Danger: a timer that fires early, twice, never, or in the wrong order.
//!
//! Hazards 28 (moments at the edges), 29 (early firing, busy waiting), 30 (cancelled in the same batch). Hazard 31,
//! clocks that jump, cannot occur: a [`MonotonicClock`] reads the clock of `Instant` and nothing else.
//!
//! [`MonotonicClock`]: corio_executor::MonotonicClock

use crate::transcript::Transcript;
use corio_executor::{
    EventLoop, LoopHandle, LoopTime, TimerHandle, VirtualClock, interval, sleep, sleep_until, test, yield_now,
};
use corio_task::create_task;
use futures_lite::StreamExt;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn hazard_28_moments_at_the_edges() {
    let out = Transcript::default();
    test::run(async {
        let event_loop = LoopHandle::current();
        event_loop.call_later(Duration::MAX, out.saying("never"));
        event_loop.call_at(LoopTime::MAX, out.saying("never"));
        event_loop.call_later(Duration::from_nanos(1), out.saying("1 ns"));
        event_loop.call_later(Duration::ZERO, out.saying("0 ns"));
        event_loop.call_at(LoopTime::from_nanos(1), out.saying("1 ns, too"));
        event_loop.call_at(LoopTime::ZERO, out.saying("0 ns, too"));
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(event_loop.time(), LoopTime::from_nanos(1));
        event_loop.call_at(LoopTime::ZERO, out.saying("past"));
        sleep(Duration::from_nanos(1)).await;
    });
    assert_eq!(out.lines(), ["0 ns", "0 ns, too", "1 ns", "1 ns, too", "past"]);
}

#[test]
fn hazard_28_ties_keep_their_order() {
    let out = Transcript::default();
    test::run(async {
        for i in 0..100 {
            LoopHandle::current().call_later(SECOND, out.saying(i));
        }
        sleep(SECOND).await;
    });
    assert_eq!(out.lines(), (0..100).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_sleeper_resumes_one_iteration_after_its_timer() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let woken = Rc::new(Cell::new(false));
    let inner = Rc::clone(&woken);
    let _task = event_loop.create_task(async move {
        sleep(SECOND).await;
        inner.set(true);
    });
    event_loop.run_once().unwrap(); // The first step.
    event_loop.run_once().unwrap(); // The timer.
    assert_eq!((event_loop.time().since_start(), woken.get()), (SECOND, false));
    event_loop.run_once().unwrap(); // The second step.
    assert!(woken.get());
}

#[test]
fn a_moment_that_has_passed_takes_a_timer_all_the_same() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let task = event_loop.create_task(sleep_until(LoopTime::ZERO));
    for done in [false, false, true] {
        event_loop.run_once().unwrap();
        assert_eq!(task.done(), done);
    }
}

#[test]
#[cfg_attr(miri, ignore = "measures real time")]
fn hazard_29_nothing_fires_early_and_nothing_spins() {
    let event_loop = EventLoop::new().unwrap();
    for micros in [1, 50, 300, 2_500] {
        let delay = Duration::from_micros(micros);
        let (start, fired) = (Instant::now(), Rc::new(Cell::new(None)));
        let inner = Rc::clone(&fired);
        event_loop.call_later(delay, move || inner.set(Some(Instant::now())));
        let mut iterations = 0;
        while fired.get().is_none() {
            event_loop.run_once().unwrap();
            iterations += 1;
        }
        assert!(fired.get().unwrap() - start >= delay);
        assert!(iterations <= 5, "{iterations} iterations for a sleep of {micros} us");
    }
}

#[test]
fn hazard_30_cancelled_by_an_earlier_timer_of_the_same_batch() {
    let out = Transcript::default();
    test::run(async {
        let victim: Rc<RefCell<Option<TimerHandle>>> = Rc::default();
        let inner = Rc::clone(&victim);
        let event_loop = LoopHandle::current();
        event_loop.call_later(SECOND, move || assert!(inner.borrow().as_ref().unwrap().cancel()));
        *victim.borrow_mut() = Some(event_loop.call_later(SECOND, out.saying("cancelled")));
        event_loop.call_later(SECOND, out.saying("not cancelled"));
        sleep(SECOND * 2).await;
        let victim = victim.take().unwrap();
        assert!(victim.cancelled() && !victim.cancel());
        assert_eq!(victim.when(), LoopTime::ZERO + SECOND);
    });
    assert_eq!(out.lines(), ["not cancelled"]);
}

#[test]
fn hazard_30_cancelled_by_itself() {
    test::run(async {
        let own: Rc<RefCell<Option<TimerHandle>>> = Rc::default();
        let (inner, called) = (Rc::clone(&own), Rc::new(Cell::new(false)));
        let set = Rc::clone(&called);
        let timer = LoopHandle::current().call_later(SECOND, move || {
            let own: TimerHandle = inner.take().unwrap();
            assert!(!own.cancel(), "it runs");
            set.set(true);
        });
        *own.borrow_mut() = Some(timer);
        sleep(SECOND).await;
        assert!(called.get());
    });
}

#[test]
fn hazard_30_a_sleeper_dropped_when_due_leaves_nothing() {
    test::run(async {
        let sleeper = create_task(sleep(SECOND));
        let reference = sleeper.task_ref();
        // Due at the same moment, and rung first: it cancels the sleeper whose timer is in the batch already.
        LoopHandle::current().call_later(Duration::ZERO, || ());
        LoopHandle::current().call_at(LoopTime::ZERO + SECOND, move || _ = reference.cancel());
        let _ = sleeper.await;
        sleep(SECOND).await;
        assert_eq!(LoopHandle::current().time(), LoopTime::ZERO + SECOND * 2);
    });
}

#[test]
fn a_cancelled_timer_does_not_hold_the_loop_up() {
    test::run(async {
        let timer = LoopHandle::current().call_later(SECOND * 3600, || ());
        assert!(!timer.cancelled());
        timer.cancel();
        assert!(timer.cancelled());
        sleep(SECOND).await;
    });
}

#[test]
fn cancelling_drops_the_callback_at_once() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let held = Rc::new(());
    let (soon, later) = (Rc::clone(&held), Rc::clone(&held));
    let soon = event_loop.call_soon(move || drop(soon));
    let later = event_loop.call_later(SECOND, move || drop(later));
    assert_eq!(Rc::strong_count(&held), 3);
    assert!(!soon.cancelled() && !later.cancelled());
    assert!(soon.cancel() && later.cancel());
    assert!(soon.cancelled() && later.cancelled());
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn an_interval_keeps_its_phase() {
    test::run(async {
        let start = LoopHandle::current().time();
        let mut ticks = interval(SECOND);
        let mut seen = Vec::new();
        for work in [0, 500, 2700, 0, 0] {
            let moment = ticks.tick().await;
            seen.push(((moment - start).as_secs(), (LoopHandle::current().time() - start).as_millis()));
            sleep(Duration::from_millis(work)).await;
        }
        assert_eq!(seen, [(1, 1000), (2, 2000), (3, 3000), (5, 5700), (6, 6000)]);
    });
}

#[test]
fn an_interval_is_a_stream_of_its_ticks() {
    test::run(async {
        let ticks: Vec<_> = interval(SECOND).take(3).collect().await;
        assert_eq!(ticks, [1, 2, 3].map(|n| LoopTime::ZERO + n * SECOND));
    });
}

#[test]
fn an_interval_loses_no_tick_when_one_wait_is_given_up() {
    test::run(async {
        let mut ticks = interval(SECOND);
        {
            let waiting = std::pin::pin!(ticks.tick());
            let polled = futures_lite::future::poll_once(waiting).await;
            assert_eq!(polled, None);
        }
        assert_eq!(ticks.tick().await, LoopTime::ZERO + SECOND);
    });
}

#[test]
#[should_panic(expected = "longer than zero")]
fn an_interval_of_nothing_is_refused() {
    test::run(async { drop(interval(Duration::ZERO)) });
}

/// Reads this thread's timer slack, if the system tells.
#[cfg(target_os = "linux")]
fn timer_slack() -> Option<String> {
    let thread = std::fs::read_link("/proc/thread-self").ok()?;
    let path = std::path::Path::new("/proc").join(thread.file_name()?).join("timerslack_ns");
    std::fs::read_to_string(path).ok()
}

#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(miri, ignore = "asks the system")]
fn timer_slack_is_low_while_a_loop_runs_and_put_back_after() {
    let before = timer_slack();
    let within = corio_executor::run(async {
        sleep(Duration::from_micros(100)).await;
        timer_slack()
    });
    assert_eq!(timer_slack(), before);
    if let (Some(before), Some(within)) = (before, within.unwrap()) {
        assert_ne!(before, within);
        assert_eq!(within.trim(), "1");
    }
}

/// The clock is the real one: a busy loop looks at its timers in every fourth iteration only.
#[test]
fn a_busy_loop_rings_its_timers_a_few_iterations_late_at_most() {
    let event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let (iterations, rang) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
    let (counted, ringing) = (Rc::clone(&iterations), Rc::clone(&rang));
    let due = handle.time() + Duration::from_micros(200);
    handle.call_at(due, move || ringing.set(Some(counted.get())));
    let busy = async {
        let mut when_due = None;
        while rang.get().is_none() {
            if when_due.is_none() && handle.time() >= due {
                when_due = Some(iterations.get());
            }
            iterations.set(iterations.get() + 1);
            yield_now().await;
        }
        rang.get().unwrap() - when_due.unwrap_or(rang.get().unwrap())
    };
    let late: i32 = event_loop.run_until_complete(busy).unwrap();
    assert!(late <= 5, "{late} iterations late"); // The task's step comes before the timer's entry.
}

/// Timers a few microseconds apart would each have a sleep of their own, and take all of a processor.
#[test]
#[cfg_attr(miri, ignore = "measures real time")]
fn a_crowd_of_timers_is_slept_for_together_and_nobody_else() {
    const APART: Duration = Duration::from_micros(7);
    let event_loop = EventLoop::new().unwrap();
    let rang = event_loop.run_until_complete(async {
        let rang: Rc<RefCell<Vec<LoopTime>>> = Rc::default();
        let event_loop = LoopHandle::current();
        let first = event_loop.time() + Duration::from_millis(200); // So that all are armed by then.
        let moments = (0..30).map(|i| first + APART * i).chain([first + SECOND]);
        for when in moments {
            let rang = Rc::clone(&rang);
            event_loop.call_at(when, move || {
                let now = LoopHandle::current().time();
                assert!(now >= when, "early");
                rang.borrow_mut().push(now);
            });
        }
        sleep_until(first).await;
        assert_eq!(rang.borrow().len(), 30, "the one that is due much later is not waited for");
        assert!(rang.borrow()[0] >= first + APART * 29, "the first is waited with for the last of the crowd");
    });
    rang.unwrap();
}
