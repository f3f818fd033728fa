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
/// Each armed timer is a task of the set that awaits one foreign sleep: simple, and slower than an event loop's heap.
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
    armed: Rc<RefCell<Vec<Armed>>>,
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
        Rc::new(SleepTimer { sleep, start: Instant::now(), armed: Rc::default() })
    }

    /// Finds a free place, or makes one.
    fn place(&self, alarm: Alarm) -> TimerKey {
        let mut armed = self.armed.borrow_mut();
        let free = armed.iter().position(|armed| matches!(armed.state, State::Free));
        let index = free.unwrap_or_else(|| {
            armed.push(Armed { generation: 0, state: State::Free, task: None });
            armed.len() - 1
        });
        armed[index].generation = armed[index].generation.wrapping_add(1);
        armed[index].state = State::Waiting(alarm);
        TimerKey { index: u32::try_from(index).expect("four billion timers"), generation: armed[index].generation }
    }
}

/// Acts upon a timer that is due.
fn fire(armed: &RefCell<Vec<Armed>>, key: TimerKey) {
    let alarm = {
        let mut armed = armed.borrow_mut();
        let place = &mut armed[key.index as usize];
        if place.generation != key.generation {
            return;
        }
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
        let key = self.place(alarm);
        let (armed, start) = (Rc::clone(&self.armed), self.start);
        let sleep = (self.sleep)(when - self.now());
        let task = create_task(async move {
            sleep.await;
            debug_assert!(LoopTime::ZERO + start.elapsed() >= when, "the foreign sleep ended early");
            fire(&armed, key);
        });
        self.armed.borrow_mut()[key.index as usize].task = Some(task);
        key
    }

    fn poll(&self, key: TimerKey, waker: &Waker) -> Poll<()> {
        let new = Alarm::Wake(waker.clone());
        let mut armed = self.armed.borrow_mut();
        let Some(place) = armed.get_mut(key.index as usize) else { return Poll::Ready(()) };
        let old = match &mut place.state {
            State::Waiting(alarm) if place.generation == key.generation => std::mem::replace(alarm, new),
            _ => return Poll::Ready(()),
        };
        drop(armed);
        drop(old); // User code: not under the borrow.
        Poll::Pending
    }

    fn disarm(&self, key: TimerKey) -> bool {
        let (state, task) = {
            let mut armed = self.armed.borrow_mut();
            match armed.get_mut(key.index as usize) {
                Some(place) if place.generation == key.generation => {
                    (std::mem::replace(&mut place.state, State::Free), place.task.take())
                }
                _ => return false,
            }
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
