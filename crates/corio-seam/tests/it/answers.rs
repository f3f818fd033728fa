use corio_seam::{
    Alarm, Cancelled, Context, Hold, Installed, LoopId, LoopTime, Node, ReadyQueue, Remote, Report, Seam, TargetId,
    Timer, TimerKey, Waitable, Waiting, install,
};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// What the seam of this thread knows, and what the test told it.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) id: Cell<Option<LoopId>>,
    /// Whether it takes entries, tasks and reports.
    pub(crate) refuses: Cell<bool>,
    /// Its answer to what is asked by yes or no.
    pub(crate) says: Cell<bool>,
    pub(crate) asked: RefCell<Vec<String>>,
    pub(crate) queue: ReadyQueue,
    pub(crate) spawned: RefCell<Vec<LocalFuture>>,
    pub(crate) locals: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    pub(crate) clock: RefCell<Option<Rc<Clock>>>,
    /// The context of the task that is being polled.
    pub(crate) context: RefCell<Option<Context>>,
}

thread_local! {
    static TOLD: RefCell<Rc<Told>> = RefCell::default();
}

/// Installs the seam with nothing told yet.
pub(crate) fn answers() -> (Installed, Rc<Told>) {
    let told = Rc::new(Told::default());
    told.id.set(Some(LoopId::unique()));
    TOLD.set(Rc::clone(&told));
    (install(&Answers), told)
}

fn told() -> Rc<Told> {
    TOLD.with_borrow(Rc::clone)
}

impl Told {
    fn note(&self, what: impl Into<String>) {
        self.asked.borrow_mut().push(what.into());
    }

    /// Returns what was asked since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        self.asked.take()
    }

    pub(crate) fn give_clock(&self) -> Rc<Clock> {
        let clock = Rc::new(Clock::default());
        self.clock.replace(Some(Rc::clone(&clock)));
        clock
    }
}

struct Answers;

impl Seam for Answers {
    fn loop_id(&self) -> Option<LoopId> {
        told().id.get()
    }

    fn push(&self, node: Node) -> Result<(), Node> {
        if told().refuses.get() {
            return Err(node);
        }
        told().queue.push(node);
        Ok(())
    }

    fn spawn(&self, future: LocalFuture) -> Result<(), LocalFuture> {
        if told().refuses.get() {
            return Err(future);
        }
        told().spawned.borrow_mut().push(future);
        Ok(())
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        Some(Arc::new(Door(told().id.get()?)))
    }

    fn timer(&self) -> Option<Rc<dyn Timer>> {
        Some(told().clock.borrow().clone()?)
    }

    fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let told = told();
        let known = told.locals.borrow().get(&key).cloned();
        Some(known.unwrap_or_else(|| {
            let made = init();
            told.locals.borrow_mut().insert(key, Rc::clone(&made));
            made
        }))
    }

    fn report(&self, report: Report) -> Result<(), Report> {
        if told().refuses.get() {
            return Err(report);
        }
        told().note(report.to_string());
        Ok(())
    }

    fn wait_on(&self, waiting: Waiting) {
        told().note(format!("{waiting:?}"));
    }

    fn will_wake(&self, _: &Waker, _: &Waker) -> bool {
        told().says.get()
    }

    fn heard(&self, _: TargetId, cancelled: bool) -> bool {
        told().note(format!("heard {cancelled}"));
        told().says.get()
    }

    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled> {
        if told().refuses.get() {
            return Err(cancelled);
        }
        told().note(cancelled.to_string());
        Ok(())
    }

    fn raised(&self) -> bool {
        told().says.get()
    }

    fn cancelling(&self) -> usize {
        3
    }

    fn adopt_context(&self, made: Context) -> Context {
        let told = told();
        told.note("adopt");
        let context = told.context.borrow().clone().unwrap_or(made);
        told.context.replace(Some(context.clone()));
        context
    }
}

/// A seam that leaves to the trait what it can.
pub(crate) struct Plain;

impl Seam for Plain {
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
    fn local(&self, _: TypeId, _: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        None
    }
    fn report(&self, report: Report) -> Result<(), Report> {
        Err(report)
    }
    fn wait_on(&self, waiting: Waiting) {
        told().note(format!("plain {waiting:?}"));
    }
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

struct Door(LoopId);

impl Remote for Door {
    fn call(&self, call: Box<dyn FnOnce() + Send>) -> Result<(), Box<dyn FnOnce() + Send>> {
        Err(call)
    }

    fn loop_id(&self) -> LoopId {
        self.0
    }
}

/// A clock that is set by hand, with one timer.
#[derive(Default)]
pub(crate) struct Clock {
    pub(crate) now: Cell<LoopTime>,
    pub(crate) armed: Cell<Option<LoopTime>>,
    pub(crate) stands: RefCell<Option<Hold>>,
}

impl Timer for Clock {
    fn now(&self) -> LoopTime {
        self.now.get()
    }

    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey {
        assert!(matches!(alarm, Alarm::Wake(_)));
        self.armed.set(Some(when));
        TimerKey { index: 1, generation: 2 }
    }

    fn poll(&self, key: TimerKey, _: &Waker) -> Poll<()> {
        assert_eq!(key, TimerKey { index: 1, generation: 2 });
        if self.armed.get().is_some_and(|when| when > self.now.get()) { Poll::Pending } else { Poll::Ready(()) }
    }

    fn hold(&self) -> Option<Hold> {
        self.stands.borrow().clone()
    }

    fn disarm(&self, _: TimerKey) -> bool {
        self.armed.take().is_some()
    }
}

/// A thing to wait for.
pub(crate) struct Thing;

impl Waitable for Thing {
    fn cancel(&self, _: Option<Arc<str>>) -> bool {
        false
    }

    fn describe(&self) -> String {
        "a thing".into()
    }
}

/// Calls `f`, which must panic, and returns what it says.
pub(crate) fn panics<R>(f: impl FnOnce() -> R) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let payload = caught.err().expect("there was no panic");
    corio_seam::Panic::new(payload).message().expect("a text").to_owned()
}
