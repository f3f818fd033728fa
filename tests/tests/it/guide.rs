//! The guide's table of names: each is there, and is used as the guide says.

#![allow(dead_code, unused_must_use, reason = "what is not a test here is not run: it compiles")]

use corio::combinators::{Gather, TimeoutScope, WaitSet};
use corio::executor::{Clock, Selector, test};
use corio::sync::{BrokenBarrier, ResourceGuard};
use corio::{AsyncGenerator, Barrier, Executor, ExecutorExt};
use corio::{
    BoundedSemaphore, CallGraph, CancelScope, Cancelled, Condition, Context, ContextVar, ErrorGroup, Event, EventLoop,
    Failure, FutureError, Generator, Handle, InvalidState, JoinError, LifoQueue, Lock, LoopHandle, LoopTime,
    PriorityQueue, Promise, Queue, RemoteHandle, ReturnWhen, RunError, Runner, Semaphore, Task, TaskGroup, TaskOptions,
    TaskRef, ThreadPoolExecutor, TimedOut, TimerHandle, concurrent, executor, net, queue, signal, threadpool,
};
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

const GUIDE: &str = include_str!("../../../crates/corio/GUIDE.md");

const D: Duration = Duration::from_secs(1);

/// Words of the table's second column that are no names of corio's: Rust's own, std's, `futures-io`'s, variables.
const FOREIGN: &str = "Result Option Err Vec Duration async None Send T E Some while for let static impl drop io Drop Rc Stream \
    Iterator read_line read_exact write_all BufReader StreamExt accept with source env main Task-N Cell RefCell \
    futures-lite futures-util futures-io corio-hyper done not_done tasks chunksize ContextVar::new d f CORIO_DEBUG read_until";

#[test]
fn every_name_of_the_guide_is_used_here() {
    let rows = GUIDE.lines().filter(|line| line.starts_with("| ") && line.matches(" | ").count() >= 2);
    let mut missing = Vec::new();
    for row in rows.take_while(|row| !row.contains("what tells")) {
        let row = row.replace("\\|", "");
        let column = row.split('|').nth(2).unwrap_or_default();
        for code in column.split('`').skip(1).step_by(2) {
            let path: String = code
                .trim_start_matches('#')
                .trim_start_matches('[')
                .chars()
                .take_while(|c| c.is_alphanumeric() || "_:".contains(*c))
                .collect();
            let name = path.trim_end_matches(':').rsplit("::").next().unwrap_or_default().to_owned();
            let foreign = FOREIGN.split_whitespace().any(|word| word == path || word == name);
            if !name.is_empty() && !foreign && !include_str!("guide.rs").contains(&name) {
                missing.push(format!("{path} in `{code}`"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[corio::test]
async fn a_test() {}

fn running(make: fn() -> std::io::Result<EventLoop>, clock: impl Clock + 'static, selector: impl Selector + 'static) {
    corio::run(async {});
    let runner = Runner::new();
    Runner::with_loop_factory(make).run(async {});
    runner.event_loop();
    runner.close();
    let event_loop = EventLoop::new().unwrap();
    EventLoop::builder().clock(clock).selector(selector).debug(true).detect_deadlocks(true).build();
    event_loop.run_until_complete(async {});
    event_loop.run_forever();
    event_loop.run_once();
    event_loop.close();
    test::run(async {});
    test::run_seeds(2, async || ());
}

fn the_loop(event_loop: &LoopHandle, remote: &RemoteHandle, context: &Context, fd: &std::net::TcpStream) {
    let _: LoopHandle = LoopHandle::current();
    let _: Option<LoopHandle> = LoopHandle::try_current();
    event_loop.stop();
    remote.stop();
    let _: bool = event_loop.is_running() || event_loop.is_closed();
    let handle: Handle = event_loop.call_soon(|| ());
    let timer: TimerHandle = event_loop.call_later(D, || ());
    event_loop.call_at(event_loop.time(), || ());
    event_loop.call_soon_in(context, || ());
    event_loop.call_later_in(context, D, || ());
    event_loop.call_at_in(context, event_loop.time(), || ());
    handle.cancel();
    handle.cancelled();
    handle.context();
    let _: LoopTime = timer.when();
    event_loop.remote();
    remote.call_soon_threadsafe(|| ());
    remote.run_coroutine_threadsafe(|| async {});
    event_loop.set_eager_tasks(true);
    event_loop.create_task(async {});
    event_loop.create_task_with(TaskOptions::new(), async {});
    event_loop.shutdown_default_executor(D);
    event_loop.set_debug(event_loop.debug());
    event_loop.set_slow_callback_duration(event_loop.slow_callback_duration());
    event_loop.set_exception_handler(|report| LoopHandle::current().default_exception_handler(&report));
    event_loop.exception_handler();
    event_loop.clear_exception_handler();
    event_loop.call_exception_handler(corio::seam::Report::new("none"));
    event_loop.add_reader(fd, || ());
    event_loop.add_writer(fd, || ());
    event_loop.remove_reader(fd);
    event_loop.remove_writer(fd);
}

async fn tasks(mut task: Task<u32>, context: &Context, of_result: Task<Result<u32, String>>) -> Result<(), JoinError> {
    corio::create_task(pending::<()>()).named("n");
    corio::create_task_with(TaskOptions::new().name("n").context(context).eager(true), async {});
    let _: Option<&u32> = task.output();
    let _: Option<Result<u32, JoinError>> = task.take_output();
    task.cancel();
    task.cancel_with("why");
    let _: bool = task.done() || task.cancelled();
    let _: usize = task.cancelling() + task.uncancel() + corio::seam::cancelling();
    let key = task.add_done_callback(|_: &TaskRef| ());
    task.add_done_callback_in(context, |_: &TaskRef| ());
    task.remove_done_callback(key);
    task.set_name(task.name());
    task.location();
    task.task_ref().context();
    task.task_ref().waiting_on();
    let _: Option<TaskRef> = corio::current_task();
    let _: Vec<TaskRef> = corio::all_tasks();
    corio::sleep(D).await;
    corio::sleep_until(LoopTime::MAX).await;
    corio::yield_now().await;
    drop(of_result.reported());
    task.share();
    let caught: Result<(), Cancelled> = corio::catch_cancelled(pending()).await;
    if let Err(cancelled) = caught {
        cancelled.message();
        cancelled.resume().await;
    }
    if let Err(error @ JoinError::Cancelled(_)) = Err::<(), _>(JoinError::from(Cancelled::new())) {
        error.resume().await;
    }
    Ok(())
}

async fn scopes() {
    corio::cancel_scope(async |scope: CancelScope| scope.cancel()).await;
    corio::move_on_after(D, async |_| ()).await;
    corio::move_on_at(LoopTime::MAX, async |_| ()).await;
    corio::shielded(D, async {}).await;
    let _: Option<LoopTime> = corio::current_deadline();
}

async fn several(mut pending: Vec<Task<u32>>, mut set: WaitSet<u32>) -> Result<(), Failure> {
    let gather: Gather<(u32, bool)> = corio::gather((async { 1 }, async { true }));
    gather.cancel();
    let _: Vec<Result<u32, Failure>> = corio::gather_settled([async { 1 }]).await?;
    corio::wait(&mut pending, ReturnWhen::FirstCompleted, D).await;
    let _ = (ReturnWhen::FirstException, ReturnWhen::AllCompleted);
    let mut results = corio::as_completed([async { 1 }]).within(D);
    while let Some(Err(Failure::TimedOut(TimedOut { .. }))) = results.next().await {}
    for turn in corio::as_completed([async { 1 }]) {
        turn.await?;
    }
    let _: Result<u32, TimedOut> = corio::wait_for(async { 1 }, D).await;
    corio::shield(async { 1 }).await?;
    corio::timeout(D, async {}).await;
    corio::timeout_at(LoopTime::MAX, async {}).await;
    corio::timeout_scope(D, async |t: TimeoutScope| t.reschedule(t.when().filter(|_| t.expired()))).await;
    corio::timeout_scope_at(LoopTime::MAX, async |_| ()).await;
    corio::interval(D);
    corio::join((async { 1 }, async { true })).await;
    corio::try_join([async { Ok::<_, ()>(1) }]).await;
    corio::race([async { 1 }]).await;
    corio::by_completion([async { 1 }]).next().await;
    let _: Option<Task<u32>> = set.next().await;
    Ok(())
}

async fn groups() {
    let ended: Result<(), ErrorGroup> = TaskGroup::run(async |group| {
        group.create_task(async { 1 });
        group.try_create_task(async { 1 });
        group.create_task_with(TaskOptions::new(), async { 1 });
        group.cancel();
    })
    .await;
    ended.map_err(ErrorGroup::split::<std::io::Error>);
    TaskGroup::run_limited(2, async |_| ()).await;
    // `TaskGroup::start` and `staggered_race` have examples of their own.
}

async fn futures(promised: Promise<u32>, result: Promise<Result<u32, String>>, mut future: corio::Future<u32>) {
    let (_, other) = corio::promise::<Result<u32, String>>();
    promised.set_result(1);
    result.set_exception(String::new());
    let _: Result<_, InvalidState> = future.result();
    other.exception();
    let _: Option<Result<u32, FutureError>> = future.take();
    let _: bool = future.done() || future.cancelled() || future.cancel() || future.cancel_with("why");
    let key = future.add_done_callback(|_| ());
    future.remove_done_callback(key);
    corio::promise_with_canceller::<u32>(|_message| true);
    drop::<concurrent::Future<u32>>(corio::to_concurrent(future.share()));
    corio::wrap_future(concurrent::promise::<u32>().1).await;
}

async fn sync(queue: Queue<u32>, condition: &Condition, barrier: &Barrier, guard: &ResourceGuard) {
    let (lock, event, semaphore, bounded) = (Lock::new(), Event::new(), Semaphore::new(1), BoundedSemaphore::new(1));
    lock.acquire().await;
    lock.try_acquire();
    lock.release();
    lock.locked();
    event.set();
    event.clear();
    event.is_set();
    event.wait().await;
    semaphore.acquire().await;
    semaphore.release();
    let _ = (semaphore.locked(), semaphore.available(), bounded.locked());
    condition.wait(condition.acquire().await).await;
    condition.wait_for(condition.acquire().await, || Some(1)).await;
    let _ = (Condition::new(), Condition::with_lock(Rc::new(Lock::new())), condition.locked(), condition.statistics());
    condition.notify(1);
    condition.notify_all();
    let _: Result<usize, BrokenBarrier> = barrier.wait().await;
    barrier.reset();
    barrier.abort();
    let _ = (barrier.n_waiting(), barrier.parties(), barrier.broken());
    guard.enter();
    Barrier::new(1);
    queue.put(1).await;
    let _: Result<u32, queue::ShutDown> = queue.get().await;
    let _ = matches!(queue.put_nowait(1), Err(queue::PutError::QueueFull(1)));
    let _ = matches!(queue.get_nowait(), Err(queue::GetError::QueueEmpty));
    queue.task_done();
    queue.join().await;
    queue.shutdown(true);
    let _ = (queue.len(), queue.is_empty(), queue.is_full(), queue.maxsize());
    queue.stream();
    queue::concurrent::Queue::<u32>::new(0);
    let _ = (LifoQueue::<u32>::new(0), PriorityQueue::<u32>::new(0));
}

async fn threads(pool: Arc<ThreadPoolExecutor>, mut future: concurrent::Future<u32>) {
    let _: Result<u32, threadpool::CallError> = corio::run_in_executor(&pool, || 1).await;
    corio::to_thread(|| 1).await;
    let _ = matches!(corio::to_thread(|| 1).await, Err(threadpool::CallError::Broken));
    let _ = threadpool::set_default_executor(threadpool::default_executor());
    let (promise, other) = concurrent::promise::<Result<u32, String>>();
    let _ = matches!(future.result(Some(D)), Err(concurrent::WaitError::TimedOut));
    other.exception(None);
    let _: bool = future.wait(None) || future.cancel() || future.cancelled() || future.running() || future.done();
    future.add_done_callback(|_| ());
    promise.set_running_or_notify_cancel();
    promise.set_exception(String::new());
    concurrent::promise().0.set_result(1);
    pool.submit(|| 1);
    pool.map([1], |x| x);
    pool.map_with(threadpool::MapOptions::new().timeout(D).buffer_size(1), [1], |x| x);
    Executor::shutdown(&*pool, true, false);
    ThreadPoolExecutor::builder().max_threads(1).name_prefix("p").initializer(|| ()).build();
    ThreadPoolExecutor::new();
    let futures = [future];
    concurrent::wait(&futures, None, concurrent::ReturnWhen::AllCompleted);
    for ended in concurrent::as_completed(futures, None) {
        let _: Result<_, concurrent::TimedOut> = ended;
    }
    let _ = matches!(concurrent::promise::<()>().1.await, Err(concurrent::FutureError::Cancelled(_)));
}

fn contexts() {
    static USER: ContextVar<String> = ContextVar::new("user");
    static SENT: ContextVar<String> = ContextVar::for_threads("sent");
    let token: corio::Token<String> = USER.set(String::new());
    token.old_value();
    USER.get();
    USER.with(|_| ());
    USER.reset(token);
    SENT.name();
    corio::copy_context().copy();
    Context::new().run(|| ());
    Context::new().get(&USER);
}

fn inside(task: &Task<u32>, error: RunError) {
    let _: CallGraph = corio::capture_call_graph(task);
    let _: String = corio::format_call_graph(task);
    let _: String = corio::format_all_tasks();
    match error {
        RunError::Deadlock(deadlock) => drop(deadlock.tree().to_owned()),
        RunError::Cancelled(_) | RunError::Interrupted => (),
        _ => (),
    }
}

async fn generators(mut numbers: Generator<'static, u32>, mut slow: AsyncGenerator<u32>) {
    let _: Generator<'_, u32, u32> = corio::generator(async |y| _ = y.yield_(1).await);
    numbers.next();
    numbers.start();
    numbers.send(());
    numbers.close();
    let _: AsyncGenerator<u32> = corio::async_generator(async |y| y.yield_(1).await);
    slow.next().await;
    slow.start().await;
    slow.send(()).await;
    slow.close().await;
    let _: Generator<'_, u32> = corio::generator(async |y: corio::generator::Yielder<u32>| {
        y.yield_from(corio::generator(async |y: corio::generator::Yielder<u32>| y.yield_(1).await)).await;
        y.yield_all([1]).await;
    });
    let _: AsyncGenerator<u32> = corio::async_generator(async |y: corio::generator::AsyncYielder<u32>| {
        y.catch_closed(pending::<()>()).await;
    });
}

async fn sockets() -> std::io::Result<()> {
    let stream = net::TcpStream::connect("localhost:80").await?;
    stream.shutdown(std::net::Shutdown::Write)?;
    net::TcpStream::from_std(stream.into_std()?)?.peer_addr()?;
    net::TcpListener::bind("localhost:0").await?.accept().await?;
    net::resolve("localhost:80").await?;
    let socket = executor::io::Source::new(std::net::UdpSocket::bind("localhost:0")?)?;
    socket.read_with(|socket| socket.recv(&mut [0])).await?;
    signal::Signals::new([signal::SIGHUP])?.recv().await;
    Ok(())
}
