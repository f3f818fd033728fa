//! Danger: a set that says that it sleeps, is open, or is stuck, and is not; a door that leads elsewhere.

use crate::kit::{Door, Log, OnDrop, forever, run, run_alone, stuck, yield_now};
use corio_seam::{Alarm, LoopTime, Node, Remote, Report, Timer, TimerKey};
use corio_task::{Bell, Task, TaskSet, create_task, current_task};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Bell for Count {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

fn belled() -> (TaskSet, Arc<Count>) {
    let (set, bell) = (TaskSet::new(), Arc::new(Count::default()));
    set.set_bell(Arc::clone(&bell) as Arc<dyn Bell>);
    (set, bell)
}

#[test]
fn a_set_counts_its_tasks_and_knows_them() {
    let set = TaskSet::default();
    assert!(set.is_empty() && set.tasks().is_empty() && !set.has_ready() && !set.is_closed());
    let tasks = [set.spawn(forever()), set.spawn(forever()), set.spawn(async {})];
    assert_eq!((set.len(), set.is_empty(), set.has_ready()), (3, false, true));
    assert_eq!(tasks.each_ref().map(|task| task.id().number()), [1, 2, 3]);
    set.run_batch();
    assert_eq!((set.len(), set.has_ready()), (2, false));
    assert!(set.tasks().contains(&tasks[0].task_ref()) && !set.tasks().contains(&tasks[2].task_ref()));
    set.close();
    assert!(set.is_empty() && set.is_closed() && set.tasks().is_empty());
}

#[test]
fn each_set_and_its_door_have_one_identity() {
    let (one, other) = (TaskSet::new(), TaskSet::new());
    assert_ne!(one.id(), other.id());
    let remote = one.remote();
    assert_eq!((remote.id(), remote.loop_id(), one.enter(corio_seam::loop_id)), (one.id(), one.id(), Some(one.id())));
    assert_eq!(one.enter(|| corio_seam::remote().unwrap().loop_id()), one.id());
    assert_eq!(one.spawn(async {}).id().set(), one.id());
    assert_eq!(corio_seam::loop_id(), None);
    assert!(format!("{remote:?}").contains(&format!("{:?}", one.id())));
    assert!(!remote.is_closed());
    one.close();
    assert!(remote.is_closed() && !other.remote().is_closed());
    assert!(remote.call(Box::new(|| ())).is_err() && Remote::call(&remote, Box::new(|| ())).is_err());
}

#[test]
fn a_call_through_either_door_is_made_and_the_rest_is_dropped_with_the_set() {
    let (set, bell) = belled();
    let calls = Arc::new(AtomicUsize::new(0));
    let call = |n: usize| {
        let calls = Arc::clone(&calls);
        Box::new(move || _ = calls.fetch_add(n, Ordering::SeqCst))
    };
    let remote = set.remote();
    assert!(remote.call(call(1)).is_ok() && Remote::call(&remote, call(10)).is_ok());
    assert_eq!(bell.rings(), 0, "nobody sleeps");
    assert!(!set.has_ready() && !set.fall_asleep());
    set.drain_inbox();
    assert!(set.has_ready());
    set.run_batch();
    assert_eq!(calls.load(Ordering::SeqCst), 11);
    assert!(remote.call(call(100)).is_ok());
    assert_eq!(Arc::strong_count(&calls), 2);
    set.close();
    assert_eq!((calls.load(Ordering::SeqCst), Arc::strong_count(&calls)), (11, 1));
}

#[test]
fn the_bell_rings_once_for_a_sleeper_and_for_nobody_else() {
    let (set, bell) = belled();
    let remote = set.remote();
    let call = || remote.call(Box::new(|| ())).is_ok();
    assert!(call() && bell.rings() == 0);
    set.drain_inbox();
    set.run_batch();
    assert!(set.fall_asleep());
    assert!(call() && call() && bell.rings() == 1);
    set.wake_up();
    set.drain_inbox();
    set.run_batch();
    assert!(call() && bell.rings() == 1, "it is awake");
    set.drain_inbox();
    set.run_batch();
    assert!(set.fall_asleep());
    set.wake_up();
    assert!(call() && bell.rings() == 1, "it woke by itself");
    set.drain_inbox();
    set.run_batch();

    let task = set.spawn(forever()); // On the set's own thread, while it does not run.
    assert_eq!(bell.rings(), 1);
    set.run_batch();
    assert!(set.fall_asleep());
    task.cancel();
    assert_eq!(bell.rings(), 2);
    drop(set.spawn(async {}));
    assert_eq!((bell.rings(), set.fall_asleep()), (2, false));
    set.wake_up();
    set.run_batch();
    set.close();
    assert!(!set.fall_asleep(), "a closed set has nothing to wait for");
    set.wake_up();
    assert!(set.remote().is_closed());
}

/// A set that another one runs inside of has to be told even on its own thread.
#[test]
fn a_sleeper_is_woken_from_inside_another_set() {
    let ((outer, bell), inner) = (belled(), TaskSet::new());
    drop(outer.spawn(forever()));
    outer.run_batch();
    assert!(outer.fall_asleep());
    inner.enter(|| outer.push(Node::new(|| ())).unwrap());
    assert_eq!(bell.rings(), 1);
    assert!(outer.has_ready() && !outer.fall_asleep());
    outer.enter(|| outer.push(Node::new(|| ())).unwrap());
    assert_eq!(bell.rings(), 1, "it runs");
}

#[test]
fn a_door_that_its_executor_answers_for_keeps_no_set_from_being_stuck() {
    let (set, door) = (TaskSet::new(), Rc::new(Door::default()));
    let inner = Rc::clone(&door);
    let task = set.spawn(async move { inner.wait().await });
    set.run_batch();
    let stuck_but_for = |doors| {
        assert!(set.fall_asleep());
        let stuck = set.is_stuck(doors);
        set.wake_up();
        stuck
    };
    assert_eq!([0, 1, 2].map(stuck_but_for), [true, true, true]);
    let one = set.remote();
    assert_eq!([0, 1, 2].map(stuck_but_for), [false, true, true]);
    let other = set.enter(corio_seam::remote);
    assert_eq!([0, 1, 2, 3].map(stuck_but_for), [false, false, true, true]);
    drop((one, other));
    assert!(!set.is_stuck(0), "it is awake");
    assert!(set.fall_asleep());
    set.remote().call(Box::new(|| ())).unwrap_or_else(|_| panic!("it is open"));
    assert!(!set.is_stuck(0), "something has come");
    set.wake_up();
    set.drain_inbox();
    set.run_batch();
    assert!(stuck_but_for(0));
    assert!(set.fall_asleep());
    task.cancel();
    assert!(!set.is_stuck(0), "something is ready");
}

/// Starts a task that hands a plain waker out at each poll, as to another thread, and says that it waits.
fn waits_for_another_thread(set: &TaskSet) -> (Task<()>, std::sync::mpsc::Receiver<Waker>) {
    let (send, receive) = std::sync::mpsc::channel();
    let task = set.spawn(poll_fn(move |cx| {
        corio_seam::wait_on(corio_seam::Waiting::Leaf(&"another thread"));
        send.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }));
    set.run_batch();
    (task, receive)
}

/// A set that sleeps because another thread has a waker hears of its end, be it used or not; and of one end, if all go at once.
#[test]
fn a_set_that_watches_hears_of_the_end_of_a_waker() {
    let (set, bell) = belled();
    let (task, receive) = waits_for_another_thread(&set);
    let waker = receive.recv().unwrap();
    let elsewhere = |f: Box<dyn FnOnce() + Send>| std::thread::spawn(f).join().unwrap();
    let watch = || {
        assert!(set.fall_asleep());
        (set.watch(), bell.rings())
    };

    let clone = waker.clone();
    elsewhere(Box::new(move || drop(clone)));
    assert_eq!(watch(), (true, 0), "nobody watched");
    let clones = [waker.clone(), waker.clone()];
    elsewhere(Box::new(move || drop(clones)));
    assert_eq!((bell.rings(), set.has_ready()), (1, false));
    set.wake_up();
    assert_eq!(watch(), (true, 1), "there is one left");
    elsewhere(Box::new(move || drop(waker)));
    assert_eq!(bell.rings(), 2);
    set.wake_up();
    assert_eq!(watch(), (false, 2));
    assert!(set.is_stuck(0));
    set.wake_up();

    task.task_ref().cancel(); // And the last words of a task wake nobody who sleeps for another's.
    set.run_batch();
    assert_eq!((task.cancelled(), watch(), set.is_stuck(0)), (true, (false, 2), true));
}

/// Who wakes rings once, for the wake; the end of the waker, a moment later, rings only for who went to sleep again meanwhile.
#[test]
fn a_wake_and_the_end_of_its_waker_ring_once() {
    let (set, bell) = belled();
    let (_task, receive) = waits_for_another_thread(&set);
    let waker = receive.recv().unwrap();
    assert!(set.fall_asleep() && set.watch());
    std::thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(bell.rings(), 1);
    set.wake_up();
    set.drain_inbox();
    set.run_batch();
    let waker = receive.recv().unwrap();
    std::thread::scope(|scope| {
        let (said, hear) = std::sync::mpsc::channel();
        let (sleeps, slept) = std::sync::mpsc::channel();
        assert!(set.fall_asleep() && set.watch());
        scope.spawn(move || {
            waker.wake_by_ref();
            said.send(()).unwrap();
            slept.recv().unwrap();
            drop(waker);
            said.send(()).unwrap();
        });
        hear.recv().unwrap();
        set.wake_up();
        set.drain_inbox();
        set.run_batch();
        drop(receive.recv().unwrap()); // That of the second poll.
        assert!(set.fall_asleep() && set.watch());
        assert_eq!(bell.rings(), 2);
        sleeps.send(()).unwrap();
        hear.recv().unwrap();
    });
    assert_eq!(bell.rings(), 3);
    set.wake_up();
    assert!(stuck(&set));
}

/// So many wakers of one task are kept that they cannot all be counted: those beyond are plain ones, and nothing is lost but the
/// knowledge that nobody else could wake it.
#[cfg(not(miri))] // Which takes a minute for so many.
#[test]
fn more_kept_wakers_than_can_be_counted_are_plain_ones() {
    let set = TaskSet::new();
    let wakers = Rc::new(RefCell::new(Vec::new()));
    let inner = Rc::clone(&wakers);
    let task = set.spawn(poll_fn(move |cx| {
        corio_seam::wait_on(corio_seam::Waiting::Leaf(&"something"));
        let mut wakers = inner.borrow_mut();
        if wakers.is_empty() {
            wakers.extend((0..70_000).map(|_| corio_seam::local_waker(cx.waker())));
            return Poll::Pending;
        }
        Poll::Ready(())
    }));
    let is_stuck = || {
        assert!(set.fall_asleep());
        let stuck = set.is_stuck(0);
        set.wake_up();
        stuck
    };
    set.run_batch();
    assert!(!is_stuck(), "it has plain wakers");
    let rest = set.enter(|| wakers.borrow_mut().split_off(60_000));
    set.enter(|| drop(rest));
    assert!(is_stuck());
    set.enter(|| wakers.borrow().last().unwrap().wake_by_ref());
    set.run_batch();
    assert!(task.done());
    drop(wakers); // Outside of the set: each is given up in another way.
}

/// One task that may be woken is enough, wherever it stands, and however often the set falls asleep.
#[test]
fn each_task_is_looked_at() {
    for at in [0, 1, 4] {
        let (set, door) = (TaskSet::new(), Rc::new(Door::default()));
        let mut tasks = Vec::new();
        for n in 0..5 {
            let inner = Rc::clone(&door);
            tasks.push(set.spawn(async move { if n == at { forever().await } else { inner.wait().await } }));
        }
        set.run_batch();
        for _ in 0..3 {
            assert!(!stuck(&set));
        }
        tasks[at].cancel();
        set.run_batch();
        for _ in 0..3 {
            assert!(stuck(&set));
        }
        let idle = set.spawn(forever());
        set.run_batch();
        assert!(!stuck(&set));
        idle.cancel();
        set.run_batch();
        assert!(stuck(&set));
    }
    assert!(stuck(&TaskSet::new()), "a set without tasks");
}

#[test]
fn scopes_and_tasks_that_wait_are_known_to_wait() {
    let is_stuck = |main: Pin<Box<dyn Future<Output = ()>>>| {
        let set = TaskSet::new();
        drop(set.spawn(main));
        while set.has_ready() {
            set.run_batch();
        }
        stuck(&set)
    };
    let door = || Rc::new(Door::default());
    let caught = |inner: Pin<Box<dyn Future<Output = ()>>>| async {
        drop(corio_task::catch_cancelled(corio_task::catch_cancelled(inner)).await);
    };
    let (one, two, three) = (door(), door(), door());
    assert!(is_stuck(Box::pin(caught(Box::pin(async move { one.wait().await })))));
    assert!(!is_stuck(Box::pin(caught(Box::pin(forever())))));
    assert!(is_stuck(Box::pin(async move { create_task(async move { two.wait().await }).await.unwrap() })));
    assert!(!is_stuck(Box::pin(async { create_task(forever()).await.unwrap() })), "the inner one may be woken");
    let named = async move {
        current_task().unwrap().set_name("with a root");
        three.wait().await;
    };
    assert!(is_stuck(Box::pin(named)));
    assert!(!is_stuck(Box::pin(async {
        current_task().unwrap().set_name("with a root");
        forever().await;
    })));
}

#[test]
fn a_loops_values_are_told_apart_by_their_types() {
    let set = TaskSet::new();
    set.enter(|| {
        assert_eq!(corio_seam::local(|| 1_u8).as_deref(), Some(&1));
        assert_eq!(corio_seam::local(|| 2_u16).as_deref(), Some(&2));
        assert_eq!(corio_seam::local(|| 3_u8).as_deref(), Some(&1));
        let nested = corio_seam::local(|| {
            assert_eq!(corio_seam::local(|| 4_u32).as_deref(), Some(&4));
            5_u32
        });
        assert_eq!(nested.as_deref(), Some(&4), "the first stays");
    });
}

/// What is made anew while a set closes would be dropped by nobody; and what belongs to it goes, whatever panics.
#[test]
fn a_set_that_closes_drops_its_belongings_and_takes_no_more() {
    struct Belonging(Log, &'static str);
    impl Drop for Belonging {
        fn drop(&mut self) {
            self.0.add(self.1);
            assert!(corio_seam::local(|| 1_u64).is_none() && corio_seam::call_soon(|| ()).is_err());
            std::panic::panic_any(()); // A payload without memory: nobody drops it.
        }
    }
    struct Clock(#[allow(dead_code, reason = "it is dropped")] Belonging);
    impl Timer for Clock {
        fn now(&self) -> LoopTime {
            LoopTime::from_nanos(7)
        }
        fn arm(&self, _: LoopTime, _: Alarm) -> TimerKey {
            unreachable!("nobody sleeps")
        }
        fn poll(&self, _: TimerKey, _: &Waker) -> Poll<()> {
            unreachable!("nobody sleeps")
        }
        fn disarm(&self, _: TimerKey) -> bool {
            unreachable!("nobody sleeps")
        }
    }
    let log = Log::new();
    let belonging = |what| Belonging(log.clone(), what);
    let set = TaskSet::with_timer(Rc::new(Clock(belonging("timer"))));
    assert_eq!(set.enter(corio_seam::now), LoopTime::from_nanos(7));
    set.enter(|| drop(corio_seam::local(|| belonging("value"))));
    let held = belonging("handler");
    set.set_report_handler(Some(Rc::new(move |_| _ = &held)));
    set.close();
    assert_eq!(log.take(), ["value", "timer", "handler"]);
    assert!(catch_unwind(AssertUnwindSafe(|| set.enter(corio_seam::now))).is_err(), "there is no timer any more");
}

#[test]
fn reports_go_to_the_handler_of_the_set() {
    let (set, log) = (TaskSet::new(), Log::new());
    let old = log.clone();
    set.set_report_handler(Some(Rc::new(move |_| old.add("the old one"))));
    let handler = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| handler.add(report.message))));
    set.enter(|| corio_seam::report(Report::new("first")));
    set.push(Node::new(|| panic!("as it should"))).unwrap();
    set.run_batch();
    assert_eq!(log.take(), ["first", "exception in callback"]);
    set.set_report_handler(None);
    set.enter(|| corio_seam::report(Report::new("to standard error")));
    assert!(log.take().is_empty());
}

#[test]
fn what_a_task_spawns_and_pushes_through_the_seam_runs_in_its_set() {
    let log = Log::new();
    let out = log.clone();
    let set = TaskSet::new();
    run(&set, async move {
        let (task, call) = (out.clone(), out.clone());
        corio_seam::spawn(async move { task.add(current_task().unwrap().name()) });
        corio_seam::push(Node::new(move || call.add("call"))).unwrap();
        yield_now().await;
    })
    .unwrap();
    assert_eq!(log.take(), ["Task-2", "call"]);
    set.close();
    assert!(set.enter(|| corio_seam::push(Node::new(|| ()))).is_err());
    assert!(corio_seam::push(Node::new(|| ())).is_err());
}

/// A poll runs some batches and lets its runtime have a turn; it asks to be polled again only if there is more to do.
#[test]
fn a_set_that_is_polled_asks_for_more_while_there_is_more() {
    let (count, set) = (Arc::new(Count::default()), TaskSet::new());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let steps = Rc::new(Cell::new(0));
    let (counted, place) = (Rc::clone(&steps), Rc::new(RefCell::new(None::<Waker>)));
    let theirs = Rc::clone(&place);
    let mut running = pin!(set.run_until(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        if counted.get() < 100 {
            cx.waker().wake_by_ref();
        }
        theirs.replace(Some(cx.waker().clone()));
        if counted.get() == 101 { Poll::Ready(7) } else { Poll::Pending }
    })));
    assert!(format!("{running:?}").starts_with("RunUntil { task: Task(TaskRef { name: \"Task-1\", done: false"));
    assert!(running.as_mut().poll(&mut cx).is_pending());
    assert!(steps.get() < 100 && count.rings() == 1, "it lets others have a turn");
    assert!(running.as_mut().poll(&mut cx).is_pending());
    assert_eq!((steps.get(), count.rings()), (100, 1), "nothing is to be done until somebody rings");
    let stray = place.take().unwrap();
    thread::spawn(move || stray.wake()).join().unwrap();
    assert_eq!(count.rings(), 2);
    let late = Arc::new(Count::default());
    let other = Waker::from(Arc::clone(&late));
    assert_eq!(running.as_mut().poll(&mut Context::from_waker(&other)).map(Result::unwrap), Poll::Ready(7));
    assert_eq!((count.rings(), late.rings()), (2, 0));
}

#[test]
fn the_runtime_that_polled_last_is_woken() {
    let counts = [(); 2].map(|()| Arc::new(Count::default()));
    let set = TaskSet::new();
    let mut running = pin!(set.run_until(forever()));
    for count in [&counts[0], &counts[0], &counts[1]] {
        let waker = Waker::from(Arc::clone(count));
        assert!(running.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    set.remote().call(Box::new(|| ())).unwrap_or_else(|_| panic!("it is open"));
    assert_eq!(counts.map(|count| count.rings()), [0, 1]);
}

#[test]
fn drive_stops_where_its_turn_does() {
    let set = TaskSet::new();
    let mut turns = 0;
    let ended = set.drive(forever(), |_| {
        turns += 1;
        if turns == 3 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    assert!(ended.is_none() && turns == 3);
}

#[test]
fn a_task_s_requests_are_counted_through_the_seam() {
    run_alone(async {
        assert!(corio_seam::loop_id().is_some() && corio_seam::remote().is_some());
        assert_eq!(corio_seam::cancelling(), 0);
        current_task().unwrap().cancel();
        current_task().unwrap().cancel();
        assert_eq!(corio_seam::cancelling(), 2);
        (current_task().unwrap().uncancel(), current_task().unwrap().uncancel()).1
    });
}

/// Under a seed, entries of several threads come in some order in which each thread's own stay in theirs.
#[test]
fn under_a_seed_senders_are_interleaved() {
    // The first of all threads, whose entries alone are sent.
    let (seeded, set, order) = (corio_seam::seed(7), TaskSet::new(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let (remote, told) = (set.remote(), Arc::clone(&order));
    let send = move || {
        for n in 0..20 {
            let told = Arc::clone(&told);
            assert!(remote.call(Box::new(move || told.lock().unwrap().push(n))).is_ok());
        }
    };
    thread::spawn(send).join().unwrap();
    set.drain_inbox();
    while set.has_ready() {
        set.run_batch();
    }
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    drop(seeded);
    let seeds = if cfg!(miri) { 4 } else { 20 };
    let orders: std::collections::BTreeSet<Vec<(usize, usize)>> = (0..seeds)
        .map(|seed| {
            let seeded = corio_seam::seed(seed);
            let set = TaskSet::new();
            let order = Arc::new(std::sync::Mutex::new(Vec::new()));
            for sender in 0..3 {
                let (remote, order) = (set.remote(), Arc::clone(&order));
                let send = move || {
                    for n in 0..4 {
                        let order = Arc::clone(&order);
                        let call = Box::new(move || order.lock().unwrap().push((sender, n)));
                        assert!(remote.call(call).is_ok());
                    }
                };
                thread::spawn(send).join().unwrap();
            }
            set.drain_inbox();
            for _ in 0..12 {
                set.run_batch();
            }
            drop(seeded);
            let order = order.lock().unwrap().clone();
            assert_eq!(order.len(), 12, "none is lost");
            for sender in 0..3 {
                let own: Vec<usize> = order.iter().filter(|(from, _)| *from == sender).map(|(_, n)| *n).collect();
                assert_eq!(own, [0, 1, 2, 3], "{order:?}");
            }
            order
        })
        .collect();
    assert!(orders.len() > seeds as usize / 2, "{}", orders.len());
}

#[test]
fn what_stands_in_a_set_goes_when_it_does() {
    let (set, log) = (TaskSet::new(), Log::new());
    let line = OnDrop(log.clone(), "in the task");
    drop(set.spawn(async move {
        let _line = line;
        forever().await;
    }));
    set.run_batch();
    drop(set);
    assert_eq!(log.take(), ["in the task"]);
}
