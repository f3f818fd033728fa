//! 6, 9, 10 and 18: a panic at each place where user code runs. Nobody else is hurt, and somebody is told.

use crate::kit::{Bomb, SECOND, leaves, panic_of, poll_once, reports, virtual_loop};
use crate::ledger::{Wakes, odd_waker};
use corio::executor::{Clock, Wait, test};
use corio::{
    EventLoop, JoinError, LoopHandle, LoopTime, PriorityQueue, ThreadPoolExecutor, concurrent, create_task, gather,
    join, promise, promise_with_canceller, run_in_executor, sleep, timeout, to_thread, yield_now,
};
use std::cell::{Cell, RefCell};
use std::cmp;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

// Wakers.

#[test]
fn h06_a_waker_that_panics_when_woken_keeps_nobody_else_asleep() {
    for leaf in leaves() {
        let name = leaf.name;
        let mut waits = leaf.waits;
        let bad = odd_waker(|what| assert_ne!(what, "wake", "a waker's own affair"));
        let (good, wakes) = Wakes::new();
        assert!(poll_once(waits[0].as_mut(), &bad).is_pending(), "{name}");
        assert!(poll_once(waits[1].as_mut(), &good).is_pending(), "{name}");
        leaf.wake.into_iter().for_each(|wake| drop(panic_of(wake)));
        assert_eq!(wakes.count(), 1, "{name}: the other waits for ever");
        if name != "Condition" {
            assert!(poll_once(waits[1].as_mut(), &good).is_ready(), "{name}");
        }
    }
}

#[test]
fn h06_a_waker_that_panics_when_cloned_or_dropped_leaves_the_leaf_usable() {
    for moment in ["clone", "drop"] {
        for leaf in leaves() {
            let name = leaf.name;
            let (mut waits, armed) = (leaf.waits, Arc::new(AtomicBool::new(moment == "clone")));
            let trap = Arc::clone(&armed);
            let bad = odd_waker(move |what| assert!(what != moment || !trap.load(Ordering::SeqCst), "a waker's own"));
            let (good, wakes) = Wakes::new();
            let polled = panic_of(|| _ = poll_once(waits[0].as_mut(), &bad));
            armed.store(true, Ordering::SeqCst);
            let (first, mut others) = (waits.remove(0), waits);
            assert!(poll_once(others[0].as_mut(), &good).is_pending(), "{name}");
            let left = panic_of(move || drop(first)); // Which drops the waker that it holds.
            assert!(polled.or(left).is_some(), "{name}: the {moment} that panics was not met");
            armed.store(false, Ordering::SeqCst);
            leaf.wake.into_iter().for_each(|wake| wake());
            assert!(wakes.count() >= 1, "{name} after a panic at a waker's {moment}");
        }
    }
}

// Callbacks.

#[test]
fn h09_a_callback_that_panics_is_reported_once_and_the_rest_run() {
    test::run(async {
        let (heard, ran) = (reports(), Rc::new(Cell::new(0)));
        let count = || {
            let ran = Rc::clone(&ran);
            move || ran.set(ran.get() + 1)
        };
        let event_loop = LoopHandle::current();
        let (set, future) = promise::<u32>();
        let task = create_task(async {});
        // Each place that takes a callback: one that panics, between two that do not.
        for panics in [false, true, false] {
            let bomb = || {
                let count = count();
                move || if panics { panic!("the callback's own") } else { count() }
            };
            event_loop.call_soon(bomb());
            event_loop.call_later(SECOND, bomb());
            let b = bomb();
            future.add_done_callback(move |_| b());
            let b = bomb();
            task.add_done_callback(move |_| b());
        }
        set.set_result(7).unwrap();
        task.await.unwrap();
        sleep(SECOND * 2).await;
        assert_eq!((ran.get(), heard.borrow().len()), (8, 4), "{:?}", heard.borrow());
        assert!(heard.borrow().iter().all(|report| report.contains("the callback's own")));
    });
}

#[test]
fn h09_a_callback_from_another_thread_too() {
    test::run(async {
        let heard = reports();
        let remote = LoopHandle::current().remote();
        let (set, after) = concurrent::promise::<()>();
        let sender = std::thread::spawn(move || {
            remote.call_soon_threadsafe(|| panic!("the callback's own")).unwrap();
            remote.call_soon_threadsafe(move || set.set_result(()).unwrap()).unwrap();
        });
        after.await.unwrap();
        sender.join().unwrap();
        assert_eq!(heard.borrow().len(), 1);
    });
}

#[test]
fn h09_an_exception_handler_that_panics_kills_no_loop() {
    let event_loop = virtual_loop();
    let called = Rc::new(Cell::new(0));
    let count = Rc::clone(&called);
    event_loop.set_exception_handler(move |_| {
        count.set(count.get() + 1);
        panic!("and the handler panics");
    });
    event_loop.call_soon(|| panic!("the callback's own"));
    drop(event_loop.create_task(async { panic!("the task's own") }));
    event_loop.run_until_complete(sleep(SECOND)).unwrap();
    assert_eq!(called.get(), 2, "once for each, and not for its own");
    assert_eq!(event_loop.run_until_complete(async { 1 }).unwrap(), 1);
}

// Payloads and outputs.

/// A payload that panics with another of its kind when it is dropped, as long as there is one.
struct Again(u32);

impl Drop for Again {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            panic_any(Again(self.0 - 1));
        }
    }
}

#[test]
fn h10_a_payload_whose_destructor_panics_harms_no_loop() {
    let event_loop = virtual_loop();
    event_loop.set_exception_handler(drop);
    let after = Rc::new(Cell::new(0));
    let count = || {
        let after = Rc::clone(&after);
        move || after.set(after.get() + 1)
    };
    event_loop.call_soon(|| panic_any(Again(2)));
    event_loop.call_soon(count());
    drop(event_loop.create_task(async { panic_any(Again(2)) }));
    event_loop.call_later(SECOND, || panic_any(Again(2)));
    event_loop.call_later(SECOND, count());
    event_loop.run_until_complete(sleep(SECOND * 2)).unwrap();
    assert_eq!(after.get(), 2);
}

#[test]
fn h10_an_output_whose_destructor_panics_is_reported_and_stops_nothing() {
    test::run(async {
        let heard = reports();
        drop(create_task(async { Bomb("the output's own") }));
        let cancelled = create_task(async {
            let _bomb = Bomb("a local's own");
            sleep(SECOND).await;
        });
        yield_now().await;
        cancelled.cancel();
        assert!(matches!(cancelled.await, Err(JoinError::Panicked(_))), "its unwinding panicked: that is its end");
        sleep(SECOND).await;
        assert_eq!(heard.borrow().len(), 1, "{:?}", heard.borrow());
        assert!(heard.borrow()[0].contains("the output's own"));
    });
}

#[test]
fn h10_a_value_whose_destructor_panics_goes_with_its_reader() {
    let (set, future) = promise();
    set.set_result(Bomb("the value's own")).ok().unwrap();
    assert_eq!(panic_of(|| drop(future)).as_deref(), Some("the value's own"));
    let (set, future) = concurrent::promise();
    set.set_result(Bomb("the value's own")).ok().unwrap();
    assert_eq!(panic_of(|| drop(future)).as_deref(), Some("the value's own"));
}

// Polls and destructors of coroutines.

/// Runs a child that is to panic beside one that must go on, and tells what its end was.
fn end_of(child: impl Future<Output = ()> + 'static, cancel: bool) -> Option<String> {
    test::run(async {
        let child = create_task(child);
        let other = create_task(async {
            sleep(SECOND).await;
            7
        });
        yield_now().await;
        if cancel {
            child.cancel();
        }
        let ended = child.await.unwrap_err();
        assert_eq!(other.await.unwrap(), 7, "the other one goes on");
        ended.into_panic().ok().and_then(|panic| panic.message().map(str::to_string))
    })
}

#[test]
fn h18_a_panic_in_the_first_poll_in_a_later_one_and_in_a_destructor_is_the_task_s_end() {
    let first = poll_fn(|_| panic!("first poll"));
    assert_eq!(end_of(first, false).as_deref(), Some("first poll"));
    let later = async {
        yield_now().await;
        panic!("later poll");
    };
    assert_eq!(end_of(later, false).as_deref(), Some("later poll"));
    let at_cancel = async {
        let _bomb = Bomb("drop at a cancel");
        sleep(SECOND).await;
    };
    assert_eq!(end_of(at_cancel, true).as_deref(), Some("drop at a cancel"));
    let at_the_end = async {
        let _bomb = Bomb("drop at the end");
        yield_now().await;
    };
    assert_eq!(end_of(at_the_end, false).as_deref(), Some("drop at the end"));
}

#[test]
fn h18_a_destructor_that_panics_while_the_loop_is_dropped_stops_no_other() {
    let event_loop = virtual_loop();
    let (heard, dropped) = (Rc::new(RefCell::new(Vec::new())), Rc::new(()));
    let inner = Rc::clone(&heard);
    event_loop.set_exception_handler(move |report| inner.borrow_mut().extend(report.panic.map(|p| p.to_string())));
    for _ in 0..3 {
        let (held, bomb) = (Rc::clone(&dropped), Bomb("at the loop's end"));
        drop(event_loop.create_task(async move {
            let _held = (bomb, held);
            sleep(SECOND).await;
        }));
        let (held, bomb) = (Rc::clone(&dropped), Bomb("at the loop's end"));
        event_loop.call_later(SECOND, move || drop((bomb, held)));
    }
    event_loop.run_once().unwrap();
    drop(event_loop);
    assert_eq!(Rc::strong_count(&dropped), 1, "one panic kept another's value");
    assert_eq!(heard.borrow().len(), 6, "{:?}", heard.borrow());
}

#[test]
fn h18_a_panic_of_main_goes_on_when_all_is_cleaned_up() {
    let cleaned = Rc::new(Cell::new(false));
    let inner = Rc::clone(&cleaned);
    let message = panic_of(|| {
        corio::run(async move {
            drop(create_task(async move {
                let _ = corio::catch_cancelled(sleep(SECOND * 1000)).await;
                yield_now().await;
                inner.set(true);
            }));
            yield_now().await;
            panic!("main's own");
        })
    });
    assert_eq!((message.as_deref(), cleaned.get()), (Some("main's own"), true));
    assert!(LoopHandle::try_current().is_none());
    assert_eq!(corio::run(async { 1 }).unwrap(), 1);
}

#[test]
fn h18_a_panic_in_place_takes_its_siblings_and_their_timers_along() {
    test::run(async {
        let held = Rc::new(());
        let inner = Rc::clone(&held);
        let joined = create_task(async move {
            let sibling = async {
                let _held = inner;
                sleep(SECOND * 1000).await;
            };
            let bad = async {
                yield_now().await;
                panic!("a child's own");
            };
            timeout(SECOND * 2000, join((sibling, bad))).await
        });
        assert!(joined.await.unwrap_err().is_panic());
        assert_eq!(Rc::strong_count(&held), 1);
        sleep(SECOND).await;
        assert_eq!(LoopHandle::current().time().since_start(), SECOND);
        assert!(gather((panics(), async {})).await.unwrap_err().is_panic());
    });
}

async fn panics() {
    panic!("a task's own")
}

// Everything else that calls user code.

#[test]
fn h06_a_canceller_that_panics_leaves_its_future_pending() {
    let (set, future) = promise_with_canceller::<u32>(|_| panic!("the canceller's own"));
    assert_eq!(panic_of(|| future.cancel()).as_deref(), Some("the canceller's own"));
    set.set_result(7).unwrap();
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn h10_a_clone_that_panics_loses_no_value() {
    struct Unclonable;
    impl Clone for Unclonable {
        fn clone(&self) -> Unclonable {
            panic!("the clone's own")
        }
    }
    let (set, one) = promise();
    let two = one.share();
    set.set_result(Unclonable).ok().unwrap();
    let (mut one, two) = (Box::pin(one), two);
    assert!(panic_of(|| drop(poll_once(one.as_mut(), Waker::noop()))).is_some());
    drop(one);
    assert!(pollster::block_on(two).is_ok(), "the last one moves it");
}

#[test]
fn h10_a_comparison_that_panics_leaves_the_priority_queue_usable() {
    #[derive(PartialEq, Eq)]
    struct Picky(u32);
    impl PartialOrd for Picky {
        fn partial_cmp(&self, other: &Picky) -> Option<cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Picky {
        fn cmp(&self, other: &Picky) -> cmp::Ordering {
            assert!(self.0 != 13 && other.0 != 13, "the comparison's own");
            self.0.cmp(&other.0)
        }
    }
    let queue = PriorityQueue::new(0);
    for n in [5, 1, 9] {
        queue.put_nowait(Picky(n)).ok().unwrap();
    }
    assert!(panic_of(|| drop(queue.put_nowait(Picky(13)))).is_some());
    // Whoever takes an item out may meet the comparison too; nobody waits beside items, and all can be taken.
    let mut steps = 0;
    while !queue.is_empty() {
        let mut get = pin!(queue.get());
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(get.as_mut(), Waker::noop()).is_ready()));
        assert!(polled.unwrap_or(true), "it waits beside an item");
        steps += 1;
        assert!(steps < 20, "an item that cannot be taken");
    }
    queue.put_nowait(Picky(1)).ok().unwrap();
    assert_eq!(queue.get_nowait().ok().map(|picky| picky.0), Some(1));
}

#[test]
fn h18_a_clock_that_panics_is_the_run_s_panic_and_leaves_the_thread_clean() {
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> LoopTime {
            LoopTime::ZERO
        }
        fn wait(&self, _: LoopTime) -> Wait {
            panic!("the clock's own")
        }
    }
    let event_loop = EventLoop::builder().clock(Broken).build().unwrap();
    let message = panic_of(|| event_loop.run_until_complete(sleep(SECOND)));
    assert_eq!(message.as_deref(), Some("the clock's own"));
    drop(event_loop);
    assert!(LoopHandle::try_current().is_none());
    assert_eq!(corio::run(async { 1 }).unwrap(), 1);
}

#[test]
fn h52_a_call_its_answer_and_its_closure_s_destructor_may_panic() {
    let pool = ThreadPoolExecutor::builder().max_threads(1).build().unwrap();
    let ended = pollster::block_on(run_in_executor(&pool, || panic!("the call's own")));
    assert!(ended.unwrap_err().is_panic());
    drop(run_in_executor(&pool, || Bomb("the answer's own")));
    let bomb = Bomb("the closure's own");
    drop(run_in_executor(&pool, move || drop(bomb)));
    drop(run_in_executor(&pool, || panic_any(Again(2))));
    assert_eq!(pollster::block_on(run_in_executor(&pool, || 7)).unwrap(), 7, "the worker survives");
    assert_eq!(pool.threads(), 1);
    assert_eq!(test::run(async { to_thread(|| 1).await.unwrap() }), 1);
}
