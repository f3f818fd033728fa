//! A timer for a task set, made of a foreign runtime's `sleep`.

use crate::{Task, create_task};
use corio_seam::{Alarm, LoopTime, Timer, TimerKey};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// Gives a [`TaskSet`](crate::TaskSet) timers, by any runtime's `sleep`.
///
/// Each armed timer is a task of the set that awaits one foreign sleep: simple, and slower than an event loop's table.
/// Deadlines are as exact as the foreign sleep is, and never early by this clock, which is the monotonic one.
///
/// # Examples
///
/// Under a bare `block_on`, with a `sleep` that spins:
///
/// ```
/// use corio_task::{SleepTimer, TaskSet};
/// use std::time::{Duration, Instant};
///
/// async fn sleep(delay: Duration) {
///     let end = Instant::now() + delay;
///     std::future::poll_fn(|cx| {
///         cx.waker().wake_by_ref();
///         if Instant::now() < end { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
///     })
///     .await
/// }
///
/// let set = TaskSet::with_timer(SleepTimer::new(sleep));
/// let slept = pollster::block_on(set.run_until(async {
///     let start = corio_seam::now();
///     corio_seam::sleep_until(start + Duration::from_millis(2)).await;
///     corio_seam::now() - start
/// }));
/// assert!(slept.unwrap() >= Duration::from_millis(2));
/// ```
pub struct SleepTimer<S> {
    sleep: S,
    start: Instant,
    table: Rc<RefCell<Table>>,
}

/// The timers of one set.
#[derive(Default)]
struct Table {
    places: Vec<Armed>,
    /// Which places nobody uses.
    free: Vec<u32>,
}

/// One place of the timer's table.
struct Armed {
    generation: u32,
    state: State,
    task: Option<Task<()>>,
}

enum State {
    /// Nobody uses the place.
    Free,
    Waiting(Alarm),
    /// Due, and not yet asked for.
    Due,
}

impl<S, F> SleepTimer<S>
where
    S: Fn(Duration) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    /// Makes a timer of `sleep`, whose clock starts now.
    #[must_use]
    pub fn new(sleep: S) -> Rc<SleepTimer<S>> {
        Rc::new(SleepTimer { sleep, start: Instant::now(), table: Rc::default() })
    }
}

impl Table {
    /// Takes a free place, or makes one.
    fn take_place(&mut self, alarm: Alarm) -> TimerKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Armed { generation: 0, state: State::Free, task: None });
            u32::try_from(self.places.len() - 1).expect("four billion timers")
        });
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        place.state = State::Waiting(alarm);
        TimerKey { index, generation: place.generation }
    }

    /// Returns the place that `key` names, if it is still its own.
    fn find(&mut self, key: TimerKey) -> Option<&mut Armed> {
        let place = self.places.get_mut(key.index as usize)?;
        let is_its_own = place.generation == key.generation && !matches!(place.state, State::Free);
        is_its_own.then_some(place)
    }
}

/// Acts upon a timer that is due.
fn fire(table: &RefCell<Table>, key: TimerKey) {
    let alarm = {
        let mut table = table.borrow_mut();
        let Some(place) = table.find(key) else { return };
        match std::mem::replace(&mut place.state, State::Due) {
            State::Waiting(alarm) => alarm,
            State::Free | State::Due => return,
        }
    };
    match alarm {
        Alarm::Wake(waker) => waker.wake(),
        Alarm::Call(object) => object.on_alarm(),
    }
}

impl<S, F> Timer for SleepTimer<S>
where
    S: Fn(Duration) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    fn now(&self) -> LoopTime {
        LoopTime::ZERO + self.start.elapsed()
    }

    fn arm(&self, when: LoopTime, alarm: Alarm) -> TimerKey {
        let key = self.table.borrow_mut().take_place(alarm);
        let (table, start) = (Rc::clone(&self.table), self.start);
        let sleep = (self.sleep)(when - self.now());
        let task = create_task(async move {
            sleep.await;
            debug_assert!(LoopTime::ZERO + start.elapsed() >= when, "the foreign sleep ended early");
            fire(&table, key);
        });
        if let Some(place) = self.table.borrow_mut().find(key) {
            place.task = Some(task);
        }
        key
    }

    fn poll(&self, key: TimerKey, waker: &Waker) -> Poll<()> {
        let new = Alarm::Wake(waker.clone());
        let mut table = self.table.borrow_mut();
        let old = match table.find(key).map(|place| &mut place.state) {
            Some(State::Waiting(alarm)) => std::mem::replace(alarm, new),
            _ => return Poll::Ready(()),
        };
        drop(table);
        drop(old); // User code: not under the borrow.
        Poll::Pending
    }

    fn disarm(&self, key: TimerKey) -> bool {
        let (state, task) = {
            let mut table = self.table.borrow_mut();
            let Some(place) = table.find(key) else { return false };
            let was = (std::mem::replace(&mut place.state, State::Free), place.task.take());
            table.free.push(key.index);
            was
        };
        if let Some(task) = task {
            task.cancel();
        }
        matches!(state, State::Waiting(_))
    }
}

impl<S> fmt::Debug for SleepTimer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepTimer").field("start", &self.start).finish_non_exhaustive()
    }
}
