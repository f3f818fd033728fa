use crate::kit::{Drops, Log, World, forever, ms, run, sleep, yield_now};
use corio_combinators::staggered_race;
use corio_seam::{LoopTime, now};
use corio_task::{Cancelled, JoinError, catch_cancelled, create_task};
use std::rc::Rc;

/// What an attempt does: how long it takes, and whether it succeeds.
async fn attempt(log: Log, index: usize, delay: u64, succeeds: bool) -> Result<&'static str, String> {
    log.add(format_args!("{index} at {}", now().since_start().as_millis()));
    sleep(ms(delay)).await;
    if succeeds { Ok("value") } else { Err(format!("error {index}")) }
}

fn race(attempts: &'static [(u64, bool)], delay: Option<u64>) -> (Vec<String>, String) {
    let log = Log::default();
    let inside = log.clone();
    let world = World::new();
    let timer = Rc::clone(&world.timer);
    let ended = world.run(async move {
        let all = attempts.iter().enumerate().map(|(n, (delay, ok))| attempt(inside.clone(), n, *delay, *ok));
        let ended = staggered_race(all, delay.map(ms)).await;
        let when = now().since_start().as_millis();
        assert_eq!(timer.armed(), 0, "losers and delays are gone");
        match ended {
            Ok(won) => format!("{} won at {when} with {:?}", won.index, won.errors),
            Err(failed) => format!("{failed} at {when}"),
        }
    });
    (log.take(), ended.unwrap())
}

#[test]
fn the_next_begins_after_the_delay_or_the_failure() {
    let (begun, ended) = race(&[(100, true), (100, true), (10, true)], Some(30));
    assert_eq!(begun, ["0 at 0", "1 at 30", "2 at 60"]);
    assert_eq!(ended, "2 won at 70 with []");

    let (begun, ended) = race(&[(5, false), (100, false), (10, true), (1, true)], Some(30));
    assert_eq!(begun, ["0 at 0", "1 at 5", "2 at 35"]);
    assert_eq!(ended, "2 won at 45 with [(0, \"error 0\")]");
}

#[test]
fn only_the_failure_of_the_latest_hurries_the_next() {
    let (begun, _) = race(&[(40, false), (100, true), (100, true)], Some(30));
    assert_eq!(begun, ["0 at 0", "1 at 30", "2 at 60"]);
}

#[test]
fn without_a_delay_they_come_one_after_the_other() {
    let (begun, ended) = race(&[(10, false), (10, false), (10, true), (10, true)], None);
    assert_eq!(begun, ["0 at 0", "1 at 10", "2 at 20"]);
    assert_eq!(ended, "2 won at 30 with [(0, \"error 0\"), (1, \"error 1\")]");
}

#[test]
fn all_may_fail_and_there_may_be_none() {
    let (_, ended) = race(&[(50, false), (10, false)], Some(20));
    assert_eq!(ended, "no attempt succeeded, of 2; error 1; error 0 at 50");
    let (_, ended) = race(&[], Some(20));
    assert_eq!(ended, "no attempt succeeded, of 0 at 0");
    let (begun, ended) = race(&[(0, true), (0, true)], Some(0));
    assert_eq!((begun.len(), ended), (1, "0 won at 0 with []".to_string()));
}

#[test]
fn losers_are_dropped_and_the_rest_never_begins() {
    let drops = Drops::default();
    let attempts = (0..5).map(|n| {
        let counted = drops.counted();
        async move {
            let _counted = counted;
            sleep(ms(if n == 2 { 5 } else { 100 })).await;
            Ok::<_, String>(n)
        }
    });
    run(async {
        let won = staggered_race(attempts, ms(10)).await.unwrap();
        assert_eq!((won.value, now()), (2, LoopTime::ZERO + ms(25)));
    });
    assert_eq!(drops.count(), 3);
}

#[test]
fn a_request_cuts_all_and_begins_none() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let attempts = (0..5).map(move |n| {
            let log = log.clone();
            async move {
                let Err(cancelled) = catch_cancelled(forever()).await else { unreachable!() };
                sleep(ms(50)).await;
                log.add(n);
                match cancelled.resume().await {}
            }
        });
        let task = create_task(staggered_race::<_, _, (), String>(attempts, ms(10)));
        sleep(ms(15)).await;
        yield_now().await;
        task.cancel();
        assert!(matches!(task.await, Err(JoinError::Cancelled(_))));
        assert_eq!(now(), LoopTime::ZERO + ms(65));
    });
    assert_eq!(lines.take(), ["0", "1"]);
}

#[test]
fn an_attempt_that_cancels_itself_ends_the_caller_at_once() {
    let drops = Drops::default();
    let counted = drops.counted();
    run(async move {
        let mut counted = Some(counted);
        let attempts = (0..3).map(move |n| {
            let counted = counted.take();
            async move {
                let _counted = counted;
                sleep(ms(20)).await;
                assert_eq!(n, 0, "the second cancels itself, and no third begins");
                Ok::<_, String>(n)
            }
        });
        let mut attempts = attempts.map(|attempt| -> std::pin::Pin<Box<dyn Future<Output = _>>> { Box::pin(attempt) });
        let first = attempts.next().unwrap();
        let itself = Box::pin(async { match Cancelled::with_message(Some("enough".into())).resume().await {} });
        let all = [first, itself].into_iter().chain(attempts);
        let cut = catch_cancelled(staggered_race(all, ms(5))).await;
        assert_eq!((cut.unwrap_err().message(), now()), (Some("enough"), LoopTime::ZERO + ms(5)));
    });
    assert_eq!(drops.count(), 1);
}
