//! Models of the queue between threads: every interleaving that loom finds.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p corio-queue --release --test loom
//! ```
//!
//! The controls are models with a known bug, which must fail. A failing model may end its process, so each runs in a
//! child of the test. They carry a copy of the protocol of their own: a lock, a line of wakers, a flag in each waiter.

#![cfg(loom)]

use corio_queue::concurrent::Queue;
use corio_queue::{GetError, ShutDown};
use futures_core::Stream;
use loom::future::block_on;
use loom::thread;
use std::pin::{Pin, pin};
use std::process::Command;
use std::task::{Context, Poll, Waker};

/// Polls once, with a waker that does nothing.
fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_async_getter_hears_of_a_put() {
    loom::model(|| {
        let queue = Queue::new(0);
        let other = queue.clone();
        let putter = thread::spawn(move || other.put_nowait(1).unwrap());
        assert_eq!(block_on(queue.get()), Ok(1));
        putter.join().unwrap();
    });
}

#[test]
fn a_blocking_getter_hears_of_a_put() {
    loom::model(|| {
        let queue = Queue::new(0);
        let other = queue.clone();
        let putter = thread::spawn(move || other.put_nowait(1).unwrap());
        assert_eq!(queue.get_blocking(None), Ok(1));
        putter.join().unwrap();
    });
}

#[test]
fn both_sides_take_turns_through_one_place() {
    loom::model(|| {
        let queue = Queue::new(1);
        let other = queue.clone();
        let putter = thread::spawn(move || (0..3).for_each(|n| other.put_blocking(n, None).unwrap()));
        for n in 0..3 {
            assert_eq!(block_on(queue.get()), Ok(n));
        }
        putter.join().unwrap();
    });
}

#[test]
fn two_putters_and_a_getter() {
    loom::model(|| {
        let queue = Queue::new(1);
        let putters = [1, 2].map(|n| {
            let queue = queue.clone();
            thread::spawn(move || block_on(queue.put(n)).unwrap())
        });
        let sum = queue.get_blocking(None).unwrap() + queue.get_blocking(None).unwrap();
        assert_eq!(sum, 3);
        putters.into_iter().for_each(|putter| putter.join().unwrap());
        assert_eq!(queue.get_nowait(), Err(GetError::QueueEmpty));
    });
}

#[test]
fn hazard_41_a_getter_dropped_while_it_is_woken_passes_the_wake_up_on() {
    loom::model(|| {
        let queue = Queue::new(0);
        let (leaver, putter) = (queue.clone(), queue.clone());
        let leaver = thread::spawn(move || {
            let mut get = leaver.get();
            // Taken, or dropped while waiting or woken: the time limit of a blocking call is this, too.
            match poll(&mut get) {
                Poll::Ready(item) => leaver.put_nowait(item.unwrap()).unwrap(),
                Poll::Pending => drop(get),
            }
        });
        let putter = thread::spawn(move || putter.put_nowait(1).unwrap());
        assert_eq!(queue.get_blocking(None), Ok(1));
        leaver.join().unwrap();
        putter.join().unwrap();
    });
}

#[test]
fn hazard_41_the_first_in_the_line_leaves_while_it_is_woken() {
    loom::model(|| {
        let (queue, mut first) = (Queue::new(0), None);
        let (putter, stream) = (queue.clone(), first.insert(queue.stream()));
        assert!(Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
        let leaver = thread::spawn(move || drop(first));
        let putter = thread::spawn(move || putter.put_nowait(1).unwrap());
        assert_eq!(queue.get_blocking(None), Ok(1));
        leaver.join().unwrap();
        putter.join().unwrap();
    });
}

#[test]
fn hazard_41_a_putter_dropped_while_it_is_woken_passes_the_wake_up_on() {
    loom::model(|| {
        let queue = Queue::new(1);
        queue.put_nowait(0).unwrap();
        let (leaver, getter) = (queue.clone(), queue.clone());
        let leaver = thread::spawn(move || {
            let mut put = leaver.put(7);
            if poll(&mut put).is_ready() {
                leaver.get_nowait().ok();
            }
        });
        let getter = thread::spawn(move || getter.get_nowait().is_ok());
        block_on(queue.put(1)).unwrap();
        leaver.join().unwrap();
        assert!(getter.join().unwrap());
    });
}

#[test]
fn hazard_44_a_shutdown_meets_both_sides() {
    loom::model(|| {
        let queue = Queue::new(1);
        queue.put_nowait(0).unwrap();
        let (putter, closer) = (queue.clone(), queue.clone());
        let putter = thread::spawn(move || block_on(putter.put(1)));
        let closer = thread::spawn(move || closer.shutdown(false));
        let first = block_on(queue.get());
        let second = queue.get_blocking(None);
        assert_eq!(first, Ok(0));
        closer.join().unwrap();
        match putter.join().unwrap() {
            Ok(()) => assert!(second == Ok(1) || queue.get_nowait() == Ok(1)),
            Err(ShutDown(item)) => assert_eq!((item, second), (1, Err(GetError::ShutDown))),
        }
    });
}

#[test]
fn a_join_hears_of_the_last_task_done() {
    loom::model(|| {
        let queue = Queue::new(0);
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || {
                queue.get_nowait().unwrap();
                queue.task_done().unwrap();
            })
        });
        block_on(queue.join());
        assert!(queue.is_empty());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn a_waker_is_replaced_while_it_is_woken() {
    loom::model(|| {
        let queue = Queue::new(0);
        let mut get = pin!(queue.get());
        assert!(poll(&mut get).is_pending());
        let other = queue.clone();
        let putter = thread::spawn(move || other.put_nowait(1).unwrap());
        // The waker that does nothing is replaced by this thread's, or it has been woken already.
        assert_eq!(block_on(get), Ok(1));
        putter.join().unwrap();
    });
}

/// The protocol once more, in small, with a switch for each bug.
mod buggy {
    use loom::sync::Mutex;
    use std::collections::VecDeque;
    use std::task::Waker;

    /// What is wrong with it.
    #[derive(Clone, Copy, PartialEq)]
    pub(super) enum Bug {
        /// Nothing: the copy itself must pass.
        None,
        /// A getter looks, lets go of the lock, and enters the line without looking again.
        NoRecheck,
        /// A getter that was notified and leaves keeps the notification.
        KeepsNotification,
        /// A getter that leaves looks whether it was notified, lets go of the lock, and only then leaves the line.
        LocksTwice,
    }

    #[derive(Default)]
    struct State {
        items: u32,
        /// Each waiter: its number and its waker.
        line: VecDeque<(u32, Waker)>,
        notified: Vec<u32>,
        next: u32,
    }

    pub(super) struct Line {
        state: Mutex<State>,
        bug: Bug,
    }

    impl Line {
        pub(super) fn new(bug: Bug) -> Line {
            Line { state: Mutex::default(), bug }
        }

        pub(super) fn put(&self) {
            let mut state = self.state.lock().unwrap();
            state.items += 1;
            let waker = state.notify();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }

        /// Takes an item, or enters the line and returns the waiter's number.
        pub(super) fn get(&self, waker: Waker) -> Option<u32> {
            let mut state = self.state.lock().unwrap();
            if state.items > 0 {
                state.items -= 1;
                return None;
            }
            if self.bug == Bug::NoRecheck {
                drop(state);
                state = self.state.lock().unwrap();
            }
            state.next += 1;
            let number = state.next;
            state.line.push_back((number, waker));
            Some(number)
        }

        /// Tells whether the waiter was notified, and takes it out if so.
        pub(super) fn heard(&self, number: u32) -> bool {
            self.state.lock().unwrap().heard(number)
        }

        /// Takes a waiter out that goes away.
        pub(super) fn leave(&self, number: u32) {
            let mut state = self.state.lock().unwrap();
            let notified = state.heard(number);
            if self.bug == Bug::LocksTwice {
                drop(state);
                state = self.state.lock().unwrap();
            }
            state.line.retain(|waiter| waiter.0 != number);
            let passed = if notified && self.bug != Bug::KeepsNotification { state.notify() } else { None };
            drop(state);
            passed.into_iter().for_each(Waker::wake);
        }
    }

    impl State {
        fn heard(&mut self, number: u32) -> bool {
            let place = self.notified.iter().position(|&other| other == number);
            place.map(|place| self.notified.swap_remove(place)).is_some()
        }

        fn notify(&mut self) -> Option<Waker> {
            let (number, waker) = self.line.pop_front()?;
            self.notified.push(number);
            Some(waker)
        }
    }
}

/// A getter that leaves, a getter that stays and a put: the one that stays must get the item.
fn control(bug: buggy::Bug) {
    loom::model(move || {
        let line = loom::sync::Arc::new(buggy::Line::new(bug));
        let (leaver, putter) = (loom::sync::Arc::clone(&line), loom::sync::Arc::clone(&line));
        // First in the line, and goes away: before, while or after the put notifies it.
        let first = line.get(Waker::noop().clone()).unwrap();
        let leaver = thread::spawn(move || leaver.leave(first));
        let putter = thread::spawn(move || putter.put());
        let mut number = None;
        block_on(std::future::poll_fn(|cx| {
            if number.is_some_and(|number| !line.heard(number)) {
                return Poll::Pending;
            }
            number = line.get(cx.waker().clone());
            if number.is_some() { Poll::Pending } else { Poll::Ready(()) }
        }));
        leaver.join().unwrap();
        putter.join().unwrap();
    });
}

/// The variable that tells a child which control it is.
const CONTROL: &str = "CORIO_QUEUE_LOOM_CONTROL";

/// Runs the test `name` in a child process, and tells whether it passed there.
fn passes_in_a_child(name: &str, control: &str) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(CONTROL, control);
    child.output().unwrap().status.success()
}

#[test]
fn controls_fail_and_the_copy_without_a_bug_passes() {
    const NAME: &str = "controls_fail_and_the_copy_without_a_bug_passes";
    match std::env::var(CONTROL).as_deref() {
        Ok("none") => control(buggy::Bug::None),
        Ok("no recheck") => control(buggy::Bug::NoRecheck),
        Ok("keeps notification") => control(buggy::Bug::KeepsNotification),
        Ok("locks twice") => control(buggy::Bug::LocksTwice),
        _ => {
            assert!(passes_in_a_child(NAME, "none"));
            assert!(!passes_in_a_child(NAME, "no recheck"), "the model does not see a lost wake-up");
            assert!(!passes_in_a_child(NAME, "keeps notification"), "the model does not see a wake-up kept");
            assert!(!passes_in_a_child(NAME, "locks twice"), "the model does not see who is notified as he leaves");
        }
    }
}
