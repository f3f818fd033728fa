//! A loop in a hundred lines: a ready queue, an inbox, a batch boundary. What the seam asks for, and no more.

use corio_seam::{
    Cancelled, LoopId, Node, Panic, ReadyQueue, Remote, Report, Seam, TargetId, Timer, Waitable, Waiting, install,
};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

type Call = Box<dyn FnOnce() + Send>;
type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// What other threads reach.
struct Inbox {
    id: LoopId,
    /// None once the loop is closed.
    calls: Mutex<Option<Vec<Call>>>,
    bell: Condvar,
}

/// What the loop's own thread has.
pub(crate) struct Toy {
    inbox: Arc<Inbox>,
    queue: ReadyQueue,
    tasks: RefCell<HashMap<u64, Boxed>>,
    last_task: Cell<u64>,
    locals: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    closing: Cell<bool>,
    pub(crate) reports: RefCell<Vec<String>>,
    /// What the task that was polled last said that it waits for.
    waiting: RefCell<Option<Waiting>>,
    /// What `heard` answers.
    pub(crate) hears: Cell<bool>,
    pub(crate) heard: RefCell<Vec<(TargetId, bool)>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Toy>>> = const { RefCell::new(None) };
}

struct Tasks;
static TASKS: Tasks = Tasks;

/// The loop that runs on this thread.
pub(crate) fn toy() -> Option<Rc<Toy>> {
    CURRENT.with(|current| current.borrow().clone())
}

impl Toy {
    pub(crate) fn new() -> Rc<Toy> {
        let inbox = Inbox { id: LoopId::unique(), calls: Mutex::new(Some(Vec::new())), bell: Condvar::new() };
        Rc::new(Toy {
            inbox: Arc::new(inbox),
            queue: ReadyQueue::new(),
            tasks: RefCell::default(),
            last_task: Cell::new(0),
            locals: RefCell::default(),
            closing: Cell::new(false),
            reports: RefCell::default(),
            waiting: RefCell::default(),
            hears: Cell::new(false),
            heard: RefCell::default(),
        })
    }

    /// Makes this loop the one that runs here, while `f` does.
    pub(crate) fn enter<R>(self: &Rc<Toy>, f: impl FnOnce() -> R) -> R {
        struct Restore(Option<Rc<Toy>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.with(|current| current.replace(self.0.take()));
            }
        }
        let _seam = install(&TASKS);
        let _restore = Restore(CURRENT.with(|current| current.replace(Some(self.clone()))));
        f()
    }

    pub(crate) fn spawn(self: &Rc<Toy>, future: impl Future<Output = ()> + 'static) {
        let id = self.last_task.get() + 1;
        self.last_task.set(id);
        self.tasks.borrow_mut().insert(id, Box::pin(future));
        self.schedule(id);
    }

    fn schedule(self: &Rc<Toy>, id: u64) {
        let toy = Rc::downgrade(self);
        self.queue.push(Node::new(move || {
            if let Some(toy) = toy.upgrade() {
                toy.step(id);
            }
        }));
    }

    fn step(self: &Rc<Toy>, id: u64) {
        let task = self.tasks.borrow_mut().remove(&id);
        let Some(mut task) = task else { return };
        let waker = Waker::from(Arc::new(TaskWaker { id, inbox: self.inbox.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut().insert(id, task);
        }
    }

    /// Runs what is ready now; false if nothing was.
    pub(crate) fn run_batch(self: &Rc<Toy>) -> bool {
        self.enter(|| {
            let calls = self.inbox.calls.lock().unwrap().as_mut().map(std::mem::take).unwrap_or_default();
            calls.into_iter().for_each(|call| self.queue.push(Node::new(call)));
            let mut any = false;
            self.queue.batch().for_each(|node| {
                any = true;
                node.run();
            });
            any
        })
    }

    /// Runs until `main` is over; sleeps while nothing is ready.
    pub(crate) fn run<T: 'static>(self: &Rc<Toy>, main: impl Future<Output = T> + 'static) -> T {
        let output = Rc::new(RefCell::new(None));
        let place = output.clone();
        self.spawn(async move { *place.borrow_mut() = Some(main.await) });
        loop {
            if let Some(output) = output.take() {
                return output;
            }
            if !self.run_batch() {
                let calls = self.inbox.calls.lock().unwrap();
                drop(self.inbox.bell.wait_while(calls, |calls| calls.as_ref().is_some_and(Vec::is_empty)).unwrap());
            }
        }
    }

    /// Closes the loop: tasks, callbacks and local values are dropped, in the loop.
    pub(crate) fn close(self: &Rc<Toy>) {
        self.enter(|| {
            self.closing.set(true);
            let tasks = self.tasks.take();
            drop(tasks);
            while let Some(node) = self.queue.pop() {
                drop(node);
            }
            let locals = self.locals.take();
            drop(locals);
            let calls = self.inbox.calls.lock().unwrap().take();
            drop(calls);
        });
    }

    /// What the one who was polled last waits for, as text.
    pub(crate) fn waits_for(&self) -> String {
        match &*self.waiting.borrow() {
            None => "nothing".to_owned(),
            Some(Waiting::Target(target) | Waiting::Listened(target)) => target.describe(),
            Some(Waiting::Leaf(name)) => (*name).to_string(),
        }
    }

    /// How many hold the loop's door for other threads, itself among them.
    pub(crate) fn doors(&self) -> usize {
        Arc::strong_count(&self.inbox)
    }

    pub(crate) fn target(&self) -> Rc<dyn Waitable> {
        match &*self.waiting.borrow() {
            Some(Waiting::Target(target)) => target.clone(),
            _ => panic!("no target is waited for"),
        }
    }
}

/// Runs `main` on a loop of its own.
pub(crate) fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
    let toy = Toy::new();
    let output = toy.run(main);
    toy.close();
    output
}

/// Lets everything that is ready run once; asyncio's `sleep(0)`.
pub(crate) async fn yield_now() {
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

struct TaskWaker {
    id: u64,
    inbox: Arc<Inbox>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let own = toy().filter(|toy| toy.inbox.id == self.inbox.id);
        match own {
            Some(toy) => toy.schedule(self.id),
            None => {
                let id = self.id;
                let step = move || toy().into_iter().for_each(|toy| toy.step(id));
                drop(self.inbox.call(Box::new(step)));
            }
        }
    }
}

impl Remote for Inbox {
    fn call(&self, call: Call) -> Result<(), Call> {
        match &mut *self.calls.lock().unwrap() {
            Some(calls) => calls.push(call),
            None => return Err(call),
        }
        self.bell.notify_all();
        Ok(())
    }

    fn loop_id(&self) -> LoopId {
        self.id
    }
}

impl Seam for Tasks {
    fn loop_id(&self) -> Option<LoopId> {
        Some(toy()?.inbox.id)
    }

    fn push(&self, node: Node) -> Result<(), Node> {
        match toy() {
            Some(toy) if !toy.closing.get() => {
                toy.queue.push(node);
                Ok(())
            }
            _ => Err(node),
        }
    }

    fn spawn(&self, future: Boxed) -> Result<(), Boxed> {
        match toy() {
            Some(toy) => {
                toy.spawn(future);
                Ok(())
            }
            None => Err(future),
        }
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        Some(toy()?.inbox.clone())
    }

    fn timer(&self) -> Option<Rc<dyn Timer>> {
        None
    }

    fn local(&self, key: TypeId, init: &mut dyn FnMut() -> Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let toy = toy().filter(|toy| !toy.closing.get())?;
        let known = toy.locals.borrow().get(&key).cloned();
        Some(known.unwrap_or_else(|| {
            let made = init();
            toy.locals.borrow_mut().insert(key, made.clone());
            made
        }))
    }

    fn report(&self, report: Report) -> Result<(), Report> {
        let Some(toy) = toy() else { return Err(report) };
        toy.reports.borrow_mut().push(report.to_string());
        if report.panic.as_ref().and_then(Panic::message) == Some("and the handler panics") {
            panic!("the handler panics");
        }
        Ok(())
    }

    fn wait_on(&self, waiting: Waiting) {
        let old = toy().and_then(|toy| toy.waiting.replace(Some(waiting)));
        drop(old);
    }

    fn heard(&self, target: TargetId, cancelled: bool) -> bool {
        let Some(toy) = toy() else { return false };
        toy.heard.borrow_mut().push((target, cancelled));
        toy.hears.get()
    }

    fn raise(&self, cancelled: Cancelled) -> Result<(), Cancelled> {
        Err(cancelled)
    }

    fn cancelling(&self) -> usize {
        0
    }
}
