//! 1 to 13: promises and futures, and every other thing that a future of ours waits for.

use crate::kit::{LONG, OnDrop, SECOND, leaves, many, panic_of, poll_once};
use crate::ledger::{Wakes, odd_waker, poll, poll_with};
use corio::executor::test;
use corio::{
    Event, LoopHandle, Runner, ThreadPoolExecutor, catch_cancelled, concurrent, create_task, gather, join, promise,
    race, sleep, timeout, yield_now,
};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

#[test]
fn h01_a_read_end_is_dropped_while_the_promise_completes() {
    for _ in 0..many(5_000, 500) {
        let (promise, mut future) = concurrent::promise::<Vec<u8>>();
        let (waker, wakes) = Wakes::new();
        assert!(poll_with(&mut future, &waker).is_pending());
        let start = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&start);
        let sender = thread::spawn(move || {
            theirs.wait();
            let _ = promise.set_result(vec![7; 100]);
        });
        start.wait();
        drop(future);
        sender.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1, "its waker is freed once, by one of the two");
    }
}

#[test]
fn h02_a_value_after_a_cancel_comes_back_and_a_cancel_after_a_value_is_refused() {
    let (set, future) = promise::<String>();
    assert!(future.cancel() && !future.cancel());
    assert_eq!(set.set_result("mine".into()), Err("mine".to_string()));
    let (set, future) = concurrent::promise::<String>();
    assert!(future.cancel() && future.cancelled());
    assert_eq!(set.set_result("mine".into()), Err("mine".to_string()));
    let (set, future) = promise::<u32>();
    set.set_result(7).unwrap();
    assert!(!future.cancel());
    assert_eq!(pollster::block_on(future), Ok(7));
}

#[test]
fn h02_what_the_loop_completes_looks_when_it_runs_whether_it_is_cancelled() {
    test::run(async {
        // The value and the cancellation come in one iteration, in both orders.
        for cancel_first in [true, false] {
            let (set, future) = concurrent::promise::<u32>();
            let local = corio::wrap_future(future);
            let reader = local.share();
            if cancel_first {
                assert!(local.cancel());
                assert_eq!(set.set_result(7), Err(7), "a cancelled one takes no value");
            } else {
                set.set_result(7).unwrap();
                local.cancel();
            }
            let ended = create_task(reader).await.unwrap();
            assert!(ended.is_err() || !cancel_first);
        }
    });
}

/// Polls a future to its end, and once more.
fn polled_again<F: Future>(future: F) -> Option<String> {
    let mut future = pin!(future);
    while poll_once(future.as_mut(), Waker::noop()).is_pending() {}
    panic_of(|| drop(poll_once(future.as_mut(), Waker::noop())))
}

#[test]
fn h03_a_poll_after_the_end_panics_with_a_sentence() {
    let (set, future) = promise::<u32>();
    set.set_result(1).unwrap();
    assert!(polled_again(future).unwrap().contains("`share` it"));
    let (set, future) = concurrent::promise::<u32>();
    set.set_result(1).unwrap();
    assert!(polled_again(future).unwrap().contains("`share` it"));
    let queue = corio::Queue::<u32>::new(0);
    assert!(polled_again(queue.put(1)).unwrap().contains("`put` was polled after it had completed"));
    let barrier = corio::Barrier::new(1);
    assert!(polled_again(barrier.wait()).unwrap().contains("`Barrier.wait` was polled after it had completed"));
    assert!(polled_again(join((async { 1 }, async { 2 }))).is_some());
    assert!(polled_again(race((async { 1 }, async { 2 }))).unwrap().contains("a race was polled after it had ended"));
    assert!(polled_again(catch_cancelled(async { 1 })).unwrap().contains("after it had ended"));
    test::run(async {
        let mut task = create_task(async { 1 });
        assert_eq!((&mut task).await.unwrap(), 1);
        let again = panic_of(|| poll_with(&mut task, Waker::noop()));
        assert!(again.unwrap().contains("after it had been taken"));
        assert!(polled_again(timeout(SECOND, async { 1 })).is_some());
        let mut both = gather((async { 1 }, async { 2 }));
        assert!((&mut both).await.is_ok());
        assert!(panic_of(|| poll_with(&mut both, Waker::noop())).is_some());
    });
}

#[test]
fn h04_the_last_waker_is_woken_and_no_other() {
    for leaf in leaves() {
        let mut waits = leaf.waits;
        let ((old, old_wakes), (new, new_wakes)) = (Wakes::new(), Wakes::new());
        for wait in &mut waits {
            assert!(poll_once(wait.as_mut(), &old).is_pending(), "{}", leaf.name);
            assert!(poll_once(wait.as_mut(), &new).is_pending(), "{}", leaf.name);
        }
        leaf.wake.into_iter().for_each(|wake| wake());
        assert_eq!(old_wakes.count(), 0, "{}: an old waker was woken", leaf.name);
        assert!(new_wakes.count() >= 1, "{}: nobody was woken", leaf.name);
        drop(old);
        assert_eq!(Arc::strong_count(&old_wakes), 1, "{}: an old waker was kept", leaf.name);
    }
}

#[test]
fn h04_a_leaf_that_moves_from_one_combinator_to_another_is_woken_there() {
    test::run(async {
        // Each gives its children wakers of its own.
        let event = Event::new();
        let mut wait = Box::pin(event.wait());
        race((wait.as_mut(), yield_now())).await;
        race(vec![wait.as_mut() as Pin<&mut dyn Future<Output = ()>>, pin!(sleep(SECOND))]).await;
        let set = async {
            yield_now().await;
            event.set();
        };
        let many = join((0..40).map(|_| yield_now()));
        join((wait, set, many)).await;
    });
}

#[test]
fn h05_an_old_waker_comes_back_to_its_leaf_while_it_is_dropped() {
    for leaf in leaves() {
        let name = leaf.name;
        let mut waits = leaf.waits;
        thread_local!(static WAKE: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) });
        WAKE.set(leaf.wake);
        let bad = odd_waker(|what| {
            if what == "drop" {
                WAKE.take().into_iter().for_each(|wake| wake());
            }
        });
        assert!(poll_once(waits[0].as_mut(), &bad).is_pending(), "{name}");
        let (good, wakes) = Wakes::new();
        // The old waker is dropped in here, and wakes the leaf that drops it.
        let polled = poll_once(waits[0].as_mut(), &good);
        drop(bad);
        assert!(polled.is_ready() || wakes.count() >= 1, "{name}: the wake-up that came meanwhile is lost");
        assert!(poll_once(waits[0].as_mut(), &good).is_ready() || polled.is_ready(), "{name}");
    }
}

#[test]
fn h07_who_leaves_takes_his_waker_along() {
    for leaf in leaves() {
        let (waker, wakes) = Wakes::new();
        let mut waits = leaf.waits;
        for wait in &mut waits {
            assert!(poll_once(wait.as_mut(), &waker).is_pending());
        }
        drop(waker);
        assert!(Arc::strong_count(&wakes) > 1);
        drop(waits);
        assert_eq!(Arc::strong_count(&wakes), 1, "{}", leaf.name);
    }
}

#[test]
fn h07_a_task_that_is_over_is_kept_alive_by_no_leaf() {
    let event = Rc::new(Event::new());
    let held = Rc::new(());
    let (inner, wait) = (Rc::clone(&held), Rc::clone(&event));
    test::run(async {
        let task = create_task(async move {
            let _held = inner;
            wait.wait().await;
        });
        yield_now().await;
        task.cancel();
        assert!(task.await.is_err());
        assert_eq!(Rc::strong_count(&held), 1, "its coroutine went with its end");
    });
    assert_eq!((event.statistics().waiting, Rc::strong_count(&event)), (0, 1));
}

#[test]
fn h08_a_callback_adds_removes_drops_and_completes_others() {
    test::run(async {
        let (order, depth) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0)));
        let (first, future) = promise::<u32>();
        let (second, other) = promise::<u32>();
        let (last, mut second) = (Rc::new(RefCell::new(Some(future.share()))), Some(second));
        for name in ["a", "b"] {
            let (order, depth, last) = (Rc::clone(&order), Rc::clone(&depth), Rc::clone(&last));
            let second = if name == "a" { second.take() } else { None };
            future.add_done_callback(move |future| {
                assert_eq!(depth.replace(1), 0, "called inside another");
                order.borrow_mut().push(name);
                let inner = Rc::clone(&order);
                let key = future.add_done_callback(move |_| inner.borrow_mut().push("added"));
                assert!(!future.remove_done_callback(key), "it is on its way");
                drop(last.take()); // The last read end but the one that is lent here.
                if let Some(second) = second {
                    second.set_result(8).unwrap();
                }
                depth.set(0);
            });
        }
        let key = future.add_done_callback(|_| panic!("it was taken back"));
        assert!(future.remove_done_callback(key));
        drop(future);
        let (inner, depths) = (Rc::clone(&order), Rc::clone(&depth));
        other.add_done_callback(move |_| {
            assert_eq!(depths.get(), 0, "called inside the other future's callback");
            inner.borrow_mut().push("the other's");
        });
        first.set_result(7).unwrap();
        assert!(order.borrow().is_empty(), "called inside `set_result`");
        yield_now().await;
        yield_now().await;
        assert_eq!(*order.borrow(), ["a", "b", "added", "the other's", "added"]);
    });
}

#[test]
fn h08_without_a_loop_the_outermost_call_drains_first_in_first_out() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let (first, one) = promise::<u32>();
    let (second, two) = promise::<u32>();
    let (a, b, c) = (Rc::clone(&order), Rc::clone(&order), Rc::clone(&order));
    one.add_done_callback(move |_| {
        second.set_result(2).unwrap();
        a.borrow_mut().push("one, begun first and ended first");
    });
    one.add_done_callback(move |_| b.borrow_mut().push("one, again"));
    two.add_done_callback(move |_| c.borrow_mut().push("two"));
    first.set_result(1).unwrap();
    assert_eq!(*order.borrow(), ["one, begun first and ended first", "one, again", "two"]);
}

// Hazard 11: `auto_traits` in the crates, `tests/types`, and `tests/compile_fail` say which types cross threads. What is
// `Send` but not `Sync` crosses them, and is used by one at a time.

struct OneAtATime(Arc<AtomicBool>, PhantomData<Cell<()>>);

impl Clone for OneAtATime {
    fn clone(&self) -> OneAtATime {
        assert!(!self.0.swap(true, Ordering::SeqCst), "two threads look at what is not `Sync`");
        thread::yield_now();
        self.0.store(false, Ordering::SeqCst);
        OneAtATime(Arc::clone(&self.0), PhantomData)
    }
}

#[test]
fn h11_a_value_that_is_not_sync_is_cloned_by_one_thread_at_a_time() {
    for _ in 0..many(500, 100) {
        let (promise, future) = concurrent::promise();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mut future = future.share();
                thread::spawn(move || drop(future.result(Some(LONG)).unwrap()))
            })
            .collect();
        promise.set_result(OneAtATime(Arc::default(), PhantomData)).ok().unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn h11_what_holds_something_that_is_not_send_is_not_send() {
    /// The associated constant of the type itself hides the trait's, where its bound holds.
    trait NotSend {
        const SEND: bool = false;
    }
    impl<T: ?Sized> NotSend for T {}
    struct Probe<T>(PhantomData<T>);
    impl<T: Send> Probe<T> {
        const SEND: bool = true;
    }
    const { assert!(Probe::<concurrent::Promise<u32>>::SEND) };
    const { assert!(!Probe::<concurrent::Promise<Rc<u32>>>::SEND) };
    const { assert!(!Probe::<concurrent::Future<std::sync::MutexGuard<'static, u32>>>::SEND) };
    const { assert!(!Probe::<corio::queue::concurrent::Queue<Rc<u32>>>::SEND) };
}

#[test]
fn h12_an_initialisation_that_unwinds_leaves_what_it_was_to_make_usable() {
    // A pool whose initializer panics is broken, and says so; nobody waits for ever.
    let pool = ThreadPoolExecutor::builder().max_threads(1).initializer(|| panic!("no")).build().unwrap();
    let call = corio::run_in_executor(&pool, || 1);
    assert!(pollster::block_on(call).is_err());
    assert!(pool.is_broken());

    // A runner whose factory panics or fails has no loop, and is dropped in peace.
    let runner = Runner::with_loop_factory(|| panic!("no loop today"));
    assert!(panic_of(|| drop(runner.run(async {}))).is_some());
    drop(runner);
    let runner = Runner::with_loop_factory(|| Err(std::io::ErrorKind::OutOfMemory.into()));
    assert!(matches!(runner.run(async {}), Err(corio::RunError::Io(_))));

    // The loop's own value of a type can be made again.
    test::run(async {
        struct Own;
        assert!(panic_of(|| corio::seam::local::<Own>(|| panic!("at first"))).is_some());
        assert!(corio::seam::local(|| Own).is_some());
        // The closure that makes a coroutine for another thread.
        let remote = LoopHandle::current().remote();
        let mut made = remote.run_coroutine_threadsafe(|| -> std::future::Ready<u32> { panic!("before it is made") });
        let made = made.as_mut().unwrap();
        assert!(made.await.unwrap_err().is_panic());
    });
}

async fn panics() {
    panic!("at its first poll")
}

#[test]
fn h12_a_first_poll_that_unwinds_in_the_middle_of_a_group_ends_the_group() {
    test::run(async {
        let dropped = Rc::new(Cell::new(0));
        let inner = Rc::clone(&dropped);
        let ended = corio::TaskGroup::run(async move |group| {
            let count = Rc::clone(&inner);
            drop(group.create_task(async move {
                let _count = OnDrop(move || count.set(count.get() + 1));
                std::future::pending::<()>().await;
            }));
            drop(group.create_task(panics()));
            sleep(SECOND * 9).await;
        });
        assert!(ended.await.unwrap_err().failures()[0].is_panic());
        assert_eq!(dropped.get(), 1);
    });
}

/// Keeps a future, so that leaving it is no leak that a leak checker minds.
fn keep<T: 'static>(what: T) {
    thread_local!(static KEPT: RefCell<Vec<Pin<Box<dyn std::any::Any>>>> = const { RefCell::new(Vec::new()) });
    KEPT.with(|kept| kept.borrow_mut().push(Box::pin(what)));
}

#[test]
fn h13_a_future_that_is_never_polled_again_keeps_nobody_asleep() {
    for leaf in leaves() {
        let name = leaf.name;
        let mut waits = leaf.waits.into_iter();
        let (mut forgotten, mut other) = (waits.next().unwrap(), waits.next().unwrap());
        let (waker, wakes) = Wakes::new();
        assert!(poll_once(forgotten.as_mut(), Waker::noop()).is_pending());
        assert!(poll_once(other.as_mut(), &waker).is_pending());
        keep(forgotten);
        leaf.wake.into_iter().for_each(|wake| wake());
        assert_eq!(wakes.count(), 1, "{name}");
        assert!(matches!(poll_once(other.as_mut(), &waker), Poll::Ready(())) || name == "Condition", "{name}");
    }
    let (set, mut future) = promise::<u32>();
    assert!(poll(&mut future).is_pending());
    set.set_result(1).unwrap();
    assert!(poll(&mut future).is_ready());
}
