//! A loop that can never wake says so, and no other: one test for each thing that may still wake it.

use corio_combinators::{gather, join, race, timeout};
use corio_executor::{
    Clock, EventLoop, LoopHandle, LoopTime, MonotonicClock, RunError, Runner, VirtualClock, Wait, run, sleep, yield_now,
};
use corio_future::{concurrent, promise, to_concurrent, wrap_future};
use corio_queue::Queue;
use corio_seam::Remote;
use corio_sync::{Event, Lock};
use corio_task::{Task, catch_cancelled, create_task};
use corio_threadpool::to_thread;
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// Runs a future that can never end, and returns the tree.
#[track_caller]
fn stuck<T>(main: impl Future<Output = T>) -> String {
    match run(main) {
        Err(RunError::Deadlock(deadlock)) => deadlock.tree().to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it ended"),
    }
}

/// Sets something from another thread, a moment later: nothing but that wakes the loop.
fn later(f: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        f();
    });
}

// What is reported.

#[test]
fn hazard_49_a_task_awaits_itself() {
    let tree = stuck(async {
        let slot = Rc::new(RefCell::new(None::<corio_future::Future<()>>));
        let inner = Rc::clone(&slot);
        let task = create_task(async move {
            let me = inner.borrow().clone();
            drop(me.unwrap().await);
        })
        .named("narcissus");
        let shared = task.share();
        slot.replace(Some(shared.clone()));
        drop(shared.await);
    });
    assert!(tree.contains("cycle: shared task pending -> narcissus (task 2) -> shared task pending"), "{tree}");
}

#[test]
fn hazard_49_two_tasks_await_each_other() {
    let tree = stuck(async {
        let (left, right) = (Rc::new(Cell::new(None::<Task<()>>)), Rc::new(Cell::new(None::<Task<()>>)));
        let (one, two) = (Rc::clone(&left), Rc::clone(&right));
        let first = create_task(async move { drop(two.take().unwrap().await) }).named("first");
        let second = create_task(async move { drop(one.take().unwrap().await) }).named("second");
        left.set(Some(first));
        right.set(Some(second));
        Event::new().wait().await;
    });
    assert!(tree.contains("cycle: first (task 2) -> second (task 3) -> first (task 2)"), "{tree}");
    assert!(tree.contains("waits for Event.wait"), "{tree}");
}

#[test]
fn everything_of_ours_is_seen_through() {
    stuck(Event::new().wait());
    stuck(async {
        let queue = Queue::<u32>::new(0);
        queue.get().await
    });
    stuck(async {
        let lock = Lock::new();
        let _held = lock.acquire().await;
        drop(lock.acquire().await);
    });
    stuck(async {
        let (_promise, future) = promise::<()>();
        future.await
    });
    stuck(async {
        let event = Rc::new(Event::new());
        let wait = |event: &Rc<Event>| {
            let event = Rc::clone(event);
            async move { event.wait().await }
        };
        gather((wait(&event), wait(&event))).await.unwrap();
    });
    stuck(catch_cancelled(async { Event::new().wait().await }));
    stuck(timeout(Duration::MAX, async { Event::new().wait().await }));
}

#[test]
fn main_is_unwound_and_the_rest_is_cancelled() {
    struct Note(Rc<RefCell<Vec<&'static str>>>, &'static str);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let order = Rc::new(RefCell::new(Vec::new()));
    let (notes, child_notes) = (Rc::clone(&order), Rc::clone(&order));
    let ended = run(async move {
        let _child = create_task(async move {
            let _note = Note(Rc::clone(&child_notes), "child");
            drop(catch_cancelled(Event::new().wait()).await);
            sleep(Duration::from_millis(1)).await; // Cleanup that awaits is waited for.
            child_notes.borrow_mut().push("cleanup");
        });
        let _note = Note(notes, "main");
        Event::new().wait().await;
    });
    assert!(matches!(ended, Err(RunError::Deadlock(_))));
    assert_eq!(*order.borrow(), ["main", "cleanup", "child"]);
}

#[test]
fn a_runner_goes_on() {
    let runner = Runner::new();
    assert!(matches!(runner.run(Event::new().wait()), Err(RunError::Deadlock(_))));
    assert_eq!(runner.run(async { 7 }).unwrap(), 7);
    runner.close().unwrap();
}

#[test]
#[should_panic(expected = "deadlock: nothing can wake the event loop")]
fn a_test_panics_with_the_tree() {
    corio_executor::test::run(async { Event::new().wait().await });
}

/// A waker that another thread has lets the loop sleep: it does not wake up now and then to look whether that is still there,
/// and hears of its end.
#[cfg(target_os = "linux")] // Whose kernel says how often a thread went to sleep.
#[test]
fn a_waker_elsewhere_costs_no_look_until_its_end() {
    let (send, receive) = std::sync::mpsc::channel();
    let looping = thread::spawn(move || {
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        let main = poll_fn(move |cx| {
            corio_seam::wait_on(corio_seam::Waiting::Leaf(&"another thread"));
            send.send((thread.clone(), cx.waker().clone())).unwrap();
            Poll::<()>::Pending
        });
        run(main).unwrap_err().to_string()
    });
    let (thread, waker) = receive.recv().unwrap();
    let sleeps = || {
        let status = std::fs::read_to_string(std::path::Path::new("/proc").join(&thread).join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let is_asleep = || {
        let before = sleeps();
        thread::sleep(Duration::from_millis(5));
        sleeps() == before
    };
    while !is_asleep() {}
    let before = sleeps();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(sleeps(), before, "it woke up, and nobody had woken it");
    drop(waker);
    assert!(looping.join().unwrap().starts_with("deadlock: nothing can wake the event loop"));
}

#[test]
fn a_loop_without_anything_cannot_run_for_ever() {
    let event_loop = EventLoop::new().unwrap();
    let RunError::Deadlock(deadlock) = event_loop.run_forever().unwrap_err() else { panic!("another error") };
    assert_eq!(deadlock.to_string(), "deadlock: the event loop has nothing to do, and nobody can give it something");
    let remote = event_loop.remote();
    later(move || remote.stop().unwrap());
    event_loop.run_forever().unwrap();
}

// What may still wake it: each of these programs ends, by what the loop cannot know to be impossible.

/// Polls both with the caller's own waker, as a foreign `select!` does, and returns when either is ready.
async fn select(ours: impl Future<Output = ()>, foreign: impl Future) {
    let (mut ours, mut foreign) = (pin!(ours), pin!(foreign));
    poll_fn(|cx| match ours.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => foreign.as_mut().poll(cx).map(drop),
    })
    .await;
}

/// Something of tokio's that a thread completes, a moment later.
fn foreign() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    later(move || _ = sender.send(()));
    receiver
}

#[test]
fn a_foreign_leaf_is_waited_for() {
    run(async { foreign().await.unwrap() }).unwrap();
    run(async {
        let task = create_task(foreign());
        task.await.unwrap().unwrap();
    })
    .unwrap();
    corio_executor::test::run(async { foreign().await.unwrap() });
}

#[test]
fn a_foreign_select_of_ours_and_a_foreign_leaf_is_waited_for() {
    run(async { select(Event::new().wait(), foreign()).await }).unwrap();
    run(async { select(async { _ = timeout(Duration::MAX, Event::new().wait()).await }, foreign()).await }).unwrap();
    run(async { select(async { drop(catch_cancelled(Event::new().wait()).await) }, foreign()).await }).unwrap();
    run(async { select(async { drop(create_task(pending::<()>()).await) }, foreign()).await }).unwrap();
    stuck(async { select(Event::new().wait(), pending::<()>()).await });
}

/// A leaf may be polled twice in one step, or be polled and dropped: to count what was noted would be wrong.
#[test]
fn leaves_that_are_polled_and_left_hide_nobody() {
    run(async {
        let event = Event::new();
        let (mut ours, mut foreign) = (pin!(event.wait()), pin!(foreign()));
        poll_fn(|cx| {
            let _ = (ours.as_mut().poll(cx), ours.as_mut().poll(cx), ours.as_mut().poll(cx));
            foreign.as_mut().poll(cx).map(drop)
        })
        .await;
    })
    .unwrap();
    run(async {
        let mut foreign = pin!(foreign());
        poll_fn(|cx| {
            (0..3).for_each(|_| assert!(pin!(Event::new().wait()).poll(cx).is_pending()));
            foreign.as_mut().poll(cx).map(drop)
        })
        .await;
    })
    .unwrap();
    run(async {
        assert!(poll_fn(|cx| Poll::Ready(pin!(Event::new().wait()).poll(cx).is_pending())).await);
        foreign().await.unwrap();
    })
    .unwrap();
}

/// A combinator that polls each child with a waker of its own, as `FuturesUnordered` does.
struct Unordered {
    children: Vec<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    parent: Arc<Parent>,
}

#[derive(Default)]
struct Parent(Mutex<Option<Waker>>);

impl Wake for Parent {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Unordered {
    fn new(children: Vec<Pin<Box<dyn Future<Output = ()>>>>) -> Unordered {
        Unordered { children: children.into_iter().map(Some).collect(), parent: Arc::default() }
    }
}

/// Ready with the first of its children.
impl Future for Unordered {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        *self.parent.0.lock().unwrap() = Some(cx.waker().clone());
        let waker = Waker::from(Arc::clone(&self.parent));
        let mut own = Context::from_waker(&waker);
        let polls: Vec<_> = self.children.iter_mut().flatten().map(|child| child.as_mut().poll(&mut own)).collect();
        if polls.iter().any(Poll::is_ready) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn a_combinator_with_wakers_of_its_own_is_waited_for() {
    run(async {
        let wait = || Box::pin(async { Event::new().wait().await });
        let children: Vec<Pin<Box<dyn Future<Output = ()>>>> =
            vec![wait(), Box::pin(async { foreign().await.unwrap() }), wait()];
        Unordered::new(children).await;
    })
    .unwrap();
    run(async {
        // The foreign child alone, in a scope, below another leaf of ours.
        let children: Vec<Pin<Box<dyn Future<Output = ()>>>> =
            vec![Box::pin(async { drop(catch_cancelled(foreign()).await) })];
        select(Event::new().wait(), Unordered::new(children)).await;
    })
    .unwrap();
}

#[test]
fn what_threads_complete_is_waited_for() {
    run(async {
        let (promise, future) = concurrent::promise();
        later(move || promise.set_result(7).unwrap());
        assert_eq!(future.await.unwrap(), 7);
    })
    .unwrap();
    run(async {
        let (promise, future) = concurrent::promise();
        later(move || promise.set_result(7).unwrap());
        assert_eq!(wrap_future(future).await.unwrap(), 7); // Loop-bound, but a thread ends it.
    })
    .unwrap();
    run(async {
        let (promise, future) = promise::<u32>();
        let other = to_concurrent(future.share());
        later(move || assert!(other.cancel()));
        assert!(future.await.is_err());
        drop(promise);
    })
    .unwrap();
    run(async {
        let queue = corio_queue::concurrent::Queue::new(0);
        let other = queue.clone();
        later(move || other.put_nowait(7).unwrap());
        assert_eq!(queue.get().await.unwrap(), 7);
    })
    .unwrap();
    run(async {
        let slow = to_thread(|| thread::sleep(Duration::from_millis(20)));
        slow.await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_call_in_a_pool_that_nobody_awaits_is_waited_for() {
    run(async {
        let done = Rc::new(Event::new());
        let set = Rc::clone(&done);
        let waiter = create_task(async move { done.wait().await });
        let call = create_task(async move {
            to_thread(|| thread::sleep(Duration::from_millis(20))).await.unwrap();
            set.set();
        });
        waiter.await.unwrap();
        call.await.unwrap();
    })
    .unwrap();
}

#[test]
fn signals_are_waited_for() {
    let mut signals = corio_signal::Signals::new([corio_signal::SIGUSR2]).unwrap();
    run(async {
        later(|| signal_hook::low_level::raise(corio_signal::SIGUSR2.as_raw()).unwrap());
        signals.recv().await;
    })
    .unwrap();
    run(async {
        // Nobody awaits the listener: it may be asked at any time.
        let event = Rc::new(Event::new());
        let set = Rc::clone(&event);
        let listening = create_task(async move {
            signals.recv().await;
            set.set();
        });
        later(|| signal_hook::low_level::raise(corio_signal::SIGUSR2.as_raw()).unwrap());
        event.wait().await;
        listening.await.unwrap();
    })
    .unwrap();
}

#[test]
fn handles_of_other_threads_are_waited_for() {
    thread_local!(static EVENT: Rc<Event> = Rc::default());
    run(async {
        let remote = LoopHandle::current().remote();
        later(move || drop(remote.call_soon_threadsafe(|| EVENT.with(|event| event.set())).unwrap()));
        EVENT.with(Rc::clone).wait().await;
    })
    .unwrap();
    EVENT.with(|event| event.clear());
    run(async {
        let remote = corio_seam::remote().unwrap();
        later(move || drop(remote.call(Box::new(|| EVENT.with(|event| event.set())))));
        EVENT.with(Rc::clone).wait().await;
    })
    .unwrap();
}

#[test]
fn a_waker_on_another_thread_is_waited_for() {
    run(async {
        let mut sent = false;
        let mut ours = pin!(async { Event::new().wait().await });
        poll_fn(|cx| {
            let _ = ours.as_mut().poll(cx);
            if std::mem::replace(&mut sent, true) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            later(move || waker.wake());
            Poll::Pending
        })
        .await;
    })
    .unwrap();
}

#[test]
fn sources_and_timers_are_waited_for() {
    run(async {
        let event = Rc::new(Event::new());
        let set = Rc::clone(&event);
        let _timer = LoopHandle::current().call_later(Duration::from_millis(20), move || set.set());
        event.wait().await;
    })
    .unwrap();
    let (near, mut far) = UnixStream::pair().unwrap();
    run(async {
        let event = Rc::new(Event::new());
        let set = Rc::clone(&event);
        LoopHandle::current().add_reader(&near, move || set.set()).unwrap();
        later(move || far.write_all(b"!").unwrap());
        event.wait().await;
        assert!(LoopHandle::current().remove_reader(&near));
    })
    .unwrap();
}

#[test]
fn a_guard_of_the_clock_is_waited_for() {
    let clock = VirtualClock::new();
    let event_loop = EventLoop::builder().clock(clock.clone()).build().unwrap();
    let guard = clock.busy();
    later(move || drop(guard)); // It brings nothing: then it is a deadlock after all.
    let ended = event_loop.run_until_complete(async { Event::new().wait().await });
    assert!(matches!(ended, Err(RunError::Deadlock(_))));
}

/// A clock that keeps the loop's door, as one that other threads move would.
struct Keeper(Rc<RefCell<Option<Arc<dyn Remote>>>>, MonotonicClock);

impl Clock for Keeper {
    fn now(&self) -> LoopTime {
        self.1.now()
    }

    fn wait(&self, until: LoopTime) -> Wait {
        self.1.wait(until)
    }

    fn attach(&self, remote: Arc<dyn Remote>) {
        self.0.replace(Some(remote));
    }
}

#[test]
fn a_clock_that_may_ring_is_waited_for() {
    thread_local!(static EVENT: Rc<Event> = Rc::default());
    let door = Rc::default();
    let clock = Keeper(Rc::clone(&door), MonotonicClock::new());
    let event_loop = EventLoop::builder().clock(clock).build().unwrap();
    let remote = door.borrow().clone().unwrap();
    later(move || drop(remote.call(Box::new(|| EVENT.with(|event| event.set())))));
    event_loop.run_until_complete(EVENT.with(Rc::clone).wait()).unwrap();
    door.take();
    EVENT.with(|event| event.clear());
    let ended = event_loop.run_until_complete(EVENT.with(Rc::clone).wait());
    assert!(matches!(ended, Err(RunError::Deadlock(_))));
}

/// The thread has only a weak handle, which a loop cannot know of: it is for a program that says that it knows better.
#[test]
fn the_report_can_be_turned_off() {
    thread_local!(static EVENT: Rc<Event> = Rc::default());
    let door = Rc::default();
    let clock = Keeper(Rc::clone(&door), MonotonicClock::new());
    let event_loop = EventLoop::builder().clock(clock).detect_deadlocks(false).build().unwrap();
    let weak = Arc::downgrade(&door.take().unwrap());
    later(move || drop(weak.upgrade().unwrap().call(Box::new(|| EVENT.with(|event| event.set())))));
    event_loop.run_until_complete(EVENT.with(Rc::clone).wait()).unwrap();
}

#[test]
fn a_promise_out_of_the_loop_is_no_hope_within_a_run_and_good_between_runs() {
    let event_loop = EventLoop::new().unwrap();
    let (first, second) = (promise::<u32>(), promise::<u32>());
    let task = event_loop.create_task(async { first.1.await.unwrap() + second.1.await.unwrap() });
    for promise in [first.0, second.0] {
        let ended = event_loop.run_until_complete(Event::new().wait());
        assert!(matches!(ended, Err(RunError::Deadlock(_))));
        promise.set_result(1).unwrap(); // Wakes the task while no loop runs.
    }
    assert_eq!(event_loop.run_until_complete(task).unwrap().unwrap(), 2);
}

#[test]
fn what_waits_for_nothing_known_may_do_so_for_ever() {
    let (event_loop, over) = (EventLoop::new().unwrap(), Rc::new(Cell::new(false)));
    let _idle = event_loop.create_task(pending::<()>());
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let remembered = Arc::clone(&waker);
    later(move || {
        let waker = loop {
            if let Some(waker) = remembered.lock().unwrap().take() {
                break waker;
            }
        };
        waker.wake();
    });
    let seen = Rc::clone(&over);
    event_loop
        .run_until_complete(async move {
            poll_fn(|cx| {
                if seen.replace(true) {
                    return Poll::Ready(());
                }
                *waker.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
        })
        .unwrap();
    assert!(over.get());
}

// Joins in place, whose children have wakers of their own when there are many.

fn waits(count: usize) -> Vec<Pin<Box<dyn Future<Output = ()>>>> {
    (0..count).map(|_| Box::pin(async { Event::new().wait().await }) as Pin<Box<dyn Future<Output = ()>>>).collect()
}

#[test]
fn the_children_of_a_join_are_seen() {
    let tree = stuck(join(waits(3)));
    assert_eq!(tree.matches("Event.wait").count(), 3, "{tree}");
    let tree = stuck(join(waits(100)));
    assert_eq!(tree.matches("Event.wait").count(), 100, "{tree}");
}

#[test]
fn a_foreign_child_of_a_join_is_waited_for() {
    for count in [2, 100] {
        let mut children = waits(count);
        children[1] = Box::pin(async { foreign().await.unwrap() });
        run(race(children)).unwrap();
    }
}

// Programs made by chance.

/// A generator of numbers that look like chance; xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }
}

/// One step of a task. Each waits at most for tasks that were made before: so each program ends, if no event is left out.
#[derive(Clone, Copy, Debug)]
enum Step {
    Yield,
    Sleep(usize),
    WaitFor(usize),
    Join(usize, usize),
    Lock,
    Thread(usize),
    Foreign(usize),
    Select(usize, usize),
    Unordered(usize, usize),
    Pass,
}

fn steps(chance: &mut Chance, task: usize, kinds: usize) -> Vec<Step> {
    let count = chance.below(6);
    let mut step = || {
        let (one, other) = (chance.below(task.max(1)), chance.below(task.max(1)));
        match chance.below(kinds) {
            1 if task > 0 => Step::WaitFor(one),
            2 if task > 0 => Step::Join(one, other),
            3 => Step::Lock,
            4 => Step::Pass,
            5 => Step::Sleep(one),
            6 => Step::Thread(one),
            7 => Step::Foreign(one),
            8 if task > 0 => Step::Select(one, other),
            9 if task > 0 => Step::Unordered(one, other),
            _ => Step::Yield,
        }
    };
    (0..count).map(|_| step()).collect()
}

/// What the tasks of a program share.
struct Shared {
    over: Vec<Event>,
    lock: Lock,
    queue: Queue<usize>,
}

fn moment(n: usize) -> Duration {
    Duration::from_micros(10 * (n % 7) as u64)
}

/// Something that a thread completes in its own time.
async fn by_a_thread(n: usize) {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(moment(n));
        _ = sender.send(());
    });
    receiver.await.unwrap();
}

async fn act(step: Step, shared: &Rc<Shared>) {
    let wait = |n: usize| {
        let shared = Rc::clone(shared);
        Box::pin(async move { shared.over[n].wait().await }) as Pin<Box<dyn Future<Output = ()>>>
    };
    match step {
        Step::Yield => yield_now().await,
        Step::Sleep(n) => sleep(moment(n)).await,
        Step::WaitFor(n) => wait(n).await,
        Step::Join(one, other) => drop(join((wait(one), wait(other))).await),
        Step::Lock => {
            let _held = shared.lock.acquire().await;
            yield_now().await;
        }
        Step::Thread(n) => to_thread(move || thread::sleep(moment(n))).await.unwrap(),
        Step::Foreign(n) => by_a_thread(n).await,
        Step::Select(one, n) => select(wait(one), by_a_thread(n)).await,
        Step::Unordered(one, n) => Unordered::new(vec![wait(one), Box::pin(by_a_thread(n))]).await,
        Step::Pass => {
            shared.queue.put(0).await.unwrap();
            let _item = shared.queue.get().await.unwrap();
        }
    }
}

/// Runs a program of many tasks; `left_out` never says that it is over.
fn program(seed: u64, kinds: usize, left_out: Option<usize>) -> Result<(), RunError> {
    let mut chance = Chance(seed * 2 + 1);
    let count = 2 + chance.below(12);
    run(async {
        let over = (0..count).map(|_| Event::new()).collect();
        let shared = Rc::new(Shared { over, lock: Lock::new(), queue: Queue::new(1) });
        let tasks: Vec<_> = (0..count)
            .map(|task| {
                let (steps, shared) = (steps(&mut chance, task, kinds), Rc::clone(&shared));
                create_task(async move {
                    for step in steps {
                        act(step, &shared).await;
                    }
                    if left_out != Some(task) {
                        shared.over[task].set();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        if let Some(left_out) = left_out {
            shared.over[left_out].wait().await;
        }
    })
}

#[test]
fn a_program_that_ends_never_alarms() {
    for seed in 1..400 {
        if let Err(error) = program(seed, 10, None) {
            panic!("seed {seed}: {error}");
        }
    }
}

#[test]
fn a_program_that_does_not_end_always_alarms() {
    for seed in 1..400 {
        let ended = program(seed, 6, Some(0));
        assert!(matches!(ended, Err(RunError::Deadlock(_))), "seed {seed}: {ended:?}");
    }
}
