//! The end of a run, with work in flight.

use corio_executor::{LoopHandle, run, sleep};
use corio_task::{catch_cancelled, create_task};
use corio_threadpool::to_thread;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn tasks_that_are_left_are_cancelled_and_waited_for() {
    let cleaned = Rc::new(Cell::new(0));
    let count = Rc::clone(&cleaned);
    run(async move {
        for _ in 0..3 {
            let count = Rc::clone(&count);
            drop(create_task(async move {
                let _ = catch_cancelled(sleep(Duration::from_secs(1000))).await;
                sleep(Duration::from_millis(1)).await; // Cleanup that waits.
                count.set(count.get() + 1);
            }));
        }
        corio_executor::yield_now().await;
    })
    .unwrap();
    assert_eq!(cleaned.get(), 3);
}

#[test]
fn calls_in_the_pool_are_finished_before_run_returns() {
    let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&done);
    run(async move {
        for _ in 0..4 {
            let (begun, count) = (Arc::clone(&begun), Arc::clone(&count));
            drop(create_task(async move {
                let _ = to_thread(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    count.fetch_add(1, Ordering::SeqCst);
                })
                .await;
            }));
        }
        while begun.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(1)).await; // However long a thread takes to start.
        }
    })
    .unwrap();
    assert!(done.load(Ordering::SeqCst) >= 1, "the calls that had begun are waited for");
}

#[test]
fn a_loop_that_is_over_refuses_and_hangs_nobody() {
    let remote = run(async { LoopHandle::current().remote() }).unwrap();
    assert!(remote.call_soon_threadsafe(|| ()).is_err());
    let late = std::thread::spawn(move || remote.call_soon_threadsafe(|| ()).is_err());
    assert!(late.join().unwrap());
}
