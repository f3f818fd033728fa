//! Danger: a programmer's error that hangs, or goes unnoticed, instead of being refused.
//!
//! Hazard 25. A loop cannot be moved to another thread, nor used from one: `auto_traits` and the compiler see to it.

use corio_executor::{
    EventLoop, LoopHandle, RunError, Runner, StillRunning, VirtualClock, run, sleep, test, yield_now,
};
use corio_task::{TaskOptions, create_task, create_task_with};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
#[cfg(not(miri))]
use std::{sync::mpsc, thread};

fn virtual_loop() -> EventLoop {
    EventLoop::builder().clock(VirtualClock::new()).build().unwrap()
}

/// To sleep for ever is an error, unless it is what was asked for: then this leaves a sleeping thread behind.
#[test]
#[cfg(not(miri))]
fn a_loop_that_shall_not_look_for_deadlocks_sleeps() {
    for detect in [true, false] {
        let (over, ended) = mpsc::channel();
        thread::spawn(move || {
            let ended = EventLoop::builder().detect_deadlocks(detect).build().unwrap().run_once();
            over.send(matches!(ended, Err(RunError::Deadlock(_)))).unwrap();
        });
        let limit = Duration::from_millis(if detect { 20_000 } else { 100 });
        let expected = if detect { Ok(true) } else { Err(mpsc::RecvTimeoutError::Timeout) };
        assert_eq!(ended.recv_timeout(limit), expected);
    }
}

#[test]
fn hazard_25_a_run_inside_a_run_is_refused() {
    let (event_loop, other, runner) = (virtual_loop(), virtual_loop(), Runner::new());
    event_loop
        .run_until_complete(async {
            assert!(matches!(run(async {}), Err(RunError::Nested)));
            assert!(matches!(runner.run(async {}), Err(RunError::Nested)));
            assert!(matches!(runner.close(), Err(RunError::Nested)));
            for inner in [&event_loop, &other] {
                assert!(matches!(inner.run_until_complete(async {}), Err(RunError::Nested)));
                assert!(matches!(inner.run_forever(), Err(RunError::Nested)));
                assert!(matches!(inner.run_once(), Err(RunError::Nested)));
            }
            assert_eq!(event_loop.close(), Err(StillRunning));
            assert!(event_loop.is_running() && !other.is_running());
            assert_eq!(LoopHandle::current().id(), event_loop.id(), "it still runs");
            sleep(Duration::from_secs(1)).await;
        })
        .unwrap();
    assert!(!event_loop.is_running());
    runner.run(async {}).unwrap();
}

#[test]
fn hazard_25_a_closed_loop_refuses_everything() {
    let event_loop = virtual_loop();
    let remote = event_loop.remote();
    event_loop.close().unwrap();
    event_loop.close().unwrap();
    assert!(event_loop.is_closed());
    assert!(matches!(event_loop.run_until_complete(async {}), Err(RunError::Closed)));
    assert!(matches!(event_loop.run_forever(), Err(RunError::Closed)));
    assert!(matches!(event_loop.run_once(), Err(RunError::Closed)));
    assert!(remote.call_soon_threadsafe(|| ()).is_err());
    assert!(remote.run_coroutine_threadsafe(|| async {}).is_err());
    assert!(remote.stop().is_err());
    let attempts: [&dyn Fn(); 3] =
        [&|| drop(event_loop.call_soon(|| ())), &|| drop(event_loop.call_later(Duration::ZERO, || ())), &|| {
            drop(event_loop.create_task(async {}))
        }];
    for attempt in attempts {
        let payload = catch_unwind(AssertUnwindSafe(attempt)).unwrap_err();
        let text = corio_seam::Panic::new(payload).to_string();
        assert!(text.contains("closed"), "{text}");
    }
}

#[test]
fn hazard_25_no_loop_no_handle() {
    assert!(LoopHandle::try_current().is_none());
    let payload = catch_unwind(|| drop(LoopHandle::current())).unwrap_err();
    assert!(corio_seam::Panic::new(payload).to_string().contains("inside `run`"));
}

#[test]
fn hazard_25_a_task_set_is_no_event_loop() {
    let tasks = corio_task::TaskSet::new();
    tasks.enter(|| {
        assert!(LoopHandle::try_current().is_none());
        assert!(matches!(run(async {}), Err(RunError::Nested)));
    });
}

#[test]
fn hazard_25_two_threads_run_two_loops() {
    let threads = [1, 2].map(|n| {
        std::thread::spawn(move || {
            test::run(async move {
                for _ in 0..100 {
                    sleep(Duration::from_millis(n)).await;
                }
                LoopHandle::current().time().since_start()
            })
        })
    });
    let times = threads.map(|thread| thread.join().unwrap());
    assert_eq!(times, [Duration::from_millis(100), Duration::from_millis(200)]);
}

#[test]
fn hazard_25_two_loops_take_turns_on_a_thread() {
    let (one, two) = (virtual_loop(), virtual_loop());
    let calls = Rc::new(Cell::new(0));
    for event_loop in [&one, &two, &one] {
        // A callback of one loop schedules on the other, and on its own.
        let (inner, handle) = (Rc::clone(&calls), two.handle().clone());
        event_loop.call_soon(move || {
            handle.call_soon(move || inner.set(inner.get() + 1));
        });
        event_loop.run_once().unwrap();
    }
    two.run_once().unwrap();
    assert_eq!(calls.get(), 3);
}

#[test]
fn a_panic_of_main_leaves_no_trace_on_the_thread() {
    let runner = Runner::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| runner.run(async { panic!("main's own") })));
    assert_eq!(corio_seam::Panic::new(outcome.unwrap_err()).message(), Some("main's own"));
    assert!(corio_seam::loop_id().is_none());
    assert_eq!(runner.run(async { 2 }).unwrap(), 2, "the runner can be used again");
}

/// A future of 200 KiB by value, on a stack of 2 MiB without optimisation: each function on the way would keep a copy.
#[test]
fn a_large_future_does_not_fill_the_stack() {
    async fn large(fill: u8) -> u8 {
        let bytes = [fill; 200 * 1024];
        yield_now().await;
        bytes[usize::from(fill)]
    }
    let stack = std::thread::Builder::new().stack_size(2 << 20);
    let ended = stack.spawn(|| {
        assert_eq!(run(large(1)).unwrap(), 1);
        assert_eq!(Runner::new().run(large(2)).unwrap(), 2);
        assert_eq!(EventLoop::new().unwrap().run_until_complete(large(3)).unwrap(), 3);
        let tasks = async {
            let plain = create_task(large(4));
            let eager = create_task_with(TaskOptions::new().eager(true), large(5));
            let (handle, options) = (LoopHandle::current(), TaskOptions::new());
            let by_loop = (handle.create_task(large(6)), handle.create_task_with(options, large(7)));
            [plain.await.ok(), eager.await.ok(), by_loop.0.await.ok(), by_loop.1.await.ok()]
        };
        assert_eq!(run(tasks).unwrap(), [4, 5, 6, 7].map(Some));
    });
    ended.unwrap().join().unwrap();
}
