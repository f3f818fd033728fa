//! TCP connections whose reads fill their buffers: when they are watched at the level, what ends that, and that nothing
//! is lost, nor the loop kept awake, on the way there and back.

use corio_executor::io::Source;
use corio_executor::{EventLoop, Interest, LoopHandle, Mode, PollingSelector, Ready, Selector, sleep, yield_now};
use corio_task::{Bell, Task};
use futures_lite::future::{poll_once, zip};
use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

const MESSAGE: usize = 64;
const LEVEL: (Interest, Mode) = (Interest::READABLE, Mode::Level);
const EDGES: (Interest, Mode) = (Interest::BOTH, Mode::Edge);
/// Long enough for a loop that does not sleep to turn thousands of times.
const WHILE: Duration = Duration::from_millis(20);
/// How often a loop may turn while it sleeps, and once for each thing that happens.
const FEW: u32 = 8;

/// What a selector was asked.
#[derive(Clone, Default)]
struct Ledger(Rc<Counts>);

#[derive(Default)]
struct Counts {
    waits: Cell<u32>,
    changes: RefCell<Vec<(Interest, Mode)>>,
    refusing: Cell<bool>,
}

impl Ledger {
    fn changes(&self) -> Vec<(Interest, Mode)> {
        self.0.changes.borrow().clone()
    }

    /// Lets the loop have a rest, and returns how often it turned.
    async fn waits_while_at_rest(&self) -> u32 {
        let before = self.0.waits.get();
        sleep(WHILE).await;
        self.0.waits.get() - before
    }
}

/// The selector of this system, with a ledger.
struct Counting(PollingSelector, Ledger);

impl Selector for Counting {
    fn register(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        self.0.register(fd, key, interest, mode)
    }

    fn modify(&self, fd: BorrowedFd<'_>, key: usize, interest: Interest, mode: Mode) -> io::Result<()> {
        let counts = &self.1.0;
        if counts.refusing.get() {
            return Err(io::Error::other("the selector was told to refuse"));
        }
        counts.changes.borrow_mut().push((interest, mode));
        self.0.modify(fd, key, interest, mode)
    }

    fn deregister(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        self.0.deregister(fd, key)
    }

    fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        self.1.0.waits.set(self.1.0.waits.get() + 1);
        self.0.wait(ready, timeout)
    }

    fn notifier(&self) -> Arc<dyn Bell> {
        self.0.notifier()
    }

    fn tells_interruptions(&self) -> bool {
        self.0.tells_interruptions()
    }

    fn changes_modes(&self) -> bool {
        self.0.changes_modes()
    }

    fn used_up(&self, key: usize, interest: Interest) -> io::Result<()> {
        self.0.used_up(key, interest)
    }
}

/// A connection that tells of its reads as `corio_net` does, and counts.
struct Near {
    source: Source<Rc<TcpStream>>,
    tries: Cell<u32>,
    in_vain: Cell<u32>,
    n_bytes: Cell<usize>,
}

impl Near {
    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_with(|stream| {
            self.tries.set(self.tries.get() + 1);
            let read = (&**stream).read(buffer);
            self.in_vain.set(self.in_vain.get() + u32::from(read.is_err()));
            read
        });
        let n = read.await?;
        self.n_bytes.set(self.n_bytes.get() + n);
        match n {
            0 => (),
            n if n < buffer.len() => self.source.note_short_read(),
            _ => self.source.note_full_read(),
        }
        Ok(n)
    }

    /// Waits until so many bytes were read, by whomever.
    async fn has_read(&self, n_bytes: usize) {
        while self.n_bytes.get() < n_bytes {
            yield_now().await;
        }
    }

    /// Reads with buffers of these sizes in turn, to the end, in a task.
    fn read_on(self: &Rc<Near>, sizes: &'static [usize]) -> Task<io::Result<()>> {
        let near = self.clone();
        LoopHandle::current().create_task(async move {
            let mut buffer = [0; MESSAGE];
            for &size in sizes.iter().cycle() {
                if near.read(&mut buffer[..size]).await? == 0 {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// A source and its other end, which blocks.
fn pair() -> (Rc<Near>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    far.set_nodelay(true).unwrap();
    near.set_nonblocking(true).unwrap();
    let source = Source::new(Rc::new(near)).unwrap();
    (Rc::new(Near { source, tries: Cell::default(), in_vain: Cell::default(), n_bytes: Cell::default() }), far)
}

/// Sends messages, each when the one before was read.
async fn send(near: &Near, far: &mut TcpStream, n: usize) {
    for _ in 0..n {
        far.write_all(&[7; MESSAGE]).unwrap();
        near.has_read(near.n_bytes.get() + MESSAGE).await;
    }
}

/// Runs a test on a loop with a ledger.
fn with_ledger<R>(selector: PollingSelector, test: impl AsyncFnOnce(Ledger) -> R) -> R {
    let ledger = Ledger::default();
    let event_loop = EventLoop::builder().selector(Counting(selector, ledger.clone())).build().unwrap();
    event_loop.run_until_complete(test(ledger)).unwrap()
}

/// Runs a test with a connection that is watched at the level, and a task that reads from it.
fn at_level<R>(test: impl AsyncFnOnce(Ledger, Rc<Near>, TcpStream, Task<io::Result<()>>) -> R) -> R {
    with_ledger(PollingSelector::new().unwrap(), async |ledger| {
        let (near, mut far) = pair();
        let reading = near.read_on(&[MESSAGE]);
        yield_now().await; // It waits before the first message comes.
        send(&near, &mut far, 10).await;
        assert_eq!(ledger.changes(), [LEVEL]);
        assert!(ledger.waits_while_at_rest().await < FEW);
        test(ledger, near, far, reading).await
    })
}

/// Cancels a task, and waits until it has left.
async fn cancel(reading: Task<io::Result<()>>) {
    reading.cancel();
    assert!(reading.await.is_err_and(|error| error.is_cancelled()));
}

#[test]
fn messages_of_one_size_are_not_read_in_vain() {
    with_ledger(PollingSelector::new().unwrap(), async |ledger| {
        let (near, mut far) = pair();
        let reading = near.read_on(&[MESSAGE]);
        yield_now().await;
        send(&near, &mut far, 100).await;
        // One before the first, a streak of two, and one in sixteen of those behind the third.
        assert_eq!((near.tries.get() - near.in_vain.get(), near.in_vain.get()), (100, 1 + 2 + 97 / 16));
        assert_eq!(ledger.changes(), [LEVEL]);
        drop(far);
        reading.await.unwrap().unwrap();
    });
}

#[test]
fn a_selector_that_does_not_promise_it_changes_no_mode() {
    for selector in [PollingSelector::portable(), PollingSelector::oneshot()] {
        with_ledger(selector.unwrap(), async |ledger| {
            let (near, mut far) = pair();
            drop(near.read_on(&[MESSAGE]));
            yield_now().await;
            send(&near, &mut far, 50).await;
            assert_eq!(ledger.changes(), []);
        });
    }
}

#[test]
fn a_header_and_a_body_stay_at_edges() {
    with_ledger(PollingSelector::new().unwrap(), async |ledger| {
        let (near, mut far) = pair();
        drop(near.read_on(&[4, MESSAGE - 4]));
        yield_now().await;
        send(&near, &mut far, 100).await;
        assert_eq!((near.tries.get(), near.in_vain.get()), (301, 101), "as without any foresight");
        assert_eq!(ledger.changes(), []);
    });
}

#[test]
fn what_nobody_reads_lets_the_loop_sleep() {
    at_level(async |ledger, near, mut far, reading| {
        cancel(reading).await;
        for _ in 0..50 {
            far.write_all(&[7; MESSAGE]).unwrap();
        }
        assert!(ledger.waits_while_at_rest().await < FEW);
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);
        drop(near.read_on(&[MESSAGE]));
        near.has_read(60 * MESSAGE).await;
    });
}

#[test]
fn a_waker_whose_task_does_not_come_lets_the_loop_sleep() {
    at_level(async |ledger, near, mut far, reading| {
        cancel(reading).await;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(near.source.poll_read_with(&mut cx, |stream| (&**stream).read(&mut [0; 9])).is_pending());
        far.write_all(&[7; MESSAGE]).unwrap();
        assert!(ledger.waits_while_at_rest().await < FEW);
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);
        assert_eq!(near.read(&mut [0; MESSAGE]).await.unwrap(), MESSAGE);
    });
}

#[test]
fn a_flood_is_read_without_a_turn_for_each_piece() {
    at_level(async |ledger, near, mut far, _reading| {
        let before = ledger.0.waits.get();
        far.write_all(&[7; 1000 * MESSAGE]).unwrap();
        near.has_read(1010 * MESSAGE).await;
        let waits = ledger.0.waits.get() - before;
        assert!(waits < 16 + FEW, "{waits} waits");
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);

        send(&near, &mut far, 3).await; // With the last of the flood, a streak.
        assert_eq!(ledger.changes(), [LEVEL, EDGES], "a longer streak is asked for than at first");
        send(&near, &mut far, 1).await;
        assert_eq!(ledger.changes(), [LEVEL, EDGES, LEVEL]);
    });
}

#[test]
fn a_piece_left_behind_is_read_at_the_level() {
    at_level(async |_, near, mut far, _reading| {
        far.write_all(&[7; MESSAGE + 1]).unwrap();
        near.has_read(11 * MESSAGE + 1).await;
        far.write_all(&[7; MESSAGE - 1]).unwrap();
        near.has_read(12 * MESSAGE).await;
    });
}

#[test]
fn an_end_at_the_level_is_read_and_lets_the_loop_sleep() {
    for message in [&[][..], &[7; MESSAGE], &[7; 3 * MESSAGE + 1]] {
        at_level(async |ledger, near, mut far, reading| {
            far.write_all(message).unwrap();
            far.shutdown(Shutdown::Write).unwrap();
            reading.await.unwrap().unwrap();
            assert_eq!(near.n_bytes.get(), 10 * MESSAGE + message.len());
            assert!(ledger.waits_while_at_rest().await < FEW);
            assert_eq!(ledger.changes(), [LEVEL, EDGES]);
            // Half-closed, it still takes what is written; and it never goes back to the level.
            near.source.write_with(|stream| (&**stream).write_all(b"word")).await.unwrap();
            far.read_exact(&mut [0; 4]).unwrap();
            drop(far);
            assert!(ledger.waits_while_at_rest().await < FEW);
        });
    }
}

#[test]
fn a_connection_that_breaks_at_the_level_is_an_error_and_lets_the_loop_sleep() {
    at_level(async |ledger, near, far, reading| {
        near.source.write_with(|stream| (&**stream).write_all(b"word")).await.unwrap();
        drop(far); // With a word unread, it resets the connection.
        assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(ledger.waits_while_at_rest().await < FEW);
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);
    });
}

/// Writes until there is no room; returns how much.
fn fill(near: &Near) -> usize {
    let (block, mut n_bytes) = ([7; 4096], 0);
    let mut cx = Context::from_waker(Waker::noop());
    while near
        .source
        .poll_write_with(&mut cx, |stream| (&**stream).write(&block))
        .map(|n| n_bytes += n.unwrap())
        .is_ready()
    {}
    n_bytes
}

#[test]
fn a_write_that_would_block_at_the_level_waits_for_room() {
    at_level(async |ledger, near, mut far, _reading| {
        let n_bytes = fill(&near);
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);
        let drain = thread::spawn(move || far.read_exact(&mut vec![0; n_bytes]).map(|()| far).unwrap());
        near.source.write_with(|stream| (&**stream).write(b"word")).await.unwrap();
        let mut far = drain.join().unwrap();
        far.read_exact(&mut [0; 4]).unwrap();
        send(&near, &mut far, 1).await;
    });
}

#[test]
fn a_writer_who_waits_keeps_the_connection_at_edges() {
    with_ledger(PollingSelector::new().unwrap(), async |ledger| {
        let (near, mut far) = pair();
        let n_bytes = fill(&near);
        drop(near.read_on(&[MESSAGE]));
        yield_now().await;
        send(&near, &mut far, 20).await;
        assert_eq!(ledger.changes(), []);
        let room = near.source.writable();
        let (room, ()) = zip(room, async { far.read_exact(&mut vec![0; n_bytes]).unwrap() }).await;
        room.unwrap();
    });
}

#[test]
fn two_readers_share_what_comes_at_the_level() {
    at_level(async |_, near, mut far, reading| {
        let other = near.read_on(&[MESSAGE]);
        yield_now().await;
        far.write_all(&[7; 2 * MESSAGE]).unwrap();
        near.has_read(12 * MESSAGE).await;
        send(&near, &mut far, 50).await;
        drop(far);
        let ends = zip(reading, other).await;
        assert!(ends.0.unwrap().is_ok() && ends.1.unwrap().is_ok());
    });
}

#[test]
fn a_cancelled_reader_loses_nothing_at_the_level() {
    at_level(async |_, near, mut far, reading| {
        cancel(reading).await;
        for n in 0..50 {
            let mut buffer = [0; MESSAGE];
            assert!(poll_once(near.read(&mut buffer)).await.is_none(), "nothing was sent");
            far.write_all(&[n; MESSAGE]).unwrap();
            assert_eq!(near.read(&mut buffer).await.unwrap(), MESSAGE);
            assert_eq!(buffer, [n; MESSAGE]);
        }
    });
}

#[test]
fn readable_at_the_level_asks_the_kernel() {
    at_level(async |ledger, near, mut far, reading| {
        cancel(reading).await;
        for _ in 0..3 {
            assert!(poll_once(near.source.readable()).await.is_none());
            far.write_all(&[7; MESSAGE]).unwrap();
            near.source.readable().await.unwrap();
            near.source.readable().await.unwrap();
            assert!(ledger.waits_while_at_rest().await < FEW);
            assert_eq!(near.read(&mut [0; MESSAGE]).await.unwrap(), MESSAGE);
        }
    });
}

#[test]
fn a_source_is_dropped_or_taken_apart_at_the_level() {
    at_level(async |ledger, near, mut far, reading| {
        cancel(reading).await;
        let near = Rc::into_inner(near).unwrap();
        let stream = Rc::into_inner(near.source.into_inner()).expect("the loop has let go of it");
        far.write_all(&[7; MESSAGE]).unwrap();
        assert!(ledger.waits_while_at_rest().await < FEW);
        let source = Source::new(Rc::new(stream)).unwrap();
        let mut buffer = [0; MESSAGE];
        assert_eq!(source.read_with(|stream| (&**stream).read(&mut buffer)).await.unwrap(), MESSAGE);
    });
    at_level(async |ledger, near, mut far, reading| {
        cancel(reading).await;
        drop(near);
        assert_eq!(far.read(&mut [0]).unwrap(), 0, "the other end sees the end");
        assert!(ledger.waits_while_at_rest().await < FEW);
    });
}

#[test]
fn a_source_at_the_level_outlives_its_loop() {
    let (near, mut far) = at_level(async |_, near, far, reading| {
        cancel(reading).await;
        (near, far)
    });
    far.write_all(&[7; MESSAGE]).unwrap();
    corio_executor::run(async {
        assert!(near.read(&mut [0; MESSAGE]).await.is_err(), "its loop is closed");
    })
    .unwrap();
    let source = Rc::into_inner(near).unwrap().source;
    assert!(Rc::into_inner(source.into_inner()).is_some());
}

#[test]
fn a_selector_that_refuses_leaves_it_as_it_is() {
    with_ledger(PollingSelector::new().unwrap(), async |ledger| {
        let (near, mut far) = pair();
        let reading = near.read_on(&[MESSAGE]);
        yield_now().await;
        ledger.0.refusing.set(true);
        send(&near, &mut far, 10).await;
        assert_eq!(near.in_vain.get(), 11, "it stays at edges");
        ledger.0.refusing.set(false);
        send(&near, &mut far, 10).await;
        assert_eq!(ledger.changes(), [LEVEL]);

        // Refused on the way back, it stays at the level until an event finds that it is not refused.
        ledger.0.refusing.set(true);
        far.write_all(&[7; 40 * MESSAGE]).unwrap();
        near.has_read(60 * MESSAGE).await;
        ledger.0.refusing.set(false);
        drop(far);
        reading.await.unwrap().unwrap();
        assert!(ledger.waits_while_at_rest().await < FEW);
        assert_eq!(ledger.changes(), [LEVEL, EDGES]);
    });
}
