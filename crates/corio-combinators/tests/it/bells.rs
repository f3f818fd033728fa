use crate::kit::{ms, run, sleep, yield_now};
use crate::spy::poll_keeping;
use corio_combinators::{by_completion, join, race, try_join};
use corio_seam::local_waker;
use corio_task::create_task;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How many times it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Count>, Waker) {
        let count = Arc::<Count>::default();
        (Arc::clone(&count), Waker::from(count))
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// A future that is opened by hand. It keeps its waker for this thread, or, told so, a plain clone of it.
#[derive(Clone, Default)]
struct Gate(Rc<Inside>);

#[derive(Default)]
struct Inside {
    plain: bool,
    open: Cell<bool>,
    polls: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Gate {
    fn plain() -> Gate {
        Gate(Rc::new(Inside { plain: true, ..Inside::default() }))
    }

    fn open(&self) {
        self.0.open.set(true);
        self.wake();
    }

    /// Wakes by the waker that was kept last, which is gone then.
    fn wake(&self) {
        let waker = self.0.waker.take();
        waker.expect("it was polled, and not woken since").wake();
    }
}

impl Future for Gate {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let inside = &self.0;
        inside.polls.set(inside.polls.get() + 1);
        if inside.open.get() {
            return Poll::Ready(inside.polls.get());
        }
        let waker = if inside.plain { cx.waker().clone() } else { local_waker(cx.waker()) };
        inside.waker.replace(Some(waker));
        Poll::Pending
    }
}

/// Many, of which the first so many keep plain wakers.
fn gates(plain: usize) -> Vec<Gate> {
    (0..40).map(|n| if n < plain { Gate::plain() } else { Gate::default() }).collect()
}

/// Whoever awaits the join is woken by what stays at home, as long as nobody else could wake it.
#[test]
fn a_loop_is_told_truly_whether_another_thread_could_wake_it() {
    let gates = gates(2);
    let mut joined = Box::pin(join(gates.clone()));
    let ((plain, plain_waker), (kept, kept_waker)) = (Count::new(), Count::new());
    let mut poll = || assert!(poll_keeping(joined.as_mut(), &plain_waker, &kept_waker).is_pending());
    let woken = || (plain.take(), kept.take());
    poll(); // The first two have made plain clones meanwhile.
    gates[10].open();
    assert_eq!(woken(), (1, 0));
    poll();
    gates[11].open();
    assert_eq!(woken(), (1, 0));
    poll();
    poll(); // Nobody is polled in this round.
    gates[12].open();
    assert_eq!(woken(), (1, 0));
    gates[0].open();
    assert_eq!(woken(), (0, 0), "once a round");
    poll();
    poll();
    gates[13].open();
    assert_eq!(woken(), (1, 0), "one plain waker is left");
    gates[1].open();
    poll(); // Of the last of them it was polled, and it is over.
    gates[14].open();
    assert_eq!(woken(), (0, 1));
    poll();
    gates[15].open();
    assert_eq!(woken(), (0, 1));
}

#[test]
fn where_all_stays_at_home_no_plain_clone_is_made() {
    let gates = gates(0);
    let mut joined = Box::pin(join(gates.clone()));
    let ((plain, plain_waker), (kept, kept_waker)) = (Count::new(), Count::new());
    for gate in &gates[..10] {
        assert!(poll_keeping(joined.as_mut(), &plain_waker, &kept_waker).is_pending());
        assert_eq!(Arc::strong_count(&plain), 2, "the waker's own, and the test's");
        gate.open();
        assert_eq!((plain.take(), kept.take()), (0, 1));
    }
}

#[test]
fn a_plain_clone_that_is_made_in_a_poll_which_was_woken_finds_its_owner_woken() {
    let gates = gates(1);
    let mut joined = Box::pin(join(gates.clone()));
    let ((plain, plain_waker), (kept, kept_waker)) = (Count::new(), Count::new());
    assert!(poll_keeping(joined.as_mut(), &plain_waker, &kept_waker).is_pending());
    gates[0].wake(); // The only plain waker is gone; the gate makes another when it is polled.
    assert_eq!((plain.take(), kept.take()), (1, 0));
    assert!(poll_keeping(joined.as_mut(), &plain_waker, &kept_waker).is_pending());
    gates[0].wake();
    assert_eq!((plain.take(), kept.take()), (1, 0));
}

#[test]
fn a_child_that_is_over_is_polled_no_more_whoever_wakes_it() {
    for count in [10, 40] {
        let gates: Vec<_> = (0..count).map(|_| Gate::default()).collect();
        let mut joined = Box::pin(join(gates.clone()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(joined.as_mut().poll(&mut cx).is_pending());
        let late = gates[3].0.waker.borrow().clone().unwrap();
        gates[3].open();
        assert!(joined.as_mut().poll(&mut cx).is_pending());
        late.wake_by_ref();
        assert!(joined.as_mut().poll(&mut cx).is_pending());
        assert_eq!(gates[3].0.polls.get(), 2);
        gates.iter().filter(|gate| !gate.0.open.get()).for_each(Gate::open);
        late.wake();
        let Poll::Ready(polls) = joined.as_mut().poll(&mut cx) else { panic!("all are open") };
        assert!(polls[3] == 2 && polls.len() == count);
    }
}

#[test]
fn one_that_wakes_itself_while_it_is_polled_is_polled_again() {
    for count in [10, 40] {
        let mut joined = Box::pin(join((0..count).map(|_| async {
            yield_now().await;
            yield_now().await;
        })));
        let (wakes, waker) = Count::new();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..2 {
            assert!(joined.as_mut().poll(&mut cx).is_pending());
            assert!(wakes.take() > 0);
        }
        assert!(joined.as_mut().poll(&mut cx).is_ready());
    }
}

/// Up to 30 they are told apart by bits, beyond by bells: all that is promised holds on both sides.
#[test]
fn however_many_there_are_all_are_polled_and_all_come_out_in_their_order() {
    let counts: &[usize] = if cfg!(miri) { &[1, 30, 31] } else { &[1, 2, 29, 30, 31, 32, 33, 64] };
    for &count in counts {
        run(async move {
            let late = |n: usize| async move {
                sleep(ms(1 + (n as u64 * 7) % 5)).await;
                n
            };
            let all: Vec<_> = (0..count).collect();
            assert_eq!(join((0..count).map(late)).await, all);
            let tried = try_join((0..count).map(|n| async move { Ok::<_, &str>(late(n).await) })).await;
            assert_eq!(tried.unwrap(), all);
            let fails = |n| async move { if n + 1 == count { Err(n) } else { Ok(late(n).await) } };
            assert_eq!(try_join((0..count).map(fails)).await, Err(count - 1));
            let first = (0..count).min_by_key(|n| n * 7 % 5);
            assert_eq!(Some(race((0..count).map(late)).await), first);
            let mut outputs = by_completion((0..count).map(late));
            assert_eq!((outputs.len(), futures_core::Stream::size_hint(&outputs)), (count, (count, Some(count))));
            let mut seen = Vec::new();
            while !outputs.is_empty() {
                seen.push(outputs.next().await.unwrap());
                let left = count - seen.len();
                assert_eq!((outputs.len(), futures_core::Stream::size_hint(&outputs)), (left, (left, Some(left))));
            }
            assert!(seen.is_sorted_by_key(|n| (n * 7 % 5, *n)), "{seen:?}");
            assert!(outputs.next().await.is_none());
            seen.sort_unstable();
            assert_eq!(seen, all);
        });
    }
}

#[test]
fn a_join_that_moves_from_task_to_task_is_woken_in_each() {
    run(async {
        let gates = gates(0);
        let mut joined = Box::pin(join(gates.clone()));
        for gate in &gates[..3] {
            let task = create_task(async move {
                let mut first = true;
                std::future::poll_fn(|cx| match joined.as_mut().poll(cx) {
                    Poll::Pending if std::mem::take(&mut first) => Poll::Pending,
                    _ => Poll::Ready(()),
                })
                .await;
                (joined,)
            });
            yield_now().await;
            assert!(!task.done());
            gate.open();
            (joined,) = task.await.unwrap();
        }
        assert_eq!(gates[39].0.polls.get(), 3, "once in each task, so that a request finds it");
        assert_eq!(gates[0].0.polls.get(), 2);
    });
}
