use crate::kit::{run, yield_now};
use corio_combinators::{by_completion, join};
use corio_task::create_task;
use futures_core::Stream;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is opened from outside, counts its polls, and shows its waker.
#[derive(Clone, Default)]
struct Door(Rc<Inside>);

#[derive(Default)]
struct Inside {
    open: Cell<bool>,
    polls: Cell<usize>,
    waker: Cell<Option<Waker>>,
}

impl Door {
    fn open(&self) {
        self.0.open.set(true);
        self.0.waker.take().unwrap().wake();
    }
}

impl Future for Door {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.polls.set(self.0.polls.get() + 1);
        if self.0.open.get() {
            return Poll::Ready(());
        }
        self.0.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

fn polls(doors: &[Door]) -> usize {
    doors.iter().map(|door| door.0.polls.get()).sum()
}

#[test]
fn of_many_only_those_that_were_woken_are_polled() {
    let doors: Vec<_> = (0..40).map(|_| Door::default()).collect();
    let mut joined = Box::pin(join(doors.clone()));
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    assert!(joined.as_mut().poll(&mut cx).is_pending());
    assert_eq!(polls(&doors), 40);
    doors[7].open();
    doors[3].open();
    assert_eq!(count.0.load(Ordering::SeqCst), 1); // One wake for both.
    assert!(joined.as_mut().poll(&mut cx).is_pending());
    assert_eq!(polls(&doors), 42);
    for door in doors.iter().enumerate().filter(|(n, _)| ![3, 7].contains(n)).map(|(_, door)| door) {
        door.open();
    }
    assert!(joined.as_mut().poll(&mut cx).is_ready());
    assert_eq!(polls(&doors), 80);
}

#[test]
fn another_waker_is_the_one_to_be_woken() {
    let doors: Vec<_> = (0..40).map(|_| Door::default()).collect();
    let mut joined = Box::pin(join(doors.clone()));
    let (old, new) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let old_waker = Waker::from(Arc::clone(&old));
    assert!(joined.as_mut().poll(&mut Context::from_waker(&old_waker)).is_pending());
    let new_waker = Waker::from(Arc::clone(&new));
    assert!(joined.as_mut().poll(&mut Context::from_waker(&new_waker)).is_pending());
    assert_eq!(polls(&doors), 40);
    doors[0].open();
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn in_another_task_all_are_polled_so_that_a_request_finds_them() {
    run(async {
        let doors: Vec<_> = (0..40).map(|_| Door::default()).collect();
        let mut joined = Box::pin(join(doors.clone()));
        assert!(poll_fn(|cx| Poll::Ready(joined.as_mut().poll(cx).is_pending())).await);
        let task = create_task(joined);
        yield_now().await;
        assert_eq!(polls(&doors), 80);
        task.cancel();
        assert!(task.await.is_err());
        assert_eq!(polls(&doors), 80);
    });
}

#[test]
fn a_waker_may_outlive_the_join() {
    let doors: Vec<_> = (0..40).map(|_| Door::default()).collect();
    let mut joined = Box::pin(join(doors.clone()));
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    assert!(joined.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(joined);
    doors[0].open();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn children_are_woken_from_other_threads() {
    const EACH: usize = if cfg!(miri) { 10 } else { 1000 };
    /// Ready when it was woken from another thread.
    struct Foreign(Arc<Mutex<Option<Waker>>>, bool);
    impl Future for Foreign {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.1, true) {
                return Poll::Ready(());
            }
            *self.0.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        }
    }
    let slots: Vec<_> = (0..4 * EACH).map(|_| Arc::<Mutex<Option<Waker>>>::default()).collect();
    let mut outputs = by_completion(slots.iter().map(|slot| Foreign(Arc::clone(slot), false)));
    std::thread::scope(|scope| {
        for part in slots.chunks(EACH) {
            scope.spawn(move || {
                for slot in part {
                    let waker = loop {
                        if let Some(waker) = slot.lock().unwrap().take() {
                            break waker;
                        }
                        std::thread::yield_now();
                    };
                    waker.wake_by_ref();
                    waker.wake();
                }
            });
        }
        pollster::block_on(async { while outputs.next().await.is_some() {} });
    });
    assert!(outputs.is_empty());
}

#[test]
fn a_stream_polls_nobody_again_because_another_has_ended() {
    for count in [10, 40] {
        let doors: Vec<_> = (0..count).map(|_| Door::default()).collect();
        let mut outputs = by_completion(doors.clone());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_pending());
        assert_eq!(polls(&doors), count);
        doors.iter().for_each(Door::open);
        for left in (0..count).rev() {
            assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_ready());
            assert_eq!((outputs.len(), polls(&doors)), (left, 2 * count - left), "of {count}");
        }
        assert_eq!(Pin::new(&mut outputs).poll_next(&mut cx), Poll::Ready(None));
    }
}

#[test]
fn a_stream_loses_no_child_that_was_woken_while_nobody_asked() {
    for count in [3, 40] {
        let doors: Vec<_> = (0..count).map(|_| Door::default()).collect();
        let mut outputs = by_completion(doors.clone());
        let (wakes, mut cx) = (Arc::new(Count::default()), Context::from_waker(Waker::noop()));
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_pending());
        doors[1].open();
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_ready());
        doors[0].open(); // The round has passed it, and its wake went to whoever polled before.
        let waker = Waker::from(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_ready());
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_pending());
        doors[2].open();
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert!(Pin::new(&mut outputs).poll_next(&mut cx).is_ready());
    }
}
