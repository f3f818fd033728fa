use crate::kit::{Counted, Drops, Log, World, forever, log_reports, ms, run, sleep, yield_now};
use corio_combinators::shapes::{Key, Standing};
use corio_combinators::{
    AsCompleted, Outcome, ReturnWhen, WaitSet, as_completed, fallible, gather, timeout, wait, wait_for,
};
use corio_future::{FutureError, promise};
use corio_task::{Task, create_task};
use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

type Value = (Counted,);
type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// Leaves with one result there that nobody took: it goes at once, unless what listens to the other child is still there.
async fn leave<O: Outcome>(drops: &Drops, results: AsCompleted<O>) {
    yield_now().await;
    yield_now().await;
    let before = drops.count();
    assert_eq!(results.len(), 2);
    drop(results);
    assert_eq!(drops.count() - before, 1);
}

#[test]
fn as_completed_stops_listening_whatever_its_children_are() {
    let drops = Drops::default();
    run(async {
        let value = || -> Value { (drops.counted(),) };
        let futures: [Boxed<Value>; 2] = [Box::pin(ready(value())), Box::pin(pending())];
        leave(&drops, as_completed(futures)).await;

        leave(&drops, as_completed([create_task(ready(value())), create_task(pending())])).await;

        let ((kept, one), (_unkept, two)) = (promise(), promise());
        kept.set_result(value()).unwrap();
        leave(&drops, as_completed([one, two])).await;

        let ((kept, one), (_unkept, two)) = (promise::<Value>(), promise());
        kept.set_result(value()).unwrap();
        leave(&drops, as_completed([gather([one]), gather([two])])).await;

        let results = [create_task(ready(Ok::<_, &str>(value()))), create_task(pending())];
        leave(&drops, as_completed(results.map(fallible))).await;

        let ((kept, one), (_unkept, two)) = (promise(), promise());
        kept.set_result(Ok::<_, &str>(value())).unwrap();
        leave(&drops, as_completed([one, two].map(fallible))).await;
    });
}

type Stream = AsCompleted<Result<Leaves, FutureError>>;

/// A value whose clones drop a stream of its like.
struct Leaves(Rc<Cell<Option<Stream>>>);

impl corio_combinators::Plain for Leaves {}

impl Clone for Leaves {
    fn clone(&self) -> Leaves {
        drop(self.0.take());
        Leaves(Rc::clone(&self.0))
    }
}

#[test]
fn a_result_whose_making_leaves_is_given_to_nobody() {
    let (world, log) = (World::new(), Log::default());
    log_reports(&world.set, &log);
    let main = async {
        let ((kept, cell), (_unkept, other)) = (promise(), promise());
        let stream = Rc::new(Cell::new(None));
        let mine = cell.share();
        stream.set(Some(as_completed([cell, other])));
        assert!(kept.set_result(Leaves(Rc::clone(&stream))).is_ok());
        yield_now().await;
        yield_now().await;
        assert!(stream.take().is_none(), "the clone has dropped it");
        assert!(mine.await.is_ok());
        assert_eq!(Rc::strong_count(&stream), 1);
    };
    world.run(main).unwrap();
    assert!(log.take().is_empty());
}

/// How often a task is polled that has left `waits` half-way, when the child it waited for ends after that.
fn polls_after<F: Future + 'static>(waits: impl FnOnce(Task<()>) -> F + 'static) -> usize {
    run(async {
        let child = create_task(sleep(ms(20)));
        let polls = Rc::new(Cell::new(0));
        let count = Rc::clone(&polls);
        let left = create_task(async move {
            assert!(timeout(ms(5), waits(child)).await.is_err());
            poll_fn(|_| {
                count.set(count.get() + 1);
                Poll::<()>::Pending
            })
            .await;
        });
        sleep(ms(50)).await;
        assert!(!left.done());
        polls.get()
    })
}

#[test]
fn who_has_left_is_woken_by_nobody() {
    let list = polls_after(|child| async move {
        wait(&mut vec![child, create_task(forever())], ReturnWhen::FirstCompleted, None).await.unwrap();
    });
    assert_eq!(list, 1);
    let set = polls_after(|child| async move {
        let mut set: WaitSet<_> = [child].into_iter().collect();
        set.next().await;
    });
    assert_eq!(set, 1);
    let results = polls_after(|child| async move {
        as_completed([child]).next().await;
    });
    assert_eq!(results, 1);
}

#[test]
fn a_set_of_tasks_that_is_dropped_lets_them_go() {
    let drops = Drops::default();
    run(async {
        let mut set = WaitSet::default();
        set.extend([create_task(ready((drops.counted(),))), create_task(pending())]);
        assert_eq!((set.len(), futures_core::Stream::size_hint(&set)), (2, (2, Some(2))));
        assert!(!set.is_empty());
        yield_now().await;
        yield_now().await;
        drop(set); // With a task that is over and one that is not: neither holds what held both.
        assert_eq!(drops.count(), 1);
    });
}

/// Adds two callbacks, takes one back, and has the thing end.
async fn take_back(standing: &dyn Standing, end: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let tell = |name: &'static str| -> Key {
        let log = log.clone();
        standing.tell(Box::new(move || log.add(name)))
    };
    let (one, two) = (tell("one"), tell("two"));
    assert!(standing.forget(&one));
    assert!(!standing.forget(&one));
    assert!(!standing.is_over() && !standing.was_cancelled());
    end();
    yield_now().await;
    yield_now().await;
    yield_now().await;
    assert!(standing.is_over());
    assert!(!standing.forget(&two));
    log.take()
}

#[test]
fn a_callback_can_be_taken_back_from_each_kind() {
    run(async {
        for cancels in [true, false] {
            let (promise, cell) = corio_future::promise::<u32>();
            let handle = cell.share();
            let end = || if cancels { assert!(handle.cancel()) } else { promise.set_result(1).unwrap() };
            assert_eq!(take_back(&cell, end).await, ["two"]);
            assert_eq!(cell.was_cancelled(), cancels);

            let (promise, inner) = corio_future::promise::<u32>();
            let handle = inner.share();
            let both = gather([inner]);
            assert_eq!(take_back(&both, || promise.set_result(1).unwrap()).await, ["two"]);
            assert!(!both.was_cancelled());
            drop(handle);

            let task = create_task(sleep(ms(if cancels { 1000 } else { 0 })));
            let task_ref = task.task_ref();
            let end = move || {
                if cancels {
                    assert!(task_ref.cancel())
                }
            };
            assert_eq!(take_back(&task, end).await, ["two"]);
            assert_eq!(task.was_cancelled(), cancels);
        }
        let endless = gather([forever()]);
        endless.ask();
        yield_now().await;
        yield_now().await;
        assert!(endless.is_over() && endless.was_cancelled());
    });
}

/// How many iterations `wait_for` takes without any time, and what it gives.
fn at_once<F>(make: impl FnOnce() -> F) -> (usize, Option<F::Output>)
where
    F: Future<Output: Outcome> + 'static,
{
    let world = World::new();
    let turns = Rc::clone(&world.turns);
    let main = async {
        let future = make();
        yield_now().await;
        yield_now().await;
        yield_now().await;
        let before = turns.get();
        let ended = wait_for(future, ms(0)).await;
        (turns.get() - before, ended.ok())
    };
    world.run(main).unwrap()
}

#[test]
fn without_any_time_what_is_over_is_given_at_once() {
    let over = || {
        let (promise, cell) = corio_future::promise();
        promise.set_result(7).unwrap();
        cell
    };
    let result = || {
        let (promise, cell) = corio_future::promise();
        promise.set_result(Ok::<_, &str>(7)).unwrap();
        cell
    };
    assert!(matches!(at_once(|| create_task(ready(7))), (0, Some(Ok(7)))));
    assert!(matches!(at_once(over), (0, Some(Ok(7)))));
    assert!(matches!(at_once(|| gather([ready(7)])), (0, Some(Ok(all))) if all == [7]));
    assert!(matches!(at_once(|| fallible(create_task(ready(Ok::<_, &str>(7))))), (0, Some(Ok(7)))));
    assert!(matches!(at_once(|| fallible(result())), (0, Some(Ok(7)))));
    assert!(matches!(at_once(|| ready(7)), (_, None)), "what was not begun has no time to begin");
}

#[test]
fn without_any_time_what_is_not_over_is_ended() {
    let (kept, results) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(None)));
    let cell = || {
        let (promise, cell) = corio_future::promise::<u32>();
        kept.set(Some(promise));
        cell
    };
    let result = || {
        let (promise, cell) = corio_future::promise::<Result<u32, &str>>();
        results.set(Some(promise));
        cell
    };
    let never = || create_task(pending::<u32>());
    assert!(matches!(at_once(never), (1.., None)));
    assert!(matches!(at_once(cell), (1.., None)));
    assert!(kept.take().unwrap().is_cancelled());
    assert!(matches!(at_once(|| gather([pending::<u32>()])), (1.., None)));
    assert!(matches!(at_once(|| fallible(create_task(pending::<Result<u32, &str>>()))), (1.., None)));
    assert!(matches!(at_once(|| fallible(result())), (1.., None)));
    assert!(results.take().unwrap().is_cancelled());
}
