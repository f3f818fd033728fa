//! Floors: what a row's work costs without a runtime, as far as it can be done without one.

use super::Sample;
use super::network::MESSAGE;
use super::timers::{lateness_at, moment, percentile};
use crate::measure::processor_time;
use rustix::event::epoll;
use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(super) const ALLOCATION: &str = "malloc and free";
pub(super) const TASK: &str = "a place, an entry in a queue, a call, its output taken";
pub(super) const CELL: &str = "a place, a value put in and taken out";
pub(super) const TURN: &str = "take from a queue, call, put back";
pub(super) const RING: &str = "a ring buffer's push and pop";
pub(super) const CLOCK: &str = "reading the clock";
pub(super) const SLEEP: &str = "clock_nanosleep without slack";
pub(super) const FUTEX: &str = "a futex round trip";
pub(super) const EPOLL: &str = "a bare epoll loop";

fn timed(work: impl FnOnce()) -> Sample {
    let start = Instant::now();
    work();
    Sample::Time(start.elapsed())
}

/// Allocates all blocks, each as large as a small task, and frees them.
pub(super) fn all_blocks(n: u64) -> Sample {
    timed(|| drop(black_box((0..n).map(|i| Box::new([i; 10])).collect::<Vec<_>>())))
}

/// The least that a task can be: what it does, by a pointer, its output, and as many words as a small one has.
struct Least {
    run: fn(&mut Least),
    output: Option<u64>,
    words: [u64; 7],
}

impl Least {
    const EMPTY: Least = Least { run: |_| (), output: None, words: [0; 7] };

    fn new(i: u64) -> Least {
        Least { run: |task| task.output = Some(black_box(task.words[0])), output: None, words: [i; 7] }
    }
}

/// Runs tasks that have no wakers, no names and nobody who could cancel or call back, so many at a time: each is written into
/// a place that is kept, stands in a queue, is called, and its output is taken.
pub(super) fn tasks<const COUNT: usize>(n: u64) -> Sample {
    let mut places: Vec<Least> = (0..COUNT).map(|_| Least::EMPTY).collect();
    let mut free: Vec<usize> = (0..COUNT).collect();
    let mut ready = VecDeque::with_capacity(COUNT);
    let mut handles = Vec::with_capacity(COUNT);
    timed(|| {
        for _ in 0..n / COUNT as u64 {
            for i in 0..COUNT as u64 {
                let place = black_box(&mut free).pop().expect("as many places as tasks");
                places[place] = Least::new(black_box(i));
                ready.push_back(place);
                handles.push(place);
            }
            while let Some(place) = black_box(&mut ready).pop_front() {
                let run = black_box(places[place].run);
                run(&mut places[place]);
            }
            let mut sum = 0;
            for place in handles.drain(..) {
                sum += places[place].output.take().expect("it has run");
                free.push(place);
            }
            assert_eq!(sum, super::tasks::sum_to(COUNT as u64));
        }
    })
}

/// Puts a value into a place that is kept, and takes it out.
pub(super) fn cell(n: u64) -> Sample {
    let mut places = vec![None];
    let mut free = vec![0];
    timed(|| {
        let mut sum = 0;
        for i in 0..n {
            let place: usize = black_box(&mut free).pop().expect("it was put back");
            places[place] = Some(black_box(i));
            sum += black_box(&mut places)[place].take().expect("it was put in");
            free.push(place);
        }
        assert_eq!(sum, super::tasks::sum_to(n));
    })
}

/// Calls so many functions in turn, by way of a queue.
pub(super) fn turn<const COUNT: usize>(n: u64) -> Sample {
    let mut ready: VecDeque<Box<dyn FnMut() -> u64>> = VecDeque::new();
    for start in 0..COUNT as u64 {
        let mut count = start;
        ready.push_back(Box::new(move || {
            count += 1;
            count
        }));
    }
    timed(|| {
        for _ in 0..n {
            let mut next = ready.pop_front().expect("it was put back");
            black_box(next());
            ready.push_back(next);
        }
    })
}

/// Puts an item and gets it.
pub(super) fn ring(n: u64) -> Sample {
    let mut items = VecDeque::with_capacity(64);
    timed(|| {
        let mut sum = 0;
        for i in 0..n {
            items.push_back(black_box(i));
            sum += black_box(&mut items).pop_front().expect("it was put");
        }
        assert_eq!(sum, super::tasks::sum_to(n));
    })
}

/// Reads the clock.
pub(super) fn clock(n: u64) -> Sample {
    timed(|| {
        for _ in 0..n {
            black_box(Instant::now());
        }
    })
}

/// Has this thread sleep as exactly as the system can.
fn without_slack() {
    let least = NonZeroU64::new(1);
    rustix::thread::set_current_timer_slack(least).expect("a process may have its sleeps made exact");
}

/// Sleeps a tenth of a millisecond each: the processor time of that.
pub(super) fn slept_through(n: u64) -> Sample {
    without_slack();
    let start = processor_time();
    (0..n).for_each(|_| thread::sleep(Duration::from_micros(100)));
    Sample::Time(processor_time() - start)
}

/// How late a sleep of the thread ends.
pub(super) fn lateness<const PERCENTILE: usize>(n: u64) -> Sample {
    without_slack();
    let sleep = |i| {
        let time = moment(i);
        let due = Instant::now() + time;
        thread::sleep(time);
        lateness_at(due)
    };
    percentile((0..n).map(sleep).collect(), PERCENTILE)
}

/// Two threads that park and unpark each other, which is a futex each way.
pub(super) fn round_trip(n: u64) -> Sample {
    let asked = Arc::new(AtomicU64::new(0));
    let answered = Arc::new(AtomicU64::new(0));
    let here = thread::current();
    let there = {
        let (asked, answered) = (Arc::clone(&asked), Arc::clone(&answered));
        thread::spawn(move || {
            for i in 1..=n {
                park_until(&asked, i);
                answered.store(i, Ordering::Release);
                here.unpark();
            }
        })
    };
    let sample = timed(|| {
        for i in 1..=n {
            asked.store(i, Ordering::Release);
            there.thread().unpark();
            park_until(&answered, i);
        }
    });
    there.join().expect("it does not panic");
    sample
}

fn park_until(word: &AtomicU64, value: u64) {
    while word.load(Ordering::Acquire) != value {
        thread::park();
    }
}

/// Echo over so many connections, both ends on one level-triggered epoll loop, each message one read and one write: processor
/// time. A buffer that is as long as the message needs no read that finds nothing.
pub(super) fn echo<const CONNECTIONS: u64>(n: u64) -> Sample {
    crate::measure::expect_descriptors(2 * CONNECTIONS + 100);
    let rounds = n / CONNECTIONS;
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC).expect("a poller");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut streams = Vec::new();
    let mut left = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = TcpStream::connect(address).expect("a connection");
        let (server, _) = listener.accept().expect("a connection");
        // Even places are servers, which have no rounds to count.
        for stream in [server, client] {
            stream.set_nodelay(true).expect("an option");
            stream.set_nonblocking(true).expect("an option");
            let place = epoll::EventData::new_u64(streams.len() as u64);
            epoll::add(&poller, &stream, place, epoll::EventFlags::IN).expect("a registration");
            streams.push(stream);
            left.push(rounds);
        }
    }
    let start = processor_time();
    for client in streams.iter_mut().skip(1).step_by(2) {
        client.write_all(&[7; MESSAGE]).expect("room for a message");
    }
    answer_all(&poller, &mut streams, &mut left);
    let time = processor_time() - start;
    assert!(left.iter().skip(1).step_by(2).all(|&left| left == 0));
    Sample::Time(time)
}

fn answer_all(poller: &impl std::os::fd::AsFd, streams: &mut [TcpStream], left: &mut [u64]) {
    let mut clients = streams.len() / 2;
    let mut events = Vec::with_capacity(1024);
    while clients > 0 {
        events.clear();
        let ready = epoll::wait(poller, rustix::buffer::spare_capacity(&mut events), None);
        ready.expect("events");
        for event in &events {
            let place = event.data.u64() as usize;
            let mut message = [0; MESSAGE];
            streams[place].read_exact(&mut message).expect("a message");
            assert_eq!(message, [7; MESSAGE]);
            let is_client = place % 2 == 1;
            left[place] -= u64::from(is_client);
            if is_client && left[place] == 0 {
                clients -= 1;
            } else {
                streams[place].write_all(&message).expect("room for a message");
            }
        }
    }
}
