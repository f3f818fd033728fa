//! The loop on a selector whose readiness is written down and a clock that is moved: it runs under Miri.

use corio_executor::io::Source;
use corio_executor::{EventLoop, Interest, LoopHandle, MockSelector, Ready, Selector, VirtualClock, sleep, yield_now};
use futures_lite::future;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A loop on a virtual clock, and its selector.
fn mocked() -> (EventLoop, MockSelector) {
    let selector = MockSelector::new();
    let event_loop = EventLoop::builder().clock(VirtualClock::new()).selector(selector.clone()).build().unwrap();
    (event_loop, selector)
}

/// A descriptor; the mock only looks at its number.
fn descriptor() -> TcpListener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// Numbers that come in one after the other; none is there at first.
#[derive(Clone, Default)]
struct Numbers(Rc<RefCell<Vec<u32>>>);

impl Numbers {
    fn send(&self, number: u32) {
        self.0.borrow_mut().insert(0, number);
    }

    fn receive(&self) -> io::Result<u32> {
        self.0.borrow_mut().pop().ok_or_else(|| ErrorKind::WouldBlock.into())
    }
}

#[test]
fn a_task_reads_what_comes_while_time_passes() {
    let (event_loop, selector) = mocked();
    let log = event_loop.run_until_complete(async {
        let (numbers, source) = (Numbers::default(), Rc::new(Source::new(descriptor()).unwrap()));
        let (incoming, sink) = (numbers.clone(), source.clone());
        drop(LoopHandle::current().create_task(async move {
            for number in 1..=3 {
                sleep(Duration::from_secs(60)).await;
                incoming.send(number);
                selector.make_ready(sink.get_ref(), Interest::READABLE);
            }
        }));
        let mut log = Vec::new();
        for _ in 0..3 {
            let number = source.read_with(|_| numbers.receive()).await.unwrap();
            log.push((number, LoopHandle::current().time().since_start().as_secs()));
        }
        log
    });
    assert_eq!(log.unwrap(), [(1, 60), (2, 120), (3, 180)]);
}

#[test]
fn readers_that_are_cancelled_leave_the_others() {
    let (event_loop, selector) = mocked();
    let outcome = event_loop.run_until_complete(async {
        let (numbers, source) = (Numbers::default(), Rc::new(Source::new(descriptor()).unwrap()));
        let reader = || {
            let (numbers, source) = (numbers.clone(), source.clone());
            LoopHandle::current().create_task(async move { source.read_with(|_| numbers.receive()).await.unwrap() })
        };
        let (first, second, third) = (reader(), reader(), reader());
        yield_now().await;
        second.cancel();
        assert!(second.await.is_err());
        (1..=2).for_each(|number| numbers.send(number));
        selector.make_ready(source.get_ref(), Interest::READABLE);
        (first.await.unwrap(), third.await.unwrap())
    });
    assert_eq!(outcome.unwrap(), (1, 2));
}

/// Both have the task's waker: each must be on the list all the same, for the other may go.
#[test]
fn of_two_readers_in_one_task_either_may_be_given_up() {
    for given_up in [0, 1] {
        let (event_loop, selector) = mocked();
        let outcome = event_loop.run_until_complete(async {
            let (numbers, source) = (Numbers::default(), Source::new(descriptor()).unwrap());
            let (incoming, key) = (numbers.clone(), selector.registered()[0].0);
            LoopHandle::current().call_later(Duration::from_secs(1), move || {
                incoming.send(7);
                selector.report(Ready { key, readable: true, writable: false, interrupted: false });
            });
            let mut readers = [(); 2].map(|()| Some(Box::pin(source.read_with(|_| numbers.receive()))));
            let either = poll_fn(|cx| {
                let mut polled = readers.iter_mut().flatten().map(|reader| reader.as_mut().poll(cx));
                let (first, second) = (polled.next().unwrap(), polled.next());
                if second.is_some() {
                    readers[given_up] = None;
                }
                first
            });
            let in_time = async {
                sleep(Duration::from_secs(60)).await; // It wakes the task, if nothing else does.
                unreachable!("the reader is asked first");
            };
            let number = future::or(either, in_time).await.unwrap();
            (number, LoopHandle::current().time().since_start().as_secs())
        });
        assert_eq!(outcome.unwrap(), (7, 1));
    }
}

/// What is ready is found by the very wait that a loop without hope would not begin.
#[test]
fn one_source_is_hope_enough() {
    let (event_loop, selector) = mocked();
    let mut tries = 0;
    let outcome = event_loop.run_until_complete(async {
        let source = Source::new(descriptor()).unwrap();
        let attempt = source.read_with(|socket| {
            tries += 1;
            if tries == 2 {
                return Ok(());
            }
            selector.make_ready(socket, Interest::READABLE);
            Err(ErrorKind::WouldBlock.into())
        });
        attempt.await.unwrap();
    });
    outcome.unwrap();
    assert_eq!(tries, 2);
    assert_eq!(selector.waits()[0], None, "nobody else has to be watched");
}

#[test]
fn a_busy_loop_without_a_source_asks_nobody() {
    let (event_loop, selector) = mocked();
    let busy = async {
        for _ in 0..100 {
            yield_now().await;
        }
    };
    event_loop.run_until_complete(busy).unwrap();
    assert_eq!(selector.waits(), []);
}

#[test]
fn a_wait_without_a_limit_ends_when_it_is_rung_for() {
    let selector = MockSelector::new();
    let (bell, rung) = (selector.notifier(), Arc::new(AtomicBool::new(false)));
    let ringing = Arc::clone(&rung);
    let ringer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        ringing.store(true, Ordering::SeqCst);
        bell.ring();
    });
    selector.wait(&mut Vec::new(), None).unwrap();
    assert!(rung.load(Ordering::SeqCst), "it is over before anybody rang");
    ringer.join().unwrap();
}

#[test]
fn a_source_says_what_it_is_of() {
    let (event_loop, _) = mocked();
    let said = async {
        let source = Source::new(descriptor()).unwrap();
        (format!("{source:?}"), format!("Source {{ io: Some({:?}), .. }}", source.get_ref()))
    };
    let (said, wanted) = event_loop.run_until_complete(said).unwrap();
    assert_eq!(said, wanted);
}

#[test]
fn one_report_is_one_call_and_so_are_two_of_one_wait() {
    let (event_loop, selector) = mocked();
    let (socket, calls) = (descriptor(), Rc::new(Cell::new(0)));
    let counting = Rc::clone(&calls);
    let main = async {
        LoopHandle::current().add_reader(&socket, move || counting.set(counting.get() + 1)).unwrap();
        let key = selector.registered()[0].0;
        for reports in [1, 2] {
            for _ in 0..reports {
                selector.report(Ready { key, readable: true, writable: false, interrupted: false });
            }
            yield_now().await;
            yield_now().await;
            assert_eq!(calls.replace(0), 1, "{reports} reports");
        }
    };
    event_loop.run_until_complete(main).unwrap();
}

#[test]
fn callbacks_are_entries_of_the_batch() {
    let (event_loop, selector) = mocked();
    let log = Rc::new(RefCell::new(Vec::new()));
    let socket = descriptor();
    event_loop
        .run_until_complete(async {
            let handle = LoopHandle::current();
            let logged = log.clone();
            handle.add_reader(&socket, move || logged.borrow_mut().push("reader")).unwrap();
            assert_eq!(handle.add_writer(&socket, || ()).map_err(|error| error.kind()), Ok(()));
            assert_eq!(selector.registered()[0].1, Interest::BOTH);
            assert!(handle.remove_writer(&socket));
            assert_eq!(selector.registered()[0].1, Interest::READABLE);
            assert!(handle.remove_reader(&socket));
        })
        .unwrap();
    assert!(log.borrow().is_empty() && selector.registered().is_empty());
}

#[test]
fn closing_the_loop_ends_what_waits_for_a_source() {
    let (event_loop, selector) = mocked();
    let dropped = Rc::new(Cell::new(false));
    let flag = Guard(dropped.clone());
    event_loop
        .run_until_complete(async move {
            drop(LoopHandle::current().create_task(async move {
                let _flag = flag;
                let source = Source::new(descriptor()).unwrap();
                source.write_with(|_| io::Result::<()>::Err(ErrorKind::WouldBlock.into())).await.unwrap();
            }));
            yield_now().await;
        })
        .unwrap();
    assert_eq!(selector.registered().len(), 1);
    event_loop.close().unwrap();
    assert!(dropped.get() && selector.registered().is_empty());
}

/// Sets its flag when it is dropped.
struct Guard(Rc<Cell<bool>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(true);
    }
}
