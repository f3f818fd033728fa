//! The gate's ground, for loom; the same names and signatures as `src/sync.rs`.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

pub(crate) use loom::sync::atomic;

/// parking_lot's lock over loom's.
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap()))
    }
}

/// Empty only while its thread waits.
pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

/// parking_lot's condition variable over loom's. The control "deaf" has it notify nobody.
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar(loom::sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.0 = Some(self.0.wait(guard.0.take().unwrap()).unwrap());
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) {
        self.wait(guard); // No model waits for a time.
    }

    pub(crate) fn notify_all(&self) {
        if !crate::controls::is("deaf") {
            self.0.notify_all();
        }
    }
}

/// The stand-in for crossbeam's unbounded channel, with one sender.
pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let queue = Queue { state: loom::sync::Mutex::new((VecDeque::new(), true)), changed: loom::sync::Condvar::new() };
    let queue = Arc::new(queue);
    (Sender(queue.clone()), Receiver(queue))
}

struct Queue<T> {
    /// The items, and whether the sender lives.
    state: loom::sync::Mutex<(VecDeque<T>, bool)>,
    changed: loom::sync::Condvar,
}

pub(crate) struct Sender<T>(Arc<Queue<T>>);

pub(crate) struct Receiver<T>(Arc<Queue<T>>);

/// Never happens: the gate keeps the receiver.
pub(crate) struct Unsent<T>(T);

impl<T> Unsent<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Sender<T> {
    pub(crate) fn send(&self, item: T) -> Result<(), Unsent<T>> {
        self.0.state.lock().unwrap().0.push_back(item);
        self.0.changed.notify_one();
        Ok(())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().1 = false;
        self.0.changed.notify_all();
    }
}

impl<T> Receiver<T> {
    pub(crate) fn recv(&self) -> Result<T, ()> {
        let mut state = self.0.state.lock().unwrap();
        loop {
            match (state.0.pop_front(), state.1) {
                (Some(item), _) => return Ok(item),
                (None, false) => return Err(()),
                (None, true) => state = self.0.changed.wait(state).unwrap(),
            }
        }
    }

    pub(crate) fn try_recv(&self) -> Result<T, ()> {
        self.0.state.lock().unwrap().0.pop_front().ok_or(())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.state.lock().unwrap().0.len()
    }
}
