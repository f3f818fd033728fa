//! A toy loop on virtual time, a log, and helpers of the tests.

use corio_seam::{Alarm, LoopTime, Node, OnAlarm, Report, Timer, TimerKey};
use corio_task::{JoinError, TaskSet};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// Timers on a clock that is moved by hand. Ties are due in order of arming.
#[derive(Default)]
pub(crate) struct VirtualTimer {
    now: Cell<LoopTime>,
    armed: RefCell<BTreeMap<(LoopTime, u32), Alarm>>,
    /// When each timer that was not forgotten is due.
    whens: RefCell<BTreeMap<u32, LoopTime>>,
    last: Cell<u32>,
}

impl VirtualTimer {
    /// Returns how many timers are armed.
    pub(crate) fn armed(&self) -> usize {
        self.armed.borrow().len()
    }

    /// Moves the clock to the next deadline; false if there is none.
    fn skip(&self) -> bool {
        let next = self.armed.borrow().keys().next().copied();
        next.inspect(|(when, _)| self.now.set(self.now.get().max(*when))).is_some()
    }

    /// Takes out what is due.
    fn due(&self) -> Vec<Alarm> {
        let mut armed = self.armed.borrow_mut();
        let later = armed.split_off(&(self.now.get(), u32::MAX));
        std::mem::replace(&mut *armed, later).into_values().collect()
    }
}

impl Timer for VirtualTimer {
    fn now(&self) -> LoopTime {
        self.now.get()
    }

    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey {
        self.last.set(self.last.get() + 1);
        self.whens.borrow_mut().insert(self.last.get(), when);
        self.armed.borrow_mut().insert((when, self.last.get()), alarm);
        TimerKey { index: self.last.get(), generation: 0 }
    }

    fn poll(&self, key: TimerKey, waker: &Waker) -> Poll<()> {
        let Some(when) = self.whens.borrow().get(&key.index).copied() else { return Poll::Ready(()) };
        match self.armed.borrow_mut().get_mut(&(when, key.index)) {
            None => Poll::Ready(()),
            Some(alarm) => {
                *alarm = Alarm::Wake(waker.clone());
                Poll::Pending
            }
        }
    }

    fn disarm(&self, key: TimerKey) -> bool {
        let when = self.whens.borrow_mut().remove(&key.index);
        when.is_some_and(|when| self.armed.borrow_mut().remove(&(when, key.index)).is_some())
    }
}

/// A task set on virtual time, with a log.
pub(crate) struct World {
    pub(crate) set: TaskSet,
    pub(crate) timer: Rc<VirtualTimer>,
    /// How many iterations have begun.
    pub(crate) turns: Rc<Cell<usize>>,
}

impl World {
    pub(crate) fn new() -> World {
        let timer = Rc::new(VirtualTimer::default());
        World { set: TaskSet::with_timer(Rc::clone(&timer) as Rc<dyn Timer>), timer, turns: Rc::default() }
    }

    /// Runs `main` to its end, one iteration of asyncio's loop at a time; panics if the loop gets stuck.
    pub(crate) fn run<T>(&self, main: impl Future<Output = T>) -> Result<T, JoinError> {
        let ended = self.set.drive(main, |set| {
            set.drain_inbox();
            self.turns.set(self.turns.get() + 1);
            if !set.has_ready() {
                assert!(self.timer.skip(), "nothing is ready, and nothing ever will be");
            }
            for alarm in self.timer.due() {
                set.push(Node::new(move || match alarm {
                    Alarm::Wake(waker) => waker.wake(),
                    Alarm::Call(object) => object.on_alarm(),
                }))
                .unwrap();
            }
            set.run_batch();
            ControlFlow::Continue(())
        });
        ended.expect("the turn never breaks off")
    }
}

/// Runs `main` in a world of its own.
pub(crate) fn run<T>(main: impl Future<Output = T>) -> T {
    World::new().run(main).expect("the main future ends with a value")
}

/// A log of what happened, shared by the parts of a test.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, line: impl fmt::Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Counts its drops.
#[derive(Clone, Default)]
pub(crate) struct Drops(Rc<Cell<usize>>);

impl Drops {
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }

    /// Returns a value that is counted when it is dropped.
    pub(crate) fn counted(&self) -> Counted {
        Counted(Rc::clone(&self.0))
    }
}

#[derive(Debug)]
pub(crate) struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// asyncio's `sleep`: zero yields once.
pub(crate) async fn sleep(delay: Duration) {
    if delay.is_zero() {
        return yield_now().await;
    }
    corio_seam::sleep_until(corio_seam::now() + delay).await;
}

/// asyncio's `call_later`.
pub(crate) fn call_later(delay: Duration, f: impl FnOnce() + 'static) {
    struct Once<F>(Cell<Option<F>>);
    impl<F: FnOnce()> OnAlarm for Once<F> {
        fn on_alarm(self: Rc<Self>) {
            self.0.take().expect("a timer calls once")();
        }
    }
    let timer = corio_seam::timer();
    timer.arm(timer.now() + delay, Alarm::Call(Rc::new(Once(Cell::new(Some(f))))));
}

/// Yields once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits for ever, without a waker.
pub(crate) async fn forever() {
    std::future::pending().await
}

/// One of Python's exceptions, with its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exception(pub(crate) &'static str, pub(crate) &'static str);

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

impl std::error::Error for Exception {}

/// Has reports written into a log, with the exception's name and text.
pub(crate) fn log_reports(set: &TaskSet, log: &Log) {
    let log = log.clone();
    set.set_report_handler(Some(Rc::new(move |report: Report| {
        let exception = report.error.as_ref().and_then(|error| error.downcast_ref::<Exception>());
        let (name, text) = exception.map_or(("", ""), |exception| (exception.0, exception.1));
        log.add(format!("handler: {name} {} | {text}", report.message));
    })));
}

/// An error with a cause.
#[derive(Debug)]
pub(crate) struct Caused<E>(pub(crate) E);

impl<E> fmt::Display for Caused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("caused")
    }
}

impl<E: Error + 'static> Error for Caused<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
