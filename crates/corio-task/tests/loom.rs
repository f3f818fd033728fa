//! Every order in which the owner and foreign threads can meet, by loom.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p corio-task --release --test loom`
//!
//! A model that fails aborts the process (loom panics while it drops what the model left), so the controls, which must
//! fail, run in child processes. Each carries its own small copy of the protocol, with one rule broken.
#![cfg(loom)]

use corio_task::{Bell, TaskSet};
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A parker that loom knows: a loop of the model sleeps in it.
#[derive(Default)]
struct Parker {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Parker {
    fn park(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.bell.wait(rung).unwrap();
        }
        *rung = false;
    }
}

impl Bell for Parker {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.bell.notify_one();
    }
}

fn belled() -> (TaskSet, Arc<Parker>) {
    let (set, parker) = (TaskSet::new(), Arc::new(Parker::default()));
    set.set_bell(Arc::clone(&parker) as Arc<dyn Bell>);
    (set, parker)
}

fn run_parked(set: &TaskSet, parker: &Parker, over: impl Fn() -> bool) {
    while !over() {
        set.drain_inbox();
        if set.has_ready() {
            set.run_batch();
        } else if set.fall_asleep() {
            parker.park();
            set.wake_up();
        }
    }
}

/// A task that waits for something known, and hands `n` wakers out at its first poll; it is over when `flag` is set.
fn waiting(set: &TaskSet, n: usize, flag: &Arc<AtomicBool>) -> (corio_task::Task<()>, Vec<Waker>) {
    let (send, receive) = std::sync::mpsc::channel();
    let flag = Arc::clone(flag);
    let mut first = true;
    let task = set.spawn(poll_fn(move |cx| {
        if std::mem::take(&mut first) {
            (0..n).for_each(|_| send.send(cx.waker().clone()).unwrap());
        }
        corio_seam::wait_on(corio_seam::Waiting::Leaf(&"something known"));
        if flag.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }));
    set.run_batch();
    (task, receive.try_iter().collect())
}

/// What the waker's thread did before the wake is seen by the poll after it, and the loop does not sleep through it.
#[test]
fn a_wake_is_never_lost() {
    loom::model(|| {
        let (set, parker) = belled();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, mut wakers) = waiting(&set, 1, &flag);
        let waker = wakers.pop().unwrap();
        let foreign = thread::spawn(move || {
            flag.store(true, Ordering::Relaxed);
            waker.wake();
        });
        run_parked(&set, &parker, || task.done());
        foreign.join().unwrap();
    });
}

#[test]
fn two_threads_wake_one_task() {
    loom::model(|| {
        let (set, parker) = belled();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, wakers) = waiting(&set, 2, &flag);
        let threads: Vec<_> = wakers
            .into_iter()
            .map(|waker| {
                let flag = Arc::clone(&flag);
                thread::spawn(move || {
                    flag.store(true, Ordering::Relaxed);
                    waker.wake();
                })
            })
            .collect();
        run_parked(&set, &parker, || task.done());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Runs a set that sleeps without a limit as long as it may be woken: true if it is over, false if it is stuck.
fn run_watchfully(set: &TaskSet, parker: &Parker, over: impl Fn() -> bool) -> bool {
    while !over() {
        set.drain_inbox();
        if set.has_ready() {
            set.run_batch();
        } else if set.fall_asleep() {
            let watched = set.watch();
            if !watched && set.is_stuck(0) {
                return false;
            }
            if watched {
                parker.park();
            } else {
                thread::yield_now(); // Whoever rings holds the inbox a moment longer than the waker.
            }
            set.wake_up();
        }
    }
    true
}

/// Wakers that are dropped elsewhere do not leave the set asleep for ever, whichever is the last.
#[test]
fn the_end_of_the_last_waker_is_heard() {
    loom::model(|| {
        let (set, parker) = belled();
        let (task, wakers) = waiting(&set, 2, &Arc::new(AtomicBool::new(false)));
        let threads: Vec<_> = wakers.into_iter().map(|waker| thread::spawn(move || drop(waker))).collect();
        assert!(!run_watchfully(&set, &parker, || task.done()));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// One that woke just before it went is heard once more, after the task has run and waits again.
#[test]
fn the_end_of_a_waker_that_woke_is_heard() {
    loom::model(|| {
        let (set, parker) = belled();
        let (task, mut wakers) = waiting(&set, 1, &Arc::new(AtomicBool::new(false)));
        let waker = wakers.pop().unwrap();
        let foreign = thread::spawn(move || waker.wake());
        assert!(!run_watchfully(&set, &parker, || task.done()));
        foreign.join().unwrap();
    });
}

/// Who drops a waker of a set that watches may meet the end of the set, brought about by another wake.
#[test]
fn a_drop_that_is_watched_meets_the_end_of_the_set() {
    loom::model(|| {
        let (set, parker) = belled();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, mut wakers) = waiting(&set, 2, &flag);
        let (one, other) = (wakers.pop().unwrap(), wakers.pop().unwrap());
        let threads = [
            thread::spawn(move || drop(one)),
            thread::spawn(move || {
                flag.store(true, Ordering::Relaxed);
                other.wake();
            }),
        ];
        assert!(run_watchfully(&set, &parker, || task.done()));
        drop((task, set));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// The cell is freed once, whoever lets go last: leaks and double frees are loom's, and the allocator's, to find.
#[test]
fn the_last_reference_frees_on_any_thread() {
    loom::model(|| {
        let set = TaskSet::new();
        let flag = Arc::new(AtomicBool::new(true));
        let (send, receive) = std::sync::mpsc::channel();
        let task = set.spawn(poll_fn(move |cx| {
            (0..2).for_each(|_| send.send(cx.waker().clone()).unwrap());
            Poll::<()>::Pending
        }));
        set.run_batch();
        let threads: Vec<_> = receive
            .try_iter()
            .map(|waker: Waker| {
                thread::spawn(move || {
                    let again = waker.clone();
                    again.wake_by_ref();
                    drop(waker);
                })
            })
            .collect();
        task.cancel();
        set.run_batch();
        drop(task);
        drop(set);
        drop(flag);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// The memory of tasks whose last references die elsewhere is taken care of by the set that goes on, and each block is used
/// by one task at a time.
#[test]
fn memory_that_died_elsewhere_is_used_again() {
    loom::model(|| {
        let set = TaskSet::new();
        let (send, receive) = std::sync::mpsc::channel();
        let over: Vec<_> = (0..2)
            .map(|_| {
                let send = send.clone();
                set.spawn(poll_fn(move |cx| {
                    send.send(cx.waker().clone()).unwrap();
                    Poll::Ready(())
                }))
            })
            .collect();
        set.run_batch();
        drop(over); // A waker each is left.
        let threads: Vec<_> = receive.try_iter().map(|waker: Waker| thread::spawn(move || drop(waker))).collect();
        assert!(set.fall_asleep());
        set.wake_up();
        let mut tasks: Vec<_> = (0..3).map(|number| set.spawn(async move { number })).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(!set.fall_asleep(), "three are ready");
        tasks.extend((3..5).map(|number| set.spawn(async move { number })));
        set.run_batch();
        let results: Vec<u32> = tasks.iter_mut().map(|task| task.take_output().unwrap().unwrap()).collect();
        assert_eq!(results, [0, 1, 2, 3, 4]);
    });
}

/// A set may be closed while others wake its tasks and call into it; what comes too late is given back.
#[test]
fn closing_meets_a_wake_and_a_call() {
    loom::model(|| {
        let (set, _parker) = belled();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, mut wakers) = waiting(&set, 1, &flag);
        let (waker, remote) = (wakers.pop().unwrap(), set.remote());
        let dropped = Arc::new(AtomicU32::new(0));
        let counted = CountDrop(Arc::clone(&dropped));
        let foreign = thread::spawn(move || {
            waker.wake();
            drop(remote.call(Box::new(move || drop(counted))));
        });
        set.close();
        assert!(task.cancelled());
        foreign.join().unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

struct CountDrop(Arc<AtomicU32>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs this very test again, in a child, with `name` set: the child must die.
fn must_fail(test: &str, model: impl Fn() + Sync + Send + 'static) {
    if std::env::var("CORIO_LOOM_CONTROL").as_deref() == Ok(test) {
        loom::model(model);
        return;
    }
    let me = std::env::current_exe().unwrap();
    let child = std::process::Command::new(me)
        .args(["--exact", test, "--test-threads=1"])
        .env("CORIO_LOOM_CONTROL", test)
        .env("LOOM_MAX_PREEMPTIONS", "3")
        .output()
        .unwrap();
    assert!(!child.status.success(), "the control passed: the models above could not fail either");
}

/// The rule "look again under the lock before you sleep", broken.
#[test]
fn control_sleep_without_a_second_look() {
    must_fail("control_sleep_without_a_second_look", || {
        let inbox = Arc::new((Mutex::new(0), AtomicBool::new(false), Parker::default()));
        let theirs = Arc::clone(&inbox);
        let foreign = thread::spawn(move || {
            *theirs.0.lock().unwrap() += 1;
            if theirs.1.swap(false, Ordering::SeqCst) {
                theirs.2.ring();
            }
        });
        let seen = *inbox.0.lock().unwrap() > 0;
        if !seen {
            inbox.1.store(true, Ordering::SeqCst); // Not under the lock, and without a second look.
            inbox.2.park();
        }
        foreign.join().unwrap();
    });
}

/// The rule "write the word even if the mark is set", broken: the second waker's data is not published.
#[test]
fn control_deduplication_by_a_plain_load() {
    must_fail("control_deduplication_by_a_plain_load", || {
        let word = Arc::new((AtomicU32::new(0), AtomicBool::new(false)));
        let wake = |word: &(AtomicU32, AtomicBool)| {
            if word.0.load(Ordering::Relaxed) & 1 == 0 {
                word.0.fetch_or(1, Ordering::AcqRel);
            }
        };
        let (first, second) = (Arc::clone(&word), Arc::clone(&word));
        let one = thread::spawn(move || wake(&first));
        let two = thread::spawn(move || {
            second.1.store(true, Ordering::Relaxed);
            wake(&second);
            second.0.load(Ordering::Relaxed) // Whether its wake stands for it.
        });
        let drained = word.0.fetch_and(!1, Ordering::AcqRel);
        let seen = word.1.load(Ordering::Relaxed);
        one.join().unwrap();
        two.join().unwrap();
        let left = word.0.load(Ordering::Relaxed);
        assert!(drained & 1 == 0 || seen || left & 1 != 0, "a wake was lost: drained without its data, no mark left");
    });
}

/// The rule "a drop learns whether it is watched by the very change that it is", broken: the owner looks in between.
#[test]
fn control_a_drop_that_looks_before_it_lets_go() {
    must_fail("control_a_drop_that_looks_before_it_lets_go", || {
        const WATCHED: u32 = 2;
        let shared = Arc::new((AtomicU32::new(1), Parker::default()));
        let theirs = Arc::clone(&shared);
        let foreign = thread::spawn(move || {
            let watched = theirs.0.load(Ordering::Relaxed) & WATCHED != 0;
            theirs.0.fetch_sub(1, Ordering::Release);
            if watched {
                theirs.1.ring();
            }
        });
        if shared.0.fetch_or(WATCHED, Ordering::Acquire) & 1 != 0 {
            shared.1.park();
        }
        foreign.join().unwrap();
    });
}

/// The rule "a stray is linked to what is first when it is put in", broken: of two that come at once, one is lost.
#[test]
fn control_a_stray_that_is_stored_not_exchanged() {
    must_fail("control_a_stray_that_is_stored_not_exchanged", || {
        let strays = Arc::new((AtomicU32::new(0), [AtomicU32::new(0), AtomicU32::new(0)]));
        let push = |strays: &(AtomicU32, [AtomicU32; 2]), number: u32| {
            let first = strays.0.load(Ordering::Relaxed);
            strays.1[number as usize - 1].store(first, Ordering::Relaxed);
            strays.0.store(number, Ordering::Release);
        };
        let threads: Vec<_> = (1..=2)
            .map(|number| {
                let strays = Arc::clone(&strays);
                thread::spawn(move || push(&strays, number))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let (mut next, mut count) = (strays.0.swap(0, Ordering::Acquire), 0);
        while next != 0 {
            count += 1;
            next = strays.1[next as usize - 1].load(Ordering::Relaxed);
        }
        assert_eq!(count, 2, "a block was lost");
    });
}

/// The rule "the inbox's mark is a reference", broken: the cell is freed while an entry points to it.
#[test]
fn control_a_queued_entry_that_is_not_counted() {
    must_fail("control_a_queued_entry_that_is_not_counted", || {
        let cell = Arc::new((AtomicU32::new(1), AtomicBool::new(false)));
        let theirs = Arc::clone(&cell);
        let foreign = thread::spawn(move || {
            theirs.0.fetch_sub(1, Ordering::AcqRel); // Queued before, its own reference given up: nobody is left.
            if theirs.0.load(Ordering::Acquire) == 0 {
                theirs.1.store(true, Ordering::Release); // Freed.
            }
        });
        thread::yield_now();
        assert!(!cell.1.load(Ordering::Acquire), "the drain met a cell that was freed");
        foreign.join().unwrap();
    });
}
