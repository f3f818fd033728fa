use crate::{LONG, pool};
use corio_seam::Cancelled;
use corio_threadpool::{
    BuildError, CallError, Executor, ExecutorExt, Job, MapError, RejectReason, Rejected, ThreadPoolExecutor,
    run_in_executor, to_thread,
};
use std::error::Error;
use std::io;

#[test]
fn a_pool_says_what_it_has_and_does() {
    let pool = ThreadPoolExecutor::builder().max_threads(2).name_prefix("mill").build().unwrap();
    let idle =
        r#"ThreadPoolExecutor { name_prefix: Some("mill"), max_threads: 2, threads: 0, queued: 0, phase: Open }"#;
    assert_eq!(format!("{pool:?}"), idle);
    assert_eq!(format!("{:?}", pool.map([1, 2, 3], |n| n)), "Map { pending: 3, .. }");
    let mut ended = pool.shutdown_async(false);
    assert_eq!(format!("{ended:?}"), "ShutDown { ended: false }");
    pollster::block_on(&mut ended);
    assert_eq!(format!("{ended:?}"), "ShutDown { ended: true }");
}

#[test]
fn a_builder_says_what_was_asked_for() {
    let asked = ThreadPoolExecutor::builder().max_threads(2).name_prefix("mill").stack_size(9).initializer(|| ());
    let words = r#"Builder { max_threads: 2, name_prefix: Some("mill"), stack_size: Some(9), initializer: true }"#;
    assert_eq!(format!("{asked:?}"), words);
}

#[test]
fn a_call_says_how_it_stands() {
    let mut call = run_in_executor(&pool(1), || ());
    pollster::block_on(&mut call).unwrap();
    assert_eq!(format!("{call:?}"), "Call { done: true, cancelled: false }");
    assert_eq!(format!("{:?}", to_thread(|| ())), "ToThread { call: None, .. }");
    assert_eq!(format!("{:?}", Job::new(|| ())), "Job { .. }");
}

#[test]
fn errors_are_sentences() {
    let shut = "the executor has been shut down";
    let rejected = Rejected::new(Job::new(|| ()), RejectReason::ShutDown);
    assert_eq!(rejected.to_string(), shut);
    assert_eq!(RejectReason::Broken.to_string(), "the executor is broken: an initializer has panicked");
    let closed = pool(1);
    assert!(closed.shutdown_timeout(LONG, false));
    let error = closed.submit(|| ()).unwrap_err();
    assert_eq!(format!("{error:?}: {error}"), format!("SubmitError {{ reason: ShutDown, .. }}: {shut}"));
    let cancelled = CallError::Cancelled(Cancelled::default());
    assert!(cancelled.to_string().starts_with("the call was "), "{cancelled}");
    let panicked = pollster::block_on(run_in_executor(&pool(1), || panic!("of its own"))).unwrap_err();
    assert!(panicked.to_string().starts_with("the call panicked"), "{panicked}");
    assert_eq!(
        [cancelled.is_cancelled(), cancelled.is_panic(), panicked.is_cancelled(), panicked.is_panic()],
        [true, false, false, true]
    );
    assert_eq!(CallError::Broken.to_string(), "the executor broke before it came to the call");
    assert_eq!(MapError::Failed(CallError::Broken).to_string(), CallError::Broken.to_string());
    assert_eq!(MapError::TimedOut.to_string(), "the time for the results is over");
    assert_eq!(BuildError::NoThreads.to_string(), "a pool needs at least one thread");
    assert_eq!(BuildError::BadName.to_string(), "a thread's name cannot contain a zero byte");
}

/// Is refused each thread that it asks for.
struct WithoutThreads;

impl Executor for WithoutThreads {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        Err(Rejected::new(job, RejectReason::NoThread(io::Error::other("no more processes"))))
    }

    fn shutdown(&self, _wait: bool, _cancel_futures: bool) {}
}

#[test]
fn the_system_s_own_error_is_the_source_of_all_around_it() {
    let no_thread = || RejectReason::NoThread(io::Error::other("no more processes"));
    let words = "no thread could be started for the executor";
    let errors: [Box<dyn Error>; 5] = [
        Box::new(no_thread()),
        Box::new(Rejected::new(Job::new(|| ()), no_thread())),
        Box::new(WithoutThreads.submit(|| ()).unwrap_err()),
        Box::new(CallError::Rejected(no_thread())),
        Box::new(MapError::Failed(CallError::Rejected(no_thread()))),
    ];
    for error in errors {
        assert_eq!(error.to_string(), words);
        assert_eq!(error.source().unwrap().to_string(), "no more processes");
    }
    assert!(RejectReason::Broken.source().is_none() && CallError::Broken.source().is_none());
}
