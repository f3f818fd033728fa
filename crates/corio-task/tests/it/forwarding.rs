//! Danger: a request that is handed on to the task that is waited for, and lost there, or delivered twice.

use crate::kit::{forever, run_alone, was_cancelled, yield_now};
use corio_task::{catch_cancelled, create_task, current_task};
use std::future::pending;

/// A waits for B; A is cancelled: B is asked, and its ending decides.
#[test]
fn a_request_is_forwarded_to_the_task_that_is_waited_for() {
    for swallow in [false, true] {
        run_alone(async move {
            let b = create_task(async move {
                match catch_cancelled(forever()).await {
                    Err(_) if swallow => "b's value",
                    Err(cancelled) => match cancelled.resume().await {},
                    Ok(()) => unreachable!("it waits for ever"),
                }
            });
            let b_ref = b.task_ref();
            let a = create_task(async move { b.await.map(|value| format!("a got {value}")) });
            yield_now().await;
            yield_now().await;
            assert!(a.cancel());
            let ended = a.await;
            if swallow {
                assert_eq!(ended.unwrap().unwrap(), "a got b's value");
                assert!(!b_ref.cancelled());
            } else {
                assert!(was_cancelled(&ended));
                assert!(b_ref.cancelled());
            }
        });
    }
}

#[test]
fn a_child_cancelled_by_somebody_else_is_a_value() {
    run_alone(async {
        let b = create_task(forever());
        let b_ref = b.task_ref();
        let a = create_task(async move {
            let ended = b.await;
            (was_cancelled(&ended), current_task().unwrap().cancelling())
        });
        yield_now().await;
        yield_now().await;
        b_ref.cancel();
        assert_eq!(a.await.unwrap(), (true, 0));
    });
}

#[test]
fn with_two_things_to_wait_for_none_is_asked() {
    run_alone(async {
        let b = create_task(forever());
        let c = create_task(forever());
        let (b_ref, c_ref) = (b.task_ref(), c.task_ref());
        let a = create_task(async move {
            let (mut b, mut c) = (b, c);
            std::future::poll_fn(|cx| {
                let _ = std::pin::Pin::new(&mut b).poll(cx);
                std::pin::Pin::new(&mut c).poll(cx)
            })
            .await
        });
        yield_now().await;
        yield_now().await;
        a.cancel();
        assert!(was_cancelled(&a.await));
        assert!(!b_ref.done() && !c_ref.done());
    });
}

#[test]
fn a_long_chain_is_forwarded_without_recursion() {
    let length = if cfg!(miri) { 50 } else { 200_000 };
    run_alone(async move {
        let first = create_task(forever());
        let first_ref = first.task_ref();
        let mut last = first;
        for _ in 0..length {
            last = create_task(async move {
                let _ = last.await;
            });
        }
        yield_now().await;
        yield_now().await;
        last.cancel();
        assert!(was_cancelled(&last.await));
        assert!(first_ref.cancelled());
    });
}

#[test]
fn tasks_that_wait_for_each_other_can_be_cancelled() {
    use std::cell::RefCell;
    use std::rc::Rc;
    run_alone(async {
        let handle: Rc<RefCell<Option<corio_task::Task<()>>>> = Rc::default();
        let theirs = Rc::clone(&handle);
        let a = create_task(async move {
            let b = theirs.borrow_mut().take().unwrap();
            let _ = b.await;
        });
        let a_ref = a.task_ref();
        let b = create_task(async move {
            let _ = a.await;
        });
        let b_ref = b.task_ref();
        handle.borrow_mut().replace(b);
        yield_now().await;
        yield_now().await;
        assert!(a_ref.cancel());
        for _ in 0..4 {
            yield_now().await;
        }
        assert!(a_ref.done() && b_ref.done());
    });
}

#[test]
fn a_forwarded_request_that_nobody_hears_is_owed_again() {
    run_alone(async {
        let b = create_task(forever());
        let a = create_task(async move {
            let mut b = b;
            let mut polls = 0;
            // The branch that waits for `b` is given up in the very step in which it would hear the ending.
            std::future::poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    let _ = std::pin::Pin::new(&mut b).poll(cx);
                    return std::task::Poll::Pending;
                }
                std::task::Poll::Ready(())
            })
            .await;
            yield_now().await;
            unreachable!("the request hits here")
        });
        yield_now().await;
        yield_now().await;
        a.cancel();
        assert!(was_cancelled::<()>(&a.await));
    });
}

/// A is asked once, and passes that on; and once more when what it waits for is over, but A has not heard of it.
#[test]
fn requests_before_and_after_an_ending_that_was_not_heard_are_delivered_once() {
    run_alone(async {
        let b = create_task(forever());
        let b_ref = b.task_ref();
        let a = create_task(async move { if catch_cancelled(b).await.is_err() { "cleaned up" } else { "not hit" } });
        yield_now().await;
        yield_now().await;
        a.cancel();
        yield_now().await;
        assert!(b_ref.cancelled() && !a.done());
        a.cancel();
        assert_eq!(a.await.unwrap(), "cleaned up");
    });
}

/// A waits for B, is asked twice, and B swallows both: A has used them up, as in asyncio.
#[test]
fn two_requests_that_the_awaited_task_swallows_are_used_up() {
    run_alone(async {
        let b = create_task(async {
            let mut caught = 0;
            for _ in 0..2 {
                caught += usize::from(catch_cancelled(forever()).await.is_err());
            }
            caught
        });
        let a = create_task(async move { b.await.unwrap() });
        yield_now().await;
        yield_now().await;
        a.cancel();
        yield_now().await;
        a.cancel();
        assert_eq!(a.cancelling(), 2);
        assert_eq!(a.await.unwrap(), 2);
    });
}

/// As in asyncio: what the request was forwarded to ends, and that ends the waiter, whatever it counts by then.
#[test]
fn uncancel_does_not_withdraw_what_was_forwarded() {
    run_alone(async {
        let inner = create_task(pending::<()>());
        let outer = create_task(inner);
        yield_now().await;
        assert!(outer.cancel());
        assert_eq!(outer.uncancel(), 0);
        assert!(outer.await.unwrap_err().is_cancelled());
    });
}
