//! The loop's timers on virtual time, against a list: armed, taken back, let go of, and due in order.

use crate::tape::OwnTape;
use crate::wakes::{Bell, Mark, poll};
use corio_executor::{
    EventLoop, Handle, LoopHandle, LoopTime, MockSelector, Sleep, TimerHandle, VirtualClock, sleep_until,
};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A callback of the model: when it is due, in which order it was armed, which one it is.
type Armed = (LoopTime, u64, u32);

/// A sleep that is polled by hand.
struct Sleeper {
    when: LoopTime,
    sleep: Pin<Box<Sleep>>,
    bell: Arc<Bell>,
    /// In which turn it was polled first, which arms it.
    armed_in: Option<u64>,
}

struct World {
    tape: RefCell<OwnTape>,
    clock: VirtualClock,
    handle: LoopHandle,
    armed: RefCell<Vec<Armed>>,
    ready: RefCell<VecDeque<u32>>,
    cancelled: RefCell<Vec<u32>>,
    timers: RefCell<Vec<(u32, TimerHandle)>>,
    soons: RefCell<Vec<(u32, Handle)>>,
    sleepers: RefCell<Vec<Sleeper>>,
    numbers: Cell<u32>,
    turns: Cell<u64>,
    is_closed: Cell<bool>,
    alive: Arc<AtomicIsize>,
}

/// Later than any time that a program reaches.
const FAR: Duration = Duration::from_secs(400 * 365 * 86_400);

impl World {
    fn below(&self, bound: usize) -> usize {
        self.tape.borrow_mut().with(|tape| tape.below(bound))
    }

    fn now(&self) -> LoopTime {
        self.handle.time()
    }

    fn delay(&self) -> Duration {
        let number = self.below(8) as u64;
        match self.below(8) {
            0 => Duration::ZERO,
            1 => Duration::from_nanos(number),
            2 => Duration::from_micros(number),
            3 | 4 => Duration::from_millis(number),
            5 => Duration::from_secs(number * 3_600),
            6 => FAR,
            _ => Duration::MAX,
        }
    }

    fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    fn callback(self: &Rc<Self>, number: u32) -> impl FnOnce() + 'static {
        let (world, mark) = (Rc::clone(self), Mark::new(&self.alive));
        move || {
            world.runs(number);
            drop(mark);
        }
    }

    /// A callback runs: it must be the next one, and may do things itself.
    fn runs(self: &Rc<Self>, number: u32) {
        assert!(!self.is_closed.get(), "a callback after the close");
        let mut ready = self.ready.borrow_mut();
        let next = loop {
            let next = ready.pop_front().expect("a callback runs, and none is to");
            if !self.cancelled.borrow().contains(&next) {
                break next;
            }
        };
        drop(ready);
        assert_eq!(next, number, "callbacks out of order");
        self.poll_sleeper();
        for _ in 0..self.below(3) {
            self.operate(false);
        }
    }

    fn arm(self: &Rc<Self>) {
        let number = self.number();
        let delay = self.delay();
        let when = self.now() + delay;
        let timer = match self.below(2) {
            0 => self.handle.call_later(delay, self.callback(number)),
            _ => self.handle.call_at(when, self.callback(number)),
        };
        assert_eq!(timer.when(), when);
        self.armed.borrow_mut().push((when, u64::from(number), number));
        self.timers.borrow_mut().push((number, timer));
    }

    /// Arms one for a time that may be over.
    fn arm_at(self: &Rc<Self>) {
        let number = self.number();
        let when = LoopTime::from_nanos(self.below(256) as u64 * 1_000_000);
        let timer = self.handle.call_at(when, self.callback(number));
        self.armed.borrow_mut().push((when, u64::from(number), number));
        self.timers.borrow_mut().push((number, timer));
    }

    fn call_soon(self: &Rc<Self>) {
        let number = self.number();
        let handle = self.handle.call_soon(self.callback(number));
        self.ready.borrow_mut().push_back(number);
        self.soons.borrow_mut().push((number, handle));
    }

    fn cancel(&self) {
        let Some((number, timer)) = self.pick(&self.timers) else { return };
        let was_armed = self.armed.borrow().iter().any(|armed| armed.2 == number);
        let was_ready = self.ready.borrow().contains(&number) && !self.cancelled.borrow().contains(&number);
        self.armed.borrow_mut().retain(|armed| armed.2 != number);
        self.cancelled.borrow_mut().push(number);
        assert_eq!(timer.cancel(), was_armed || was_ready, "cancel of {number}");
        assert!(!timer.cancel(), "cancelled twice");
        if self.below(2) == 0 {
            self.timers.borrow_mut().push((number, timer));
        }
    }

    fn cancel_soon(&self) {
        let Some((number, handle)) = self.pick(&self.soons) else { return };
        let was_ready = self.ready.borrow().contains(&number) && !self.cancelled.borrow().contains(&number);
        self.cancelled.borrow_mut().push(number);
        assert_eq!(handle.cancel(), was_ready);
    }

    fn pick<T>(&self, list: &RefCell<Vec<T>>) -> Option<T> {
        let count = list.borrow().len();
        let index = (count > 0).then(|| self.below(count))?;
        Some(list.borrow_mut().swap_remove(index))
    }

    fn new_sleeper(&self) {
        let when = self.now() + self.delay();
        let sleep = Box::pin(sleep_until(when));
        self.sleepers.borrow_mut().push(Sleeper { when, sleep, bell: Bell::new(), armed_in: None });
    }

    /// Polls a sleep, which only ends in its time.
    fn poll_sleeper(&self) {
        let Some(mut sleeper) = self.pick(&self.sleepers) else { return };
        if self.below(4) == 0 {
            sleeper.bell = Bell::new();
        }
        let rang = sleeper.bell.count() > 0;
        match poll(sleeper.sleep.as_mut(), &Waker::from(Arc::clone(&sleeper.bell))) {
            Poll::Ready(()) => assert!(sleeper.when <= self.now(), "a sleep ended early"),
            Poll::Pending => {
                assert!(!rang, "a sleep was woken, and sleeps");
                sleeper.armed_in.get_or_insert(self.turns.get());
                self.sleepers.borrow_mut().push(sleeper);
            }
        }
    }

    /// Returns when the next thing is due that the loop knows of.
    fn next(&self) -> Option<LoopTime> {
        let armed = self.armed.borrow().iter().map(|armed| armed.0).min();
        let sleepers = self.sleepers.borrow();
        let asleep = sleepers.iter().filter(|sleeper| sleeper.armed_in.is_some() && sleeper.bell.count() == 0);
        armed.into_iter().chain(asleep.map(|sleeper| sleeper.when)).min()
    }

    /// Turns the loop once, and does the same to the model.
    fn turn(&self, event_loop: &EventLoop) {
        let mut now = self.now();
        if self.ready.borrow().is_empty() {
            match self.next() {
                Some(next) if next < LoopTime::ZERO + FAR => now = now.max(next),
                _ => return, // It would sleep for ever.
            }
        }
        let mut armed = self.armed.borrow_mut();
        let (mut due, left): (Vec<Armed>, Vec<Armed>) = armed.drain(..).partition(|armed| armed.0 <= now);
        *armed = left;
        drop(armed);
        due.sort_unstable();
        self.ready.borrow_mut().extend(due.iter().map(|due| due.2));
        let batch: Vec<u32> = self.ready.borrow().iter().copied().collect();
        self.turns.set(self.turns.get() + 1);
        event_loop.run_once().expect("the mock selector never fails");
        assert_eq!(self.now(), now, "the time after an iteration");
        let cancelled = self.cancelled.borrow();
        self.ready.borrow_mut().retain(|number| !(batch.contains(number) && cancelled.contains(number)));
        let left = self.ready.borrow();
        assert!(batch.iter().all(|number| !left.contains(number)), "the batch did not run");
        let (sleepers, turn) = (self.sleepers.borrow(), self.turns.get());
        let mut due =
            sleepers.iter().filter(|sleeper| sleeper.armed_in.is_some_and(|armed| armed < turn) && sleeper.when <= now);
        assert!(due.all(|sleeper| sleeper.bell.count() > 0), "a sleep that is due was not woken");
    }

    /// Does an operation; those that turn the loop or move its clock are for whoever stands outside.
    fn operate(self: &Rc<Self>, outside: bool) {
        match self.below(10) {
            0..=2 => self.arm(),
            3 => self.arm_at(),
            4 => self.call_soon(),
            5 | 6 => self.cancel(),
            7 => self.cancel_soon(),
            8 => drop(self.pick(&self.timers)), // To let go of a handle changes nothing.
            _ if outside => self.clock.advance(Duration::from_micros(self.below(256) as u64 * 700)),
            _ if self.below(3) == 0 => drop(self.pick(&self.sleepers)),
            _ => {
                self.new_sleeper();
                self.poll_sleeper();
            }
        }
    }
}

/// Does what the bytes say with timers.
pub fn run(bytes: &[u8]) {
    let (clock, alive) = (VirtualClock::new(), Arc::new(AtomicIsize::new(0)));
    let builder = EventLoop::builder().clock(clock.clone()).selector(MockSelector::new()).debug(false);
    let event_loop = builder.build().expect("nothing is asked of the system");
    let world = Rc::new(World {
        tape: RefCell::new(OwnTape::new(bytes)),
        clock,
        handle: event_loop.handle().clone(),
        armed: RefCell::default(),
        ready: RefCell::default(),
        cancelled: RefCell::default(),
        timers: RefCell::default(),
        soons: RefCell::default(),
        sleepers: RefCell::default(),
        numbers: Cell::new(0),
        turns: Cell::new(0),
        is_closed: Cell::new(false),
        alive: Arc::clone(&alive),
    });
    while !world.tape.borrow_mut().with(|tape| tape.is_over()) {
        match world.below(3) {
            0 => world.turn(&event_loop),
            _ => world.operate(true),
        }
    }
    world.is_closed.set(true);
    event_loop.close().expect("it does not run");
    // A handle keeps what it is a handle of, which keeps the world.
    drop((world.timers.take(), world.soons.take(), world.sleepers.take()));
    drop((event_loop, world));
    assert_eq!(alive.load(SeqCst), 0, "callbacks were leaked");
}
