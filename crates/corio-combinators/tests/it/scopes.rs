use crate::kit::{Log, World, call_later, forever, ms, run, sleep, yield_now};
use corio_combinators::{
    CancelScope, TaskGroup, cancel_scope, gather, join, move_on_after, move_on_at, race, shielded, timeout,
    timeout_scope, timeout_scope_at,
};
use corio_seam::{LoopTime, now};
use corio_task::{Cancelled, JoinError, Task, catch_cancelled, create_task, current_deadline, current_task};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

/// Counts how many of `tries` suspensions in a row are cut.
async fn cuts(tries: usize) -> usize {
    let mut count = 0;
    for _ in 0..tries {
        count += usize::from(catch_cancelled(yield_now()).await.is_err());
    }
    count
}

fn was_cancelled<T>(ended: &Result<T, JoinError>) -> bool {
    matches!(ended, Err(JoinError::Cancelled(_)))
}

/// Polls a future once, which is pending.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Hands a scope out of its body.
#[derive(Clone, Default)]
struct Door(Rc<RefCell<Option<CancelScope>>>);

impl Door {
    fn put(&self, scope: &CancelScope) {
        self.0.replace(Some(scope.clone()));
    }

    fn get(&self) -> CancelScope {
        self.0.borrow().clone().expect("the body has begun")
    }
}

#[test]
fn once_cancelled_each_suspension_inside_fails() {
    run(async {
        let door = Door::default();
        let inside = door.clone();
        let task = create_task(cancel_scope(async move |scope: CancelScope| {
            inside.put(&scope);
            assert_eq!(cuts(3).await, 0);
            assert!(catch_cancelled(forever()).await.is_err());
            assert_eq!(cuts(5).await, 5);
            std::future::ready(()).await; // What does not suspend is not disturbed.
            "and a body that returns has returned"
        }));
        for _ in 0..5 {
            yield_now().await;
        }
        assert!(!door.get().cancel_called());
        assert!(door.get().cancel_with("enough"));
        assert!(door.get().cancel(), "a second call is as good as none");
        assert_eq!(task.await.unwrap(), Ok("and a body that returns has returned"));
        assert!(door.get().cancel_called() && !door.get().cancel());
    });
}

#[test]
fn a_request_of_the_task_is_an_edge_beside_it() {
    run(async {
        let task = create_task(async {
            assert!(catch_cancelled(forever()).await.is_err());
            cuts(3).await
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), 0);
    });
}

#[test]
fn the_scopes_own_cancellation_ends_at_its_edge_and_the_code_around_goes_on() {
    run(async {
        let cut = cancel_scope(async |scope| {
            scope.cancel_with("why");
            forever().await;
        });
        assert_eq!(cut.await.unwrap_err().message(), Some("why"));
        assert_eq!((cuts(2).await, corio_seam::cancelling()), (0, 0));
    });
}

#[test]
fn a_foreign_cancellation_passes_through() {
    run(async {
        for own_as_well in [false, true] {
            let task = create_task(async move {
                let caught = catch_cancelled(cancel_scope(async |scope| {
                    if own_as_well {
                        call_later(ms(1), move || assert!(scope.cancel()));
                    }
                    forever().await;
                }));
                (caught.await.is_err(), cuts(2).await)
            });
            let asked = task.task_ref();
            call_later(ms(1), move || assert!(asked.cancel()));
            assert_eq!(task.await.unwrap(), (true, 0));
        }
    });
}

#[test]
fn what_is_raised_inside_an_untouched_scope_passes_through() {
    run(async {
        let raised = catch_cancelled(cancel_scope(async |_| match Cancelled::new().resume().await {}));
        assert!(raised.await.is_err());
    });
}

#[test]
fn nested_scopes_are_cancelled_one_by_one() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        for outer_too in [false, true] {
            let ended = cancel_scope(async |outer| {
                let inner = cancel_scope(async |inner| {
                    inner.cancel();
                    if outer_too {
                        outer.cancel();
                    }
                    forever().await;
                });
                log.add(format_args!("inner {:?}", inner.await.is_err()));
                yield_now().await;
                log.add("after a suspension");
            });
            log.add(format_args!("outer {:?}", ended.await.is_err()));
        }
    });
    assert_eq!(lines.take(), ["inner true", "after a suspension", "outer false", "outer true"]);
}

#[test]
fn a_deadline_cancels_and_can_be_moved() {
    let world = World::new();
    let timer = Rc::clone(&world.timer);
    let main = async move {
        let begun = now();
        let cut = move_on_after(ms(10), async |scope: CancelScope| {
            assert_eq!(scope.deadline(), Some(now() + ms(10)));
            sleep(ms(5)).await;
            scope.set_deadline(now() + ms(10));
            let cut = catch_cancelled(forever()).await;
            assert!(cut.is_err_and(|cancelled| cancelled.message() == Some("the deadline has passed")));
            assert!(scope.cancel_called());
            scope.set_deadline(None); // Too late.
            forever().await;
        });
        assert_eq!(cut.await.unwrap_err().message(), Some("the deadline has passed"));
        assert_eq!((now(), timer.armed()), (begun + ms(15), 0));

        let never = move_on_after(ms(10), async |scope: CancelScope| {
            scope.set_deadline(None);
            sleep(ms(20)).await;
        });
        assert_eq!(never.await, Ok(()));
        let passed = move_on_at(LoopTime::ZERO, async |_| cuts(2).await);
        assert_eq!(passed.await, Ok(2));
        let passed = cancel_scope(async |scope: CancelScope| {
            yield_now().await;
            scope.set_deadline(LoopTime::ZERO);
            forever().await;
        });
        assert!(passed.await.is_err());
        assert_eq!(timer.armed(), 0);
    };
    world.run(main).unwrap();
}

#[test]
fn cancelled_before_the_first_suspension_it_is_hit_there() {
    run(async {
        let mut reached = false;
        let cut = cancel_scope(async |scope| {
            scope.cancel();
            reached = true;
            yield_now().await;
            unreachable!("it is hit here")
        });
        assert!(cut.await.is_err());
        assert!(reached);
    });
}

#[test]
fn branches_in_place_are_all_hit_each_time() {
    for many in [3, 100] {
        let log = Log::default();
        let lines = log.clone();
        run(async move {
            let cut = cancel_scope(async |scope| {
                call_later(ms(1), move || assert!(scope.cancel()));
                let stubborn = || async {
                    for _ in 0..3 {
                        assert!(catch_cancelled(sleep(ms(10))).await.is_err());
                    }
                    log.add("stubborn");
                };
                join((0..many).map(|_| stubborn())).await;
                log.add("joined");
            });
            assert!(cut.await.is_ok());
            assert_eq!(now(), LoopTime::ZERO + ms(1));
        });
        assert_eq!(lines.take().len(), many + 1);
    }
}

#[test]
fn a_shield_keeps_every_request_out_and_they_hit_after_it() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        for how in ["task", "timeout", "scope"] {
            let (door, log) = (Door::default(), log.clone());
            let inside = door.clone();
            let task: Task<()> = create_task(async move {
                let body = cancel_scope(async |scope| {
                    inside.put(&scope);
                    let limit = if how == "timeout" { ms(5) } else { ms(500) };
                    let ended = timeout(limit, async {
                        shielded(ms(100), sleep(ms(20))).await.unwrap();
                        log.add(format_args!("{how} shielded"));
                        forever().await;
                    });
                    log.add(format_args!("{how} timeout {:?}", ended.await.is_err()));
                });
                log.add(format_args!("{how} scope {:?}", body.await.is_err()));
            });
            sleep(ms(5)).await;
            match how {
                "task" => assert!(task.cancel()),
                "scope" => assert!(door.get().cancel()),
                _ => (),
            }
            assert_eq!(was_cancelled(&task.await), how == "task");
        }
    });
    assert_eq!(
        lines.take(),
        [
            "task shielded",
            "timeout shielded",
            "timeout timeout true",
            "timeout scope false",
            "scope shielded",
            "scope scope true"
        ]
    );
}

#[test]
fn cleanup_with_a_limit_inside_a_cancelled_scope() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let cut = cancel_scope(async |scope| {
            scope.cancel();
            let Err(cancelled) = catch_cancelled(forever()).await else { unreachable!() };
            assert!(catch_cancelled(sleep(ms(1))).await.is_err(), "not shielded");
            assert_eq!(
                shielded(ms(10), async {
                    sleep(ms(5)).await;
                    7
                })
                .await,
                Ok(7)
            );
            log.add("in time");
            let begun = now();
            assert!(shielded(ms(10), sleep(ms(50))).await.is_err());
            assert_eq!(now(), begun + ms(10));
            log.add("out of time");
            assert_eq!(cuts(2).await, 2, "the scope is cancelled still");
            cancelled.resume().await;
        });
        assert!(cut.await.is_err());
    });
    assert_eq!(lines.take(), ["in time", "out of time"]);
}

#[test]
fn at_its_limit_a_shield_cuts_for_good_and_the_request_still_waits() {
    run(async {
        let task = create_task(async {
            let stubborn = async {
                assert!(catch_cancelled(forever()).await.is_err());
                assert_eq!(cuts(3).await, 3, "cleanup of cleanup is cut as well");
                forever().await;
            };
            let ended = shielded(ms(10), stubborn).await;
            let hit = catch_cancelled(yield_now()).await.is_err();
            (ended.is_err(), hit, cuts(2).await)
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (true, true, 0));
    });
}

#[test]
fn a_late_value_out_of_a_shield_is_a_value() {
    run(async {
        let swallows = async {
            assert!(catch_cancelled(forever()).await.is_err());
            "late"
        };
        assert_eq!(shielded(ms(1), swallows).await, Ok("late"));
        assert_eq!(cuts(1).await, 0);
    });
}

#[test]
fn siblings_of_a_shield_are_hit_at_once() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let task = create_task(async move {
            let sibling = async {
                assert!(catch_cancelled(forever()).await.is_err());
                log.add("sibling");
            };
            let shielding = async {
                shielded(ms(50), sleep(ms(20))).await.unwrap();
                log.add("shielded");
                yield_now().await;
                unreachable!("it is hit here")
            };
            join((shielding, sibling)).await
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled::<((), ())>(&task.await));
    });
    assert_eq!(lines.take(), ["sibling", "shielded"]);
}

#[test]
fn a_timeout_inside_a_shield_knows_its_own() {
    run(async {
        let task = create_task(async {
            let inner = shielded(ms(50), async { timeout(ms(10), forever()).await.is_err() }).await;
            (inner.unwrap(), catch_cancelled(yield_now()).await.is_err())
        });
        sleep(ms(5)).await;
        task.cancel();
        assert_eq!(task.await.unwrap(), (true, true));
    });
}

#[test]
fn what_a_shield_awaits_is_not_asked() {
    run(async {
        let child = create_task(sleep(ms(20)));
        let child_ref = child.task_ref();
        let task = create_task(async move {
            shielded(ms(50), child).await.unwrap().unwrap();
            yield_now().await;
        });
        sleep(ms(5)).await;
        task.cancel();
        assert!(was_cancelled(&task.await));
        assert!(child_ref.done() && !child_ref.cancelled());
    });
}

#[test]
fn a_shield_that_is_parked_holds_nobody_up_after_its_limit() {
    run(async {
        let task = create_task(async {
            let mut parked = Box::pin(shielded(ms(10), forever()));
            poll_once(parked.as_mut()).await;
            forever().await;
            drop(parked);
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled(&task.await));
        assert!(now() >= LoopTime::ZERO + ms(10));
    });
}

#[test]
fn a_shield_that_is_dropped_lets_the_request_through() {
    run(async {
        let task = create_task(async {
            let mut dropped = Box::pin(shielded(ms(100), forever()));
            poll_once(dropped.as_mut()).await;
            sleep(ms(10)).await;
            drop(dropped);
            yield_now().await;
            unreachable!("it is hit here")
        });
        yield_now().await;
        task.cancel();
        assert!(was_cancelled::<()>(&task.await));
        assert_eq!(now(), LoopTime::ZERO + ms(10));
    });
}

#[test]
fn a_shielded_child_that_returns_wins_the_race() {
    run(async {
        let task = create_task(race((async { shielded(ms(100), sleep(ms(20))).await.is_ok() }, async {
            sleep(ms(30)).await;
            unreachable!("it is hit at once")
        })));
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap());
    });
}

#[test]
fn a_task_that_asks_itself_inside_a_shield_is_hit_after_it() {
    run(async {
        let task = create_task(async {
            shielded(ms(10), async {
                current_task().unwrap().cancel();
                yield_now().await;
            })
            .await
            .unwrap();
            let cancelling = current_task().unwrap().cancelling();
            (cancelling, catch_cancelled(yield_now()).await.is_err())
        });
        assert_eq!(task.await.unwrap(), (1, true));
    });
}

#[test]
fn what_is_raised_inside_a_shield_comes_out_of_it() {
    run(async {
        let raised = catch_cancelled(shielded(ms(10), async { match Cancelled::new().resume().await {} }));
        assert!(raised.await.is_err());
    });
}

#[test]
fn a_cancelled_scope_asks_what_it_awaits_once_a_suspension() {
    run(async {
        let asked = Rc::new(Cell::new(0));
        let count = Rc::clone(&asked);
        let child = create_task(async move {
            for _ in 0..3 {
                count.set(count.get() + usize::from(catch_cancelled(sleep(ms(10))).await.is_err()));
            }
            "a value"
        });
        let ended = cancel_scope(async |scope| {
            call_later(ms(1), move || assert!(scope.cancel()));
            let value = child.await.unwrap();
            (value, cuts(1).await)
        });
        assert_eq!(ended.await, Ok(("a value", 1)));
        assert_eq!(asked.get(), 1);
    });
}

#[test]
fn beside_a_branch_that_forwards_the_task_is_asked_once() {
    run(async {
        let asked = Rc::new(Cell::new(0));
        let count = Rc::clone(&asked);
        let child = create_task(async move {
            for _ in 0..3 {
                count.set(count.get() + usize::from(catch_cancelled(sleep(ms(10))).await.is_err()));
            }
        });
        let ended = cancel_scope(async |scope| {
            call_later(ms(1), move || assert!(scope.cancel()));
            join((child, cuts(5))).await.1
        });
        assert!(ended.await.is_ok());
        assert_eq!(asked.get(), 1);
    });
}

#[test]
fn a_group_inside_ends_its_tasks_and_others_go_on() {
    let log = Log::default();
    let lines = log.clone();
    let world = World::new();
    let turns = Rc::clone(&world.turns);
    let main = async move {
        let child = log.clone();
        let outsider = create_task(async move {
            sleep(ms(30)).await;
            child.add("an outsider goes on");
        });
        let cut = cancel_scope(async |scope| {
            call_later(ms(1), move || assert!(scope.cancel()));
            TaskGroup::run(async |group| {
                let log = log.clone();
                let _child = group.create_task(async move {
                    assert!(catch_cancelled(forever()).await.is_err());
                    sleep(ms(10)).await; // It was asked once.
                    log.add("a child has cleaned up");
                });
                forever().await;
            })
            .await
        });
        assert!(cut.await.is_err());
        assert_eq!(now(), LoopTime::ZERO + ms(11));
        assert!(turns.get() < 30, "the group waits, and does not spin: {}", turns.get());
        outsider.await.unwrap();
    };
    world.run(main).unwrap();
    assert_eq!(lines.take(), ["a child has cleaned up", "an outsider goes on"]);
}

#[test]
fn a_cancelled_gather_inside_ends_its_children() {
    run(async {
        let cut = cancel_scope(async |scope| {
            call_later(ms(1), move || assert!(scope.cancel()));
            gather((forever(), forever())).await.is_ok()
        });
        assert!(cut.await.is_err());
    });
}

#[test]
fn the_nearest_deadline_counts() {
    run(async {
        assert_eq!(current_deadline(), None);
        let at = |millis| Some(LoopTime::ZERO + ms(millis));
        timeout(ms(50), async {
            assert_eq!(current_deadline(), at(50), "also before the first suspension");
            yield_now().await;
            assert_eq!(current_deadline(), at(50));
            move_on_after(ms(30), async |scope| {
                assert_eq!(current_deadline(), at(30));
                timeout_scope(ms(40), async |limit| {
                    assert_eq!(current_deadline(), at(30));
                    limit.reschedule(LoopTime::ZERO + ms(20)).unwrap();
                    assert_eq!(current_deadline(), at(20));
                    limit.reschedule(None).unwrap();
                    assert_eq!(current_deadline(), at(30));
                    scope.set_deadline(None);
                    assert_eq!(current_deadline(), at(50));
                    let shielded = shielded(ms(70), async {
                        assert_eq!(current_deadline(), at(70), "what is outside cannot reach in here");
                        yield_now().await;
                        timeout_scope_at(LoopTime::ZERO + ms(60), async |_| current_deadline()).await.unwrap()
                    });
                    assert_eq!(shielded.await.unwrap(), at(60));
                    assert_eq!(create_task(async { current_deadline() }).await.unwrap(), None, "a task is by itself");
                    scope.cancel();
                    assert_eq!((current_deadline(), scope.deadline()), (at(0), None));
                })
                .await
            })
            .await
        })
        .await
        .unwrap()
        .unwrap()
        .unwrap();
        assert_eq!(current_deadline(), None);
    });
}

#[test]
fn a_scope_may_be_cancelled_from_a_destructor_and_a_body_may_panic() {
    run(async {
        struct CancelOnDrop(CancelScope);
        impl Drop for CancelOnDrop {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }
        let cut = cancel_scope(async |scope| {
            drop(CancelOnDrop(scope.clone()));
            cuts(2).await
        });
        assert_eq!(cut.await, Ok(2));

        let task = create_task(async {
            let _: Result<(), _> = cancel_scope(async |scope| {
                scope.cancel();
                drop(catch_cancelled(forever()).await);
                panic!("in the body")
            })
            .await;
        });
        assert!(matches!(task.await, Err(JoinError::Panicked(_))));
    });
}

#[test]
fn a_scope_that_moves_to_another_task_stays_cancelled() {
    run(async {
        let door = Door::default();
        let inside = door.clone();
        let mut scope = Box::pin(cancel_scope(async move |scope: CancelScope| {
            inside.put(&scope);
            yield_now().await;
            cuts(3).await
        }));
        poll_once(scope.as_mut()).await;
        door.get().cancel();
        let task = create_task(async move { catch_cancelled(scope).await });
        assert!(task.await.unwrap().unwrap().is_err());
    });
}

#[test]
fn under_a_bare_block_on_it_works_too() {
    let cut = pollster::block_on(cancel_scope(async |scope| {
        scope.cancel();
        assert!(catch_cancelled(forever()).await.is_err());
        forever().await;
    }));
    assert!(cut.is_err());
    let mut plain = pin!(cancel_scope(async |_| 1));
    assert_eq!(pollster::block_on(plain.as_mut()), Ok(1));
}
