//! What the bodies need of a runtime: start a task, cancel it, let the others go on.

use corio_task::{TaskSet, create_task};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// A future of a task.
pub(crate) type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// How long a body waits for what must come. It is long, and met only by a wake-up that was lost.
const LIMIT: Duration = Duration::from_secs(20);

/// Drops the future of a started task, as the runtime at hand cancels; ready when it is gone.
type Cancel = Box<dyn FnOnce() -> LocalFuture>;

/// Whatever runs tasks on this thread.
pub(crate) trait Runtime {
    /// Runs `main`, giving it the means to start tasks.
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture);
}

/// Runs a body under a runtime.
pub(crate) fn run<R: Runtime, F: Future<Output = ()> + 'static>(body: impl FnOnce(Spawner) -> F) {
    let ended = Rc::new(Cell::new(false));
    let noted = Rc::clone(&ended);
    R::block_on(|spawner| {
        let body = body(spawner);
        Box::pin(async move {
            body.await;
            noted.set(true);
        })
    });
    assert!(ended.get(), "the runtime left the body unfinished");
}

/// Starts tasks; cloning it gives another handle to the same runtime.
#[derive(Clone)]
pub(crate) struct Spawner(Rc<dyn Fn(LocalFuture) -> Cancel>);

impl Spawner {
    fn new(start: impl Fn(LocalFuture) -> Cancel + 'static) -> Spawner {
        Spawner(Rc::new(start))
    }

    /// Starts a task.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) -> Child {
        let (done, gone) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let (is_done, is_gone) = (Rc::clone(&done), SetOnDrop(Rc::clone(&gone)));
        let cancel = (self.0)(Box::pin(async move {
            let _is_gone = is_gone;
            future.await;
            is_done.set(true);
        }));
        Child { done, gone, cancel }
    }

    /// Lets the others take a step.
    pub(crate) async fn yield_now(&self) {
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Lets the others go on until `what` holds; panics if it never does, as when a wake-up is lost.
    #[track_caller]
    pub(crate) fn until(&self, what: impl Fn() -> bool) -> impl Future<Output = ()> {
        let (at, start, place) = (self.clone(), Instant::now(), std::panic::Location::caller());
        async move {
            while !what() {
                assert!(start.elapsed() < LIMIT, "what is waited for at {place} never came: was a wake-up lost?");
                at.yield_now().await;
                std::thread::yield_now();
            }
        }
    }

    /// Lets the others take all the steps that they have.
    pub(crate) async fn settle(&self) {
        for _ in 0..20 {
            self.yield_now().await;
        }
    }

    /// Waits for the end of tasks.
    #[track_caller]
    pub(crate) fn join(&self, children: Vec<Child>) -> impl Future<Output = ()> {
        self.until(move || children.iter().all(Child::done))
    }
}

/// A task that was started.
#[must_use = "some runtimes cancel a task whose handle is dropped"]
pub(crate) struct Child {
    done: Rc<Cell<bool>>,
    gone: Rc<Cell<bool>>,
    cancel: Cancel,
}

impl Child {
    /// Tells whether it has come to its end.
    pub(crate) fn done(&self) -> bool {
        self.done.get()
    }

    /// Cancels it, and waits until its future is gone; it must not have ended.
    pub(crate) async fn cancel(self) {
        assert!(!self.done());
        (self.cancel)().await;
        assert!(self.gone.get() && !self.done.get());
    }
}

/// Notes that it was dropped.
struct SetOnDrop(Rc<Cell<bool>>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

/// Starts a task of corio's.
fn corio_spawner() -> Spawner {
    Spawner::new(|future| {
        let task = create_task(future);
        Box::new(move || {
            Box::pin(async move {
                task.cancel();
                assert!(task.await.is_err());
            })
        })
    })
}

/// corio's loop.
pub(crate) struct Corio;

impl Runtime for Corio {
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture) {
        corio_executor::run(main(corio_spawner())).expect("the body ends");
    }
}

/// corio's tasks, without its loop, under a bare `block_on`.
pub(crate) struct Set;

impl Runtime for Set {
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture) {
        pollster::block_on(TaskSet::new().run_until(main(corio_spawner()))).expect("the body ends");
    }
}

/// tokio's current-thread runtime with a `LocalSet`.
pub(crate) struct Tokio;

impl Runtime for Tokio {
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture) {
        let spawner = Spawner::new(|future| {
            let task = tokio::task::spawn_local(future);
            Box::new(move || {
                Box::pin(async move {
                    task.abort();
                    assert!(task.await.is_err());
                })
            })
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("tokio starts");
        tokio::task::LocalSet::new().block_on(&runtime, main(spawner));
    }
}

/// smol's `LocalExecutor`.
pub(crate) struct Smol;

impl Runtime for Smol {
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture) {
        let executor = Rc::new(smol::LocalExecutor::new());
        let inner = Rc::downgrade(&executor);
        let spawner = Spawner::new(move |future| {
            let task = inner.upgrade().expect("the executor runs").spawn(future);
            Box::new(move || Box::pin(async move { assert!(task.cancel().await.is_none()) }))
        });
        smol::block_on(executor.run(main(spawner)));
    }
}

/// No runtime at all: a bare `block_on` polls one future, which polls every child each time anything wakes it. So every
/// wake-up is a spurious one for all the others.
pub(crate) struct Bare;

/// A child of the bare future; nothing when it has ended, was cancelled, or is being polled.
type Slot = Rc<RefCell<Option<LocalFuture>>>;

impl Runtime for Bare {
    fn block_on(main: impl FnOnce(Spawner) -> LocalFuture) {
        let slots = Rc::new(RefCell::new(Vec::<Slot>::new()));
        let inner = Rc::clone(&slots);
        let spawner = Spawner::new(move |future| {
            let slot = Rc::new(RefCell::new(Some(future)));
            inner.borrow_mut().push(Rc::clone(&slot));
            Box::new(move || {
                let cancelled = slot.take();
                Box::pin(async move { drop(cancelled) })
            })
        });
        let mut main = pin!(main(spawner));
        pollster::block_on(poll_fn(|cx| {
            let ended = main.as_mut().poll(cx);
            let mut index = 0;
            while let Some(slot) = { slots.borrow().get(index).cloned() } {
                let future = slot.take();
                let polled = future.map(|mut future| (future.as_mut().poll(cx).is_pending(), future));
                if let Some((true, future)) = polled {
                    slot.replace(Some(future));
                }
                index += 1;
            }
            ended
        }));
        slots.take();
    }
}
