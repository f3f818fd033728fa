//! 25 to 34: the loop, its timers and its bell.

use crate::kit::{LONG, SECOND, alone, leaves, many, ms, panic_of, poll_once, resident, virtual_loop};
use crate::ledger::Wakes;
use corio::executor::{Clock, Wait, io::Source, test};
use corio::signal::{SIGUSR1, SIGUSR2, Signal, Signals};
use corio::{
    EventLoop, LoopHandle, LoopTime, RunError, Runner, TimerHandle, concurrent, create_task, interval, sleep,
    sleep_until, yield_now,
};
use std::cell::{Cell, RefCell};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

// 25 to 27: runs, stops, iterations.

#[test]
fn h25_a_run_inside_a_run_is_refused_and_the_outer_one_goes_on() {
    let (event_loop, runner) = (virtual_loop(), Runner::new());
    let ended = event_loop.run_until_complete(async {
        assert!(matches!(corio::run(async {}), Err(RunError::Nested)));
        assert!(matches!(runner.run(async {}), Err(RunError::Nested)));
        assert!(matches!(event_loop.run_forever(), Err(RunError::Nested)));
        assert!(matches!(event_loop.run_once(), Err(RunError::Nested)));
        assert!(event_loop.close().is_err());
        assert_eq!(LoopHandle::current().id(), event_loop.id());
        sleep(SECOND).await;
        "went on"
    });
    assert_eq!(ended.unwrap(), "went on");
    runner.run(async {}).unwrap();
}

#[test]
fn h25_two_threads_run_two_loops_and_leave_no_trace() {
    let threads = [1, 2].map(|n| {
        thread::spawn(move || {
            let times = (0..50).map(|_| {
                let time = test::run(async move {
                    sleep(ms(n)).await;
                    LoopHandle::current().time().since_start()
                });
                assert!(LoopHandle::try_current().is_none());
                time
            });
            times.sum::<Duration>()
        })
    });
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [ms(50), ms(100)]);
}

#[test]
fn h25_a_closed_loop_refuses_in_a_sentence() {
    let event_loop = virtual_loop();
    let (remote, handle) = (event_loop.remote(), event_loop.handle().clone());
    event_loop.close().unwrap();
    assert!(matches!(event_loop.run_until_complete(async {}), Err(RunError::Closed)));
    assert!(matches!(event_loop.run_forever(), Err(RunError::Closed)));
    assert!(remote.call_soon_threadsafe(|| ()).is_err() && remote.stop().is_err());
    assert!(remote.run_coroutine_threadsafe(|| async {}).is_err());
    assert!(panic_of(|| drop(handle.call_soon(|| ()))).unwrap().contains("closed"));
    assert!(panic_of(|| drop(handle.call_later(SECOND, || ()))).unwrap().contains("closed"));
    assert!(panic_of(|| drop(handle.create_task(async {}))).unwrap().contains("closed"));
    assert!(panic_of(|| drop(LoopHandle::current())).unwrap().contains("inside `run`"));
}

#[test]
fn h25_loops_of_one_thread_are_dropped_in_any_order() {
    let loops: Vec<_> = (0..3).map(|_| virtual_loop()).collect();
    for event_loop in &loops {
        event_loop.run_until_complete(sleep(SECOND)).unwrap();
    }
    let mut loops = loops.into_iter();
    let (first, second, third) = (loops.next().unwrap(), loops.next().unwrap(), loops.next().unwrap());
    drop(second);
    assert_eq!(first.run_until_complete(async { 1 }).unwrap(), 1);
    drop(first);
    assert_eq!(third.run_until_complete(async { 3 }).unwrap(), 3);
}

#[test]
fn h26_stop_before_a_run_from_a_callback_and_twice() {
    let event_loop = virtual_loop();
    let ran = Rc::new(RefCell::new(Vec::new()));
    let say = |what: &'static str| {
        let ran = Rc::clone(&ran);
        move || ran.borrow_mut().push(what)
    };
    event_loop.stop();
    event_loop.stop();
    event_loop.call_soon(say("one iteration"));
    event_loop.call_later(SECOND, say("later"));
    event_loop.run_forever().unwrap();
    assert_eq!(ran.take(), ["one iteration"]);

    let handle = event_loop.handle().clone();
    event_loop.call_soon(move || {
        handle.stop();
        handle.stop();
    });
    event_loop.call_soon(say("the batch is finished"));
    event_loop.run_forever().unwrap();
    assert_eq!(ran.take(), ["the batch is finished"]);

    let handle = event_loop.handle().clone();
    event_loop.call_later(SECOND / 2, move || handle.stop());
    assert!(matches!(event_loop.run_until_complete(sleep(SECOND * 9)), Err(RunError::Stopped)));
    event_loop.run_until_complete(sleep(SECOND)).unwrap();
    assert_eq!(ran.take(), ["later"]);
}

#[test]
fn h26_what_is_queued_when_main_ends_is_kept() {
    let event_loop = virtual_loop();
    let ran = Rc::new(Cell::new(0));
    let inner = Rc::clone(&ran);
    let main = async move {
        let event_loop = LoopHandle::current();
        event_loop.clone().call_soon(move || {
            inner.set(1);
            event_loop.call_soon(move || inner.set(2));
        });
    };
    event_loop.run_until_complete(main).unwrap();
    assert_eq!(ran.get(), 1);
    event_loop.run_until_complete(yield_now()).unwrap();
    assert_eq!(ran.get(), 2);
}

/// Schedules itself until the count is used up.
fn countdown(left: usize, total: Rc<Cell<usize>>) {
    total.set(total.get() + 1);
    if left > 1 {
        LoopHandle::current().call_soon(move || countdown(left - 1, total));
    }
}

#[test]
fn h27_ten_million_callbacks_take_no_stack_and_no_memory() {
    alone(|| {
        let count = many(10_000_000, 500_000);
        let total = Rc::new(Cell::new(0));
        let event_loop = virtual_loop();
        let warm = Rc::clone(&total);
        event_loop.call_soon(move || countdown(1000, warm));
        event_loop.run_until_complete(sleep(SECOND)).unwrap();
        let (before, inner) = (resident(), Rc::clone(&total));
        total.set(0);
        event_loop.call_soon(move || countdown(count, inner));
        let mut iterations = 0;
        while total.get() < count {
            event_loop.run_once().unwrap();
            iterations += 1;
        }
        assert_eq!(iterations, count, "each runs in an iteration of its own");
        let grown = resident().saturating_sub(before);
        assert!(grown < 4 << 20, "{grown} bytes");
    });
}

#[test]
fn h27_ten_million_callbacks_at_once_run_in_order_and_none_is_lost() {
    let batches = 10;
    let each = many(1_000_000, 50_000);
    let (event_loop, next) = (virtual_loop(), Rc::new(Cell::new(0)));
    for batch in 0..batches {
        for n in 0..each {
            let next = Rc::clone(&next);
            event_loop.call_soon(move || assert_eq!(next.replace(next.get() + 1), batch * each + n));
        }
        event_loop.run_once().unwrap();
    }
    assert_eq!(next.get(), batches * each);
}

// 28 to 31: timers and clocks.

#[test]
fn h28_moments_at_the_edges_and_ties() {
    let fired = Rc::new(RefCell::new(Vec::new()));
    let say = |what: &'static str| {
        let fired = Rc::clone(&fired);
        move || fired.borrow_mut().push(what)
    };
    test::run(async {
        let event_loop = LoopHandle::current();
        let never = [
            event_loop.call_later(Duration::MAX, say("never")),
            event_loop.call_at(LoopTime::MAX, say("never")),
            event_loop.call_at(LoopTime::MAX + Duration::MAX, say("never")),
        ];
        event_loop.call_later(Duration::from_nanos(1), say("1 ns"));
        event_loop.call_later(Duration::ZERO, say("zero"));
        event_loop.call_at(LoopTime::from_nanos(1), say("1 ns, too"));
        event_loop.call_at(LoopTime::ZERO, say("zero, too"));
        sleep(Duration::from_nanos(1)).await;
        event_loop.call_at(LoopTime::ZERO, say("the past"));
        yield_now().await;
        yield_now().await;
        sleep_until(LoopTime::ZERO).await;
        assert!(corio::timeout(Duration::MAX, sleep(SECOND)).await.is_ok());
        assert!(corio::timeout(Duration::ZERO, sleep(SECOND)).await.is_err());
        assert!(never.iter().all(TimerHandle::cancel));
    });
    assert_eq!(*fired.borrow(), ["zero", "zero, too", "1 ns", "1 ns, too", "the past"]);
}

#[test]
fn h28_a_real_clock_sleeps_the_longest_time_without_overflow() {
    let ended = corio::run(async {
        let forever = create_task(sleep(Duration::MAX));
        sleep(Duration::from_micros(100)).await;
        assert!(!forever.done());
        forever.cancel();
        let (_set, mut future) = concurrent::promise::<u32>();
        drop(create_task(async { sleep(Duration::from_millis(1)).await }));
        let other = corio::queue::concurrent::Queue::<u32>::new(0);
        other.put_nowait(1).unwrap();
        assert_eq!(other.get_blocking(Some(Duration::MAX)).unwrap(), 1);
        assert!(future.result(Some(Duration::ZERO)).unwrap_err().is_timed_out());
    });
    ended.unwrap();
}

#[test]
fn h29_nothing_fires_early_and_no_wait_spins() {
    let event_loop = EventLoop::new().unwrap();
    let (near, _far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    for with_source in [false, true] {
        // With a source the loop sleeps in the selector, without one on a futex.
        let mut near = with_source.then(|| near.try_clone().unwrap());
        let _reader = event_loop.create_task(async move {
            if let Some(near) = near.take() {
                drop(Source::new(near).unwrap().readable().await);
            }
        });
        for micros in [0, 1, 50, 300, 2_500] {
            let delay = Duration::from_micros(micros);
            let (start, fired) = (Instant::now(), Rc::new(Cell::new(None)));
            let inner = Rc::clone(&fired);
            event_loop.call_later(delay, move || inner.set(Some(start.elapsed())));
            let mut iterations = 0;
            while fired.get().is_none() {
                event_loop.run_once().unwrap();
                iterations += 1;
            }
            assert!(fired.get().unwrap() >= delay, "{delay:?} was over after {fired:?}");
            assert!(iterations <= 6, "{iterations} iterations for {delay:?}");
        }
    }
}

#[test]
fn h30_a_timer_is_cancelled_by_itself_by_another_of_its_batch_and_dropped_when_due() {
    test::run(async {
        let event_loop = LoopHandle::current();
        type Kept = Rc<RefCell<Option<TimerHandle>>>;
        let (own, victim) = (Kept::default(), Kept::default());
        let inner = Rc::clone(&own);
        own.replace(Some(event_loop.call_later(SECOND, move || assert!(!inner.take().unwrap().cancel()))));
        let inner = Rc::clone(&victim);
        event_loop.call_later(SECOND, move || assert!(inner.take().unwrap().cancel()));
        victim.replace(Some(event_loop.call_later(SECOND, || panic!("cancelled in its own batch"))));
        let sleeper = create_task(sleep(SECOND));
        yield_now().await;
        let reference = sleeper.task_ref();
        event_loop.call_later(SECOND, move || _ = reference.cancel());
        sleep(SECOND).await;
        sleep(SECOND).await;
        assert!(own.borrow().is_none() && victim.borrow().is_none() && sleeper.done());
    });
}

#[test]
fn h30_a_million_cancelled_timers_are_purged() {
    alone(|| {
        let count = many(1_000_000, 200_000);
        let (event_loop, held) = (virtual_loop(), Rc::new(()));
        let set_and_cancel = |n: usize| {
            let inner = Rc::clone(&held);
            let timer = event_loop.call_later(SECOND * 3600 + Duration::from_nanos(n as u64), move || drop(inner));
            assert!(timer.cancel());
        };
        (0..1000).for_each(set_and_cancel);
        let before = resident();
        (0..count).for_each(set_and_cancel);
        let grown = resident().saturating_sub(before);
        assert_eq!(Rc::strong_count(&held), 1, "their callbacks are dropped at once");
        assert!(grown < 2 << 20, "{grown} bytes are kept for {count} timers that nobody waits for");
        event_loop.run_until_complete(sleep(SECOND)).unwrap();
    });
}

/// Time that another thread, or a callback, moves by any amount.
#[derive(Clone, Default)]
struct Jumpy(Rc<Cell<u64>>);

impl Clock for Jumpy {
    fn now(&self) -> LoopTime {
        LoopTime::from_nanos(self.0.get())
    }

    fn wait(&self, _: LoopTime) -> Wait {
        Wait::Jump
    }

    fn advance_to(&self, when: LoopTime) {
        self.0.set(when.as_nanos().max(self.0.get()));
    }
}

#[test]
fn h31_a_clock_that_leaps_fires_each_timer_once_in_order_and_skips_ticks() {
    let clock = Jumpy::default();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    let fired = Rc::new(RefCell::new(Vec::new()));
    for n in [3, 1, 2] {
        let fired = Rc::clone(&fired);
        event_loop.call_later(SECOND * n, move || fired.borrow_mut().push(n));
    }
    let hour = SECOND * 3600;
    let leap = clock.clone();
    event_loop.call_later(SECOND / 2, move || leap.0.set(hour.as_nanos() as u64)); // As after a suspend.
    let ticks = event_loop.run_until_complete(async {
        let mut ticks = interval(SECOND);
        [ticks.tick().await.since_start(), ticks.tick().await.since_start()]
    });
    assert_eq!(*fired.borrow(), [1, 2, 3]);
    let ticks = ticks.unwrap();
    assert!(ticks[1] >= hour && ticks[1] <= hour + SECOND * 2, "late ticks are skipped, not made up for: {ticks:?}");
}

#[test]
fn h31_the_core_reads_no_wall_clock() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut read = 0;
    let mut folders = ["seam", "future", "sync", "task", "executor", "net", "threadpool", "combinators", "queue"]
        .map(|name| root.join(format!("crates/corio-{name}/src")))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            read += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("SystemTime::now"), "{} reads a clock that jumps", path.display());
        }
    }
    assert!(read > 100, "{read} files");
}

// 32 to 34: bells, signals, wake-ups for nothing.

/// How many iterations pass until a timer of 5 ms fires, of a loop that nobody wakes.
fn iterations_of_a_sleep(event_loop: &EventLoop) -> usize {
    let fired = Rc::new(Cell::new(false));
    let inner = Rc::clone(&fired);
    event_loop.call_later(ms(5), move || inner.set(true));
    let mut iterations = 0;
    while !fired.get() {
        event_loop.run_once().unwrap();
        iterations += 1;
    }
    iterations
}

#[test]
fn h32_a_million_rings_are_one_and_the_next_wait_sleeps() {
    let count = many(1_000_000, 100_000);
    let event_loop = EventLoop::new().unwrap();
    let (near, _far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    for with_source in [false, true] {
        let mut near = with_source.then(|| near.try_clone().unwrap());
        let _reader = event_loop.create_task(async move {
            if let Some(near) = near.take() {
                drop(Source::new(near).unwrap().readable().await);
            }
        });
        event_loop.run_once().unwrap();
        let (remote, called) = (event_loop.remote(), Arc::new(AtomicUsize::new(0)));
        let theirs = Arc::clone(&called);
        let burst = thread::spawn(move || {
            for _ in 0..count {
                let called = Arc::clone(&theirs);
                remote.call_soon_threadsafe(move || _ = called.fetch_add(1, Ordering::Relaxed)).unwrap();
            }
        });
        burst.join().unwrap();
        event_loop.run_once().unwrap();
        assert_eq!(called.load(Ordering::Relaxed), count, "queued first, then rung for");
        let iterations = iterations_of_a_sleep(&event_loop);
        assert!(iterations <= 5, "{iterations} iterations to sleep once");
    }
}

#[test]
fn h32_no_ring_is_lost_as_the_loop_falls_asleep() {
    let rounds = many(50_000, 5_000);
    let ended = corio::run(async move {
        let remote = LoopHandle::current().remote();
        let (ask, asked) = std::sync::mpsc::channel::<concurrent::Promise<usize>>();
        let answers = thread::spawn(move || {
            for (n, promise) in asked.into_iter().enumerate() {
                if n % 2 == 0 {
                    promise.set_result(n).unwrap();
                } else {
                    remote.call_soon_threadsafe(move || promise.set_result(n).unwrap()).unwrap();
                }
            }
        });
        for n in 0..rounds {
            let (promise, answer) = concurrent::promise();
            ask.send(promise).unwrap();
            assert_eq!(answer.await.unwrap(), n);
        }
        drop(ask);
        answers.join().unwrap();
    });
    ended.unwrap();
}

/// Sends a signal to this process; some thread's handler has run, or will.
fn raise(signal: Signal) {
    signal_hook::low_level::raise(signal.as_raw()).unwrap();
}

#[test]
fn h33_a_storm_of_signals_is_heard_and_stops_nobody() {
    alone(|| {
        let storm = many(50_000, 20_000);
        let ended = corio::run(async move {
            let calls = Rc::new(Cell::new(0));
            let inner = Rc::clone(&calls);
            LoopHandle::current().add_signal_handler(SIGUSR1, move || inner.set(inner.get() + 1)).unwrap();
            let mut other = Signals::new([SIGUSR2]).unwrap();
            let over = Arc::new(AtomicBool::new(false));
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let over = Arc::clone(&over);
                    thread::spawn(move || {
                        (0..storm).for_each(|_| raise(SIGUSR1));
                        over.store(true, Ordering::SeqCst);
                    })
                })
                .collect();
            // Timers go on beneath it.
            let mut naps = 0;
            while !over.load(Ordering::SeqCst) {
                sleep(Duration::from_micros(100)).await;
                naps += 1;
            }
            assert!(naps > 0);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            raise(SIGUSR2); // Whatever pipe there is was full: the flag of the other one is not lost.
            assert_eq!(other.recv().await, SIGUSR2);
            assert!(calls.get() >= 1 && calls.get() <= 4 * storm, "{} calls", calls.get());
            sleep(ms(5)).await; // Afterwards it is silent.
            let before = calls.get();
            sleep(ms(5)).await;
            assert_eq!(calls.get(), before);
        });
        ended.unwrap();
    });
}

#[test]
fn h33_a_wait_that_a_signal_interrupts_goes_on() {
    alone(|| {
        // Somebody else's handler: the wait ends with EINTR, which means nothing to the loop.
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGUSR1.as_raw(), Arc::clone(&flag)).unwrap();
        let event_loop = EventLoop::new().unwrap();
        let (near, _far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let _reader = event_loop.create_task(async { drop(Source::new(near).unwrap().readable().await) });
        let over = Arc::new(AtomicBool::new(false));
        let (theirs, process) = (Arc::clone(&over), rustix::process::getpid());
        let sender = thread::spawn(move || {
            while !theirs.load(Ordering::SeqCst) {
                rustix::process::kill_process(process, rustix::process::Signal::USR1).unwrap();
                thread::sleep(Duration::from_micros(200));
            }
        });
        let start = Instant::now();
        event_loop.run_until_complete(sleep(ms(50))).unwrap();
        assert!(start.elapsed() >= ms(50) && flag.load(Ordering::SeqCst));
        over.store(true, Ordering::SeqCst);
        sender.join().unwrap();
    });
}

#[test]
fn h34_a_poll_for_nothing_ends_no_wait_and_takes_no_second_place() {
    for leaf in leaves() {
        let (name, mut waits) = (leaf.name, leaf.waits);
        let (waker, wakes) = Wakes::new();
        for _ in 0..100 {
            waits.iter_mut().for_each(|wait| assert!(poll_once(wait.as_mut(), &waker).is_pending(), "{name}"));
        }
        leaf.wake.into_iter().for_each(|wake| wake());
        assert!((1..=2).contains(&wakes.count()), "{name}: {} wakes for two that wait", wakes.count());
    }
    test::run(async {
        let mut nap = pin!(sleep(SECOND));
        for _ in 0..100 {
            assert!(poll_once(nap.as_mut(), Waker::noop()).is_pending());
            yield_now().await;
        }
        nap.await;
        assert_eq!(LoopHandle::current().time().since_start(), SECOND);
    });
}

#[test]
fn h34_a_foreign_unpark_ends_no_sleep_and_is_not_eaten() {
    let me = thread::current();
    let over = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&over);
    let unparker = thread::spawn(move || {
        while !theirs.load(Ordering::SeqCst) {
            me.unpark();
        }
    });
    let event_loop = EventLoop::new().unwrap();
    let start = Instant::now();
    event_loop.run_until_complete(sleep(ms(20))).unwrap();
    assert!(start.elapsed() >= ms(20));
    over.store(true, Ordering::SeqCst);
    unparker.join().unwrap();
    thread::current().unpark();
    event_loop.run_until_complete(sleep(ms(1))).unwrap();
    thread::park_timeout(LONG); // The token of `unpark` is still there: this does not wait.
    assert!(start.elapsed() < LONG);
}
