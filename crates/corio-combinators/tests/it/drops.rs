use crate::kit::{Drops, World, forever, ms, run, sleep, yield_now};
use corio_combinators::{
    Failure, ReturnWhen, TaskGroup, WaitSet, as_completed, by_completion, fallible, gather, race, timeout, timeout_at,
    timeout_scope, try_join, wait, wait_for,
};
use corio_future::promise;
use corio_seam::LoopTime;
use corio_task::create_task;
use std::cell::OnceCell;
use std::rc::Rc;

#[test]
fn losers_are_dropped_with_the_race() {
    let drops = Drops::default();
    let loser = |drops: &Drops| {
        let counted = drops.counted();
        async move {
            let _counted = counted;
            forever().await;
        }
    };
    run(async {
        race((loser(&drops), yield_now())).await;
        assert_eq!(drops.count(), 1);
        let fails = async { Err::<(), _>("no") };
        let other = loser(&drops);
        let loses = async {
            other.await;
            Ok(())
        };
        assert_eq!(try_join((loses, fails)).await, Err("no"));
        assert_eq!(drops.count(), 2);
        let mut outputs = by_completion((0..50).map(|n| {
            let loser = loser(&drops);
            async move {
                if n == 7 {
                    n
                } else {
                    loser.await;
                    n
                }
            }
        }));
        assert_eq!(outputs.next().await, Some(7));
        assert_eq!(drops.count(), 3);
        drop(outputs);
        assert_eq!(drops.count(), 52);
    });
}

#[test]
fn a_timer_is_armed_at_the_first_suspension_and_disarmed_at_the_end() {
    let world = World::new();
    let timer = Rc::clone(&world.timer);
    let main = async move {
        timeout(ms(1), async { assert_eq!(timer.armed(), 0) }).await.unwrap();
        let pending = async {
            yield_now().await;
            timer.armed()
        };
        assert_eq!(timeout(ms(1), pending).await, Ok(1));
        race((async { _ = timeout_at(LoopTime::MAX, forever()).await }, yield_now())).await;
        race((async { _ = timeout_scope(ms(9), async |_| forever().await).await }, yield_now())).await;
        let mut tasks = vec![create_task(yield_now())];
        wait(&mut tasks, ReturnWhen::AllCompleted, ms(1000)).await.unwrap();
        drop(as_completed([forever()]).within(ms(1000)));
        assert!(wait_for(yield_now(), ms(1000)).await.is_ok());
        assert_eq!(timer.armed(), 0);
        assert_eq!(corio_seam::now(), LoopTime::ZERO);
    };
    world.run(main).unwrap();
}

#[test]
fn a_wait_for_cells_leaves_no_callback_behind() {
    run(async {
        let (promise, cell) = promise::<u32>();
        let listeners = |count: u32| format!("{cell:?}").contains(&format!("listeners: {count}"));
        let waits = |cell| async { wait(&mut vec![cell], ReturnWhen::AllCompleted, None).await.unwrap().len() };
        assert!(timeout(ms(1), waits(cell.share())).await.is_err());
        assert!(listeners(0), "{cell:?}");
        let both = gather([(); 2].map(|()| create_task(waits(cell.share()))));
        yield_now().await;
        assert!(listeners(2), "{cell:?}");
        promise.set_result(7).unwrap();
        assert_eq!(both.await.unwrap(), [1, 1]);
        assert_eq!(cell.await, Ok(7)); // Nobody took it.
    });
}

#[test]
fn what_counts_as_an_exception_of_a_cell() {
    run(async {
        let mut cells = Vec::new();
        let promises = [(); 5].map(|()| {
            let (promise, cell) = promise::<Result<u32, &str>>();
            cells.push(cell);
            promise
        });
        let [good, cancelled, error, broken, unkept] = promises;
        cells[1].cancel();
        assert!(cancelled.is_cancelled());
        let first_exception = async |cells: &mut Vec<_>| {
            let done = wait(cells, ReturnWhen::FirstException, ms(1)).await.unwrap().len();
            (done, corio_seam::now() == LoopTime::ZERO + ms(1))
        };
        good.set_result(Ok(1)).unwrap();
        assert_eq!(first_exception(&mut cells).await, (2, true)); // Neither counts: time ran out.
        error.set_result(Err("no")).unwrap();
        assert_eq!(first_exception(&mut cells).await.0, 1);
        drop(broken);
        assert_eq!(first_exception(&mut cells).await.0, 1);
        assert_eq!(corio_seam::now(), LoopTime::ZERO + ms(1));
        drop(unkept);
    });
}

#[test]
fn a_finished_scope_cannot_be_rescheduled() {
    run(async {
        let kept = OnceCell::new();
        let ended = timeout_scope(ms(1), async |limit| {
            kept.set(limit.clone()).unwrap();
            assert!(limit.reschedule(None).is_ok());
            sleep(ms(5)).await;
            assert!(limit.reschedule(corio_seam::now() + ms(1)).is_ok());
            forever().await;
        });
        assert!(ended.await.is_err());
        let limit = kept.get().unwrap();
        assert!(limit.expired());
        assert_eq!(limit.reschedule(None).unwrap_err().to_string(), "a finished timeout cannot be rescheduled");
    });
}

#[test]
fn as_completed_left_half_way_leaves_no_callback() {
    run(async {
        let counted = Rc::new(());
        let mut results = as_completed((0..3).map(|n| {
            let _counted = Rc::clone(&counted);
            async move {
                sleep(ms(n)).await;
                n
            }
        }));
        assert_eq!(results.next().await.unwrap().unwrap(), 0);
        let (promise, cell) = corio_future::promise::<()>();
        let held = Rc::downgrade(&counted);
        drop(as_completed([cell]));
        assert!(promise.set_result(()).is_ok());
        assert_eq!(held.strong_count(), 1);
        assert_eq!(results.len(), 2);
    });
}

#[test]
fn a_wait_set_loses_nothing_and_leaves_no_callback() {
    run(async {
        let counted = Rc::new(());
        let fails = |n: u64| async move {
            sleep(ms(n)).await;
            if n == 20 { Err("twenty") } else { Ok(n) }
        };
        let mut pending: WaitSet<_> = [10, 20, 30, 40].map(|n| create_task(fails(n))).into_iter().collect();
        assert!(timeout(ms(15), pending.wait(ReturnWhen::FirstException, None)).await.is_err());
        assert!(pending.wait(ReturnWhen::FirstException, ms(2)).await.unwrap().len() == 1);
        assert_eq!(pending.wait(ReturnWhen::FirstException, None).await.unwrap().len(), 1);
        sleep(ms(20)).await;
        let held = Rc::clone(&counted);
        pending.push(create_task(async move {
            sleep(ms(50)).await;
            drop(held);
            Ok(0)
        }));
        assert_eq!(pending.wait(ReturnWhen::FirstCompleted, None).await.unwrap().len(), 2);
        let left = pending.len();
        drop(pending);
        sleep(ms(60)).await;
        assert_eq!((left, Rc::strong_count(&counted)), (1, 1));
    });
}

#[test]
fn as_completed_in_time_and_out_of_time() {
    run(async {
        let delayed = |n: u64| async move {
            sleep(ms(n)).await;
            n
        };
        let mut seen = Vec::new();
        for turn in as_completed([30, 10, 20].map(delayed)) {
            seen.push(turn.await.unwrap());
        }
        assert_eq!(seen, [10, 20, 30]);

        let mut results = as_completed([5, 500, 600].map(delayed)).within(ms(50));
        assert_eq!(results.next().await.unwrap().unwrap(), 5);
        assert!(matches!(results.next().await, Some(Err(Failure::TimedOut(_)))));
        assert!(matches!(results.next().await, Some(Err(Failure::TimedOut(_)))));
        assert!(results.next().await.is_none());
    });
}

#[test]
fn a_turn_that_is_woken_and_dropped_passes_the_wake_on() {
    run(async {
        let (promise, cell) = corio_future::promise();
        let mut turns = as_completed([cell.share(), cell]).into_iter();
        let (first, second) = (turns.next().unwrap(), turns.next().unwrap());
        let mut first = Box::pin(first);
        std::future::poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let second = create_task(second);
        yield_now().await;
        promise.set_result(7).unwrap();
        yield_now().await;
        drop(first);
        assert_eq!(second.await.unwrap().unwrap(), 7);
        assert_eq!(turns.len(), 0);
    });
}

#[test]
fn what_a_gather_holds_goes_with_its_children() {
    let drops = Drops::default();
    run(async {
        let child = |delay| {
            let counted = drops.counted();
            async move {
                sleep(ms(delay)).await;
                (counted,)
            }
        };
        drop(gather((child(1), child(2))));
        sleep(ms(10)).await;
        assert_eq!(drops.count(), 2);
        assert!(gather((child(1), async { Err::<(), _>("no") })).await.is_err());
        sleep(ms(10)).await;
        assert_eq!(drops.count(), 3);
    });
}

#[test]
fn a_group_forgets_its_finished_children() {
    run(async {
        let counted = Rc::new(());
        let ended = TaskGroup::run(async |group| {
            for _ in 0..10 {
                let held = Rc::clone(&counted);
                let _detached = group.create_task(async move { drop(held) });
                yield_now().await;
                yield_now().await;
            }
            Rc::strong_count(&counted)
        });
        assert_eq!(ended.await.unwrap(), 1);
    });
}

#[test]
fn a_fallible_that_is_left_half_way_has_no_callback_behind_it() {
    run(async {
        let (_promise, cell) = promise::<Result<u32, &str>>();
        let mut results = as_completed([fallible(cell.share())]);
        assert!(timeout(ms(1), results.next()).await.is_err());
        assert!(format!("{cell:?}").contains("listeners: 1"), "{cell:?}");
        drop(results);
        assert!(format!("{cell:?}").contains("listeners: 0"), "{cell:?}");
    });
}
