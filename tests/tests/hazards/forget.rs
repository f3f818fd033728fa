//! 13: `mem::forget` of whatever has a destructor. It may leak; it hangs nobody, and corrupts nothing.

use crate::kit::{LONG, SECOND, alone, poll_once, virtual_loop};
use crate::ledger::{Wakes, poll_with};
use corio::executor::{Sleep, test};
use corio::net::TcpListener;
use corio::sync::ResourceGuard;
use corio::{
    Barrier, BoundedSemaphore, Condition, ContextVar, Event, ExecutorExt, Generator, Lock, LoopHandle, Queue, Runner,
    Semaphore, TaskGroup, ThreadPoolExecutor, async_generator, by_completion, cancel_scope, catch_cancelled,
    concurrent, create_task, gather, generator, join, promise, race, run_in_executor, shield, sleep, timeout,
    to_thread, yield_now,
};
use std::mem::forget;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

/// Polls a boxed future once, and forgets it.
fn poll_and_forget<'f, F: Future + 'f>(future: F) {
    let mut future: Pin<Box<dyn Future<Output = F::Output> + 'f>> = Box::pin(future);
    assert!(poll_once(future.as_mut(), Waker::noop()).is_pending());
    forget(future);
}

#[test]
fn h13_guards_of_locks_and_permits() {
    test::run(async {
        let lock = Lock::new();
        forget(lock.acquire().await);
        assert!(lock.locked() && timeout(SECOND, lock.acquire()).await.is_err(), "held, as nobody said otherwise");
        lock.release().unwrap();
        drop(timeout(SECOND, lock.acquire()).await.unwrap());

        let semaphore = Semaphore::new(1);
        forget(semaphore.acquire().await);
        assert!(timeout(SECOND, semaphore.acquire()).await.is_err());
        semaphore.release().unwrap();
        drop(timeout(SECOND, semaphore.acquire()).await.unwrap());
        let bounded = BoundedSemaphore::new(1);
        forget(bounded.acquire().await);
        bounded.release().unwrap();
        assert!(bounded.release().is_err());

        let resource = ResourceGuard::new("reading");
        forget(resource.enter().unwrap());
        assert!(resource.is_busy() && resource.enter().is_err());
    });
}

#[test]
fn h13_those_who_wait_in_a_line() {
    test::run(async {
        // Forgotten at the head of the line, it keeps what it was given; those behind it are woken by the next one.
        let lock: &'static Lock = Box::leak(Box::new(Lock::new()));
        let guard = lock.acquire().await;
        poll_and_forget(lock.acquire());
        let next = create_task(lock.acquire());
        yield_now().await;
        drop(guard);
        assert!(
            timeout(SECOND, yield_now()).await.is_ok() && !next.done(),
            "the lock is on its way to the forgotten one"
        );
        next.cancel();
        assert!(next.await.is_err());

        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new(0)));
        poll_and_forget(semaphore.acquire());
        let next = create_task(semaphore.acquire());
        yield_now().await;
        semaphore.release().unwrap();
        semaphore.release().unwrap();
        assert!(timeout(SECOND, next).await.unwrap().is_ok());

        let event: &'static Event = Box::leak(Box::new(Event::new()));
        poll_and_forget(event.wait());
        let next = create_task(event.wait());
        yield_now().await;
        event.set();
        assert!(timeout(SECOND, next).await.unwrap().is_ok());

        let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(2)));
        poll_and_forget(barrier.wait());
        assert!(timeout(SECOND, barrier.wait()).await.unwrap().is_ok(), "it had come");

        let condition: &'static Condition = Box::leak(Box::new(Condition::new()));
        poll_and_forget(async { drop(condition.wait(condition.acquire().await).await) });
        let next = create_task(async { drop(condition.wait(condition.acquire().await).await) });
        yield_now().await;
        let guard = condition.acquire().await;
        condition.notify_all().unwrap();
        drop(guard);
        yield_now().await;
        // The forgotten one has the lock, for ever: the next can be told so by its time limit, and leaves.
        drop(timeout(SECOND, next).await);
        condition.lock().release().unwrap_or_default();
    });
}

#[test]
fn h13_ends_of_queues() {
    test::run(async {
        let queue = Queue::<u32>::new(1);
        let (theirs, fulls) = (queue.clone(), queue.clone());
        poll_and_forget(async move { _ = theirs.get().await });
        let next = queue.clone();
        let next = create_task(async move { next.get().await.unwrap() });
        yield_now().await;
        queue.put_nowait(1).unwrap(); // Its wake-up goes to the forgotten one.
        queue.get_nowait().unwrap();
        queue.put_nowait(2).unwrap();
        assert_eq!(timeout(SECOND, next).await.unwrap().unwrap(), 2);

        queue.put_nowait(3).unwrap();
        poll_and_forget(async move { _ = fulls.put(9).await });
        let behind = queue.clone();
        let put = create_task(async move { behind.put(4).await });
        yield_now().await;
        assert_eq!((queue.get_nowait().unwrap(), queue.is_empty()), (3, true));
        queue.put_nowait(5).unwrap();
        queue.get_nowait().unwrap();
        assert!(timeout(SECOND, put).await.unwrap().unwrap().is_ok());
        let mut items = queue.stream();
        assert_eq!(futures_lite_next(&mut items).await, Some(4));
        forget(items);
        queue.shutdown(true);
    });
}

/// The next item of a stream, as `futures-lite` would say.
async fn futures_lite_next(items: &mut corio::queue::Items<corio::queue::Fifo<u32>>) -> Option<u32> {
    use futures_core::Stream;
    std::future::poll_fn(|cx| Pin::new(&mut *items).poll_next(cx)).await
}

#[test]
fn h13_handles_of_the_loop() {
    test::run(async {
        let event_loop = LoopHandle::current();
        forget(event_loop.clone());
        let fired = Rc::new(std::cell::Cell::new(0));
        let count = || {
            let fired = Rc::clone(&fired);
            move || fired.set(fired.get() + 1)
        };
        forget(event_loop.call_soon(count()));
        forget(event_loop.call_later(SECOND, count()));
        forget(create_task(async {}));
        forget(create_task(sleep(SECOND)).task_ref());
        forget(event_loop.remote().call_soon_threadsafe(|| ()).unwrap());
        let mut nap = Box::pin(sleep(SECOND));
        assert!(poll_once(nap.as_mut(), Waker::noop()).is_pending());
        let nap: Pin<Box<Sleep>> = nap;
        forget(nap);
        sleep(SECOND * 2).await;
        assert_eq!(fired.get(), 2);
        assert_eq!(event_loop.time().since_start(), SECOND * 2);
    });
}

#[test]
fn h13_combinators_half_way() {
    test::run(async {
        poll_and_forget(join((sleep(SECOND), sleep(SECOND))));
        poll_and_forget(race((sleep(SECOND), sleep(SECOND))));
        poll_and_forget(timeout(SECOND, sleep(SECOND * 9)));
        poll_and_forget(shield(sleep(SECOND)));
        poll_and_forget(catch_cancelled(sleep(SECOND)));
        poll_and_forget(cancel_scope(async |_| sleep(SECOND).await));
        poll_and_forget(TaskGroup::run(async |group| {
            drop(group.create_task(sleep(SECOND)));
            sleep(SECOND * 9).await;
        }));
        let mut both = gather((sleep(SECOND), sleep(SECOND)));
        assert!(poll_with(&mut both, Waker::noop()).is_pending());
        forget(both);
        forget(corio::as_completed([sleep(SECOND)]).within(SECOND * 9));
        let mut turns = by_completion([sleep(SECOND), sleep(SECOND)]);
        turns.next().await;
        forget(turns);
        // Timers of the forgotten still ring, and find nothing to do.
        sleep(SECOND * 20).await;
        assert_eq!(gather((async { 1 }, async { 2 })).await.unwrap(), (1, 2));
    });
}

#[test]
fn h13_both_ends_of_a_promise_and_the_loan_of_its_value() {
    let (set, mut future) = promise::<u32>();
    let (waker, wakes) = Wakes::new();
    assert!(poll_with(&mut future, &waker).is_pending());
    forget(set);
    assert_eq!(wakes.count(), 0, "as if the promise were still held: what asyncio does always");
    assert!(future.cancel() && pollster::block_on(future).is_err());

    let (set, mut future) = concurrent::promise::<u32>();
    forget(set);
    assert!(!future.wait(Some(Duration::from_millis(1))));
    assert!(future.cancel() && future.result(Some(LONG)).is_err());

    let (set, future) = promise::<u32>();
    let other = future.share();
    set.set_result(7).unwrap();
    forget(future.result().unwrap()); // A `Ref`, lent for ever.
    assert_eq!(pollster::block_on(other), Ok(7), "it is cloned");
    forget(future);
}

#[test]
fn h13_generators_and_tokens_of_context() {
    static VARIABLE: ContextVar<u32> = ContextVar::new("forgotten");
    test::run(async {
        forget(VARIABLE.set(1));
        assert_eq!(VARIABLE.get(), Some(1));
        let mut numbers: Generator<'_, u32> = generator(|y| async move { y.yield_all(0..9).await });
        assert_eq!(numbers.start(), Some(0));
        forget(numbers);
        let mut numbers = async_generator(|y| async move {
            for n in 0..9 {
                y.yield_(n).await;
                sleep(SECOND).await;
            }
        });
        assert_eq!(numbers.next().await, Some(0));
        poll_and_forget(Box::leak(Box::new(numbers)).next());
        sleep(SECOND * 5).await;
    });
}

#[test]
fn h13_calls_in_threads_and_the_pool_itself() {
    alone(|| {
        let pool = ThreadPoolExecutor::builder().max_threads(1).build().unwrap();
        forget(run_in_executor(&pool, || 1));
        forget(pool.submit(|| 2).unwrap());
        let mut squares = pool.map([1, 2, 3], |n: u32| n * n);
        assert_eq!(squares.next().unwrap().unwrap(), 1);
        forget(squares);
        assert_eq!(pollster::block_on(run_in_executor(&pool, || 3)).unwrap(), 3);
        let ended = pool.shutdown_async(false);
        forget(ended);
        assert!(pool.shutdown_timeout(LONG, false));
        forget(pool);
        forget(ThreadPoolExecutor::new());
        test::run(async {
            poll_and_forget(to_thread(|| 4));
            assert_eq!(to_thread(|| 5).await.unwrap(), 5);
        });
    });
}

#[test]
fn h13_loops_runners_and_sockets() {
    alone(|| {
        // A loop that is forgotten leaks its tasks; the thread can have others, one after the other.
        for _ in 0..3 {
            let event_loop = virtual_loop();
            let task = event_loop.create_task(sleep(SECOND));
            event_loop.run_once().unwrap();
            forget(event_loop);
            assert!(!task.done() && task.cancel());
            let runner = Runner::new();
            runner.run(sleep(Duration::from_micros(10))).unwrap();
            forget(runner);
        }
        let accepted = corio::run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let listener: &'static TcpListener = Box::leak(Box::new(listener));
            poll_and_forget(listener.accept());
            forget(corio::net::TcpStream::connect(address).await.unwrap());
            forget(corio::signal::Signals::new([corio::signal::SIGUSR2]).unwrap());
            let (stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
            forget(stream);
        });
        accepted.unwrap();
        forget(corio::seam::busy());
    });
}
