use crate::kit::{Log, forever, ms, run, sleep, yield_now};
use corio_combinators::shapes::{AnySlot, Child, IntoMembers, IntoSlots, List, Slots, Tuple, Waited};
use corio_combinators::{Gather, ReturnWhen, WaitSet, as_completed, fallible, gather, gather_settled, wait};
use corio_future::promise;
use corio_seam::{Context, LoopTime, now};
use corio_task::create_task;
use std::future::{pending, ready};
use std::pin::Pin;

#[test]
fn a_gather_answers_as_a_future_does() {
    run(async {
        let mut endless = gather((forever(), sleep(ms(1))));
        assert!(!endless.done() && !endless.cancelled());
        assert!(endless.cancel_with("enough"));
        assert_eq!((&mut endless).await.unwrap_err().to_string(), "cancelled: enough");
        assert!(endless.done() && endless.cancelled());
        assert!(!endless.cancel() && !endless.cancel_with("again"));

        let mut short = gather([ready(7)]);
        assert_eq!((&mut short).await.unwrap(), [7]);
        assert!(short.done() && !short.cancelled() && !short.cancel());
    });
}

#[test]
fn a_callback_of_a_gather_can_be_taken_back() {
    run(async {
        let (log, context) = (Log::default(), Context::new());
        let says = |name: &'static str| {
            let log = log.clone();
            move || log.add(name)
        };
        let mut both = gather((sleep(ms(1)), yield_now()));
        let one = both.add_done_callback(says("one"));
        let two = both.add_done_callback_in(&context, says("two"));
        let three = both.add_done_callback(says("three"));
        let four = both.add_done_callback_in(&context, says("four"));
        assert!(both.remove_done_callback(one) && both.remove_done_callback(four));
        assert!(!both.remove_done_callback(one) && !both.remove_done_callback(four));
        (&mut both).await.unwrap();
        yield_now().await;
        assert_eq!(log.take(), ["two", "three"]);
        assert!(!both.remove_done_callback(two) && !both.remove_done_callback(three));
    });
}

/// Cancels a gather of one, for a reason, and checks that it said yes and ended for it.
async fn cancel<V: 'static>(mut all: Gather<V>) {
    assert!(all.cancel_with("why"));
    let Err(failure) = (&mut all).await else { panic!("it was cancelled") };
    assert_eq!(failure.to_string(), "cancelled: why");
}

#[test]
fn a_cancelled_gather_asks_its_children_whatever_they_are() {
    run(async {
        let task = create_task(forever());
        let task_ref = task.task_ref();
        cancel(gather([task])).await;
        assert!(task_ref.cancelled());

        let (promise, cell) = corio_future::promise::<u32>();
        cancel(gather([cell])).await;
        assert!(promise.is_cancelled());

        let (promise, cell) = corio_future::promise::<u32>();
        cancel(gather([gather([cell])])).await;
        assert!(promise.is_cancelled());

        let task = create_task(pending::<Result<u32, &str>>());
        let task_ref = task.task_ref();
        cancel(gather([fallible(task)])).await;
        assert!(task_ref.cancelled());

        let (promise, cell) = corio_future::promise::<Result<u32, &str>>();
        cancel(gather([fallible(cell)])).await;
        assert!(promise.is_cancelled());
        let (promise, cell) = corio_future::promise::<Result<u32, &str>>();
        let all = gather([fallible(cell)]);
        assert!(all.cancel() && promise.is_cancelled(), "also without a reason");
    });
}

#[test]
fn a_gather_none_of_whose_children_accepts_goes_on() {
    run(async {
        let over = create_task(ready(1));
        yield_now().await;
        let (promise, cell) = corio_future::promise::<u32>();
        let both = gather((over, cell));
        promise.set_result(2).unwrap(); // Both are over; that the second is, the gather has not been told yet.
        assert!(!both.done() && !both.cancel());
        assert_eq!(both.await.unwrap(), (1, 2));
    });
}

#[test]
fn a_tuple_and_a_list_gather_all_in_their_order() {
    run(async {
        let late = |n: u64| async move {
            sleep(ms(n)).await;
            n
        };
        assert_eq!(gather([late(3), late(1), late(2)]).await.unwrap(), [3, 1, 2]);
        assert_eq!(gather((late(3), late(1), async { "two" })).await.unwrap(), (3, 1, "two"));
        let odd = |n: u64| async move {
            sleep(ms(n)).await;
            if n % 2 == 1 { Err("odd") } else { Ok(n) }
        };
        let settled = gather_settled([odd(3), odd(2), odd(1), odd(4)]).await.unwrap();
        let values: Vec<_> = settled.into_iter().map(|ended| ended.map_err(|failure| failure.to_string())).collect();
        assert_eq!(values, [Err("odd".into()), Ok(2), Err("odd".into()), Ok(4)]);
        let before = now();
        assert_eq!(gather((odd(2), odd(5), odd(1))).await.unwrap_err().to_string(), "odd");
        assert_eq!(now() - before, ms(1));
        let (one, two) = gather_settled((odd(1), odd(2))).await.unwrap();
        assert_eq!((one.unwrap_err().to_string(), two.unwrap()), ("odd".to_owned(), 2));
    });
}

#[test]
fn what_is_kept_of_children_says_what_it_is() {
    run(async {
        assert_eq!(format!("{:?}", IntoMembers::<List>::into_members([ready(1), ready(2)])), "Many { count: 2, .. }");
        assert_eq!(format!("{:?}", IntoMembers::<Tuple>::into_members((ready(1), ready(2)))), "Tuple2 { .. }");
        let slots = IntoSlots::<List>::into_slots([create_task(ready(1))]);
        assert_eq!(format!("{slots:?}"), "[Slot { is_over: false, .. }]");
        assert!(slots[0].is_pending() && slots[0].waitable().is_some());
        yield_now().await;
        assert!(!slots[0].is_pending() && slots[0].waitable().is_none());
        assert!(slots[0].collect_value() && !slots[0].collect_value());
        assert_eq!(format!("{slots:?}"), "[Slot { is_over: true, .. }]");
        assert_eq!((slots.count(), slots.values()), (1, vec![1]));
        let child: Child<u32> = Child::Spawned(create_task(ready(1)));
        assert_eq!(format!("{child:?}"), "Child { done: false, .. }");
        yield_now().await;
        assert_eq!(format!("{child:?}"), "Child { done: true, .. }");
        let task = create_task(ready(1)).named("shown");
        let words = format!("{:?}", task.shown());
        assert!(words.starts_with("Task(") && words.contains("shown"), "{words}");
        let (_promise, cell) = promise::<u32>();
        assert_eq!(format!("{:?}", cell.shown()), "Cell(\"future pending\")");
        let turns = as_completed([ready(1)]).into_iter();
        assert_eq!(format!("{turns:?}"), "Turns { front: Front { .. }, left: 1 }");
    });
}

// What ends a wait.

type Ends = Result<u64, &'static str>;

/// A child that ends after so long, some with an error, some with a panic.
async fn ends(after: u64) -> Ends {
    sleep(ms(after)).await;
    assert_ne!(after, 13, "bad luck");
    if after % 2 == 1 { Err("odd") } else { Ok(after) }
}

/// Waits for children that end after so long, and returns when it ended, and how many were over.
fn waited(when: ReturnWhen, children: &[u64], limit: Option<u64>) -> (u64, usize) {
    let (one, two) = run(async {
        let since = |start: LoopTime| u64::try_from((now() - start).as_millis()).unwrap();
        let start = now();
        let mut tasks: Vec<_> = children.iter().map(|after| create_task(ends(*after))).collect();
        let over = wait(&mut tasks, when, limit.map(ms)).await.unwrap();
        assert_eq!(over.len() + tasks.len(), children.len());
        let listed = (since(start), over.len());
        drop((tasks, over));

        let start = now();
        let mut set: WaitSet<Ends> = children.iter().map(|after| create_task(ends(*after))).collect();
        let over = set.wait(when, limit.map(ms)).await.unwrap();
        assert_eq!(over.len() + set.len(), children.len());
        (listed, (since(start), over.len()))
    });
    assert_eq!(one, two, "a set is waited for as a list is");
    one
}

#[test]
fn a_wait_ends_when_enough_are_over() {
    use ReturnWhen::{AllCompleted, FirstCompleted, FirstException};
    assert_eq!(waited(FirstCompleted, &[8, 5, 6], None), (5, 1));
    assert_eq!(waited(FirstCompleted, &[8, 6, 6], None), (6, 2));
    assert_eq!(waited(FirstCompleted, &[8, 6], Some(2)), (2, 0));
    assert_eq!(waited(FirstException, &[8, 5, 2, 7], None), (5, 2));
    assert_eq!(waited(FirstException, &[20, 13, 2], None), (13, 2));
    assert_eq!(waited(FirstException, &[8, 6, 2], None), (8, 3));
    assert_eq!(waited(FirstException, &[8, 6, 2], Some(7)), (7, 2));
    assert_eq!(waited(AllCompleted, &[8, 5, 13, 2], None), (13, 4));
    assert_eq!(waited(AllCompleted, &[8, 5, 13, 2], Some(9)), (9, 3));
    assert_eq!(waited(AllCompleted, &[6], Some(9)), (6, 1));
}

#[test]
fn a_set_that_is_waited_for_again_judges_anew() {
    run(async {
        let mut set: WaitSet<Ends> = [2, 3, 6, 13, 20, 22].map(|after| create_task(ends(after))).into_iter().collect();
        let over = async |set: &mut WaitSet<Ends>, when, limit: Option<u64>| {
            (set.wait(when, limit.map(ms)).await.unwrap().len(), now() - LoopTime::ZERO)
        };
        assert_eq!(over(&mut set, ReturnWhen::FirstException, None).await, (2, ms(3)));
        assert_eq!(over(&mut set, ReturnWhen::FirstException, Some(4)).await, (1, ms(7)));
        assert_eq!(over(&mut set, ReturnWhen::FirstException, None).await, (1, ms(13)));
        assert_eq!(over(&mut set, ReturnWhen::FirstException, Some(8)).await, (1, ms(21)), "of old it knows no more");
        assert_eq!(over(&mut set, ReturnWhen::AllCompleted, None).await, (1, ms(22)));
        assert!(set.is_empty() && set.wait(ReturnWhen::AllCompleted, None).await.is_err());
        assert!(set.next().await.is_none());
    });
}

#[test]
fn a_cell_that_failed_ends_a_wait_for_the_first_exception() {
    run(async {
        type Cells = Vec<corio_future::Future<Ends>>;
        let (promises, mut cells): (Vec<_>, Cells) = (0..3).map(|_| promise::<Ends>()).unzip();
        let mut promises = promises.into_iter();
        let (good, bad, _other) = (promises.next().unwrap(), promises.next().unwrap(), promises.next().unwrap());
        let mut waits = Box::pin(wait(&mut cells, ReturnWhen::FirstException, None));
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(Pin::new(&mut waits).poll(cx).is_pending())).await);
        good.set_result(Ok(1)).unwrap();
        bad.set_result(Err("no")).unwrap();
        assert_eq!(waits.await.unwrap().len(), 2);
        assert_eq!(cells.len(), 1);
    });
}
