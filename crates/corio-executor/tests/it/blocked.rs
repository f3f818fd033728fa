//! Danger: a test that looks before its tasks are where it takes them to be, or that waits for them for ever.

use crate::transcript::Transcript;
use corio_executor::test::{Sequencer, wait_all_tasks_blocked};
use corio_executor::{EventLoop, LoopHandle, MockSelector, VirtualClock, run, sleep, test, yield_now};
use corio_task::create_task;
use futures_lite::future::poll_once;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Yields that often, and counts it.
async fn count(to: u32, counter: Rc<Cell<u32>>) {
    for _ in 0..to {
        yield_now().await;
        counter.set(counter.get() + 1);
    }
}

#[test]
fn it_waits_for_every_step_and_for_no_timer() {
    test::run(async {
        let counter = Rc::new(Cell::new(0));
        for n in [3, 30] {
            drop(create_task(count(n, Rc::clone(&counter))));
        }
        let sleeper = create_task(sleep(SECOND));
        wait_all_tasks_blocked().await;
        assert_eq!((counter.get(), sleeper.done()), (33, false));
        assert_eq!(LoopHandle::current().time().since_start(), Duration::ZERO);
        sleep(SECOND).await;
    });
}

#[test]
fn what_is_due_is_run_first() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    let out = Transcript::default();
    event_loop.call_later(SECOND, out.saying("due"));
    event_loop.call_later(SECOND * 3, out.saying("not due"));
    let main = async {
        clock.advance(SECOND * 2);
        wait_all_tasks_blocked().await;
        out.say("blocked");
    };
    event_loop.run_until_complete(main).unwrap();
    assert_eq!(out.lines(), ["due", "blocked"]);
}

#[test]
fn what_came_from_another_thread_is_run_first() {
    test::run(async {
        let (out, remote) = (Transcript::default(), LoopHandle::current().remote());
        for _ in 0..2 {
            let (remote, saying) = (remote.clone(), out.saying("sent"));
            thread::spawn(move || remote.call_soon_threadsafe(saying).unwrap()).join().unwrap();
            wait_all_tasks_blocked().await;
            out.say("blocked");
        }
        assert_eq!(out.lines(), ["sent", "blocked", "sent", "blocked"]);
    });
}

#[test]
fn several_resume_at_once_in_the_order_in_which_they_began() {
    let out = Transcript::default();
    test::run(async {
        let tasks = ["a", "b", "c"].map(|name| {
            let out = out.clone();
            create_task(async move {
                wait_all_tasks_blocked().await;
                out.say(name);
                yield_now().await;
                out.say(format!("{name} again"));
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(out.lines(), ["a", "b", "c", "a again", "b again", "c again"]);
}

#[test]
fn one_that_is_polled_for_nothing_waits_on() {
    test::run(async {
        let mut wait = std::pin::pin!(wait_all_tasks_blocked());
        for _ in 0..3 {
            assert!(poll_once(&mut wait).await.is_none());
        }
        wait.await;
    });
}

#[test]
fn one_that_is_given_up_is_not_taken_for_another() {
    test::run(async {
        let [first, second] = [(); 2].map(|()| create_task(wait_all_tasks_blocked()));
        yield_now().await;
        second.cancel();
        first.await.unwrap();
    });
}

#[test]
fn one_that_is_given_up_keeps_nobody() {
    test::run(async {
        let first = create_task(wait_all_tasks_blocked());
        let second = create_task(wait_all_tasks_blocked());
        yield_now().await;
        first.cancel();
        second.await.unwrap();
        assert!(first.cancelled());
    });
}

#[test]
fn it_can_be_waited_for_again_and_again() {
    test::run(async {
        for _ in 0..3 {
            wait_all_tasks_blocked().await;
        }
        let counter = Rc::new(Cell::new(0));
        drop(create_task(count(5, Rc::clone(&counter))));
        wait_all_tasks_blocked().await;
        assert_eq!(counter.get(), 5);
    });
}

#[test]
fn it_works_on_the_machine_s_clock() {
    run(async {
        let counter = Rc::new(Cell::new(0));
        drop(create_task(count(5, Rc::clone(&counter))));
        wait_all_tasks_blocked().await;
        assert_eq!(counter.get(), 5);
    })
    .unwrap();
}

#[test]
fn a_job_on_a_thread_is_blocked_too() {
    test::run(async {
        let (go, wait) = std::sync::mpsc::channel();
        let job = create_task(corio_threadpool::to_thread(move || wait.recv()));
        wait_all_tasks_blocked().await;
        assert!(!job.done());
        go.send(()).unwrap();
        job.await.unwrap().unwrap().unwrap();
    });
}

#[test]
fn a_loop_that_closes_under_it_forgets_it() {
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).selector(MockSelector::new()).build().unwrap();
    let task = event_loop.create_task(wait_all_tasks_blocked());
    event_loop.run_once().unwrap();
    event_loop.close().unwrap();
    assert!(task.cancelled());
}

#[test]
#[should_panic(expected = "inside `run`")]
fn without_a_loop_it_says_so() {
    futures_lite::future::block_on(wait_all_tasks_blocked());
}

/// Takes steps, and says so.
async fn take(sequence: Sequencer, out: Transcript, steps: &[u64]) {
    for step in steps {
        let _step = sequence.step(*step).await;
        out.say(format!("{step}"));
        yield_now().await;
        out.say(format!("{step} over"));
    }
}

#[test]
fn steps_are_taken_in_order_whoever_takes_them() {
    test::run_seeds(5, async || {
        let (sequence, out) = (Sequencer::new(), Transcript::default());
        let tasks: [&'static [u64]; 3] = [&[2, 5], &[1, 3, 4], &[0]];
        let tasks = tasks.map(|steps| create_task(take(sequence.clone(), out.clone(), steps)));
        for task in tasks {
            task.await.unwrap();
        }
        let expected: Vec<_> = (0..6).flat_map(|n| [format!("{n}"), format!("{n} over")]).collect();
        assert_eq!(out.lines(), expected);
    });
}

/// Returns what `future` panics with.
fn panic_of(future: impl Future) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(test::run(future)))).unwrap_err();
    corio_seam::Panic::new(payload).to_string()
}

#[test]
fn a_step_comes_once() {
    let panic = panic_of(async {
        let sequence = Sequencer::new();
        drop(sequence.step(0).await);
        sequence.step(0).await
    });
    assert!(panic.contains("step 0 of this sequence was taken before"), "{panic}");
    let panic = panic_of(async {
        let sequence = Sequencer::new();
        let inner = sequence.clone();
        let _task = create_task(async move { drop(inner.step(1).await) });
        yield_now().await;
        sequence.step(1).await
    });
    assert!(panic.contains("step 1 of this sequence was taken before"), "{panic}");
}

#[test]
fn a_step_given_up_breaks_the_sequence() {
    let panic = panic_of(async {
        let sequence = Sequencer::new();
        let (second, third) = (sequence.clone(), sequence.clone());
        let second = create_task(async move { drop(second.step(1).await) });
        let third = create_task(async move { drop(third.step(2).await) });
        yield_now().await;
        second.cancel();
        third.await.unwrap_err().into_panic().unwrap().resume_unwind();
    });
    assert!(panic.contains("step 1 was given up before its turn, so 2 can never come"), "{panic}");
}

#[test]
fn a_step_that_nobody_takes_is_a_deadlock() {
    let panic = panic_of(async { Sequencer::new().step(1).await });
    assert!(panic.contains("step of a sequence"), "{panic}");
}

#[test]
fn a_step_that_nobody_asked_for_yet_breaks_nothing() {
    test::run(async {
        let sequence = Sequencer::new();
        drop(sequence.step(1));
        drop(sequence.step(0).await);
        drop(sequence.step(1).await);
    });
}

#[test]
fn one_that_is_given_up_is_forgotten() {
    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    test::run(async {
        let nobody = Arc::new(Nobody);
        let mut blocked = Box::pin(wait_all_tasks_blocked());
        assert!(blocked.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&nobody)))).is_pending());
        assert_eq!(Arc::strong_count(&nobody), 2);
        drop(blocked);
        assert_eq!(Arc::strong_count(&nobody), 1);
    });
}
