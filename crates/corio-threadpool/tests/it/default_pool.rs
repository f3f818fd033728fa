use corio_seam::{Cancelled, Closed, LoopId, Node, Remote, Report, Seam, TargetId, Timer, Waiting, install};
use corio_threadpool::{
    CallError, RejectReason, ThreadPoolExecutor, default_executor, set_default_executor, shutdown_default_executor,
    to_thread,
};
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A loop that has local values, and nothing else.
#[derive(Default)]
struct Locals(RefCell<HashMap<TypeId, Rc<dyn Any>>>);

impl Seam for Locals {
    fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let known = self.0.borrow().get(&key).cloned();
        Some(known.unwrap_or_else(|| {
            let value = init();
            self.0.borrow_mut().insert(key, value.clone());
            value
        }))
    }
    fn loop_id(&self) -> Option<LoopId> {
        None
    }
    fn push(&self, node: Node) -> Result<(), Node> {
        Err(node)
    }
    fn spawn(&self, future: LocalFuture) -> Result<(), LocalFuture> {
        Err(future)
    }
    fn remote(&self) -> Option<Arc<dyn Remote>> {
        None
    }
    fn timer(&self) -> Option<Rc<dyn Timer>> {
        None
    }
    fn report(&self, report: Report) -> Result<(), Report> {
        Err(report)
    }
    fn wait_on(&self, _: Waiting) {}
    fn heard(&self, _: TargetId, _: bool) -> bool {
        false
    }
    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled> {
        Err(cancelled)
    }
    fn cancelling(&self) -> usize {
        0
    }
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn outside_a_loop_it_is_the_process_s() {
    assert_eq!(pollster::block_on(to_thread(thread_name)).unwrap().split('_').next(), Some("corio"));
    let own = Arc::new(ThreadPoolExecutor::new());
    assert_eq!(set_default_executor(own).unwrap_err(), Closed);
    pollster::block_on(shutdown_default_executor());
    assert!(!default_executor().is_shut_down(), "it ends with the process");
}

#[test]
fn a_loop_has_its_own_until_it_closes() {
    let seam: &'static Locals = Box::leak(Box::default());
    let installed = install(seam);
    let pool = default_executor();
    assert!(Arc::ptr_eq(&pool, &default_executor()));
    assert_eq!(pollster::block_on(to_thread(thread_name)).unwrap(), "corio-loop_0");

    let values = seam.0.take(); // The loop closes.
    drop(values);
    assert!(pool.is_shut_down());
    drop(installed);
    assert!(!Arc::ptr_eq(&pool, &default_executor()));
    assert!(pool.shutdown_timeout(crate::LONG, false));
}

#[test]
fn a_loop_s_pool_can_be_replaced() {
    let seam: &'static Locals = Box::leak(Box::default());
    let _installed = install(seam);
    let own = Arc::new(ThreadPoolExecutor::builder().name_prefix("own").build().unwrap());
    let before = set_default_executor(own.clone()).unwrap();
    assert_eq!(before.threads(), 0);
    assert!(Arc::ptr_eq(&own, &default_executor()));
    assert_eq!(pollster::block_on(to_thread(thread_name)).unwrap(), "own_0");
    assert!(own.shutdown_timeout(crate::LONG, false));
}

#[test]
fn after_its_shutdown_to_thread_is_refused() {
    let seam: &'static Locals = Box::leak(Box::default());
    let _installed = install(seam);
    pollster::block_on(async {
        to_thread(|| ()).await.unwrap();
        shutdown_default_executor().await;
        assert!(matches!(to_thread(|| ()).await, Err(CallError::Rejected(RejectReason::ShutDown))));
        let late = Arc::new(ThreadPoolExecutor::new());
        assert_eq!(set_default_executor(late.clone()).unwrap_err(), Closed, "as asyncio, which goes on refusing");
        assert!(!late.is_shut_down());
    });
}

/// To make one takes longer than an empty program.
#[test]
fn a_pool_that_nobody_asked_for_is_not_made_to_be_shut_down() {
    let seam: &'static Locals = Box::leak(Box::default());
    let _installed = install(seam);
    let end = shutdown_default_executor();
    assert_eq!(format!("{end:?}"), "ShutDown { ended: true }", "there is nothing to wait for");
    pollster::block_on(async {
        end.await;
        assert!(matches!(to_thread(|| ()).await, Err(CallError::Rejected(RejectReason::ShutDown))));
    });
    assert!(default_executor().is_shut_down());
    assert_eq!(default_executor().threads(), 0);
}
