use crate::kit::{Log, OnDrop, forever, run, run_alone, yield_now};
use corio_task::{TaskSet, create_task};
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

#[test]
fn a_dropped_handle_detaches() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        drop(create_task(async move {
            yield_now().await;
            log.add("went on");
        }));
        for _ in 0..3 {
            yield_now().await;
        }
    });
    assert_eq!(lines.take(), ["went on"]);
}

#[test]
fn an_output_is_dropped_once() {
    let log = Log::new();
    let lines = log.clone();
    run_alone(async move {
        let (a, b, c) = (log.clone(), log.clone(), log.clone());
        drop(create_task(async move { OnDrop(a, "detached") }));
        let held = create_task(async move { OnDrop(b, "held") });
        let awaited = create_task(async move { OnDrop(c, "awaited") });
        yield_now().await;
        drop(held);
        log.add("now");
        drop(awaited.await);
    });
    assert_eq!(lines.take(), ["detached", "held", "now", "awaited"]);
}

#[test]
fn closing_drops_everything_where_it_stands() {
    let log = Log::new();
    let set = TaskSet::new();
    let (a, b, c) = (log.clone(), log.clone(), log.clone());
    let task = set.spawn(async move {
        let _guard = OnDrop(a, "started");
        forever().await;
    });
    set.run_batch();
    drop(set.spawn(async move {
        let _guard = OnDrop(b, "never started");
    }));
    let guard = OnDrop(c, "callback");
    set.push(corio_seam::Node::new(move || drop(guard))).unwrap();
    set.close();
    set.close();
    assert_eq!(log.take(), ["callback", "started"].to_vec());
    assert!(task.cancelled());
    assert!(set.push(corio_seam::Node::new(|| ())).is_err());
    assert!(set.is_empty());
}

#[test]
fn what_destructors_wake_and_start_at_the_end_is_ended_too() {
    struct Wakes(Waker, Log);
    impl Drop for Wakes {
        fn drop(&mut self) {
            self.0.wake_by_ref();
            let refused = std::panic::catch_unwind(|| create_task(async {}));
            self.1.add(if refused.is_err() { "refused" } else { "started" });
        }
    }
    let log = Log::new();
    let set = TaskSet::new();
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let theirs = Rc::clone(&waker);
    drop(set.spawn(poll_fn(move |cx| {
        theirs.borrow_mut().replace(cx.waker().clone());
        Poll::<()>::Pending
    })));
    set.run_batch();
    let wakes = Wakes(waker.borrow().clone().unwrap(), log.clone());
    drop(set.spawn(async move {
        let _wakes = wakes;
        forever().await;
    }));
    set.run_batch();
    drop(set);
    assert_eq!(log.take(), ["refused"]);
}

#[test]
fn wakers_outlive_task_and_set() {
    let set = TaskSet::new();
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let theirs = Rc::clone(&waker);
    let mut task = set.spawn(poll_fn(move |cx| {
        theirs.borrow_mut().replace(cx.waker().clone());
        Poll::Ready(5)
    }));
    set.run_batch();
    let waker = waker.take().unwrap();
    waker.wake_by_ref();
    set.run_batch();
    let view = task.task_ref();
    drop(set);
    waker.wake_by_ref();
    let again = waker.clone();
    assert_eq!(task.take_output().unwrap().unwrap(), 5);
    drop(task);
    assert!(view.done());
    drop(waker);
    assert_eq!(view.name(), "Task-1");
    drop(view);
    again.wake();
}

#[test]
fn handles_outlive_the_set() {
    let set = TaskSet::new();
    let mut done = set.spawn(async { "kept".to_string() });
    let unstarted = set.spawn(async { unreachable!("the set is closed first") });
    done.set_name("named");
    let set_remote = set.remote();
    set.enter(|| ());
    // Only the first is run: the second is cancelled by the end.
    unstarted.cancel();
    set.run_batch();
    drop(set);
    assert_eq!(done.take_output().unwrap().unwrap(), "kept");
    assert!(unstarted.cancelled());
    assert_eq!(done.name(), "named");
    assert!(set_remote.call(Box::new(|| ())).is_err());
}

#[test]
fn a_task_that_ends_while_it_stands_in_the_queue() {
    let set = TaskSet::new();
    let polls = Rc::new(RefCell::new(0));
    let count = Rc::clone(&polls);
    let ended = run(&set, async {
        let main = corio_task::current_task().unwrap();
        *count.borrow_mut() += 1;
        // The main future is given up by `drive` when its turn breaks; here it just ends with its own wake pending.
        main.add_done_callback(|_| ());
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
        .await;
    });
    ended.unwrap();
    set.run_batch();
    assert_eq!(*polls.borrow(), 1);

    let broken = set.drive(forever(), |set| {
        set.run_batch();
        std::ops::ControlFlow::Break(())
    });
    assert!(broken.is_none());
    set.run_batch();
    assert!(set.is_empty());
}

#[test]
fn the_main_future_is_dropped_when_its_turn_breaks_off_or_panics() {
    let log = Log::new();
    let set = TaskSet::new();
    let guard = OnDrop(log.clone(), "unstarted");
    let broken = set.drive(async move { drop(guard) }, |_| std::ops::ControlFlow::Break(()));
    assert!(broken.is_none());
    assert_eq!(log.take(), ["unstarted"]);
    set.run_batch(); // Its entry is still in the ready queue.
    let guard = OnDrop(log.clone(), "unwound");
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        set.drive(
            async {
                let _guard = guard;
                forever().await;
            },
            |set| {
                set.run_batch();
                panic!("the turn's own")
            },
        )
    }));
    assert!(unwound.is_err());
    assert_eq!(log.take(), ["unwound"]);
    assert!(set.is_empty());
}

#[test]
fn waker_of_a_dropped_handle_goes_with_it() {
    struct Counting;
    impl std::task::Wake for Counting {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    let counted = std::sync::Arc::new(Counting);
    let waker = Waker::from(std::sync::Arc::clone(&counted));
    let set = TaskSet::new();
    let mut task = set.spawn(forever());
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut task).poll(&mut cx).is_pending());
    assert!(std::pin::Pin::new(&mut task).poll(&mut cx).is_pending());
    assert_eq!(std::sync::Arc::strong_count(&counted), 3);
    drop(task);
    assert_eq!(std::sync::Arc::strong_count(&counted), 2);
}

/// An output that is moved out takes the handle with it, whoever else holds the task.
#[test]
fn an_output_goes_with_its_handle() {
    let set = TaskSet::new();
    let log = Log::new();
    let (one, other) = (log.clone(), log.clone());
    let task = set.spawn(async move { OnDrop(one, "output") });
    let Err(task) = task.into_output() else { panic!("it was not polled") };
    let view = task.task_ref();
    set.run_batch();
    let output = task.into_output().unwrap();
    assert!(log.take().is_empty() && view.done());
    drop(output);
    assert_eq!(log.take(), ["output"]);
    let alone = set.spawn(async move { OnDrop(other, "output") });
    set.run_batch();
    drop(alone.into_output().unwrap()); // Nobody else held it.
    assert_eq!(log.take(), ["output"]);
}

#[test]
fn a_task_without_an_output_stays_with_its_handle() {
    let set = TaskSet::new();
    let mut taken = set.spawn(async { 1 });
    let cancelled = set.spawn(async { 2 });
    cancelled.cancel();
    set.run_batch();
    assert_eq!(taken.take_output().unwrap().unwrap(), 1);
    assert!(taken.into_output().is_err());
    let mut cancelled = cancelled.into_output().unwrap_err();
    assert!(cancelled.take_output().unwrap().unwrap_err().is_cancelled());
}

/// Wakers on another thread hold the memory, and nothing else.
#[test]
fn an_output_is_moved_out_of_a_merged_cell() {
    let set = TaskSet::new();
    let (send, receive) = std::sync::mpsc::channel();
    let task = set.spawn(poll_fn(move |cx| {
        send.send(cx.waker().clone()).unwrap();
        Poll::Ready(Box::new(9))
    }));
    set.run_batch();
    assert_eq!(*task.into_output().unwrap(), 9);
    let waker: Waker = receive.recv().unwrap();
    std::thread::spawn(move || waker.wake()).join().unwrap();
}
