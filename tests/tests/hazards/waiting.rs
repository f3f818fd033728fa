//! 41 to 49: queues, locks, and waiting for several things.

use crate::kit::{SECOND, many, ms, panic_of, reports};
use corio::combinators::WaitSet;
use corio::executor::test;
use corio::queue::{GetError, PutError};
use corio::{
    Barrier, Condition, Event, Failure, Lock, LoopHandle, Queue, ReturnWhen, RunError, Semaphore, TaskGroup,
    as_completed, catch_cancelled, create_task, gather, gather_settled, promise, shield, sleep, timeout, wait,
    wait_for, yield_now,
};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Instant;

// 41 and 42: woken, and gone before it ran.

#[test]
fn h41_an_item_goes_to_the_next_when_the_woken_one_is_cancelled() {
    test::run(async {
        let queue = Queue::<u32>::new(0);
        let getters: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                create_task(async move { queue.get().await.unwrap() })
            })
            .collect();
        yield_now().await;
        queue.put_nowait(7).unwrap(); // Wakes the first ...
        getters[0].cancel(); // ... which is cut before it runs.
        let mut getters = getters.into_iter();
        assert!(getters.next().unwrap().await.is_err());
        assert_eq!(timeout(SECOND, getters.next().unwrap()).await.unwrap().unwrap(), 7);
        queue.put_nowait(8).unwrap();
        assert_eq!(getters.next().unwrap().await.unwrap(), 8);
    });
}

#[test]
fn h41_a_place_goes_to_the_next_when_the_woken_one_is_cancelled() {
    test::run(async {
        let queue = Queue::<u32>::new(1);
        queue.put_nowait(0).unwrap();
        let putters: Vec<_> = (1..=2)
            .map(|n| {
                let queue = queue.clone();
                create_task(async move { queue.put(n).await })
            })
            .collect();
        yield_now().await;
        assert_eq!(queue.get_nowait().unwrap(), 0);
        putters[0].cancel();
        let mut putters = putters.into_iter();
        assert!(putters.next().unwrap().await.is_err());
        timeout(SECOND, putters.next().unwrap()).await.unwrap().unwrap().unwrap();
        assert_eq!((queue.get_nowait().unwrap(), queue.get_nowait()), (2, Err(GetError::QueueEmpty)));
    });
}

#[test]
fn h41_a_robbed_waiter_waits_on_and_nothing_is_lost() {
    test::run(async {
        let queue = Queue::<u32>::new(0);
        let theirs = queue.clone();
        let getter = create_task(async move { theirs.get().await.unwrap() });
        yield_now().await;
        queue.put_nowait(1).unwrap();
        assert_eq!(queue.get_nowait().unwrap(), 1, "whoever runs first takes it");
        yield_now().await;
        assert!(!getter.done());
        queue.put_nowait(2).unwrap();
        assert_eq!(getter.await.unwrap(), 2);
    });
}

#[test]
fn h42_a_permit_on_its_way_goes_on_when_its_waiter_leaves() {
    test::run(async {
        let semaphore = Rc::new(Semaphore::new(0));
        let order = Rc::new(RefCell::new(Vec::new()));
        let waiters: Vec<_> = (0..5)
            .map(|n| {
                let (semaphore, order) = (Rc::clone(&semaphore), Rc::clone(&order));
                create_task(async move {
                    semaphore.acquire().await.forget();
                    order.borrow_mut().push(n);
                })
            })
            .collect();
        yield_now().await;
        waiters[3].cancel(); // Out of the line, in the middle.
        semaphore.release().unwrap();
        waiters[0].cancel(); // Woken, and not yet run.
        assert!(semaphore.try_acquire().is_none(), "nobody passes one that is woken");
        semaphore.release().unwrap();
        semaphore.release().unwrap();
        sleep(SECOND).await;
        assert_eq!(*order.borrow(), [1, 2, 4]);
        assert_eq!(semaphore.available(), 0);

        let lock = Rc::new(Lock::new());
        let guard = lock.acquire().await;
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let lock = Rc::clone(&lock);
                create_task(async move { drop(lock.acquire().await) })
            })
            .collect();
        yield_now().await;
        waiters.iter().for_each(|waiter| _ = waiter.cancel());
        drop(guard);
        gather_settled(waiters).await.unwrap();
        assert!(!lock.locked(), "all who waited are gone");
    });
}

#[test]
fn h43_numbers_at_the_edges() {
    test::run(async {
        let semaphore = Semaphore::new(usize::MAX);
        assert!(semaphore.release().is_err());
        drop(semaphore.acquire().await);
        assert_eq!(semaphore.available(), usize::MAX);
        assert!(timeout(SECOND, Semaphore::new(0).acquire()).await.is_err());

        let queue = Queue::<u32>::new(0);
        assert!(queue.task_done().is_err());
        timeout(SECOND, queue.join()).await.unwrap();
        queue.put_nowait(1).unwrap();
        let waits = queue.clone();
        let joined = create_task(async move { waits.join().await });
        yield_now().await;
        queue.shutdown(true);
        timeout(SECOND, joined).await.unwrap().unwrap();
        assert!(queue.task_done().is_err());
        let boundless = Queue::<u32>::new(usize::MAX);
        boundless.put_nowait(1).unwrap();
        assert!(!boundless.is_full());
        assert!(panic_of(|| drop(Barrier::new(0))).is_some());
        assert!(Condition::new().notify(usize::MAX).is_err());
    });
}

#[test]
fn h44_a_shutdown_wakes_everybody_on_both_sides() {
    test::run(async {
        let (empty, full) = (Queue::<u32>::new(1), Queue::<u32>::new(1));
        full.put_nowait(0).unwrap();
        let waiting: Vec<_> = (0..6)
            .map(|n| {
                let (empty, full) = (empty.clone(), full.clone());
                create_task(async move {
                    match n % 3 {
                        0 => empty.get().await.is_err(),
                        1 => full.put(1).await.is_err_and(|error| error.into_inner() == 1),
                        _ => {
                            full.join().await;
                            true
                        }
                    }
                })
            })
            .collect();
        yield_now().await;
        empty.shutdown(false);
        full.shutdown(true);
        assert!(timeout(SECOND, gather(waiting)).await.unwrap().unwrap().iter().all(|told| *told));
        assert!(matches!(full.put_nowait(1), Err(PutError::ShutDown(1))));
        assert!(matches!(empty.get_nowait(), Err(GetError::ShutDown)));
    });
}

#[test]
fn h44_a_thread_safe_queue_that_is_shut_down_under_both_sides_loses_nothing() {
    use corio::queue::concurrent;
    for _ in 0..many(300, 50) {
        let queue = concurrent::Queue::<u32>::new(2);
        let putters: Vec<_> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                std::thread::spawn(move || (0..100).take_while(|n| queue.put_blocking(*n, None).is_ok()).count())
            })
            .collect();
        let getters: Vec<_> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                std::thread::spawn(move || std::iter::from_fn(|| queue.get_blocking(None).ok()).count())
            })
            .collect();
        std::thread::yield_now();
        queue.shutdown(false);
        let put: usize = putters.into_iter().map(|putter| putter.join().unwrap()).sum();
        let got: usize = getters.into_iter().map(|getter| getter.join().unwrap()).sum();
        assert_eq!(put, got);
    }
}

// 45 to 48: gather, as_completed, wait, wait_for, groups.

#[test]
fn h45_gathers_of_none_one_many_the_same_and_each_other() {
    test::run(async {
        assert!(gather(Vec::<std::future::Ready<u32>>::new()).await.unwrap().is_empty());
        assert_eq!(gather([async { 1 }]).await.unwrap(), [1]);
        let (set, cell) = promise::<u32>();
        set.set_result(7).unwrap();
        assert_eq!(
            gather([cell.share(), cell.share(), cell]).await.unwrap(),
            [7, 7, 7],
            "three times the same, and done"
        );
        let (a, b) = gather((gather((async { 1 }, async { 2 })), gather([async { 3 }]))).await.unwrap();
        assert_eq!((a, b), ((1, 2), vec![3]));
    });
}

#[test]
fn h45_a_gather_hears_the_first_error_and_a_child_that_cancels_itself() {
    test::run(async {
        let heard = reports();
        let survivor = create_task(async {
            sleep(SECOND).await;
            Ok::<u32, &str>(1)
        });
        let alive = survivor.task_ref();
        let fails = |delay| async move {
            sleep(ms(delay)).await;
            Err::<u32, &str>("first")
        };
        let failed = gather((survivor, fails(1), fails(2))).await;
        assert!(matches!(&failed, Err(Failure::Failed(error)) if error.to_string() == "first"), "{failed:?}");
        assert!(!alive.done(), "the others go on");
        sleep(SECOND * 2).await;
        assert!(alive.done() && heard.borrow().is_empty(), "later errors are the gather's own: {:?}", heard.borrow());

        let suicide = create_task(async {
            corio::current_task().unwrap().cancel();
            yield_now().await;
        });
        assert!(matches!(gather((suicide, async {})).await, Err(Failure::Cancelled(_))));

        let settled = gather_settled((
            pending::<()>(),
            std::future::poll_fn(|_| -> std::task::Poll<()> { panic!("a value, too") }),
            async { 3 },
        ));
        let cancelled = create_task(settled);
        yield_now().await;
        yield_now().await;
        cancelled.cancel();
        assert!(cancelled.await.unwrap_err().is_cancelled(), "return_exceptions does not swallow one's own cancel");
    });
}

#[test]
fn h45_an_outer_cancel_reaches_every_child_once() {
    test::run(async {
        let cut = Rc::new(Cell::new(0));
        let counter = Rc::clone(&cut);
        let child = move || {
            let cut = Rc::clone(&counter);
            async move {
                let caught = catch_cancelled(pending::<()>()).await;
                cut.set(cut.get() + 1);
                caught.unwrap_err().resume().await;
            }
        };
        let outer = create_task(async move { gather((child(), gather([child(), child()]))).await.is_ok() });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        assert!(outer.await.unwrap_err().is_cancelled());
        assert_eq!(cut.get(), 3);
    });
}

#[test]
fn h46_as_completed_in_time_dropped_half_way_and_of_one_task_twice() {
    test::run(async {
        let nap = |n| async move {
            sleep(SECOND * n).await;
            n
        };
        let mut turns = as_completed([nap(3), nap(1), nap(2)]).within(SECOND * 2 + ms(1));
        assert_eq!(turns.next().await.unwrap().unwrap(), 1);
        assert_eq!(turns.next().await.unwrap().unwrap(), 2);
        assert!(matches!(turns.next().await, Some(Err(Failure::TimedOut(_)))));
        assert!(turns.next().await.is_none());

        let (set, cell) = promise::<u32>();
        let mut turns = as_completed([cell.share(), cell.share()]);
        let listeners = |n: u32| format!("{cell:?}").contains(&format!("listeners: {n}"));
        assert!(timeout(ms(1), turns.next()).await.is_err());
        assert!(listeners(2), "{cell:?}");
        drop(turns);
        assert!(listeners(0), "{cell:?}");
        let mut turns = as_completed([cell.share(), cell.share()]);
        set.set_result(7).unwrap();
        assert_eq!((turns.next().await.unwrap().unwrap(), turns.next().await.unwrap().unwrap()), (7, 7));
        assert_eq!(cell.await, Ok(7));
    });
}

#[test]
fn h46_the_first_of_ten_thousand_again_and_again_is_linear() {
    let time = |count: u64| {
        let start = Instant::now();
        test::run(async move {
            let mut set: WaitSet<u64> = WaitSet::new();
            for n in 0..count {
                set.push(create_task(async move {
                    sleep(ms(n)).await;
                    n
                }));
            }
            for n in 0..count {
                assert_eq!(set.next().await.unwrap().await.unwrap(), n);
            }
        });
        start.elapsed()
    };
    // The least of several: whoever else has the processor meanwhile is not what is measured.
    let least = |count| (0..5).map(|_| time(count)).min().unwrap();
    let (small, large) = (least(1_000), least(10_000));
    assert!(large < small * 50, "ten times as many took {large:?}, not {small:?}");
}

#[test]
fn h46_a_wait_for_the_first_leaves_no_callback_behind() {
    test::run(async {
        let (_set, cell) = promise::<u32>();
        let mut cells = vec![cell.share()];
        for _ in 0..100 {
            assert!(wait(&mut cells, ReturnWhen::FirstCompleted, ms(1)).await.unwrap().is_empty());
        }
        assert!(format!("{cell:?}").contains("listeners: 0"), "{cell:?}");
    });
}

#[test]
fn h47_a_result_in_the_iteration_of_the_limit_or_of_a_cancel() {
    test::run(async {
        // Both are due at the same moment. As in asyncio the request wins, and says so; one iteration later it is too late.
        let (set, cell) = promise::<u32>();
        LoopHandle::current().call_later(SECOND, move || set.set_result(7).unwrap());
        let reader = cell.share();
        assert!(wait_for(cell, SECOND).await.is_err());
        assert_eq!(reader.await, Ok(7), "whoever else reads it has it");
        let over = create_task(async { 7 });
        yield_now().await;
        assert_eq!(wait_for(over, std::time::Duration::ZERO).await.unwrap().unwrap(), 7);
        assert!(catch_cancelled(yield_now()).await.is_ok(), "no request comes later");
        assert!(wait_for(pending::<()>(), std::time::Duration::ZERO).await.is_err());
        assert_eq!(wait_for(async { 1 }, None).await, Ok(1));

        let (set, cell) = promise::<u32>();
        let waits = create_task(async { wait_for(cell, SECOND).await });
        yield_now().await;
        yield_now().await;
        waits.cancel();
        let _ = set.set_result(7);
        assert!(waits.await.unwrap_err().is_cancelled(), "a request is not lost beside a result");
    });
}

#[test]
fn h47_a_task_that_ignores_its_limit_or_fails_in_its_cleanup() {
    test::run(async {
        let stubborn = async {
            let _ = catch_cancelled(sleep(SECOND * 9)).await;
            sleep(SECOND).await;
            "a value all the same"
        };
        let start = LoopHandle::current().time();
        assert!(matches!(wait_for(stubborn, SECOND).await, Ok("a value all the same") | Err(_)));
        assert_eq!(LoopHandle::current().time() - start, SECOND * 2, "its end is waited for");
        async fn fails() {
            let _ = catch_cancelled(sleep(SECOND * 9)).await;
            panic!("in the cleanup");
        }
        let fails = create_task(async { wait_for(fails(), SECOND).await });
        assert!(fails.await.unwrap_err().is_panic());
    });
}

#[test]
fn h48_a_foreign_cancel_is_not_swallowed_by_a_group() {
    test::run(async {
        // The group cancels itself for its child's failure, and in its cleanup somebody cancels the parent.
        let after = Rc::new(Cell::new(false));
        let inner = Rc::clone(&after);
        let parent = create_task(async move {
            let ended = TaskGroup::run(async |group| {
                drop(group.create_task(async {
                    let _ = catch_cancelled(pending::<()>()).await;
                    sleep(SECOND).await;
                }));
                drop(group.create_task(async { Err::<(), _>("fails") }));
                pending::<()>().await;
            });
            let failed = ended.await;
            assert_eq!(failed.unwrap_err().failures().len(), 1);
            inner.set(true);
            sleep(SECOND).await; // Here the foreign request hits.
            unreachable!("it was swallowed");
        });
        sleep(SECOND / 2).await;
        parent.cancel();
        assert!(parent.await.unwrap_err().is_cancelled());
        assert!(after.get());
    });
}

#[test]
fn h48_an_eager_child_and_a_cancel_before_the_first_suspension() {
    test::run(async {
        LoopHandle::current().set_eager_tasks(true);
        let ran = Rc::new(Cell::new(0));
        let count = Rc::clone(&ran);
        let ended = TaskGroup::run(async move |group| {
            let (inner, again) = (Rc::clone(&count), Rc::clone(&count));
            let spawner = group.clone();
            let child = group.create_task(async move {
                inner.set(inner.get() + 1);
                drop(spawner.create_task(async move { again.set(again.get() + 1) }));
                yield_now().await;
                inner.set(inner.get() + 1);
            });
            child.cancel();
            corio::current_task().unwrap().cancel();
            yield_now().await;
            count.set(99); // It was cancelled.
        });
        let ended = catch_cancelled(ended).await;
        assert!(ended.is_err() && corio::current_task().unwrap().uncancel() == 0);
        assert_eq!(ran.get(), 2, "child and grandchild began; the child was cut");
        LoopHandle::current().set_eager_tasks(false);
    });
}

// 49: who waits for whom.

#[test]
fn h49_a_task_that_awaits_itself_and_two_that_await_each_other() {
    let tree = |main: std::pin::Pin<Box<dyn Future<Output = ()>>>| match corio::run(main) {
        Err(RunError::Deadlock(deadlock)) => deadlock.tree().to_string(),
        other => panic!("{other:?}"),
    };
    let narcissus = tree(Box::pin(async {
        let own = Rc::new(RefCell::new(None::<corio::Future<()>>));
        let inner = Rc::clone(&own);
        let task = create_task(async move {
            let me = inner.borrow().clone().unwrap();
            drop(me.await);
        });
        own.replace(Some(task.named("narcissus").share()));
        let waits = own.borrow().clone().unwrap();
        drop(waits.await);
    }));
    assert!(narcissus.contains("cycle") && narcissus.contains("narcissus"), "{narcissus}");
    let both = tree(Box::pin(async {
        let (left, right) = (Rc::new(Cell::new(None::<corio::Task<()>>)), Rc::new(Cell::new(None::<corio::Task<()>>)));
        let (one, two) = (Rc::clone(&left), Rc::clone(&right));
        left.set(Some(create_task(async move { drop(two.take().unwrap().await) }).named("left")));
        right.set(Some(create_task(async move { drop(one.take().unwrap().await) }).named("right")));
        Event::new().wait().await;
    }));
    assert!(both.contains("cycle") && both.contains("left") && both.contains("right"), "{both}");
    let locked = tree(Box::pin(async {
        let lock = Lock::new();
        let _guard = lock.acquire().await;
        drop(lock.acquire().await);
    }));
    assert!(locked.contains("Lock"), "{locked}");
    assert!(test::run(async { shield(async { 1 }).await.is_ok() }));
}
