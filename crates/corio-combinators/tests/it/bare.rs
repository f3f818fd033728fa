use corio_combinators::{
    as_completed, gather, gather_settled, join, move_on_at, race, shield, shielded, timeout, try_join, wait_for,
};
use corio_seam::LoopTime;
use std::time::Duration;

#[test]
fn in_place_futures_may_borrow() {
    let (text, mut count) = (String::from("borrowed"), 0);
    pollster::block_on(async {
        let lengths = join(text.chars().map(|letter| async move { letter.len_utf8() })).await;
        assert_eq!(lengths.len(), text.len());
        let add = async { count += text.len() };
        join((add, async { text.as_str() })).await;
    });
    assert_eq!(count, 8);
}

#[test]
fn tuples_up_to_twelve_of_any_types() {
    let twelve = (
        async { 1 },
        async { "2" },
        async { '3' },
        async { 4.0 },
        async { 5 },
        async { 6 },
        async { 7 },
        async { 8 },
        async { 9 },
        async { 10 },
        async { 11 },
        async { vec![12] },
    );
    let ended = pollster::block_on(join(twelve));
    assert_eq!((ended.1, ended.2, ended.11), ("2", '3', vec![12]));
    assert_eq!(pollster::block_on(join((async { 1 },))), (1,));
}

#[test]
fn nothing_is_enough_for_join_and_nobody_races() {
    let nobody = || Vec::<std::future::Ready<Result<(), ()>>>::new();
    assert!(pollster::block_on(join(nobody())).is_empty());
    assert_eq!(pollster::block_on(try_join(nobody())), Ok(vec![]));
    assert!(std::panic::catch_unwind(|| race(Vec::<std::future::Ready<()>>::new())).is_err());
}

#[test]
fn cells_need_no_loop() {
    pollster::block_on(async {
        let (first, one) = corio_future::promise();
        let (second, two) = corio_future::promise();
        let gathered = gather((one, two));
        second.set_result("two").unwrap();
        assert!(!gathered.done());
        first.set_result(1).unwrap();
        assert_eq!(gathered.await.unwrap(), (1, "two"));

        let cells: (Vec<_>, Vec<_>) = (0..3).map(|_| corio_future::promise::<u8>()).unzip();
        let gathered = gather_settled(cells.1);
        assert!(gathered.cancel()); // Each child ends there and then, and calls back from within.
        assert!(gathered.cancelled());
        drop(cells.0);

        let (promise, cell) = corio_future::promise();
        let shielded = shield(cell.share());
        let mut results = as_completed([cell]);
        promise.set_result(3).unwrap();
        assert_eq!(shielded.await.unwrap(), 3);
        assert_eq!(results.next().await.unwrap().unwrap(), 3);
        let (promise, cell) = corio_future::promise();
        promise.set_result(4).unwrap();
        assert_eq!(as_completed([cell]).next().await.unwrap().unwrap(), 4);
    });
}

#[test]
fn what_never_suspends_needs_no_timer() {
    assert_eq!(pollster::block_on(timeout(Duration::ZERO, async { 1 })), Ok(1));
    assert_eq!(pollster::block_on(wait_for(async { 1 }, Duration::from_secs(1))), Ok(1));
    assert_eq!(pollster::block_on(shielded(Duration::from_secs(1), async { 1 })), Ok(1));
    assert_eq!(pollster::block_on(move_on_at(LoopTime::MAX, async |_| 1)).unwrap(), 1);
}

#[test]
#[should_panic(expected = "there is no timer here")]
fn what_suspends_needs_one() {
    let _timed_out = pollster::block_on(timeout(Duration::ZERO, std::future::pending::<()>()));
}

#[test]
fn a_combinator_that_is_over_polls_no_loser() {
    fn is_refused<F: Future + Unpin>(mut combinator: F) -> bool {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(&mut combinator).poll(&mut cx).is_ready());
        let again = std::panic::AssertUnwindSafe(|| std::pin::pin!(&mut combinator).poll(&mut cx).is_ready());
        std::panic::catch_unwind(again).is_err()
    }
    let loser = || std::future::poll_fn(|_| -> std::task::Poll<Result<u32, &str>> { std::task::Poll::Pending });
    assert!(is_refused(Box::pin(race((std::future::ready(Ok(1)), loser())))));
    assert!(is_refused(Box::pin(try_join((std::future::ready(Err::<u32, _>("no")), loser())))));
    assert!(is_refused(Box::pin(join((std::future::ready(1), std::future::ready(2))))));
}
