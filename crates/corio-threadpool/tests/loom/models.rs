//! What holds in every interleaving.

use crate::controls;
use crate::counts::Phase;
use crate::gate::{Gate, Next, Refusal};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// A job is what it adds to the sum, so a sum tells which jobs ran, and that none ran twice.
pub(crate) type Pool = Gate<usize, JoinHandle<()>>;

/// Sums the jobs that ran and those that failed.
#[derive(Default)]
pub(crate) struct Ledger {
    ran: AtomicUsize,
    failed: AtomicUsize,
    /// How often a worker has said `done`, or forgotten to.
    done: AtomicUsize,
}

impl Ledger {
    fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }

    fn failed(&self) -> usize {
        self.failed.load(Ordering::SeqCst)
    }
}

/// The loop of a pool's worker.
fn work(pool: &Pool, ledger: &Ledger) {
    loop {
        match pool.next() {
            Next::Run(job) => _ = ledger.ran.fetch_add(job, Ordering::SeqCst),
            Next::Fail(job) => _ = ledger.failed.fetch_add(job, Ordering::SeqCst),
            Next::Leave => break,
        }
        if !controls::is("forgetful") {
            pool.done();
        }
        ledger.done.fetch_add(1, Ordering::SeqCst);
    }
    pool.leave();
}

fn submit(pool: &Arc<Pool>, ledger: &Arc<Ledger>, job: usize) -> Result<(), (usize, Refusal)> {
    let (in_thread, its_ledger) = (pool.clone(), ledger.clone());
    pool.admit(job, |_| Ok(thread::spawn(move || work(&in_thread, &its_ledger))))
}

fn pool(max: usize) -> (Arc<Pool>, Arc<Ledger>) {
    (Arc::new(Gate::new(max)), Arc::default())
}

fn join(pool: &Pool) {
    for handle in pool.take_handles() {
        handle.join().unwrap();
    }
}

/// Hazard 50: a job that was let in runs once, one that was refused never, and the wait for the end comes to its end.
#[test]
fn submit_meets_shutdown() {
    loom::model(|| {
        let (pool, ledger) = pool(1);
        let submitter = thread::spawn({
            let (pool, ledger) = (pool.clone(), ledger.clone());
            move || if submit(&pool, &ledger, 1).is_ok() { 1 } else { 0 }
        });
        pool.close();
        pool.wait(false, None);
        let admitted = submitter.join().unwrap();
        assert!(pool.wait(false, None));
        assert_eq!(ledger.ran(), admitted);
        join(&pool);
    });
}

/// Two submitters start at most one thread, whoever comes first, and both jobs run before the last worker leaves.
#[test]
fn the_bound_holds_between_two_submitters() {
    loom::model(|| {
        let (pool, ledger) = pool(1);
        let submitter = thread::spawn({
            let (pool, ledger) = (pool.clone(), ledger.clone());
            move || submit(&pool, &ledger, 1).unwrap()
        });
        submit(&pool, &ledger, 10).unwrap();
        assert!(pool.status().1 <= 1);
        submitter.join().unwrap();
        pool.close();
        assert!(pool.wait(false, None));
        assert_eq!(ledger.ran(), 11);
        join(&pool);
    });
}

/// Hazard 54: a worker that has done its job is counted on; no second thread starts for a second job.
#[test]
fn a_free_worker_is_used_again() {
    loom::model(|| {
        let (pool, ledger) = pool(2);
        submit(&pool, &ledger, 1).unwrap();
        while ledger.done.load(Ordering::SeqCst) < 1 {
            thread::yield_now();
        }
        submit(&pool, &ledger, 10).unwrap();
        assert_eq!(pool.status(), (Phase::Open, 1));
        pool.close();
        assert!(pool.wait(false, None));
        assert_eq!(ledger.ran(), 11);
        join(&pool);
    });
}

/// Whoever takes a queued job away while workers drain it: each job is run or taken, not both, not neither.
#[test]
fn cancelling_meets_draining() {
    loom::model(|| {
        let (pool, ledger) = pool(1);
        submit(&pool, &ledger, 1).unwrap();
        submit(&pool, &ledger, 10).unwrap();
        pool.close();
        let mut taken = 0;
        while let Some(job) = pool.take_queued() {
            taken += job;
        }
        assert!(pool.wait(false, None));
        assert_eq!(ledger.ran() + taken, 11);
        join(&pool);
    });
}

/// A pool that breaks while jobs come in: each is run, failed or refused.
#[test]
fn submit_meets_breaking() {
    loom::model(|| {
        let (pool, ledger) = pool(1);
        submit(&pool, &ledger, 1).unwrap();
        let breaker = thread::spawn({
            let pool = pool.clone();
            move || pool.break_down()
        });
        let refused = submit(&pool, &ledger, 10).map_or_else(|(job, _)| job, |()| 0);
        breaker.join().unwrap();
        assert!(pool.wait(false, None));
        assert_eq!(ledger.ran() + ledger.failed() + refused, 11);
        join(&pool);
    });
}

/// Hazard 56: jobs that wait for the pool's end wait for everybody but each other.
#[test]
fn two_workers_wait_for_the_end() {
    loom::model(|| {
        let pool: Arc<Pool> = Arc::new(Gate::new(2));
        for job in 0..2 {
            let in_thread = pool.clone();
            let worker = move || {
                if let Next::Run(_) = in_thread.next() {
                    in_thread.close();
                    in_thread.wait(true, None);
                    in_thread.done();
                }
                in_thread.leave();
            };
            // The second may find the gate closed by the first.
            _ = pool.admit(job, |_| Ok(thread::spawn(worker)));
        }
        assert!(pool.wait(false, None));
        join(&pool);
    });
}

/// The last worker to leave wakes whoever awaits the end, also while it is being polled.
#[test]
fn the_last_worker_wakes_the_awaiter() {
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    loom::model(|| {
        let (pool, ledger) = pool(1);
        submit(&pool, &ledger, 1).unwrap();
        pool.close();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let number = pool.number();
        let poll = pool.poll_end(number, &mut Context::from_waker(&Waker::from(count.clone())));
        join(&pool);
        let woken = count.0.load(Ordering::SeqCst);
        assert_eq!(woken, usize::from(poll == Poll::Pending));
        assert_eq!(ledger.ran(), 1);
    });
}
