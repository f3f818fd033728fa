//! Queues of all kinds against plain collections: waits that are given up, shutdowns, room, and wakers that come back.

use crate::tape::OwnTape;
use crate::wakes::{Bell, Mark, poll};
use corio_queue::{GetError, LifoQueue, PriorityQueue, PutError, Queue, ShutDown, concurrent};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::task::{Poll, Waker};

/// An item: which one it is, and its rank in a queue that has ranks.
#[derive(Debug)]
struct Item {
    rank: u8,
    number: u32,
    _mark: Mark,
}

impl Item {
    fn key(&self) -> (u8, u32) {
        (self.rank, self.number)
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Item) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// A `put` that waits, with the key of its item.
type Putter = ((u8, u32), Waiter<Result<(), ShutDown<Item>>>);

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// What the kinds have in common.
trait Line {
    fn put(&self, item: Item) -> Boxed<Result<(), ShutDown<Item>>>;
    fn get(&self) -> Boxed<Result<Item, ShutDown>>;
    fn join(&self) -> Boxed<()>;
    fn put_nowait(&self, item: Item) -> Result<(), PutError<Item>>;
    fn get_nowait(&self) -> Result<Item, GetError>;
    fn task_done(&self) -> bool;
    fn shutdown(&self, immediate: bool);
    fn state(&self) -> (usize, bool, bool, bool);
}

macro_rules! line {
    ($($Kind:ty),*) => {$(
        impl Line for $Kind {
            fn put(&self, item: Item) -> Boxed<Result<(), ShutDown<Item>>> {
                let queue = self.clone();
                Box::pin(async move { queue.put(item).await })
            }

            fn get(&self) -> Boxed<Result<Item, ShutDown>> {
                let queue = self.clone();
                Box::pin(async move { queue.get().await })
            }

            fn join(&self) -> Boxed<()> {
                let queue = self.clone();
                Box::pin(async move { queue.join().await })
            }

            fn put_nowait(&self, item: Item) -> Result<(), PutError<Item>> {
                <$Kind>::put_nowait(self, item)
            }

            fn get_nowait(&self) -> Result<Item, GetError> {
                <$Kind>::get_nowait(self)
            }

            fn task_done(&self) -> bool {
                <$Kind>::task_done(self).is_ok()
            }

            fn shutdown(&self, immediate: bool) {
                <$Kind>::shutdown(self, immediate);
            }

            fn state(&self) -> (usize, bool, bool, bool) {
                (self.len(), self.is_empty(), self.is_full(), self.is_shut_down())
            }
        }
    )*};
}

line!(Queue<Item>, LifoQueue<Item>, PriorityQueue<Item>, concurrent::Queue<Item>);

/// In which order a kind gives its items.
#[derive(Clone, Copy, Debug)]
enum Order {
    First,
    Last,
    Least,
}

/// What a queue must hold.
#[derive(Debug)]
struct Model {
    order: Order,
    items: VecDeque<(u8, u32)>,
    maxsize: usize,
    unfinished: usize,
    shut_down: bool,
}

impl Model {
    fn is_full(&self) -> bool {
        self.maxsize > 0 && self.items.len() >= self.maxsize
    }

    fn put(&mut self, key: (u8, u32)) {
        self.items.push_back(key);
        self.unfinished += 1;
    }

    fn pop(&mut self) -> Option<(u8, u32)> {
        match self.order {
            Order::First => self.items.pop_front(),
            Order::Last => self.items.pop_back(),
            Order::Least => {
                let least = self.items.iter().enumerate().min_by_key(|(_, key)| **key).map(|(at, _)| at)?;
                self.items.remove(least)
            }
        }
    }

    fn shut_down(&mut self, immediate: bool) {
        self.shut_down = true;
        if immediate {
            self.unfinished = self.unfinished.saturating_sub(self.items.len());
            self.items.clear();
        }
    }
}

/// Somebody who waits, and when that one was woken.
struct Waiter<T> {
    future: Boxed<T>,
    bell: Arc<Bell>,
    seen: usize,
    is_fresh: bool,
}

impl<T> Waiter<T> {
    fn is_woken(&self) -> bool {
        self.bell.count() > self.seen
    }

    fn step(&mut self) -> Poll<T> {
        self.seen = self.bell.count();
        self.is_fresh = false;
        poll(self.future.as_mut(), &Waker::from(Arc::clone(&self.bell)))
    }
}

struct World {
    tape: RefCell<OwnTape>,
    queue: Box<dyn Line>,
    model: RefCell<Model>,
    getters: RefCell<Vec<Waiter<Result<Item, ShutDown>>>>,
    putters: RefCell<Vec<Putter>>,
    joiners: RefCell<Vec<Waiter<()>>>,
    numbers: Cell<u32>,
    depth: Cell<usize>,
    alive: Arc<AtomicIsize>,
}

thread_local! {
    /// Where wakers find the world: they are `Send`, and it is not.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// The most that may be inside one another: a waker in a call in a waker.
const MOST_DEPTH: usize = 4;

/// What a waker does: nothing, or something with the queue.
fn come_back() {
    let world = WORLD.with(|world| world.try_borrow().ok().and_then(|world| world.clone()));
    let Some(world) = world else { return };
    if world.depth.get() < MOST_DEPTH {
        world.depth.set(world.depth.get() + 1);
        match world.below(4) {
            0 => world.put_nowait(),
            1 => world.get_nowait(),
            2 => world.task_done(),
            _ => {}
        }
        world.depth.set(world.depth.get() - 1);
    }
}

impl World {
    fn below(&self, bound: usize) -> usize {
        self.tape.borrow_mut().with(|tape| tape.below(bound))
    }

    fn item(&self) -> Item {
        self.numbers.set(self.numbers.get() + 1);
        Item { rank: self.below(4) as u8, number: self.numbers.get(), _mark: Mark::new(&self.alive) }
    }

    fn waiter<T>(&self, future: Boxed<T>) -> Waiter<T> {
        let bell = if self.below(3) == 0 { Bell::calling(come_back) } else { Bell::new() };
        Waiter { future, bell, seen: 0, is_fresh: true }
    }

    // The model is told first: a waker that comes back finds it as the queue is.

    fn put_nowait(&self) {
        let item = self.item();
        let (key, mut model) = (item.key(), self.model.borrow_mut());
        let (shut_down, full) = (model.shut_down, model.is_full());
        if !shut_down && !full {
            model.put(key);
        }
        drop(model);
        match self.queue.put_nowait(item) {
            Ok(()) => assert!(!shut_down && !full),
            Err(PutError::ShutDown(item)) => assert!(shut_down && item.key() == key),
            Err(PutError::QueueFull(item)) => assert!(!shut_down && full && item.key() == key),
            Err(error) => panic!("{error:?}"),
        }
    }

    fn get_nowait(&self) {
        let mut model = self.model.borrow_mut();
        let (expected, shut_down) = (model.pop(), model.shut_down);
        drop(model);
        match self.queue.get_nowait() {
            Ok(item) => assert_eq!(Some(item.key()), expected),
            Err(error) => assert_eq!((error.is_shut_down(), expected), (shut_down, None)),
        }
    }

    fn task_done(&self) {
        let expected = self.model.borrow().unfinished > 0;
        self.model.borrow_mut().unfinished -= usize::from(expected);
        assert_eq!(self.queue.task_done(), expected, "task_done");
    }

    fn step_getter(&self, index: usize) {
        let mut waiter = self.getters.borrow_mut().swap_remove(index);
        let goes_on = waiter.is_fresh || waiter.is_woken();
        let mut model = self.model.borrow_mut();
        let (expected, shut_down) = (goes_on.then(|| model.pop()).flatten(), model.shut_down);
        drop(model);
        match waiter.step() {
            Poll::Ready(Ok(item)) => assert_eq!(Some(item.key()), expected, "get"),
            Poll::Ready(Err(ShutDown(()))) => assert!(goes_on && shut_down && expected.is_none(), "a get was refused"),
            Poll::Pending => {
                assert!(expected.is_none() && !(goes_on && shut_down), "a get could go on");
                self.getters.borrow_mut().push(waiter);
            }
        }
    }

    fn step_putter(&self, index: usize) {
        let (key, mut waiter) = self.putters.borrow_mut().swap_remove(index);
        let goes_on = waiter.is_fresh || waiter.is_woken();
        let mut model = self.model.borrow_mut();
        let (shut_down, fits) = (model.shut_down, goes_on && !model.shut_down && !model.is_full());
        if fits {
            model.put(key);
        }
        drop(model);
        match waiter.step() {
            Poll::Ready(Ok(())) => assert!(fits, "a put was let in"),
            Poll::Ready(Err(ShutDown(item))) => assert!(goes_on && shut_down && item.key() == key, "a put was refused"),
            Poll::Pending => {
                assert!(!(fits || goes_on && shut_down), "a put could go on");
                self.putters.borrow_mut().push((key, waiter));
            }
        }
    }

    fn step_joiner(&self, index: usize) {
        let mut waiter = self.joiners.borrow_mut().swap_remove(index);
        let (was_fresh, was_woken) = (waiter.is_fresh, waiter.is_woken());
        let is_over = self.model.borrow().unfinished == 0;
        match waiter.step() {
            Poll::Ready(()) => assert!(was_woken || was_fresh && is_over, "a join ended early"),
            Poll::Pending => {
                assert!(!(was_woken || was_fresh && is_over), "a join could go on");
                self.joiners.borrow_mut().push(waiter);
            }
        }
    }

    fn shut_down(&self, immediate: bool) {
        self.model.borrow_mut().shut_down(immediate);
        self.queue.shutdown(immediate);
    }

    /// Drops one who waits; whoever was woken in vain must have passed that on, as the next `settle` will see.
    fn leave(&self) {
        match self.below(3) {
            0 => drop(remove(&self.getters, |count| self.below(count))),
            1 => drop(remove(&self.putters, |count| self.below(count))),
            _ => drop(remove(&self.joiners, |count| self.below(count))),
        }
    }

    /// Goes on like an executor, until nobody is ready; then nobody may sleep who could go on.
    fn settle(&self) {
        loop {
            let getter = self.getters.borrow().iter().position(|waiter| waiter.is_fresh || waiter.is_woken());
            let putter = self.putters.borrow().iter().position(|(_, waiter)| waiter.is_fresh || waiter.is_woken());
            let joiner = self.joiners.borrow().iter().position(|waiter| waiter.is_fresh || waiter.is_woken());
            match (getter, putter, joiner) {
                (Some(index), _, _) => self.step_getter(index),
                (_, Some(index), _) => self.step_putter(index),
                (_, _, Some(index)) => self.step_joiner(index),
                (None, None, None) => break,
            }
        }
        let model = self.model.borrow();
        assert!(self.getters.borrow().is_empty() || model.items.is_empty() && !model.shut_down, "a getter sleeps");
        assert!(self.putters.borrow().is_empty() || model.is_full() && !model.shut_down, "a putter sleeps");
        assert!(self.joiners.borrow().is_empty() || model.unfinished > 0, "a joiner sleeps");
    }

    fn check(&self) {
        let model = self.model.borrow();
        let expected = (model.items.len(), model.items.is_empty(), model.is_full(), model.shut_down);
        assert_eq!(self.queue.state(), expected, "length, empty, full, shut down");
    }

    fn operate(&self) {
        match self.below(16) {
            0 | 1 => {
                let waiter = self.waiter(self.queue.get());
                self.getters.borrow_mut().push(waiter);
            }
            2 | 3 => {
                let item = self.item();
                let key = item.key();
                let waiter = self.waiter(self.queue.put(item));
                self.putters.borrow_mut().push((key, waiter));
            }
            4 => {
                let waiter = self.waiter(self.queue.join());
                self.joiners.borrow_mut().push(waiter);
            }
            5 => self.put_nowait(),
            6 => self.get_nowait(),
            7 => self.task_done(),
            8 => self.settle(),
            9 | 10 => self.leave(),
            11 => match self.below(16) {
                0 => self.shut_down(true),
                1 => self.shut_down(false),
                _ => self.settle(),
            },
            12 | 13 if !self.getters.borrow().is_empty() => {
                let count = self.getters.borrow().len();
                self.step_getter(self.below(count));
            }
            14 if !self.joiners.borrow().is_empty() => {
                let count = self.joiners.borrow().len();
                self.step_joiner(self.below(count));
            }
            _ if !self.putters.borrow().is_empty() => {
                let count = self.putters.borrow().len();
                self.step_putter(self.below(count));
            }
            _ => {}
        }
        self.check();
    }
}

/// Takes one out, which is dropped under no borrow.
fn remove<T>(list: &RefCell<Vec<T>>, pick: impl FnOnce(usize) -> usize) -> Option<T> {
    let count = list.borrow().len();
    (count > 0).then(|| pick(count)).map(|index| list.borrow_mut().swap_remove(index))
}

/// Does what the bytes say with a queue.
pub fn run(bytes: &[u8]) {
    let mut tape = OwnTape::new(bytes);
    let (kind, maxsize) = tape.with(|tape| (tape.below(4), tape.below(4)));
    let (queue, order): (Box<dyn Line>, Order) = match kind {
        0 => (Box::new(Queue::new(maxsize)), Order::First),
        1 => (Box::new(LifoQueue::new(maxsize)), Order::Last),
        2 => (Box::new(PriorityQueue::new(maxsize)), Order::Least),
        _ => (Box::new(concurrent::Queue::new(maxsize)), Order::First),
    };
    let model = Model { order, items: VecDeque::new(), maxsize, unfinished: 0, shut_down: false };
    let alive = Arc::new(AtomicIsize::new(0));
    let world = Rc::new(World {
        tape: RefCell::new(tape),
        queue,
        model: RefCell::new(model),
        getters: RefCell::default(),
        putters: RefCell::default(),
        joiners: RefCell::default(),
        numbers: Cell::new(0),
        depth: Cell::new(0),
        alive: Arc::clone(&alive),
    });
    WORLD.set(Some(Rc::clone(&world)));
    while !world.tape.borrow_mut().with(|tape| tape.is_over()) {
        world.operate();
    }
    world.settle();
    WORLD.set(None);
    drop(world);
    assert_eq!(alive.load(SeqCst), 0, "items were leaked");
}
