//! Danger: a handle and a view that say different things of one task, or what is not so.

use crate::kit::{Log, forever, is_pending, run, run_alone, yield_now};
use corio_seam::{TargetId, Waitable, Waiting, wait_on};
use corio_task::{
    Audience, Cancelled, JoinError, LARGE_FUTURE, Seats, Task, TaskOptions, TaskRef, TaskSet, create_task,
    create_task_with,
};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

#[test]
fn both_say_who_the_task_is() {
    run_alone(async {
        let (task, line) = (create_task(forever()), line!());
        let view = task.task_ref();
        assert_eq!((task.id(), task.id().number()), (view.id(), 2));
        assert_eq!(Some(view.id().set()), corio_seam::loop_id());
        assert_eq!((task.name(), view.name()), ("Task-2".to_string(), "Task-2".to_string()));
        for location in [task.location(), view.location()] {
            assert_eq!((location.file(), location.line()), (file!(), line));
        }
        task.set_name("by the handle");
        assert_eq!(view.name(), "by the handle");
        view.set_name("by the view");
        assert_eq!(task.name(), "by the view");
    });
}

#[test]
fn both_count_requests() {
    run_alone(async {
        let task = create_task(forever());
        let view = task.task_ref();
        yield_now().await;
        assert_eq!((task.cancelling(), view.cancelling(), task.uncancel(), view.uncancel()), (0, 0, 0, 0));
        assert!(task.cancel() && view.cancel() && task.cancel_with("third") && view.cancel_with("fourth"));
        assert_eq!((task.cancelling(), view.cancelling()), (4, 4));
        assert_eq!((task.uncancel(), view.uncancel(), view.cancelling()), (3, 2, 2));
        assert!(!task.done() && !view.done() && !task.cancelled() && !view.cancelled() && !view.panicked());
        yield_now().await;
        assert!(task.done() && view.done() && task.cancelled() && view.cancelled() && !view.panicked());
        assert!(!task.cancel() && !view.cancel() && !task.cancel_with("late") && !view.cancel_with("late"));
    });
}

#[test]
fn a_view_tells_how_a_task_ended() {
    run_alone(async {
        let (value, panic) = (create_task(async { 1 }), create_task(async { panic!("as it should") }));
        yield_now().await;
        assert!(value.done() && !value.cancelled() && !value.task_ref().cancelled() && !value.task_ref().panicked());
        let view = panic.task_ref();
        assert!(panic.done() && !panic.cancelled() && view.panicked() && !view.cancelled());
        assert!(panic.await.is_err_and(|error| error.is_panic()));
        assert!(view.done() && !view.panicked(), "somebody has taken it");
    });
}

#[test]
fn views_are_equal_if_the_task_is_one() {
    fn hash(view: &TaskRef) -> u64 {
        let mut hasher = DefaultHasher::new();
        view.hash(&mut hasher);
        hasher.finish()
    }
    let set = TaskSet::new();
    let (one, other) = (set.spawn(forever()), set.spawn(forever()));
    let (one, other) = (one.task_ref(), other.task_ref());
    assert!(one == one.clone() && one != other);
    assert!(hash(&one) == hash(&one.clone()) && hash(&one) != hash(&other));
    assert_eq!(HashSet::from([one.clone(), other, one]), HashSet::from_iter(set.tasks()));
}

/// As what somebody waits for, the one stands for the other.
#[test]
fn both_are_what_somebody_waits_for() {
    let set = TaskSet::new();
    let (task, other) = (set.spawn(forever()).named("it"), set.spawn(async {}));
    let view = task.task_ref();
    let says = |state: &str| {
        let (of_handle, of_view) = (Waitable::describe(&task), Waitable::describe(&view));
        assert!(of_handle.starts_with(&format!("task \"it\" {state}, made at ")), "{of_handle}");
        assert!(of_handle.contains(file!()) && of_handle == of_view, "{of_view}");
    };
    says("pending");
    assert!(!task.is_over() && !view.is_over());
    assert_eq!(task.target_id(), view.target_id());
    assert_ne!(task.target_id(), other.target_id());
    assert!(Waitable::cancel(&view, Some("enough".into())));
    assert_eq!(task.cancelling(), 1);
    set.run_batch();
    says("cancelled");
    assert!(task.is_over() && view.is_over());
    assert!(!Waitable::cancel(&view, None) && !Waitable::cancel(&task, None));
    let ended = Waitable::describe(&other);
    assert!(ended.starts_with("task \"Task-2\" finished, made at "), "{ended}");
}

#[test]
fn callbacks_of_both_stand_in_one_list() {
    let log = Log::new();
    let out = log.clone();
    run_alone(async move {
        let say = |line: &'static str| {
            let out = out.clone();
            move |task: &TaskRef| out.add(format!("{line} of {}", task.name()))
        };
        let task = create_task(async {}).named("it");
        let (view, context) = (task.task_ref(), corio_seam::Context::new());
        let keys = [
            task.add_done_callback(say("first")),
            view.add_done_callback(say("second")),
            task.add_done_callback_in(&context, say("third")),
            view.add_done_callback_in(&context, say("fourth")),
            view.add_done_callback(say("fifth")),
        ];
        assert_eq!(HashSet::from(keys).len(), 5);
        assert!(view.remove_done_callback(keys[2]) && task.remove_done_callback(keys[3]));
        assert!(!view.remove_done_callback(keys[2]) && !task.remove_done_callback(keys[3]));
        yield_now().await;
        assert!(task.done() && !task.remove_done_callback(keys[0]) && !view.remove_done_callback(keys[1]));
        let late = view.add_done_callback(say("late"));
        assert!(!view.remove_done_callback(late), "it is on its way");
        yield_now().await;
    });
    assert_eq!(log.take(), ["first", "second", "fifth", "late"].map(|line| format!("{line} of it")));
}

/// A key that was given out names nobody else's callback, whatever became of the list in between.
#[test]
fn keys_are_not_given_out_twice() {
    run_alone(async {
        let mut task = create_task(forever());
        let first = task.add_done_callback(|_| ());
        assert!(task.remove_done_callback(first));
        assert!(is_pending(&mut task).await);
        let second = task.add_done_callback(|_| ());
        assert!(second != first && !task.remove_done_callback(first) && task.remove_done_callback(second));
    });
}

#[test]
fn a_view_says_what_the_task_waits_for() {
    run_alone(async {
        let idle = create_task(forever()).task_ref();
        let leaf = create_task(poll_fn(|_| {
            wait_on(Waiting::Leaf(&"Door.wait"));
            Poll::<()>::Pending
        }));
        let two = create_task(poll_fn(|_| {
            wait_on(Waiting::Leaf(&"one door"));
            wait_on(Waiting::Leaf(&"another"));
            Poll::<()>::Pending
        }));
        let on_task = create_task(create_task(forever()).named("inner")).task_ref();
        let (promise, future) = corio_future::promise::<()>();
        let (one, other) = (future.share(), promise);
        let on_future = create_task(one).task_ref();
        let says = |task: &TaskRef| task.waiting_on().unwrap_or_default();
        for asked_for_its_root in [false, true] {
            if asked_for_its_root {
                let all = [&idle, &leaf.task_ref(), &two.task_ref(), &on_task, &on_future];
                all.iter().for_each(|task| task.set_name("named"));
            }
            yield_now().await;
            assert_eq!(idle.waiting_on(), None);
            assert_eq!((says(&leaf.task_ref()), says(&two.task_ref())), ("Door.wait".into(), "several".into()));
            assert!(says(&on_task).starts_with("task \"inner\" pending"), "{}", says(&on_task));
            assert_eq!(says(&on_future), "future pending");
        }
        drop(other);
    });
}

#[test]
fn a_shared_task_ends_its_future_as_it_ended() {
    use corio_future::FutureError;
    run_alone(async {
        let task = create_task(async { 3 });
        yield_now().await;
        assert_eq!(task.share().await.unwrap(), 3); // It was over already.

        let task = create_task(pending::<()>());
        let view = task.task_ref();
        let shared = task.share();
        yield_now().await;
        assert!(shared.cancel_with("enough"));
        assert_eq!(view.cancelling(), 1);
        let ended = shared.clone().await;
        assert!(matches!(&ended, Err(FutureError::Cancelled(why)) if why.message() == Some("enough")), "{ended:?}");
        assert!(view.cancelled() && !shared.cancel());

        let ended = create_task(async { panic!("of the task") }).share().await.map(|(): ()| ());
        assert!(matches!(&ended, Err(FutureError::Panicked(_))), "{ended:?}");
        assert!(ended.unwrap_err().to_string().contains("of the task"));
    });
}

/// The future that a shared task stands behind passes a request on only as long as the task takes it.
#[test]
fn a_shared_task_that_is_asked_by_a_waiter_decides() {
    run_alone(async {
        let task = create_task(async { corio_task::catch_cancelled(forever()).await.is_err() });
        let shared = task.share();
        let waiter = create_task(async move { shared.await.unwrap() });
        yield_now().await;
        yield_now().await;
        assert!(waiter.cancel());
        assert!(waiter.await.unwrap(), "the task swallowed it, and so the waiter goes on");
    });
}

#[test]
fn an_awaiter_may_end_as_the_task_did() {
    run_alone(async {
        let cancelled = JoinError::Cancelled(Cancelled::with_message(Some("why".into())));
        let ended = create_task(async { match cancelled.resume().await {} }).await.map(|(): ()| ());
        assert!(matches!(ended, Err(JoinError::Cancelled(why)) if why.message() == Some("why")));
        let panicked = create_task(async { panic!("inner") }).await.map(|(): ()| ()).unwrap_err();
        let ended = create_task(async { match panicked.resume().await {} }).await.map(|(): ()| ());
        assert_eq!(ended.unwrap_err().into_panic().unwrap().message(), Some("inner"));
    });
}

#[test]
#[should_panic(expected = "a task's result was asked for after it had been taken")]
fn a_result_is_taken_once() {
    let set = TaskSet::new();
    let mut task = set.spawn(async { 1 });
    assert!(task.take_output().is_none());
    set.run_batch();
    assert_eq!(task.take_output().unwrap().unwrap(), 1);
    drop(task.take_output());
}

#[test]
fn options_say_one_thing_each() {
    let set = TaskSet::new();
    run(&set, async {
        let shared = corio_seam::Context::new();
        let named = create_task_with(TaskOptions::new().eager(true).name("named"), async {});
        assert!(named.done() && named.name() == "named");
        let all = TaskOptions::new().name("all").context(&shared).eager(false);
        let task = create_task_with(all, forever());
        assert!(!task.done() && task.name() == "all" && task.task_ref().context() == shared);
    })
    .unwrap();
}

/// A future of so many bytes, which is over at once and tells whether it lies in the memory of its task.
struct Sized<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Future for Sized<BYTES> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<bool> {
        let (task, here) = (corio_task::current_task().unwrap().target_id(), self.0.as_ptr());
        Poll::Ready((0..256).any(|before| TargetId::of(here.wrapping_sub(before)) == task))
    }
}

#[test]
fn more_bytes_than_a_large_future_s_are_put_into_a_box() {
    fn tasks<const BYTES: usize>(set: &TaskSet) -> [Task<bool>; 4] {
        let future = || Sized([0; BYTES]);
        let inside = || (create_task(future()), create_task_with(TaskOptions::new(), future()));
        let (third, fourth) = set.enter(inside);
        [set.spawn(future()), set.spawn_with(TaskOptions::new(), future()), third, fourth]
    }
    const MORE: usize = LARGE_FUTURE + 1;
    let set = TaskSet::new();
    let within = [tasks::<1>(&set), tasks::<LARGE_FUTURE>(&set)];
    let boxed = tasks::<MORE>(&set);
    set.run_batch();
    assert_eq!(within.map(|tasks| tasks.map(|task| task.into_output().unwrap())), [[true; 4]; 2]);
    assert_eq!(boxed.map(|task| task.into_output().unwrap()), [false; 4]);
    assert_eq!(LARGE_FUTURE, 16 << 10);
}

/// Whoever asks again with the same waker is noted once, and one who asks with another takes the other's place.
#[test]
fn the_last_to_ask_is_the_one_who_is_woken() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let set = TaskSet::new();
    let counts = [(); 3].map(|()| Arc::new(Count(AtomicUsize::new(0))));
    let mut task = set.spawn(async {});
    for count in [&counts[0], &counts[1], &counts[1], &counts[2], &counts[2]] {
        let waker = std::task::Waker::from(Arc::clone(count));
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(counts.each_ref().map(Arc::strong_count), [1, 1, 2]);
    set.run_batch();
    assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [0, 0, 1]);
}

/// A second awaiter of ours, in the place of the first.
#[test]
fn a_handle_may_change_hands() {
    let set = TaskSet::new();
    let place = Rc::new(RefCell::new(Some(set.spawn(yield_now()))));
    let wait = |place: Rc<RefCell<Option<Task<()>>>>, polls: usize| {
        let mut polls = polls;
        poll_fn(move |cx| {
            polls -= 1;
            let mut place = place.borrow_mut();
            let polled = place.as_mut().map(|task| Pin::new(task).poll(cx)).unwrap_or(Poll::Pending);
            if polls == 0 || polled.is_ready() { Poll::Ready(polled.is_ready()) } else { Poll::Pending }
        })
    };
    let (gives_up, hears) = (set.spawn(wait(Rc::clone(&place), 1)), set.spawn(wait(place, 2)));
    while set.has_ready() {
        set.run_batch();
    }
    assert!(!gives_up.into_output().unwrap() && hears.into_output().unwrap());
}

thread_local! {
    /// The task that [`ComesBack`] comes back to, and how often it has.
    static VISITED: RefCell<Option<(TaskRef, Rc<Cell<u32>>)>> = const { RefCell::new(None) };
}

/// When it is dropped, it adds a callback to a task.
struct ComesBack;

impl std::task::Wake for ComesBack {
    fn wake(self: std::sync::Arc<Self>) {}
}

impl Audience for ComesBack {
    fn ended(&self, _: usize) {}
}

impl Drop for ComesBack {
    fn drop(&mut self) {
        VISITED.with_borrow(|visited| {
            let (task, calls) = visited.as_ref().unwrap();
            let calls = Rc::clone(calls);
            task.add_done_callback(move |_| calls.set(calls.get() + 1));
        });
    }
}

/// The destructor of what is taken back, or replaced, finds the task as it is.
#[test]
fn what_is_taken_back_may_come_back() {
    for with_others in [false, true] {
        for case in 0..4 {
            let set = TaskSet::new();
            let (mut task, calls) = (set.spawn(async {}), Rc::new(Cell::new(0)));
            VISITED.set(Some((task.task_ref(), Rc::clone(&calls))));
            if with_others {
                let calls = Rc::clone(&calls);
                task.add_done_callback(move |_| calls.set(calls.get() + 10));
            }
            let guard = ComesBack;
            match case {
                0 | 1 => {
                    let waker = std::task::Waker::from(std::sync::Arc::new(guard));
                    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
                    drop(waker);
                    if case == 0 {
                        let mut cx = Context::from_waker(std::task::Waker::noop());
                        assert!(Pin::new(&mut task).poll(&mut cx).is_pending());
                    } else {
                        drop(task);
                    }
                }
                2 => {
                    let key = task.add_done_callback(move |_| drop(guard));
                    assert!(task.remove_done_callback(key));
                }
                _ => {
                    let seats = Seats::new(1, Rc::new(guard));
                    task.take_seat(&seats, 0);
                    VISITED.with_borrow(|visited| assert!(!visited.as_ref().unwrap().0.done()));
                    let left = seats;
                    assert!(task.leave_seat(&left, 0));
                    drop(left);
                }
            }
            set.run_batch();
            set.run_batch();
            assert_eq!(calls.get(), if with_others { 11 } else { 1 }, "case {case}");
            VISITED.set(None);
        }
    }
}

/// Something to wait for, with a name, which notes how often it was asked to end.
struct Named(&'static str, Cell<u32>);

impl Waitable for Named {
    fn cancel(&self, _: Option<std::sync::Arc<str>>) -> bool {
        self.1.set(self.1.get() + 1);
        true
    }

    fn describe(&self) -> String {
        self.0.to_string()
    }
}

/// What the tasks of a set wait for is kept side by side.
#[test]
fn each_task_waits_for_its_own() {
    let set = TaskSet::new();
    let targets = ["a", "b", "c", "d", "e", "f"].map(|name| Rc::new(Named(name, Cell::new(0))));
    let tasks = targets.each_ref().map(|target| {
        let target = Rc::clone(target);
        set.spawn(poll_fn(move |_| {
            wait_on(Waiting::Target(Rc::clone(&target) as Rc<dyn Waitable>));
            Poll::<()>::Pending
        }))
    });
    set.run_batch();
    for round in 1..4 {
        let said = tasks.each_ref().map(|task| task.task_ref().waiting_on().unwrap());
        assert_eq!(said, ["a", "b", "c", "d", "e", "f"]);
        assert!(tasks[4].cancel() && tasks[1].cancel());
        assert_eq!(targets.each_ref().map(|target| target.1.get()), [0, round, 0, 0, round, 0]);
    }
    drop(set);
    assert_eq!(targets.map(|target| Rc::strong_count(&target)), [1; 6]);
}
