//! 35 to 40: descriptors, fork, and what the system refuses. What changes the process has one of its own.

use crate::kit::{LONG, SECOND, alone, descriptors, many, ms, reports, resident, virtual_loop};
use corio::executor::io::Source;
use corio::net::{TcpListener, TcpStream};
use corio::signal::{SIGUSR1, Signals};
use corio::threadpool::{CallError, RejectReason};
use corio::{
    EventLoop, ExecutorExt, LoopHandle, ThreadPoolExecutor, create_task, gather, run_in_executor, sleep, timeout,
    to_thread, yield_now,
};
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit, waitpid};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

/// A pair of sockets that do not block.
fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// How many iterations a loop makes in 20 ms in which nobody has anything to do.
fn idle_iterations(event_loop: &EventLoop) -> usize {
    let over = Rc::new(Cell::new(false));
    let inner = Rc::clone(&over);
    event_loop.call_later(ms(20), move || inner.set(true));
    let mut iterations = 0;
    while !over.get() {
        event_loop.run_once().unwrap();
        iterations += 1;
    }
    iterations
}

#[test]
fn h35_a_hang_up_that_nobody_asked_for_does_not_spin() {
    let event_loop = EventLoop::new().unwrap();
    let (near, far) = pair();
    let waiting = event_loop.create_task(async move {
        let source = Source::new(near).unwrap();
        // Whoever waits hears of the hang-up, and a source that is kept afterwards does not wake the loop again.
        assert_eq!(source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap(), 0);
        sleep(LONG * 60).await;
        drop(source);
    });
    event_loop.run_once().unwrap();
    drop(far);
    assert!(idle_iterations(&event_loop) <= 6);
    assert!(!waiting.done());

    // One that only writes, or does nothing at all, beside a peer that is gone.
    let (near, far) = pair();
    let idle = event_loop.create_task(async move {
        let source = Source::new(near).unwrap();
        source.writable().await.unwrap();
        sleep(LONG * 60).await;
        drop(source);
    });
    event_loop.run_once().unwrap();
    drop(far);
    assert!(idle_iterations(&event_loop) <= 6);
    drop((idle, waiting));
}

/// Lowers the limit of descriptors, and opens files until there is none left.
fn exhaust() -> Vec<File> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error())
}

#[test]
fn h36_without_descriptors_what_needs_one_is_an_error_and_the_rest_goes_on() {
    alone(|| {
        let (near, _far) = pair();
        let files = exhaust();
        // A loop, its timers, tasks, threads need none.
        let ended = corio::run(async move {
            sleep(ms(1)).await;
            let doubled = gather((async { 1 }, async { 2 })).await.unwrap();
            assert_eq!(to_thread(move || doubled.0 + doubled.1).await.unwrap(), 3);
            // The selector does, and so does a socket.
            let refused = Source::new(near).err().unwrap();
            assert!(is_out_of_descriptors(&refused), "{refused}");
            assert!(TcpListener::bind("127.0.0.1:0").await.is_err());
            assert!(TcpStream::connect("127.0.0.1:1").await.is_err());
            assert!(LoopHandle::current().add_signal_handler(SIGUSR1, || ()).is_err());
            drop(files);
            let (near, mut far) = pair();
            let source = Source::new(near).unwrap();
            far.write_all(b"!").unwrap();
            assert_eq!(source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap(), 1);
            drop(Signals::new([SIGUSR1]).unwrap());
        });
        ended.unwrap();
    });
}

#[test]
fn h36_without_descriptors_accept_pauses_says_so_and_does_not_spin() {
    alone(|| {
        let ended = corio::run(async {
            let heard = reports();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let files = exhaust();
            LoopHandle::current().call_later(ms(100), move || drop(files));
            let (start, busy) = (Instant::now(), cpu_time());
            let (_stream, from) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
            assert_eq!(from, client.local_addr().unwrap());
            assert!(start.elapsed() >= ms(100));
            assert!(cpu_time() - busy < ms(60), "it spun for {:?}", cpu_time() - busy);
            assert_eq!(heard.borrow().len(), 1, "{:?}", heard.borrow());
        });
        ended.unwrap();
    });
}

/// The processor time that this process has used.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn h36_a_thread_that_cannot_be_started_is_an_error_and_the_next_one_may_be() {
    alone(|| {
        let pool = ThreadPoolExecutor::builder().max_threads(2).build().unwrap();
        let maximum = getrlimit(Resource::As).maximum;
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let used = statm.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 4096;
        // Room for what is small, and for no thread's stack.
        setrlimit(Resource::As, Rlimit { current: Some(used + (1 << 20)), maximum }).unwrap();
        let ended = pollster::block_on(run_in_executor(&pool, || 1));
        let refused = pool.submit(|| 2).unwrap_err();
        let in_loop = corio::run(async { to_thread(|| 3).await });
        setrlimit(Resource::As, Rlimit { current: maximum, maximum }).unwrap();
        assert!(matches!(ended, Err(CallError::Rejected(RejectReason::NoThread(_)))), "{ended:?}");
        assert!(matches!(in_loop.unwrap(), Err(CallError::Rejected(RejectReason::NoThread(_)))));
        let (job, mut answer) = refused.into_parts();
        job.run();
        assert_eq!(answer.result(Some(LONG)).unwrap(), 2, "the call was given back");
        assert_eq!(pollster::block_on(run_in_executor(&pool, || 4)).unwrap(), 4);
    });
}

#[test]
fn h37_a_descriptor_is_closed_while_it_is_registered_and_its_number_used_again() {
    let ended = corio::run(async {
        let event_loop = LoopHandle::current();
        for _ in 0..100 {
            let (near, far) = pair();
            let called = Rc::new(Cell::new(0));
            let inner = Rc::clone(&called);
            event_loop.add_reader(&near, move || inner.set(inner.get() + 1)).unwrap();
            let number = near.as_raw_fd();
            drop(near); // Closed, and not taken back first.
            let (new, mut other) = pair();
            let again = new.as_raw_fd() == number;
            other.write_all(b"!").unwrap();
            sleep(Duration::ZERO).await;
            // The new one under the old number can be registered, and read.
            let _ = event_loop.remove_reader(&new);
            let source = Source::new(new).unwrap();
            assert_eq!(source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap(), 1);
            assert_eq!(called.get(), 0, "an event of a descriptor that is gone (number used again: {again})");
            drop((source, far));
        }
    });
    ended.unwrap();
}

#[test]
fn h37_registered_twice_is_an_error_in_a_sentence() {
    let ended = corio::run(async {
        let event_loop = LoopHandle::current();
        let (near, _far) = pair();
        let near = Rc::new(near);
        let source = Source::new(Rc::clone(&near)).unwrap();
        assert!(Source::new(Rc::clone(&near)).unwrap_err().to_string().contains("a source"));
        assert!(event_loop.add_reader(&*near, || ()).unwrap_err().to_string().contains("a source"));
        drop(source);
        event_loop.add_reader(&*near, || ()).unwrap();
        assert!(Source::new(Rc::clone(&near)).is_err());
        assert!(event_loop.remove_reader(&*near) && !event_loop.remove_reader(&*near));
        drop(Source::new(near).unwrap());
    });
    ended.unwrap();
}

#[test]
fn h37_deregistered_by_another_in_the_same_batch_it_is_not_called() {
    let ended = corio::run(async {
        let event_loop = LoopHandle::current();
        let ((one, mut a), (two, mut b)) = (pair(), pair());
        let (one, two) = (Rc::new(one), Rc::new(two));
        let called = Rc::new(Cell::new(0));
        for (own, other) in [(&one, &two), (&two, &one)] {
            let (called, other, handle, mine) =
                (Rc::clone(&called), Rc::clone(other), event_loop.clone(), Rc::clone(own));
            event_loop
                .add_reader(&**own, move || {
                    called.set(called.get() + 1);
                    assert!(handle.remove_reader(&*other), "both were called");
                    handle.remove_reader(&*mine);
                })
                .unwrap();
        }
        a.write_all(b"!").unwrap();
        b.write_all(b"!").unwrap();
        sleep(ms(5)).await;
        assert_eq!(called.get(), 1);
    });
    ended.unwrap();
}

/// Forks, calls `child` in the child, and returns the status that it exits with.
fn in_a_fork(child: impl FnOnce() -> i32) -> i32 {
    match fork::fork().unwrap() {
        fork::Fork::Child => std::process::exit(child()),
        fork::Fork::Parent(child) => {
            let child = rustix::process::Pid::from_raw(child).unwrap();
            let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
            status.exit_status().unwrap_or(-1)
        }
    }
}

#[test]
fn h38_a_forked_child_is_told_so_and_leaves_its_parent_s_loop_alone() {
    alone(|| {
        let ended = corio::run(async {
            let (near, mut far) = pair();
            let source = Source::new(near).unwrap();
            let remote = LoopHandle::current().remote();
            yield_now().await;
            let status = in_a_fork(|| {
                // What the child has is a copy, on the same epoll and eventfd. Registering is refused ...
                let (other, _far) = pair();
                let refused = Source::new(other).err().map(|error| error.to_string()).unwrap_or_default();
                // ... and whatever the child rings or drops is its own affair.
                let _ = remote.call_soon_threadsafe(|| ());
                if refused.contains("forked") { 42 } else { 1 }
            });
            assert_eq!(status, 42, "the child's source was not refused");
            // The parent's registration is alive, and its sleep a sleep.
            far.write_all(b"!").unwrap();
            assert_eq!(source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap(), 1);
            let start = Instant::now();
            sleep(ms(20)).await;
            assert!(start.elapsed() >= ms(20));
        });
        ended.unwrap();
    });
}

#[test]
fn h38_a_forked_child_that_drops_its_copy_of_a_source_takes_nothing_from_its_parent() {
    alone(|| {
        let ended = corio::run(async {
            let (near, mut far) = pair();
            let source = Rc::new(std::cell::RefCell::new(Some(Source::new(near).unwrap())));
            yield_now().await;
            let theirs = Rc::clone(&source);
            assert_eq!(
                in_a_fork(move || {
                    drop(theirs.take()); // Which would take it out of the epoll that both have.
                    42
                }),
                42
            );
            far.write_all(b"!").unwrap();
            let source = source.take().unwrap();
            let read = timeout(SECOND * 5, source.read_with(|mut io| io.read(&mut [0; 8]))).await;
            assert_eq!(read.expect("the parent's registration is gone").unwrap(), 1);
        });
        ended.unwrap();
    });
}

#[test]
fn h38_a_forked_child_may_run_a_loop_of_its_own() {
    alone(|| {
        corio::run(async { sleep(ms(1)).await }).unwrap();
        let status = in_a_fork(|| {
            let ended = corio::run(async {
                sleep(ms(1)).await;
                let (near, mut far) = pair();
                let source = Source::new(near).unwrap();
                far.write_all(b"!").unwrap();
                source.read_with(|mut io| io.read(&mut [0; 8])).await.unwrap()
            });
            if matches!(ended, Ok(1)) { 42 } else { 1 }
        });
        assert_eq!(status, 42);
    });
}

#[test]
fn h39_a_registration_that_the_system_refuses_leaves_nothing_behind() {
    alone(|| {
        let ended = corio::run(async {
            let (near, _far) = pair();
            let _selector = Source::new(near).unwrap();
            let before = descriptors();
            for _ in 0..100 {
                let file = File::open(std::env::current_exe().unwrap()).unwrap(); // epoll takes no plain file.
                assert!(LoopHandle::current().add_reader(&file, || ()).is_err());
                assert!(Source::new(file).is_err());
            }
            assert_eq!(descriptors(), before);
        });
        ended.unwrap();
    });
}

#[test]
fn h39_what_is_cancelled_half_way_leaks_no_descriptor() {
    alone(|| {
        let ended = corio::run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            yield_now().await;
            let before = descriptors();
            for n in 0..100 {
                let connecting = create_task(TcpStream::connect(address));
                for _ in 0..n % 4 {
                    yield_now().await;
                }
                connecting.cancel();
                drop(connecting.await);
                let accepting = timeout(Duration::from_micros(n), listener.accept());
                drop(accepting.await);
            }
            while timeout(ms(20), listener.accept()).await.is_ok() {}
            assert_eq!(descriptors(), before);
        });
        ended.unwrap();
    });
}

#[test]
fn h40_a_million_tasks_and_a_hundred_thousand_timers_cost_what_they_hold() {
    alone(|| {
        let (tasks, timers) = (many(1_000_000, 100_000), many(100_000, 100_000));
        let (event_loop, held) = (virtual_loop(), Rc::new(()));
        event_loop.set_exception_handler(drop); // It would be told of each.
        let before = resident();
        for _ in 0..tasks {
            let held = Rc::clone(&held);
            drop(event_loop.create_task(async move {
                sleep(SECOND).await;
                drop(held);
            }));
        }
        event_loop.run_once().unwrap();
        let each = (resident() - before) / tasks;
        // In a build without optimisations too: header, future with its sleep, the set's and the timer's entries.
        assert!(each < 400, "{each} bytes a task that sleeps");
        for n in 0..timers {
            let held = Rc::clone(&held);
            event_loop.call_later(SECOND * (n % 1000) as u32, move || drop(held));
        }
        let start = Instant::now();
        drop(event_loop);
        assert_eq!(Rc::strong_count(&held), 1);
        assert!(start.elapsed() < SECOND * 20, "dropping took {:?}", start.elapsed());
    });
}

#[test]
fn h40_thousands_of_descriptors_are_watched_at_once() {
    alone(|| {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
        let room = limit.maximum.unwrap_or(100_000) as usize;
        let count = many(50_000, 10_000).min(room.saturating_sub(100) / 2);
        let ended = corio::run(async move {
            let mut far = Vec::new();
            let readers: Vec<_> = (0..count)
                .map(|_| {
                    let (near, other) = pair();
                    far.push(other);
                    create_task(async move {
                        let source = Source::new(near)?;
                        source.read_with(|mut io| io.read(&mut [0; 8])).await
                    })
                })
                .collect();
            sleep(ms(1)).await;
            thread::spawn(move || far.iter_mut().for_each(|far| far.write_all(b"!").unwrap())).join().unwrap();
            gather(readers).await.map(|read| read.len())
        });
        assert_eq!(ended.unwrap().unwrap(), count);
    });
}
