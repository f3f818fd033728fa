//! Each public type of each crate, with its auto traits: what may cross threads, be moved while it is pinned, and be looked
//! at after a panic. What is missing is as much of a promise as what is there.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::future::Ready;
use std::marker::PhantomData;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::MutexGuard;

/// A future that must not be moved while it is pinned, as that of an async block.
#[allow(dead_code, reason = "it is a type, and never a value")]
struct Pinned(std::marker::PhantomPinned);

impl Future for Pinned {
    type Output = u32;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<u32> {
        std::task::Poll::Pending
    }
}

/// What `HAS` is where a bound does not hold.
trait Not {
    const HAS: bool = false;
}

/// Types whose own constant `HAS` hides the trait's where the bound holds.
macro_rules! probes {
    ($($Probe:ident: $Bound:path;)*) => {
        $(
            struct $Probe<T: ?Sized>(PhantomData<T>);
            impl<T: ?Sized> Not for $Probe<T> {}
            impl<T: ?Sized + $Bound> $Probe<T> {
                const HAS: bool = true;
            }
        )*
    };
}

probes! {
    IsSend: Send;
    IsSync: Sync;
    IsUnpin: Unpin;
    IsUnwindSafe: std::panic::UnwindSafe;
    IsRefUnwindSafe: std::panic::RefUnwindSafe;
}

/// A type, as it is written; what it should be, and what it is.
struct Row {
    name: String,
    promised: &'static str,
    found: String,
}

macro_rules! rows {
    ($($promised:literal $Type:ty;)*) => {
        vec![$(Row {
            name: stringify!($Type).split_whitespace().collect(),
            promised: $promised,
            found: [
                if IsSend::<$Type>::HAS { 'S' } else { '.' },
                if IsSync::<$Type>::HAS { 'Y' } else { '.' },
                if IsUnpin::<$Type>::HAS { 'P' } else { '.' },
                if IsUnwindSafe::<$Type>::HAS { 'U' } else { '.' },
                if IsRefUnwindSafe::<$Type>::HAS { 'R' } else { '.' },
            ]
            .iter()
            .collect(),
        }),*]
    };
}

/// The table. The letters: `S`end, s`Y`nc, un`P`in, `U`nwindSafe, `R`efUnwindSafe; a dot stands for what a type is not.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    rows! {
        // corio-combinators
        "..P.." corio_combinators::Join<corio_combinators::shapes::Tuple2<Ready<u32>, Ready<u32>>>;
        "..P.." corio_combinators::Race<corio_combinators::shapes::Tuple2<Ready<u32>, Ready<u32>>>;
        "..P.." corio_combinators::TryJoin<corio_combinators::shapes::Tuple2<Ready<Result<u32, ()>>, Ready<Result<u32, ()>>>>;
        "..P.." corio_combinators::WaitSet<u32>;
        "SYPUR" corio_combinators::ReturnWhen;
        "SYPUR" corio_combinators::NothingToWaitFor;
        "..P.." corio_combinators::Gather<u32>;
        "..P.." corio_combinators::TaskGroup;
        "SYPUR" corio_combinators::Refused<Ready<u32>>;
        "..P.." corio_combinators::TaskStatus<u32>;
        "..P.." corio_combinators::NotStarted;
        "..P.." corio_combinators::Fallible<Result<u32, String>>;
        "SYPUR" corio_combinators::TimedOut;
        "..P.." corio_combinators::Failure;
        "..P.." corio_combinators::ErrorGroup;
        "..P.." corio_combinators::AsCompleted<u32>;
        "..P.." corio_combinators::IndexedCompleted<u32>;
        "..P.." corio_combinators::Turns<u32>;
        "..P.." corio_combinators::NextCompleted<u32>;
        "..P.." corio_combinators::CancelScope;
        "..P.." corio_combinators::TimeoutScope;
        "SYPUR" corio_combinators::NotActive;
        "..P.." corio_combinators::Timeout<Ready<u32>>;
        "....." corio_combinators::Timeout<Pinned>;
        "....." corio_combinators::Join<corio_combinators::shapes::Tuple2<Ready<u32>, Pinned>>;
        "....." corio_combinators::Race<corio_combinators::shapes::Tuple2<Pinned, Pinned>>;
        "..P.." corio_combinators::ByCompletion<Pinned>;
        "SY.UR" corio_combinators::Refused<Pinned>;
        "..PUR" corio_combinators::Refused<Ready<Rc<u32>>>;
        "SYPUR" corio_combinators::Won<u32, String>;
        "SYPUR" corio_combinators::AllFailed<String>;
        "..P.." corio_combinators::Shield<u32>;
        "..P.." corio_combinators::ByCompletion<Ready<u32>>;
        "..P.." corio_combinators::shapes::Child<u32>;
        "..P.." corio_combinators::shapes::Slot<u32>;
        "..P.." corio_combinators::shapes::Many<Ready<u32>>;
        "..P.." corio_combinators::shapes::Tuple2<Ready<u32>, Ready<u32>>;
        "..P.." corio_combinators::shapes::Ears<()>;
        "SYPUR" corio_combinators::shapes::Collected;
        "SYPUR" corio_combinators::shapes::List;
        "SYPUR" corio_combinators::shapes::Tuple;
        "SYPUR" corio_combinators::shapes::Key;
        "..P.." corio_combinators::shapes::Shown;
        // corio-executor
        "..P.." corio_executor::EventLoop;
        "..P.." corio_executor::EventLoopBuilder;
        "..P.." corio_executor::Runner;
        "..P.." corio_executor::LoopHandle;
        "..P.." corio_executor::Handle;
        "..P.." corio_executor::TimerHandle;
        "SYP.." corio_executor::RemoteHandle;
        "SYP.." corio_executor::RemoteCall;
        "SYP.." corio_executor::RunError;
        "SYPUR" corio_executor::Deadlock;
        "SYPUR" corio_executor::StillRunning;
        "..P.." corio_executor::Sleep;
        "SYPUR" corio_executor::YieldNow;
        "..P.." corio_executor::Interval;
        "SYPUR" corio_executor::Wait;
        "SYPUR" corio_executor::MonotonicClock;
        "..P.." corio_executor::VirtualClock;
        "SYP.." corio_executor::Busy;
        "..PU." corio_executor::PollingSelector;
        "..P.." corio_executor::MockSelector;
        "SYPUR" corio_executor::Interest;
        "SYPUR" corio_executor::Mode;
        "SYPUR" corio_executor::Ready;
        "..P.." corio_executor::io::Source<TcpStream>;
        "..P.." corio_executor::ExceptionHandler;
        "..P.." corio_executor::test::Sequencer;
        "..P.." corio_executor::test::Step;
        "..P.." corio_executor::test::StepGuard;
        "..P.." corio_executor::test::WaitAllTasksBlocked;
        // corio-future
        "..P.." corio_future::Promise<u32>;
        "..P.." corio_future::Future<u32>;
        "..P.." corio_future::WaitCancelled<'static, u32>;
        "SYPUR" corio_future::CallbackKey;
        "SYPUR" corio_future::FutureError;
        "SYPUR" corio_future::InvalidState;
        "SYP.." corio_future::concurrent::Promise<u32>;
        "SYP.." corio_future::concurrent::Future<u32>;
        "SYP.." corio_future::concurrent::AsCompleted<u32>;
        "SYPUR" corio_future::concurrent::FutureError;
        "SYPUR" corio_future::concurrent::WaitError;
        "SYPUR" corio_future::concurrent::TimedOut;
        "SYPUR" corio_future::concurrent::ReturnWhen;
        "SYPUR" corio_future::concurrent::Waited;
        "SYP.." corio_future::concurrent::Promise<Cell<u32>>;
        "SYP.." corio_future::concurrent::Future<Cell<u32>>;
        "..P.." corio_future::concurrent::Promise<Rc<u32>>;
        "..P.." corio_future::concurrent::Future<Rc<u32>>;
        "..P.." corio_future::concurrent::Future<MutexGuard<'static, u32>>;
        // corio-generator
        "..P.." corio_generator::Generator<'static, u32, u32, u32>;
        "..P.." corio_generator::Yielder<u32, u32>;
        "..P.." corio_generator::Yield<'static, u32, u32>;
        "..P.." corio_generator::AsyncGenerator<u32, u32>;
        "..P.." corio_generator::AsyncYielder<u32, u32>;
        "..P.." corio_generator::Step<'static, u32, u32>;
        "..P.." corio_generator::Close<'static, u32, u32>;
        "..P.." corio_generator::CatchClosed<'static, u32, u32, Ready<u32>>;
        "....." corio_generator::CatchClosed<'static, u32, u32, Pinned>;
        "..P.." corio_generator::Closed;
        "..P.." corio_generator::ResumeClosed;
        // corio-hyper
        "SYPUR" corio_hyper::Executor;
        "SYPUR" corio_hyper::Io<TcpStream>;
        "..P.." corio_hyper::Io<corio_net::TcpStream>;
        "SYP.." corio_hyper::Sleep;
        "SYPUR" corio_hyper::Timer;
        // corio-net
        "SYPUR" corio_net::Address;
        "..P.." corio_net::TcpListener;
        "..P.." corio_net::Incoming<'static>;
        "..P.." corio_net::TcpStream;
        // corio-queue
        "..P.." corio_queue::QueueOf<corio_queue::Fifo<u32>>;
        "..P.." corio_queue::Queue<u32>;
        "..P.." corio_queue::LifoQueue<u32>;
        "..P.." corio_queue::PriorityQueue<u32>;
        "SYPUR" corio_queue::Fifo<u32>;
        "SYPUR" corio_queue::Lifo<u32>;
        "SYPUR" corio_queue::Priority<u32>;
        "..P.." corio_queue::Get<'static, corio_queue::Fifo<u32>>;
        "..P.." corio_queue::Put<'static, corio_queue::Fifo<u32>>;
        "..P.." corio_queue::Join<'static, corio_queue::Fifo<u32>>;
        "..P.." corio_queue::Items<corio_queue::Fifo<u32>>;
        "SYPUR" corio_queue::QueueStatistics;
        "SYPUR" corio_queue::PutError<u32>;
        "..PUR" corio_queue::PutError<Rc<u32>>;
        "..PUR" corio_queue::ShutDown<Rc<u32>>;
        "..PUR" corio_queue::Fifo<Rc<u32>>;
        "SYPUR" corio_queue::GetError;
        "SYPUR" corio_queue::ShutDown<u32>;
        "SYPUR" corio_queue::TooManyTaskDone;
        "SYP.." corio_queue::concurrent::Queue<u32>;
        "SYP.." corio_queue::concurrent::Get<'static, u32>;
        "SYP.." corio_queue::concurrent::Put<'static, u32>;
        "SYP.." corio_queue::concurrent::Join<'static, u32>;
        "SYP.." corio_queue::concurrent::Items<u32>;
        "SYP.." corio_queue::concurrent::Queue<Cell<u32>>;
        "..P.." corio_queue::concurrent::Queue<Rc<u32>>;
        "..P.." corio_queue::concurrent::Put<'static, Rc<u32>>;
        // corio-seam
        "SYPUR" corio_seam::LoopId;
        "..P.." corio_seam::Installed;
        "SYPUR" corio_seam::Closed;
        "..PUR" corio_seam::Seeded;
        "..P.." corio_seam::ShutdownHook;
        "..P.." corio_seam::Header;
        "SYPUR" corio_seam::VTable;
        "SYPUR" corio_seam::Description;
        "..P.." corio_seam::Node;
        "..P.." corio_seam::ReadyQueue;
        "..P.." corio_seam::Batch<'static>;
        "..P.." corio_seam::Shared<u32>;
        "..P.." corio_seam::Waiting;
        "SYPUR" corio_seam::TargetId;
        "SYPUR" corio_seam::Thin<u32>;
        "..PUR" corio_seam::Thin<Rc<u32>>;
        "..P.." corio_seam::ThinTarget;
        "..P.." corio_seam::Context;
        "SYPUR" corio_seam::ContextVar<u32>;
        "SYPUR" corio_seam::ContextVar<Rc<u32>>;
        "..P.." corio_seam::Token<u32>;
        "SYP.." corio_seam::Carried;
        "..P.." corio_seam::Report;
        "SYPUR" corio_seam::Panic;
        "SYPUR" corio_seam::LoopTime;
        "..P.." corio_seam::Alarm;
        "SYPUR" corio_seam::TimerKey;
        "SYP.." corio_seam::Hold;
        "SYP.." corio_seam::Busy;
        "..P.." corio_seam::Sleep;
        "SYPUR" corio_seam::Cancelled;
        "SYPUR" corio_seam::Resume;
        "SYPUR" corio_seam::IntMap<u32>;
        "..PUR" corio_seam::IntMap<Rc<u32>>;
        // corio-signal
        "SYPUR" corio_signal::Signal;
        "SYP.." corio_signal::Signals;
        "SYP.." corio_signal::Recv<'static>;
        "SYPUR" corio_signal::Bell;
        "..PUR" corio_signal::LoopBell;
        "SYP.." corio_signal::Fallback;
        // corio-sync
        "S.PU." corio_sync::Lock;
        "..P.." corio_sync::Acquire<'static>;
        "..P.." corio_sync::LockGuard<'static>;
        "..P.." corio_sync::Condition;
        "..P.." corio_sync::ConditionWait<'static>;
        "S.PU." corio_sync::Semaphore;
        "S.PU." corio_sync::BoundedSemaphore;
        "..P.." corio_sync::AcquirePermit<'static>;
        "..P.." corio_sync::Permit<'static>;
        "S.PU." corio_sync::Event;
        "..P.." corio_sync::EventWait<'static>;
        "S.PU." corio_sync::Barrier;
        "..P.." corio_sync::BarrierWait<'static>;
        "S.PU." corio_sync::ResourceGuard;
        "..P.." corio_sync::InUse<'static>;
        "SYPUR" corio_sync::Wakers;
        "SYPUR" corio_sync::WaiterList;
        "SYPUR" corio_sync::WaiterKey;
        "S.PU." corio_sync::Waiters;
        "SYPUR" corio_sync::Removed;
        "SYPUR" corio_sync::LockStatistics;
        "SYPUR" corio_sync::EventStatistics;
        "SYPUR" corio_sync::ConditionStatistics;
        "SYPUR" corio_sync::SemaphoreStatistics;
        "SYPUR" corio_sync::BarrierStatistics;
        "SYPUR" corio_sync::ResourceGuardStatistics;
        "SYPUR" corio_sync::NotLocked;
        "SYPUR" corio_sync::NotAcquired;
        "SYPUR" corio_sync::BrokenBarrier;
        "SYPUR" corio_sync::BusyResource;
        "SYPUR" corio_sync::TooManyReleases;
        // corio-task
        "..P.." corio_task::TaskSet;
        "SYP.." corio_task::RemoteSet;
        "..P.." corio_task::RunUntil<'static, u32>;
        "..P.." corio_task::Task<u32>;
        "..P.." corio_task::TaskRef;
        "SYPUR" corio_task::TaskId;
        "..P.." corio_task::TaskOptions;
        "SYPUR" corio_task::CallbackKey;
        "..P.." corio_task::CallGraph;
        "SYPUR" corio_task::JoinError;
        "..P.." corio_task::Branch;
        "..P.." corio_task::BranchChildren;
        "..P.." corio_task::Entered<'static>;
        "..P.." corio_task::Seats;
        "..P.." corio_task::Scope;
        "..P.." corio_task::ScopeHandle;
        "..P.." corio_task::CatchCancelled<Ready<u32>>;
        "....." corio_task::CatchCancelled<Pinned>;
        "..P.." corio_task::SleepTimer<fn(corio_seam::LoopTime) -> Ready<()>>;
        "SYPUR" corio_task::Until;
        // corio-threadpool
        "SYP.." corio_threadpool::ThreadPoolExecutor;
        "SYP.." corio_threadpool::Builder;
        "SYP.." corio_threadpool::ShutDown;
        "S.P.." corio_threadpool::Job;
        "SYP.." corio_threadpool::Call<u32>;
        "SYP.." corio_threadpool::Call<Cell<u32>>;
        "..P.." corio_threadpool::Call<Rc<u32>>;
        "..P.." corio_threadpool::SubmitError<Rc<u32>>;
        "SYP.." corio_threadpool::ToThread<fn() -> u32, u32>;
        "..P.." corio_threadpool::ToThread<Box<dyn FnOnce() -> u32>, u32>;
        "S.P.." corio_threadpool::Rejected;
        "SYP.." corio_threadpool::RejectReason;
        "S.P.." corio_threadpool::SubmitError<u32>;
        "SYP.." corio_threadpool::CallError;
        "SYP.." corio_threadpool::MapError;
        "SYPUR" corio_threadpool::BuildError;
        "SYPUR" corio_threadpool::MapOptions;
        "SYP.." corio_threadpool::Map<'static, corio_threadpool::ThreadPoolExecutor, std::vec::IntoIter<u32>, fn(u32) -> u32, u32>;
    }
}

#[test]
fn each_type_is_what_the_table_says() {
    let wrong: Vec<_> = table().into_iter().filter(|row| row.promised != row.found).collect();
    let told: Vec<_> = wrong.iter().map(|row| format!("{} {} {}", row.name, row.promised, row.found)).collect();
    assert!(told.is_empty(), "type, promised, found: {told:#?}");
}

/// Every file of sources in a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The public types of a crate. The lint `unreachable_pub` sees to it that what says `pub` can be reached.
fn public_types(krate: &str) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates").join(krate).join("src"),
        &mut files,
    );
    let mut types = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(file).unwrap();
        let words = |line: &str| -> Option<String> {
            let rest = line.trim_start().strip_prefix("pub ")?;
            let rest = ["struct ", "enum ", "union ", "type "].iter().find_map(|word| rest.strip_prefix(word))?;
            Some(rest.chars().take_while(|c| c.is_alphanumeric()).collect())
        };
        types.extend(source.lines().filter_map(words).filter(|name| !name.is_empty()));
    }
    types
}

#[test]
fn every_public_type_is_in_the_table() {
    // A child in place, of which only its combinator is seen, and associated types that are written like types.
    const UNNAMED: [&str; 1] = ["Member"];
    let table: Vec<String> = table().into_iter().map(|row| row.name).collect();
    let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates")).unwrap();
    let mut count = 0;
    for krate in crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        if krate == "corio-crawl" {
            continue; // A program.
        }
        let prefix = format!("{}::", krate.replace('-', "_"));
        let rows: Vec<_> = table.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
        let named = |row: &str| row.split('<').next().unwrap().rsplit("::").next().unwrap().to_string();
        let named: BTreeSet<_> = rows.into_iter().map(named).collect();
        for name in public_types(&krate) {
            assert!(named.contains(&name) || UNNAMED.contains(&&*name), "{krate}: {name} is not in the table");
            count += 1;
        }
    }
    assert!(count > 150, "{count} types");
}
