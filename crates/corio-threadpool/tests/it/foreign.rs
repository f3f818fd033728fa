use crate::Log;
use corio_threadpool::{Executor, ExecutorExt, Job, RejectReason, Rejected, run_in_executor};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Keeps jobs until it is told to run them, on the caller's thread.
#[derive(Default)]
struct ByHand(RefCell<Vec<Job>>);

impl Executor for ByHand {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        self.0.borrow_mut().push(job);
        Ok(())
    }

    fn shutdown(&self, _wait: bool, cancel_futures: bool) {
        let jobs = self.0.take();
        if !cancel_futures {
            jobs.into_iter().for_each(Job::run);
        }
    }
}

#[test]
fn submit_works_on_a_trait_object() {
    let executor: Box<dyn Executor> = Box::new(ByHand::default());
    let call = run_in_executor(&*executor, || 1);
    let mut other = executor.submit(|| 2).unwrap();
    assert!(!call.done());
    executor.shutdown(true, false);
    assert_eq!(pollster::block_on(call).unwrap(), 1);
    assert_eq!(other.result(None).unwrap(), 2);
}

#[test]
fn a_job_dropped_unrun_cancels_its_future() {
    let executor = ByHand::default();
    let call = run_in_executor(&executor, || ());
    executor.shutdown(true, true);
    assert!(call.cancelled());
    assert!(pollster::block_on(call).unwrap_err().is_cancelled());
}

/// A job without a future is a call all the same: made once if it is run, and never if it is not.
#[test]
fn a_job_without_a_future_is_run_for_what_it_does() {
    let log = Log::default();
    let job = |name: &'static str| {
        let log = log.clone();
        Job::new(move || log.add(name))
    };
    job("run").run();
    drop(job("dropped"));
    job("abandoned").abandon();
    let pool = crate::pool(1);
    pool.execute(job("run by a pool")).unwrap();
    pool.shutdown(true, false);
    assert_eq!(log.lines(), ["run", "run by a pool"]);
}

#[test]
fn pointers_to_executors_are_executors() {
    fn answer(executor: impl Executor) -> i32 {
        let mut future = executor.submit(|| 42).unwrap();
        executor.shutdown(true, false);
        future.result(None).unwrap()
    }
    let by_hand = ByHand::default();
    assert_eq!(answer(&by_hand as &dyn Executor), 42);
    assert_eq!(answer(Rc::new(ByHand::default())), 42);
    assert_eq!(answer(Arc::new(crate::pool(1))), 42);
    assert_eq!(answer(Box::new(ByHand::default()) as Box<dyn Executor>), 42);
}

/// Refuses everything.
struct Never;

impl Executor for Never {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        Err(Rejected::new(job, RejectReason::ShutDown))
    }

    fn shutdown(&self, _wait: bool, _cancel_futures: bool) {}
}

#[test]
fn a_refused_call_can_go_elsewhere() {
    let (job, mut future) = Never.submit(|| 42).unwrap_err().into_parts();
    let pool = crate::pool(1);
    pool.execute(job).unwrap();
    assert_eq!(future.result(Some(crate::LONG)).unwrap(), 42);
}
