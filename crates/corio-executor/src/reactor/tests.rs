//! The reactor and its sources on a selector whose readiness is written down: no loop, no system call that matters.

use crate::io::Source;
use crate::reactor::Reactor;
use crate::sys::BorrowedFd;
use crate::{Interest, MockSelector, Mode, Ready, Selector};
use corio_task::Bell;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Counts how often it was woken.
#[derive(Default)]
struct Ledger(AtomicUsize);

impl Ledger {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Ledger {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn ledger() -> (Arc<Ledger>, Waker) {
    let ledger = Arc::new(Ledger::default());
    (ledger.clone(), ledger.into())
}

/// A reactor on a mock selector, and the selector.
fn reactor() -> (Rc<Reactor>, MockSelector) {
    let selector = MockSelector::new();
    (Rc::new(Reactor::with_selector(Rc::new(selector.clone()))), selector)
}

/// A descriptor that nobody reads from: the mock only looks at its number.
fn descriptor() -> TcpListener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// An operation that blocks until `open` is set.
fn gate<'g>(open: &'g Cell<bool>, tries: &'g Cell<u32>) -> impl FnMut(&TcpListener) -> io::Result<u32> + 'g {
    move |_| {
        tries.set(tries.get() + 1);
        if open.get() { Ok(tries.get()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }
}

#[test]
fn a_selector_promises_nothing_unless_it_says_so() {
    /// One that knows nothing.
    struct Bare;

    impl Selector for Bare {
        fn register(&self, _: BorrowedFd<'_>, _: usize, _: Interest, _: Mode) -> io::Result<()> {
            Ok(())
        }
        fn modify(&self, _: BorrowedFd<'_>, _: usize, _: Interest, _: Mode) -> io::Result<()> {
            Ok(())
        }
        fn deregister(&self, _: BorrowedFd<'_>, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn wait(&self, _: &mut Vec<Ready>, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }
        fn notifier(&self) -> Arc<dyn Bell> {
            MockSelector::new().notifier()
        }
    }
    assert!(!Bare.tells_interruptions() && !Bare.changes_modes());
}

#[test]
fn an_operation_is_tried_at_once_and_again_when_ready() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let (ledger, waker) = ledger();
    let mut read = pin!(source.read_with(gate(&open, &tries)));
    let mut cx = Context::from_waker(&waker);
    assert!(read.as_mut().poll(&mut cx).is_pending());
    assert_eq!((tries.get(), selector.registered().len()), (1, 1));
    assert!(read.as_mut().poll(&mut cx).is_pending());
    assert_eq!(tries.get(), 1, "not ready: not worth a try");

    selector.make_ready(source.get_ref(), Interest::WRITABLE);
    reactor.poll().unwrap();
    assert_eq!(ledger.count(), 0, "the other direction wakes nobody");

    selector.make_ready(source.get_ref(), Interest::READABLE);
    reactor.poll().unwrap();
    assert_eq!(ledger.count(), 1);
    open.set(true);
    assert!(matches!(read.as_mut().poll(&mut cx), Poll::Ready(Ok(2))));
}

#[test]
fn readiness_is_remembered_until_it_is_used_up() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(true), Cell::new(0));
    let mut cx = Context::from_waker(Waker::noop());
    for n in 1..=3 {
        let Poll::Ready(Ok(tried)) = source.poll_read_with(&mut cx, gate(&open, &tries)) else { panic!("it is ready") };
        assert_eq!(tried, n);
    }
    open.set(false);
    assert!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_pending());
    assert!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_pending());
    assert_eq!(tries.get(), 4);
    assert!(selector.waits().is_empty(), "no wait was needed for any of it");
}

#[test]
fn a_short_read_is_believed_only_of_a_selector_that_tells_interruptions() {
    for (tells, interrupted, is_believed) in [(false, false, false), (true, false, true), (true, true, false)] {
        let (reactor, selector) = reactor();
        let source = Source::on(reactor.clone(), descriptor()).unwrap();
        selector.tell_interruptions(tells);
        let (key, ..) = selector.registered()[0];
        selector.report(Ready { key, readable: true, writable: false, interrupted });
        reactor.poll().unwrap();
        let (open, tries) = (Cell::new(true), Cell::new(0));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_ready());
        source.note_short_read();
        assert_eq!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_pending(), is_believed);
        assert!(source.poll_write_with(&mut cx, gate(&open, &tries)).is_ready(), "the other direction is as it was");
        selector.make_ready(source.get_ref(), Interest::READABLE);
        reactor.poll().unwrap();
        assert!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_ready());
    }
}

#[test]
fn an_interrupted_operation_is_tried_again() {
    let (reactor, _) = reactor();
    let source = Source::on(reactor, descriptor()).unwrap();
    let mut outcomes = vec![Ok(7), Err(io::ErrorKind::Interrupted.into()), Err(io::ErrorKind::Interrupted.into())];
    let mut cx = Context::from_waker(Waker::noop());
    let outcome = source.poll_write_with(&mut cx, |_| outcomes.pop().unwrap());
    assert!(matches!(outcome, Poll::Ready(Ok(7))));
}

#[test]
fn all_who_wait_are_woken_and_the_dropped_are_not() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let ledgers: Vec<_> = (0..100).map(|_| ledger()).collect();
    let mut reads: Vec<_> = ledgers.iter().map(|_| Box::pin(source.read_with(gate(&open, &tries)))).collect();
    for (read, (_, waker)) in reads.iter_mut().zip(&ledgers) {
        assert!(read.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    assert_eq!(source_waiters(&reactor), 100);
    reads.truncate(60);
    assert_eq!(source_waiters(&reactor), 60, "a dropped future takes its waker back");
    assert_eq!(Arc::strong_count(&ledgers[99].0), 2);

    selector.make_ready(source.get_ref(), Interest::READABLE);
    reactor.poll().unwrap();
    let counts: Vec<_> = ledgers.iter().map(|(ledger, _)| ledger.count()).collect();
    assert!(counts[..60].iter().all(|&count| count == 1));
    assert!(counts[60..].iter().all(|&count| count == 0));
}

/// How many wait to read from the only source.
fn source_waiters(reactor: &Reactor) -> usize {
    let (sources, _) = reactor.slots.borrow().all();
    sources[0].n_waiters(Interest::READABLE)
}

#[test]
fn the_last_waker_of_a_future_counts() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let ((old, old_waker), (new, new_waker)) = (ledger(), ledger());
    let mut read = pin!(source.read_with(gate(&open, &tries)));
    assert!(read.as_mut().poll(&mut Context::from_waker(&old_waker)).is_pending());
    assert!(read.as_mut().poll(&mut Context::from_waker(&new_waker)).is_pending());
    selector.make_ready(source.get_ref(), Interest::READABLE);
    reactor.poll().unwrap();
    assert_eq!((old.count(), new.count()), (0, 1));
    assert_eq!(Arc::strong_count(&old), 2, "the old waker was dropped at once");
}

#[test]
fn poll_functions_leave_few_wakers_and_lose_none() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let ledgers: Vec<_> = (0..20).map(|_| ledger()).collect();
    for (_, waker) in &ledgers {
        for _ in 0..3 {
            let mut cx = Context::from_waker(waker);
            assert!(source.poll_read_with(&mut cx, gate(&open, &tries)).is_pending());
        }
    }
    assert!(source_waiters(&reactor) <= 8);
    selector.make_ready(source.get_ref(), Interest::READABLE);
    reactor.poll().unwrap();
    assert!(ledgers.iter().all(|(ledger, _)| ledger.count() >= 1), "the displaced were woken as they were displaced");
}

#[test]
fn a_waker_that_panics_holds_up_nobody() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("a waker's panic, on purpose");
        }
    }
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let (ledger, waker) = ledger();
    for waker in [Arc::new(Bomb).into(), waker] {
        assert!(source.poll_read_with(&mut Context::from_waker(&waker), gate(&open, &tries)).is_pending());
    }
    selector.make_ready(source.get_ref(), Interest::READABLE);
    reactor.poll().unwrap();
    assert_eq!(ledger.count(), 1);
}

#[test]
fn a_waker_may_drop_the_source_it_is_woken_by() {
    struct Dropper(parking_lot::Mutex<Option<Box<dyn FnOnce() + Send>>>);
    impl Wake for Dropper {
        fn wake(self: Arc<Self>) {
            let drop_it = self.0.lock().take().unwrap();
            drop_it();
        }
    }
    thread_local! { static VICTIM: RefCell<Option<Source<TcpListener>>> = const { RefCell::new(None) } }
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let drop_it: Box<dyn FnOnce() + Send> = Box::new(|| drop(VICTIM.take()));
    let waker = Arc::new(Dropper(parking_lot::Mutex::new(Some(drop_it)))).into();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    assert!(source.poll_read_with(&mut Context::from_waker(&waker), gate(&open, &tries)).is_pending());
    selector.make_ready(source.get_ref(), Interest::READABLE);
    VICTIM.set(Some(source));
    reactor.poll().unwrap();
    assert!(reactor.is_empty() && selector.registered().is_empty());
}

#[test]
fn hazard_24_an_event_of_an_old_key_means_nothing() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (old_key, ..) = selector.registered()[0];
    let _other = Source::on(reactor.clone(), descriptor()).unwrap(); // Keeps the reactor from parking.
    let socket = source.into_inner();
    let source = Source::on(reactor.clone(), socket).unwrap();
    let new_key = selector.registered().iter().map(|&(key, ..)| key).find(|key| *key > 1).unwrap();
    assert_ne!(old_key, new_key);

    let (open, tries) = (Cell::new(false), Cell::new(0));
    let (ledger, waker) = ledger();
    assert!(source.poll_read_with(&mut Context::from_waker(&waker), gate(&open, &tries)).is_pending());
    selector.report(Ready { key: old_key, readable: true, writable: true, interrupted: false });
    selector.report(Ready { key: usize::MAX, readable: true, writable: true, interrupted: false });
    reactor.poll().unwrap();
    assert_eq!(ledger.count(), 0);
    selector.report(Ready { key: new_key, readable: true, writable: false, interrupted: false });
    reactor.poll().unwrap();
    assert_eq!(ledger.count(), 1);
}

#[test]
fn hazard_37_a_descriptor_is_a_source_or_has_callbacks_once() {
    let (reactor, selector) = reactor();
    let socket = Rc::new(descriptor());
    let fd = crate::sys::borrow(&*socket);
    let source = Source::on(reactor.clone(), socket.clone()).unwrap();
    let error = Source::on(reactor.clone(), socket.clone()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("a source"), "{error}");
    let error = reactor.add_callback(fd, Interest::READABLE, Box::new(|| ())).unwrap_err();
    assert!(error.to_string().contains("a source"), "{error}");
    assert!(!reactor.remove_callback(fd, Interest::READABLE), "a source is no reader");
    drop(source);

    reactor.add_callback(fd, Interest::READABLE, Box::new(|| ())).unwrap();
    let error = Source::on(reactor.clone(), socket.clone()).unwrap_err();
    assert!(error.to_string().contains("callbacks"), "{error}");
    assert!(reactor.remove_callback(fd, Interest::READABLE));
    drop(Source::on(reactor.clone(), socket.clone()).unwrap());
    assert!(reactor.is_empty() && selector.registered().is_empty());
}

#[test]
fn hazard_39_a_refused_registration_leaves_nothing_behind() {
    let (reactor, selector) = reactor();
    let socket = Rc::new(descriptor());
    selector.refuse(true);
    Source::on(reactor.clone(), socket.clone()).unwrap_err();
    reactor.add_callback(crate::sys::borrow(&*socket), Interest::READABLE, Box::new(|| ())).unwrap_err();
    assert_eq!((reactor.len(), Rc::strong_count(&socket)), (0, 1));
    selector.refuse(false);
    drop(Source::on(reactor.clone(), socket.clone()).unwrap());
}

#[test]
fn hazard_38_a_forked_child_leaves_its_parents_selector_alone() {
    let selector = MockSelector::new();
    let parent = Rc::new(Reactor::with_selector(Rc::new(selector.clone())));
    let source = Source::on(parent, descriptor()).unwrap();
    // Forking takes unsafe code; a reactor that was made under another process number is what the child has.
    let child = Reactor::new();
    let made_by_parent: Rc<dyn crate::Selector> = Rc::new(selector.clone());
    assert!(child.selector.set((made_by_parent, std::process::id() + 1)).is_ok());
    let error = Source::on(Rc::new(child), descriptor()).unwrap_err();
    assert!(error.to_string().contains("forked"), "{error}");
    assert_eq!(selector.registered().len(), 1);
    drop(source);
}

#[test]
fn a_closed_reactor_answers_with_an_error_and_wakes_who_waits() {
    let (reactor, selector) = reactor();
    let source = Source::on(reactor.clone(), descriptor()).unwrap();
    let (open, tries) = (Cell::new(false), Cell::new(0));
    let (ledger, waker) = ledger();
    let mut read = pin!(source.read_with(gate(&open, &tries)));
    let mut cx = Context::from_waker(&waker);
    assert!(read.as_mut().poll(&mut cx).is_pending());
    reactor.close();
    assert_eq!(ledger.count(), 1);
    let Poll::Ready(Err(error)) = read.as_mut().poll(&mut cx) else { panic!("the loop is closed") };
    assert_eq!(error.to_string(), "the event loop of this source is closed");
    assert!(Source::on(reactor.clone(), descriptor()).is_err());
    assert_eq!(selector.registered().len(), 1);
    drop(reactor);
    assert_eq!(selector.registered().len(), 1, "the source keeps what it needs");
}

#[test]
fn closing_drops_the_callbacks() {
    let (reactor, selector) = reactor();
    let socket = descriptor();
    let held = Rc::new(());
    for interest in [Interest::READABLE, Interest::WRITABLE] {
        let held = held.clone();
        let callback = Box::new(move || drop(held.clone()));
        reactor.add_callback(crate::sys::borrow(&socket), interest, callback).unwrap();
    }
    assert_eq!(selector.registered().len(), 1);
    assert_eq!((selector.registered()[0].1, selector.registered()[0].2), (Interest::BOTH, Mode::Level));
    reactor.close();
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(reactor.is_empty() && selector.registered().is_empty());
}

#[test]
fn a_ring_ends_the_next_sleep_wherever_it_is() {
    let (reactor, _) = reactor();
    let bell = reactor.bell();
    bell.ring();
    reactor.wait(None).unwrap();
    let _source = Source::on(reactor.clone(), descriptor()).unwrap();
    bell.ring();
    reactor.wait(None).unwrap();
}

#[test]
fn a_ring_of_another_thread_ends_a_sleep_and_a_foreign_unpark_does_not_matter() {
    let (reactor, _) = reactor();
    let (bell, sleeper) = (reactor.bell(), thread::current());
    let ringer = thread::spawn(move || {
        sleeper.unpark();
        bell.ring();
    });
    reactor.wait(None).unwrap();
    ringer.join().unwrap();
    thread::park(); // The token of `unpark` was not eaten by the loop's sleep.
}

#[test]
fn an_empty_reactor_sleeps_for_its_timeout() {
    let (reactor, selector) = reactor();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2) {
        reactor.wait(Some(Duration::from_millis(2))).unwrap();
    }
    reactor.wait(Some(Duration::ZERO)).unwrap();
    reactor.poll().unwrap();
    assert!(selector.waits().is_empty(), "without a source nobody asks the selector");
}
