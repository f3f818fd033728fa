//! Loop-bound cells against a model: endings, read ends, callbacks and wakers that come back, where no loop runs.

use crate::tape::OwnTape;
use crate::wakes::{Bell, Mark, poll};
use corio_future::{CallbackKey, Future, FutureError, InvalidState, Promise, promise};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::task::{Poll, Waker};

#[derive(Clone, Debug)]
struct Value(u32, #[allow(dead_code)] Mark);

/// How a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    /// A value, which may have been moved out.
    Finished(Option<u32>),
    Cancelled,
    Broken,
}

/// Who is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    /// The waker of the read end of that number.
    Waker(u32),
    /// The callback of that number.
    Call(u32),
}

/// What a cell must be.
#[derive(Debug)]
struct Model {
    state: State,
    readers: usize,
    is_shared: bool,
    listeners: Vec<Listener>,
}

/// A cell that ends, while those who listen are told.
#[derive(Debug)]
struct Ending {
    untold: VecDeque<Listener>,
    in_waker: bool,
}

/// A read end, with the number of its cell.
struct Reader {
    cell: usize,
    number: u32,
    future: Future<Value>,
    bell: Arc<Bell>,
    /// Whether its waker lies in the cell.
    waits: bool,
    /// How often it must have been woken.
    due: usize,
}

#[derive(Default)]
struct World {
    tape: RefCell<OwnTape>,
    cells: RefCell<Vec<Model>>,
    promises: RefCell<Vec<Option<Promise<Value>>>>,
    readers: RefCell<Vec<Reader>>,
    callbacks: RefCell<Vec<(usize, u32, CallbackKey)>>,
    /// Callbacks that were scheduled, in their order.
    scheduled: RefCell<VecDeque<u32>>,
    endings: RefCell<Vec<Ending>>,
    numbers: Cell<u32>,
    depth: Cell<usize>,
    alive: Arc<AtomicIsize>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

const MOST_DEPTH: usize = 5;

fn world() -> Option<Rc<World>> {
    WORLD.with(|world| world.try_borrow().ok().and_then(|world| world.clone()))
}

/// What each waker does: it says that it is its turn, and may come back.
fn woken(reader: u32, acts: bool) {
    let Some(world) = world() else { return };
    world.waker_runs(reader);
    if acts {
        world.act();
    }
    world.waker_ran();
}

/// What each callback does.
fn called(callback: u32, acts: bool) {
    let Some(world) = world() else { return };
    world.callback_runs(callback);
    if acts {
        world.act();
    }
}

impl World {
    fn below(&self, bound: usize) -> usize {
        self.tape.borrow_mut().with(|tape| tape.below(bound))
    }

    fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Does an operation inside a callback or a waker.
    fn act(&self) {
        if self.depth.get() < MOST_DEPTH {
            self.depth.set(self.depth.get() + 1);
            self.operate();
            self.depth.set(self.depth.get() - 1);
        }
    }

    // The order of telling: listeners of a cell in turn; a waker at once, a callback behind those that were scheduled.

    fn waker_runs(&self, reader: u32) {
        let mut endings = self.endings.borrow_mut();
        let ending = endings.iter_mut().rev().find(|ending| ending.untold.contains(&Listener::Waker(reader)));
        let ending = ending.expect("a waker of a cell that does not end");
        assert!(!ending.in_waker, "a waker inside a waker of the same cell");
        while let Some(listener) = ending.untold.pop_front() {
            match listener {
                Listener::Waker(one) => {
                    assert_eq!(one, reader, "wakers out of order");
                    break;
                }
                Listener::Call(callback) => self.scheduled.borrow_mut().push_back(callback),
            }
        }
        ending.in_waker = true;
    }

    fn waker_ran(&self) {
        let mut endings = self.endings.borrow_mut();
        let ending = endings.iter_mut().rev().find(|ending| ending.in_waker);
        ending.expect("a waker runs").in_waker = false;
    }

    fn callback_runs(&self, callback: u32) {
        for ending in self.endings.borrow_mut().iter_mut().rev().take_while(|ending| !ending.in_waker) {
            self.schedule_all(ending);
        }
        assert_eq!(self.scheduled.borrow_mut().pop_front(), Some(callback), "callbacks out of order");
    }

    fn schedule_all(&self, ending: &mut Ending) {
        for listener in ending.untold.drain(..) {
            match listener {
                Listener::Call(callback) => self.scheduled.borrow_mut().push_back(callback),
                Listener::Waker(reader) => panic!("the waker of {reader} was passed over"),
            }
        }
    }

    /// Ends a cell by `call`, which tells those who listen.
    fn end<R>(&self, cell: usize, state: State, call: impl FnOnce() -> R) -> R {
        let mut cells = self.cells.borrow_mut();
        let ends = cells[cell].state == State::Pending;
        let untold = if ends {
            cells[cell].state = state;
            std::mem::take(&mut cells[cell].listeners)
        } else {
            Vec::new()
        };
        drop(cells);
        for listener in &untold {
            if let Listener::Waker(number) = listener {
                let mut readers = self.readers.borrow_mut();
                let reader = readers.iter_mut().find(|reader| reader.number == *number);
                let reader = reader.expect("who listens is there");
                (reader.waits, reader.due) = (false, reader.due + 1);
            }
        }
        self.endings.borrow_mut().push(Ending { untold: untold.into(), in_waker: false });
        let result = call();
        let mut ending = self.endings.borrow_mut().pop().expect("it was pushed");
        self.schedule_all(&mut ending);
        result
    }

    fn new_cell(&self) {
        let (promise, future) = promise();
        self.cells.borrow_mut().push(Model {
            state: State::Pending,
            readers: 1,
            is_shared: false,
            listeners: Vec::new(),
        });
        self.promises.borrow_mut().push(Some(promise));
        self.add_reader(self.cells.borrow().len() - 1, future);
    }

    fn add_reader(&self, cell: usize, future: Future<Value>) {
        let (number, acts) = (self.number(), self.below(4) == 0);
        let bell = Bell::calling(move || woken(number, acts));
        self.readers.borrow_mut().push(Reader { cell, number, future, bell, waits: false, due: 0 });
    }

    fn take_promise(&self) -> Option<(usize, Promise<Value>)> {
        let count = self.promises.borrow().len();
        let cell = (count > 0).then(|| self.below(count))?;
        Some((cell, self.promises.borrow_mut()[cell].take()?))
    }

    fn set_result(&self) {
        let Some((cell, promise)) = self.take_promise() else { return };
        let number = self.number();
        let pending = self.cells.borrow()[cell].state == State::Pending;
        let value = Value(number, Mark::new(&self.alive));
        let set = self.end(cell, State::Finished(Some(number)), || promise.set_result(value));
        assert_eq!(set.is_ok(), pending, "set_result");
    }

    fn break_promise(&self) {
        let Some((cell, promise)) = self.take_promise() else { return };
        self.end(cell, State::Broken, || drop(promise));
    }

    /// Takes a read end out, so that nothing is borrowed while it is used.
    fn take_reader(&self) -> Option<Reader> {
        let count = self.readers.borrow().len();
        let index = (count > 0).then(|| self.below(count))?;
        Some(self.readers.borrow_mut().swap_remove(index))
    }

    fn cancel(&self) {
        let Some(reader) = self.take_reader() else { return };
        // It stays in the list, where a waker of its own finds it; the call is made on another read end of the cell.
        let cell = reader.cell;
        let pending = self.cells.borrow()[cell].state == State::Pending;
        let handle = reader.future.share();
        (self.cells.borrow_mut()[cell].is_shared, self.cells.borrow_mut()[cell].readers) = {
            let readers = self.cells.borrow()[cell].readers;
            (true, readers + 1)
        };
        self.readers.borrow_mut().push(reader);
        let cancelled = self.end(cell, State::Cancelled, || handle.cancel());
        assert_eq!(cancelled, pending, "cancel");
        drop(handle);
        self.cells.borrow_mut()[cell].readers -= 1;
    }

    fn share(&self) {
        let Some(reader) = self.take_reader() else { return };
        let (cell, future) = (reader.cell, reader.future.share());
        self.readers.borrow_mut().push(reader);
        let mut cells = self.cells.borrow_mut();
        (cells[cell].is_shared, cells[cell].readers) = (true, cells[cell].readers + 1);
        drop(cells);
        self.add_reader(cell, future);
    }

    fn drop_reader(&self) {
        let Some(reader) = self.take_reader() else { return };
        let mut cells = self.cells.borrow_mut();
        cells[reader.cell].readers -= 1;
        cells[reader.cell].listeners.retain(|listener| *listener != Listener::Waker(reader.number));
        drop(cells);
        drop(reader);
    }

    /// What reading a cell that is over must give; none is a panic.
    fn expect_read(&self, cell: usize) -> Option<Result<u32, State>> {
        let model = &mut self.cells.borrow_mut()[cell];
        let State::Finished(value) = &mut model.state else { return Some(Err(model.state)) };
        let copies = model.is_shared && model.readers > 1;
        let read = if copies { *value } else { value.take() };
        read.map(Ok)
    }

    fn check_read(expected: Option<Result<u32, State>>, read: Result<Result<Value, FutureError>, ()>) {
        let read = read.ok().map(|read| match read {
            Ok(Value(number, _)) => Ok(number),
            Err(FutureError::Cancelled(_)) => Err(State::Cancelled),
            Err(FutureError::BrokenPromise) => Err(State::Broken),
            Err(error) => panic!("{error:?}"),
        });
        assert_eq!(read, expected, "what was read");
    }

    fn poll(&self) {
        let Some(mut reader) = self.take_reader() else { return };
        let cell = reader.cell;
        let over = self.cells.borrow()[cell].state != State::Pending;
        if self.below(8) == 0 && !over {
            // With another waker than before.
            let (number, acts) = (reader.number, self.below(2) == 0);
            assert!(reader.bell.count() <= reader.due);
            reader.due -= reader.bell.count();
            reader.bell = Bell::calling(move || woken(number, acts));
        }
        let expected = over.then(|| self.expect_read(cell));
        let waker = Waker::from(Arc::clone(&reader.bell));
        let polled = catch_unwind(AssertUnwindSafe(|| poll(Pin::new(&mut reader.future), &waker)));
        match (polled, expected) {
            (Ok(Poll::Pending), None) => {
                if !std::mem::replace(&mut reader.waits, true) {
                    self.cells.borrow_mut()[cell].listeners.push(Listener::Waker(reader.number));
                }
            }
            (Ok(Poll::Ready(read)), Some(expected)) => World::check_read(expected, Ok(read)),
            (Err(_), Some(expected)) => World::check_read(expected, Err(())),
            (polled, expected) => panic!("a poll gave {polled:?}, and {expected:?} was to come"),
        }
        self.readers.borrow_mut().push(reader);
    }

    fn take(&self) {
        let Some(mut reader) = self.take_reader() else { return };
        let over = self.cells.borrow()[reader.cell].state != State::Pending;
        let expected = over.then(|| self.expect_read(reader.cell));
        match (catch_unwind(AssertUnwindSafe(|| reader.future.take())), expected) {
            (Ok(None), None) => {}
            (Ok(Some(read)), Some(expected)) => World::check_read(expected, Ok(read)),
            (Err(_), Some(expected)) => World::check_read(expected, Err(())),
            (taken, expected) => panic!("take gave {taken:?}, and {expected:?} was to come"),
        }
        self.readers.borrow_mut().push(reader);
    }

    fn look(&self) {
        let readers = self.readers.borrow();
        let Some(reader) = (!readers.is_empty()).then(|| &readers[self.below(readers.len())]) else { return };
        let state = self.cells.borrow()[reader.cell].state;
        let looked = match reader.future.result() {
            Ok(value) => State::Finished(Some(value.0)),
            Err(InvalidState::Pending) => State::Pending,
            Err(InvalidState::Taken) => State::Finished(None),
            Err(InvalidState::Ended(error)) if error.is_cancelled() => State::Cancelled,
            Err(_) => State::Broken,
        };
        assert_eq!(looked, state, "result");
        assert_eq!(reader.future.done(), state != State::Pending);
        assert_eq!(reader.future.cancelled(), state == State::Cancelled);
    }

    fn add_callback(&self) {
        let Some(reader) = self.take_reader() else { return };
        let (number, acts, cell) = (self.number(), self.below(3) == 0, reader.cell);
        let mut cells = self.cells.borrow_mut();
        match cells[cell].state {
            State::Pending => cells[cell].listeners.push(Listener::Call(number)),
            _ => self.scheduled.borrow_mut().push_back(number),
        }
        drop(cells);
        let mark = Mark::new(&self.alive);
        let handle = reader.future.share();
        let mut cells = self.cells.borrow_mut();
        (cells[cell].is_shared, cells[cell].readers) = (true, cells[cell].readers + 1);
        drop(cells);
        self.readers.borrow_mut().push(reader);
        let key = handle.add_done_callback(move |future| {
            assert!(future.done(), "called before the end");
            called(number, acts);
            drop(mark);
        });
        drop(handle);
        self.cells.borrow_mut()[cell].readers -= 1;
        self.callbacks.borrow_mut().push((cell, number, key));
    }

    fn remove_callback(&self) {
        let Some(reader) = self.take_reader() else { return };
        let callbacks = self.callbacks.borrow();
        let own: Vec<_> = callbacks.iter().filter(|(cell, ..)| *cell == reader.cell).copied().collect();
        drop(callbacks);
        if !own.is_empty() {
            let (cell, number, key) = own[self.below(own.len())];
            let mut cells = self.cells.borrow_mut();
            let listeners = &mut cells[cell].listeners;
            let found = listeners.iter().position(|listener| *listener == Listener::Call(number));
            found.map(|at| listeners.remove(at));
            drop(cells);
            assert_eq!(reader.future.remove_done_callback(key), found.is_some(), "remove_done_callback");
        }
        self.readers.borrow_mut().push(reader);
    }

    fn operate(&self) {
        match self.below(16) {
            0 | 1 => self.new_cell(),
            2 | 3 => self.set_result(),
            4 => self.break_promise(),
            5 => self.cancel(),
            6 => self.share(),
            7 => self.drop_reader(),
            8..=10 => self.poll(),
            11 => self.take(),
            12 => self.look(),
            13 | 14 => self.add_callback(),
            _ => self.remove_callback(),
        }
    }

    /// Checks what must hold when nobody is inside.
    fn check(&self) {
        assert!(self.scheduled.borrow().is_empty(), "callbacks were never called: {:?}", self.scheduled.borrow());
        for reader in self.readers.borrow().iter() {
            assert_eq!(reader.bell.count(), reader.due, "how often a waiting reader was woken");
        }
    }
}

/// Does what the bytes say with cells.
pub fn run(bytes: &[u8]) {
    let alive = Arc::new(AtomicIsize::new(0));
    let world = World { tape: RefCell::new(OwnTape::new(bytes)), alive: Arc::clone(&alive), ..World::default() };
    let world = Rc::new(world);
    WORLD.set(Some(Rc::clone(&world)));
    while !world.tape.borrow_mut().with(|tape| tape.is_over()) {
        world.operate();
        world.check();
    }
    WORLD.set(None);
    drop(world);
    assert_eq!(alive.load(SeqCst), 0, "values or callbacks were leaked");
}
