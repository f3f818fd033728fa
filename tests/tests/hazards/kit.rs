//! What hazards need: bombs, children of this program, leaves that two wait for.

use crate::this_program::this_program;
use corio::executor::VirtualClock;
use corio::queue::concurrent::Queue as ThreadQueue;
use corio::{Barrier, Condition, Event, EventLoop, LoopHandle, Queue, Semaphore, concurrent, promise};
use std::any::type_name;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::exit;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// Longer than anything here takes; a test that needs it fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A number for a build with optimisations, and a smaller one for a build without: `.ci/run` makes both.
pub(crate) const fn many(optimised: usize, plain: usize) -> usize {
    if cfg!(debug_assertions) { plain } else { optimised }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn virtual_loop() -> EventLoop {
    EventLoop::builder().clock(VirtualClock::new()).build().unwrap()
}

/// Panics when it is dropped, with the word it was given.
pub(crate) struct Bomb(pub(crate) &'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("{}", self.0);
        }
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// The message of the panic that `f` ends with, if it does.
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(corio::Panic::new(payload).message().unwrap_or("a payload that is no text").to_string())
}

/// What the exception handler of the loop that runs hears from now on.
pub(crate) fn reports() -> Rc<RefCell<Vec<String>>> {
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let inner = Rc::clone(&heard);
    LoopHandle::current().set_exception_handler(move |report| inner.borrow_mut().push(report.to_string()));
    heard
}

pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// How many descriptors this process has open, and one to look with.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The memory that this process has in use, in bytes.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Set, for a child, to the test that it is to run.
const CHILD: &str = "CORIO_HAZARD";

/// Runs the body of a test in a process of its own, and fails with it. It is called by the test itself, whose name is
/// read off the closure's type.
pub(crate) fn alone<F: FnOnce()>(body: F) {
    let name = type_name::<F>().split_once("::").unwrap().1.trim_end_matches("::{{closure}}");
    if std::env::var_os(CHILD).is_some() {
        thread::spawn(|| {
            thread::sleep(LONG);
            eprintln!("the child hangs");
            exit(43);
        });
        return body();
    }
    let mut command = this_program();
    command.args(["--exact", name, "--test-threads=1", "--nocapture"]).env(CHILD, name);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{name}: {}\n{text}", output.status);
}

/// A way to wait that two tasks use at once.
pub(crate) struct Leaf {
    pub(crate) name: &'static str,
    /// The two that wait, not yet polled.
    pub(crate) waits: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    /// Wakes both; in a queue's case it may take two puts.
    pub(crate) wake: Vec<Box<dyn FnOnce()>>,
}

fn leaf<W: Future<Output = ()> + 'static>(
    name: &'static str,
    wait: impl Fn() -> W,
    wake: Vec<Box<dyn FnOnce()>>,
) -> Leaf {
    let boxed = || -> Pin<Box<dyn Future<Output = ()>>> { Box::pin(wait()) };
    Leaf { name, waits: vec![boxed(), boxed()], wake }
}

/// Everything of ours that a future may wait for, without a loop.
pub(crate) fn leaves() -> Vec<Leaf> {
    vec![
        cell_leaf(),
        thread_safe_leaf(),
        event_leaf(),
        semaphore_leaf(),
        condition_leaf(),
        barrier_leaf(),
        queue_leaf(),
        full_queue_leaf(),
        join_leaf(),
        thread_queue_leaf(),
    ]
}

fn cell_leaf() -> Leaf {
    let (set, future) = promise::<u32>();
    let wait = move || {
        let future = future.share();
        async move { drop(future.await) }
    };
    leaf("Future", wait, vec![Box::new(|| set.set_result(7).unwrap())])
}

fn thread_safe_leaf() -> Leaf {
    let (set, future) = concurrent::promise::<u32>();
    let wait = move || {
        let future = future.share();
        async move { drop(future.await) }
    };
    leaf("concurrent::Future", wait, vec![Box::new(|| set.set_result(7).unwrap())])
}

fn event_leaf() -> Leaf {
    let event = Rc::new(Event::new());
    let theirs = Rc::clone(&event);
    let wait = move || {
        let event = Rc::clone(&theirs);
        async move { event.wait().await }
    };
    leaf("Event", wait, vec![Box::new(move || event.set())])
}

fn semaphore_leaf() -> Leaf {
    let semaphore = Rc::new(Semaphore::new(0));
    let theirs = Rc::clone(&semaphore);
    let wait = move || {
        let semaphore = Rc::clone(&theirs);
        async move { semaphore.acquire().await.forget() }
    };
    let again = Rc::clone(&semaphore);
    leaf(
        "Semaphore",
        wait,
        vec![Box::new(move || semaphore.release().unwrap()), Box::new(move || again.release().unwrap())],
    )
}

fn condition_leaf() -> Leaf {
    let condition = Rc::new(Condition::new());
    let theirs = Rc::clone(&condition);
    let wait = move || {
        let condition = Rc::clone(&theirs);
        async move {
            let guard = condition.acquire().await;
            drop(condition.wait(guard).await);
        }
    };
    let wake = move || {
        let _guard = condition.try_acquire().unwrap();
        condition.notify_all().unwrap();
    };
    leaf("Condition", wait, vec![Box::new(wake)])
}

fn barrier_leaf() -> Leaf {
    let barrier = Rc::new(Barrier::new(3));
    let theirs = Rc::clone(&barrier);
    let wait = move || {
        let barrier = Rc::clone(&theirs);
        async move { _ = barrier.wait().await }
    };
    leaf("Barrier", wait, vec![Box::new(move || barrier.abort())])
}

fn queue_leaf() -> Leaf {
    let queue = Queue::<u32>::new(0);
    let theirs = queue.clone();
    let wait = move || {
        let queue = theirs.clone();
        async move { _ = queue.get().await }
    };
    let again = queue.clone();
    leaf(
        "Queue.get",
        wait,
        vec![Box::new(move || queue.put_nowait(1).unwrap()), Box::new(move || again.put_nowait(2).unwrap())],
    )
}

fn full_queue_leaf() -> Leaf {
    let queue = Queue::<u32>::new(1);
    queue.put_nowait(0).unwrap();
    let theirs = queue.clone();
    let wait = move || {
        let queue = theirs.clone();
        async move { _ = queue.put(1).await }
    };
    leaf("Queue.put", wait, vec![Box::new(move || queue.shutdown(false))])
}

fn join_leaf() -> Leaf {
    let queue = Queue::<u32>::new(0);
    queue.put_nowait(0).unwrap();
    let theirs = queue.clone();
    let wait = move || {
        let queue = theirs.clone();
        async move { queue.join().await }
    };
    leaf(
        "Queue.join",
        wait,
        vec![Box::new(move || {
            queue.get_nowait().unwrap();
            queue.task_done().unwrap();
        })],
    )
}

fn thread_queue_leaf() -> Leaf {
    let queue = ThreadQueue::<u32>::new(0);
    let theirs = queue.clone();
    let wait = move || {
        let queue = theirs.clone();
        async move { _ = queue.get().await }
    };
    let again = queue.clone();
    leaf(
        "concurrent::Queue.get",
        wait,
        vec![Box::new(move || queue.put_nowait(1).unwrap()), Box::new(move || again.put_nowait(2).unwrap())],
    )
}
