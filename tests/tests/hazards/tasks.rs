//! 14 to 24: tasks.

use crate::kit::{LONG, OnDrop, SECOND, alone, many, reports, resident, virtual_loop};
use corio::executor::{VirtualClock, io::Source, test};
use corio::{
    EventLoop, LoopHandle, RunError, TaskRef, catch_cancelled, concurrent, create_task, current_task, promise, sleep,
    timeout, yield_now,
};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

// 14: cancelling at every moment.

#[test]
fn h14_cancelled_before_the_first_poll_it_is_never_polled() {
    test::run(async {
        let task = create_task(async { panic!("polled") });
        assert!(task.cancel());
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn h14_cancelled_by_itself_it_is_cut_at_its_next_suspension() {
    test::run(async {
        let task = create_task(async {
            assert!(current_task().unwrap().cancel());
            let still = true; // It runs on.
            yield_now().await;
            unreachable!("{still}");
        });
        assert!(task.await.unwrap_err().is_cancelled());
        let task = create_task(async { assert!(current_task().unwrap().cancel()) });
        assert!(task.await.unwrap_err().is_cancelled(), "a request that came too late to cut still counts");
    });
}

#[test]
fn h14_cancelled_from_another_thread() {
    test::run(async {
        let remote = LoopHandle::current().remote();
        let (set, stop) = concurrent::promise::<()>();
        let canceller = thread::spawn(move || {
            let mut forever = remote.run_coroutine_threadsafe(pending::<()>).unwrap();
            assert!(forever.cancel());
            assert!(forever.result(Some(LONG)).unwrap_err().is_cancelled());
            set.set_result(()).unwrap();
        });
        stop.await.unwrap();
        canceller.join().unwrap();
        yield_now().await;
        yield_now().await;
        assert_eq!(LoopHandle::current().all_tasks().len(), 1, "only main is left");
    });
}

#[test]
fn h14_cancelled_from_its_own_callback_after_its_end_and_twice() {
    test::run(async {
        let task = create_task(async { 7 });
        task.add_done_callback(|task| assert!(!task.cancel()));
        yield_now().await;
        yield_now().await;
        assert!(!task.cancel() && !task.cancelled());
        assert_eq!(task.await.unwrap(), 7);
        let task = create_task(async {
            assert!(catch_cancelled(pending::<()>()).await.is_err());
            sleep(SECOND).await;
            "over"
        });
        yield_now().await;
        assert!(task.cancel() && task.cancel());
        assert_eq!(task.cancelling(), 2);
        assert_eq!(task.await.unwrap(), "over", "two requests before the cut are one cut");
    });
}

#[test]
fn h14_cancelled_in_the_destructor_of_another_and_beside_a_wake() {
    test::run(async {
        let victim = create_task(pending::<()>());
        let reference = victim.task_ref();
        let holder = create_task(async move {
            let _cancels = OnDrop(move || _ = reference.cancel());
            pending::<()>().await;
        });
        yield_now().await;
        holder.cancel();
        assert!(holder.await.is_err() && victim.await.unwrap_err().is_cancelled());

        for cancel_first in [true, false] {
            let (set, future) = promise::<u32>();
            let task = create_task(async move { catch_cancelled(async { future.await.unwrap() }).await.is_err() });
            yield_now().await;
            if cancel_first {
                task.cancel();
                let _ = set.set_result(7);
            } else {
                set.set_result(7).unwrap();
                task.cancel();
            }
            assert!(task.await.unwrap(), "in one iteration the request wins, in either order");
        }
    });
}

// 15 and 16: other threads.

#[test]
fn h15_a_coroutine_that_another_thread_cancels_is_dropped_on_the_loop_s_thread() {
    test::run(async {
        let (remote, home) = (LoopHandle::current().remote(), thread::current().id());
        let (set, stop) = concurrent::promise::<()>();
        let dropped: Arc<Mutex<Vec<thread::ThreadId>>> = Arc::default();
        let places = Arc::clone(&dropped);
        let canceller = thread::spawn(move || {
            for _ in 0..100 {
                let places = Arc::clone(&places);
                let started = remote.run_coroutine_threadsafe(move || {
                    let not_send = Rc::new(());
                    let guard = OnDrop(move || places.lock().unwrap().push(thread::current().id()));
                    async move {
                        let _held = (guard, not_send);
                        pending::<()>().await;
                    }
                });
                started.unwrap().cancel();
            }
            set.set_result(()).unwrap();
        });
        stop.await.unwrap();
        canceller.join().unwrap();
        sleep(SECOND).await;
        assert!(dropped.lock().unwrap().iter().all(|place| *place == home));
        assert_eq!(LoopHandle::current().all_tasks().len(), 1);
    });
}

/// A task that waits for ever, and the waker it was polled with.
fn parked(event_loop: &EventLoop) -> (corio::Task<()>, Waker) {
    let kept = Rc::new(RefCell::new(None));
    let theirs = Rc::clone(&kept);
    let task = event_loop.create_task(poll_fn(move |cx| {
        theirs.replace(Some(cx.waker().clone()));
        Poll::<()>::Pending
    }));
    event_loop.run_once().unwrap();
    (task, kept.take().unwrap())
}

#[test]
fn h16_a_waker_outlives_its_loop_and_its_thread() {
    let (send, wakers) = mpsc::channel();
    let owner = thread::spawn(move || {
        let event_loop = virtual_loop();
        let (task, waker) = parked(&event_loop);
        for _ in 0..4 {
            send.send(waker.clone()).unwrap();
        }
        drop((task, event_loop));
    });
    owner.join().unwrap();
    let users: Vec<_> = wakers
        .into_iter()
        .map(|waker| {
            thread::spawn(move || {
                for _ in 0..1000 {
                    let clone = waker.clone();
                    waker.wake_by_ref();
                    clone.wake();
                }
            })
        })
        .collect();
    assert_eq!(users.len(), 4);
    users.into_iter().for_each(|user| user.join().unwrap());
}

#[test]
fn h16_wakes_while_the_loop_is_dropped() {
    for _ in 0..many(500, 100) {
        let event_loop = virtual_loop();
        let (task, waker) = parked(&event_loop);
        let again = waker.clone();
        let _in_destructor = event_loop.create_task(async move {
            let _wakes = OnDrop(move || again.wake_by_ref());
            pending::<()>().await;
        });
        event_loop.run_once().unwrap();
        let (ready, go) = mpsc::channel();
        let user = thread::spawn(move || {
            ready.send(()).unwrap();
            (0..200).for_each(|_| waker.wake_by_ref());
        });
        go.recv().unwrap();
        drop(event_loop);
        user.join().unwrap();
        assert!(task.cancelled());
    }
}

#[test]
fn h16_a_wake_from_a_thread_local_s_destructor() {
    type AtTheEnd = OnDrop<Box<dyn FnMut()>>;
    thread_local!(static KEPT: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) });
    // On a foreign thread, while the loop sleeps: it is woken.
    test::run(async {
        let (set, future) = concurrent::promise::<u32>();
        let mut set = Some(set);
        let dying = thread::spawn(move || {
            let completes = move || set.take().into_iter().for_each(|set| set.set_result(7).unwrap());
            KEPT.set(Some(OnDrop(Box::new(completes))));
        });
        assert_eq!(future.await.unwrap(), 7);
        dying.join().unwrap();
    });
    // On the loop's own thread, when the loop is gone, and corio's own thread-locals may be.
    let owner = thread::spawn(|| {
        KEPT.set(None);
        let event_loop = virtual_loop();
        let (task, waker) = parked(&event_loop);
        let reference: TaskRef = task.task_ref();
        KEPT.set(Some(OnDrop(Box::new(move || {
            waker.wake_by_ref();
            drop(waker.clone());
            assert!(reference.done() && !reference.cancel());
        }))));
        drop((event_loop, task));
    });
    owner.join().unwrap();
}

// 17: tasks that nobody holds, or can wake.

#[test]
fn h17_a_detached_task_is_held_by_its_loop() {
    test::run(async {
        let done = Rc::new(Cell::new(false));
        let inner = Rc::clone(&done);
        drop(create_task(async move {
            sleep(SECOND).await;
            inner.set(true);
        }));
        sleep(SECOND * 2).await;
        assert!(done.get());
    });
}

#[test]
fn h17_a_task_that_nobody_can_wake_is_reported_and_freed() {
    let (event_loop, held) = (virtual_loop(), Rc::new(()));
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let (inner, theirs) = (Rc::clone(&heard), Rc::clone(&held));
    event_loop.set_exception_handler(move |report| inner.borrow_mut().push(report.to_string()));
    drop(event_loop.create_task(async move {
        let _held = theirs;
        pending::<()>().await; // Its waker is dropped at once.
    }));
    event_loop.run_once().unwrap();
    drop(event_loop);
    assert!(heard.borrow()[0].contains("task was destroyed but it is pending"), "{:?}", heard.borrow());
    assert_eq!(Rc::strong_count(&held), 1);

    let event = corio::Event::new();
    let Err(RunError::Deadlock(deadlock)) = corio::run(event.wait()) else { panic!("a loop that cannot wake") };
    assert!(deadlock.tree().contains("Event.wait"), "{}", deadlock.tree());
}

// 19 to 21: wakes.

#[test]
fn h19_a_self_wake_storm_starves_neither_timers_nor_sources() {
    let ended = corio::run(async {
        let storms: Vec<_> = (0..10)
            .map(|_| {
                create_task(async {
                    loop {
                        yield_now().await;
                    }
                })
            })
            .collect();
        let (near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let source = Source::new(near).unwrap();
        let start = Instant::now();
        sleep(Duration::from_millis(1)).await;
        far.write_all(b"!").unwrap();
        source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap();
        storms.into_iter().for_each(|storm| _ = storm.cancel());
        start.elapsed()
    });
    assert!(ended.unwrap() < SECOND * 10);
}

#[test]
fn h20_a_million_wakes_from_eight_threads_lose_none() {
    const THREADS: usize = 8;
    let each = many(125_000, 12_500);
    let (arrived, polls) = (Arc::new(AtomicUsize::new(0)), Rc::new(Cell::new(0)));
    let (seen, count) = (Arc::clone(&arrived), Rc::clone(&polls));
    let ended = corio::run(async move {
        let (send, waker) = mpsc::channel::<Waker>();
        let starter = thread::spawn(move || {
            let waker = waker.recv().unwrap();
            let users = (0..THREADS).map(|_| (waker.clone(), Arc::clone(&arrived)));
            let users: Vec<_> = users
                .map(|(waker, arrived)| {
                    thread::spawn(move || {
                        for _ in 0..each {
                            arrived.fetch_add(1, Ordering::SeqCst);
                            waker.wake_by_ref();
                        }
                    })
                })
                .collect();
            users.into_iter().for_each(|user| user.join().unwrap());
        });
        // Were the last wake lost, nobody would have a waker left, and the run would end as a deadlock.
        poll_fn(move |cx| {
            if count.replace(count.get() + 1) == 0 {
                send.send(cx.waker().clone()).unwrap();
            }
            if seen.load(Ordering::SeqCst) == THREADS * each { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        starter.join().unwrap();
    });
    ended.unwrap();
    assert!(polls.get() <= THREADS * each + 2, "{} polls", polls.get());
}

#[test]
fn h20_a_million_wakes_that_nobody_listens_to_meanwhile_are_one_poll_and_no_memory() {
    alone(|| {
        const THREADS: usize = 8;
        let each = many(125_000, 25_000);
        let event_loop = virtual_loop();
        let polls = Rc::new(Cell::new(0));
        let (kept, count) = (Rc::new(RefCell::new(None)), Rc::clone(&polls));
        let theirs = Rc::clone(&kept);
        let _task = event_loop.create_task(poll_fn(move |cx| {
            count.set(count.get() + 1);
            theirs.replace(Some(cx.waker().clone()));
            Poll::<()>::Pending
        }));
        event_loop.run_once().unwrap();
        let waker = kept.take().unwrap();
        let before = resident();
        let users: Vec<_> = (0..THREADS).map(|_| waker.clone()).collect();
        let users = users.into_iter().map(|waker| thread::spawn(move || (0..each).for_each(|_| waker.wake_by_ref())));
        users.collect::<Vec<_>>().into_iter().for_each(|user| user.join().unwrap());
        let grown = resident().saturating_sub(before);
        for _ in 0..3 {
            event_loop.call_soon(|| ());
            event_loop.run_once().unwrap();
        }
        assert_eq!(polls.get(), 2, "one poll for all");
        assert!(grown < 4 << 20, "{grown} bytes for wakes that were there already");
    });
}

#[test]
fn h21_a_wake_never_polls_on_the_waker_s_own_stack() {
    test::run(async {
        let (inside, polls) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
        let (nested, count, keeps) = (Rc::clone(&inside), Rc::clone(&polls), Rc::clone(&kept));
        let task = create_task(poll_fn(move |cx| {
            assert!(!nested.replace(true), "polled inside a poll");
            keeps.replace(Some(cx.waker().clone()));
            count.set(count.get() + 1);
            cx.waker().wake_by_ref(); // From its own poll.
            let done = count.get() == 5;
            nested.set(false);
            if done { Poll::Ready(()) } else { Poll::Pending }
        }));
        yield_now().await;
        let before = polls.get();
        let waker = kept.borrow().clone().unwrap();
        waker.wake(); // From another task's poll.
        assert_eq!(polls.get(), before);
        task.await.unwrap();
        assert_eq!(polls.get(), 5);
    });
}

/// A future that holds so many bytes across an await.
async fn huge<const SIZE: usize>() -> u8 {
    let block = [7; SIZE];
    yield_now().await;
    block[SIZE / 2]
}

/// Calls a function on a thread with a stack of so many bytes.
fn on_a_stack_of<T: Send + 'static>(bytes: usize, f: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(bytes).spawn(f).unwrap().join().unwrap()
}

#[test]
fn h22_huge_futures_fit_a_main_thread_s_stack_and_boxed_ones_any() {
    alone(|| {
        // A future is copied at calls that hand it on.
        const BY_VALUE: usize = 128 << 10;
        on_a_stack_of(8 << 20, || {
            assert_eq!(corio::run(huge::<BY_VALUE>()).unwrap(), 7);
            test::run(async {
                assert_eq!(create_task(huge::<BY_VALUE>()).await.unwrap(), 7);
                assert_eq!(timeout(SECOND, huge::<BY_VALUE>()).await, Ok(7));
            });
        });
        // Boxed first, it moves nowhere any more.
        type Boxed = std::pin::Pin<Box<dyn Future<Output = u8> + Send>>;
        let boxed = || on_a_stack_of(32 << 20, || -> Boxed { Box::pin(huge::<{ 1 << 20 }>()) });
        let (main, task, limited) = (boxed(), boxed(), boxed());
        on_a_stack_of(6 << 20, || {
            assert_eq!(corio::run(main).unwrap(), 7);
            test::run(async {
                assert_eq!(create_task(task).await.unwrap(), 7);
                assert_eq!(timeout(SECOND, limited).await, Ok(7));
            });
        });
    });
}

// 23: depth.

#[test]
fn h23_a_chain_of_a_million_cells_completes_without_depth() {
    let links = many(1_000_000, 1_000_000);
    let (first, mut last) = promise::<usize>();
    for _ in 0..links {
        let (next, future) = promise::<usize>();
        last.add_done_callback(move |last| next.set_result(*last.result().unwrap() + 1).unwrap());
        last = future;
    }
    first.set_result(0).unwrap();
    assert_eq!(pollster::block_on(last), Ok(links));
}

#[test]
fn h23_a_chain_of_a_million_cells_completes_on_a_loop() {
    let links = many(1_000_000, 300_000);
    test::run(async {
        let (first, mut last) = promise::<usize>();
        for _ in 0..links {
            let (next, future) = promise::<usize>();
            last.add_done_callback(move |last| next.set_result(*last.result().unwrap() + 1).unwrap());
            last = future;
        }
        first.set_result(0).unwrap();
        assert_eq!(last.await, Ok(links));
    });
}

/// Tasks of which each awaits the one before, behind a first one that waits for ever or not.
fn chain(links: usize, first: impl Future<Output = usize> + 'static) -> corio::Task<usize> {
    let event_loop = LoopHandle::current();
    let mut last = event_loop.create_task(first);
    for _ in 0..links {
        last = event_loop.create_task(follow(last));
    }
    last
}

async fn follow(before: corio::Task<usize>) -> usize {
    match before.await {
        Ok(n) => n + 1,
        Err(error) => match error.resume().await {},
    }
}

#[test]
fn h23_a_chain_of_a_million_tasks_completes_is_cancelled_and_is_dropped_without_depth() {
    let links = many(1_000_000, 150_000);
    test::run(async {
        assert_eq!(chain(links, async { 0 }).await.unwrap(), links);

        let last = chain(links, pending());
        sleep(SECOND).await;
        assert!(last.cancel(), "the request goes along the chain to the first");
        assert!(last.await.unwrap_err().is_cancelled());
    });
    let event_loop = virtual_loop();
    event_loop.set_exception_handler(drop); // It would be told of each.
    let mut last = event_loop.create_task(pending());
    for _ in 0..links {
        last = event_loop.create_task(follow(last));
    }
    event_loop.run_once().unwrap(); // Each awaits the one before.
    drop(event_loop);
    assert!(last.cancelled());
}

// 24: what is used again.

#[test]
fn h24_a_waker_of_a_task_that_is_over_wakes_no_other() {
    test::run(async {
        let mut old = Vec::new();
        for _ in 0..100 {
            let kept = Rc::new(RefCell::new(None));
            let theirs = Rc::clone(&kept);
            create_task(poll_fn(move |cx| Poll::Ready(theirs.replace(Some(cx.waker().clone()))))).await.unwrap();
            old.extend(kept.take());
        }
        let polls = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let polls = Rc::clone(&polls);
                create_task(poll_fn(move |_| {
                    polls.set(polls.get() + 1);
                    Poll::<()>::Pending
                }))
            })
            .collect();
        sleep(SECOND).await;
        let elsewhere = old.clone();
        thread::spawn(move || elsewhere.iter().for_each(Waker::wake_by_ref)).join().unwrap();
        old.into_iter().for_each(Waker::wake);
        sleep(SECOND).await;
        assert_eq!(polls.get(), 100);
        tasks.iter().for_each(|task| _ = task.cancel());
    });
}

#[test]
fn h24_a_handle_of_a_timer_that_is_over_cancels_no_other() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
    let fired = Rc::new(Cell::new(0));
    let one = || {
        let fired = Rc::clone(&fired);
        event_loop.call_later(SECOND, move || fired.set(fired.get() + 1))
    };
    let set = |count: usize| -> Vec<_> { (0..count).map(|_| one()).collect() };
    let old = set(50);
    old.iter().take(25).for_each(|timer| assert!(timer.cancel()));
    event_loop.run_until_complete(sleep(SECOND)).unwrap();
    let new = set(50);
    assert!(old.iter().all(|timer| !timer.cancel()));
    event_loop.run_until_complete(sleep(SECOND)).unwrap();
    assert_eq!(fired.get(), 25 + 50);
    assert!(new.iter().all(|timer| !timer.cancelled()));
}

#[test]
fn h24_a_key_of_a_callback_that_ran_takes_no_other_back() {
    test::run(async {
        let heard = reports();
        let (set, future) = promise::<u32>();
        let keys: Vec<_> = (0..10).map(|_| future.add_done_callback(|_| ())).collect();
        assert!(future.remove_done_callback(keys[3]) && !future.remove_done_callback(keys[3]));
        let again = future.add_done_callback(|_| ());
        assert!(!future.remove_done_callback(keys[3]) && !keys.contains(&again));
        set.set_result(1).unwrap();
        yield_now().await;
        assert!(keys.iter().all(|key| !future.remove_done_callback(*key)) && heard.borrow().is_empty());
    });
}
