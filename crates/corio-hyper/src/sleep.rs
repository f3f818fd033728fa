//! A sleep that may change threads, although its timer may not.

use corio_seam::{Alarm, LoopId, LoopTime, OnAlarm, Remote, Timer, TimerKey, Waiting, loop_id, wait_on};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Future of hyper's [`Timer::sleep`](hyper::rt::Timer::sleep): ready when the loop's clock shows its moment.
///
/// hyper wants it `Send + Sync`, the timers of a loop are neither. So it does not hold its timer: it holds the timer's
/// key, which is a number, and a cell that both share. The timer's alarm, on the loop's thread, sets the cell and wakes
/// whoever waits, on any thread. The first poll arms the timer, so it must happen on a loop; dropped on that loop's thread
/// it disarms the timer itself, elsewhere it asks the loop to.
///
/// (The other ways: a wrapper that checks the thread and panics, which makes a lie of the type; a task of its own for each
/// sleep, which costs a task for each timeout; `unsafe impl Send`, which would need an argument for each new hyper.)
///
/// When its loop closes before the moment comes, it is ready: hyper then gives the connection up, as it should.
///
/// # Panics
///
/// When first polled where no loop runs.
///
/// # Cancel safety
///
/// Dropping it takes its timer back.
pub struct Sleep {
    when: LoopTime,
    /// From the first poll on.
    armed: Option<Armed>,
}

/// A timer that was armed, as any thread may know it.
struct Armed {
    key: TimerKey,
    loop_id: LoopId,
    /// The way to the timer from another thread; none where the loop has no such door.
    door: Option<Arc<dyn Remote>>,
    cell: Arc<Mutex<Cell>>,
}

/// What the alarm and the future share. User code (a waker) is never called with it locked.
#[derive(Default)]
struct Cell {
    /// Set when the moment has come, or never will; never cleared.
    over: bool,
    /// Whom to wake then.
    waker: Option<Waker>,
}

impl Sleep {
    /// Makes a sleep that is armed when it is first polled.
    pub(crate) fn until(when: LoopTime) -> Sleep {
        Sleep { when, armed: None }
    }

    /// Begins anew with another moment.
    pub(crate) fn reset(&mut self, when: LoopTime) {
        self.disarm();
        self.when = when;
    }

    /// Arms a timer of the loop that runs here.
    fn arm(&self) -> Armed {
        let timer = corio_seam::timer(); // Panics with a sentence where there is none.
        let loop_id = loop_id().expect("a timer belongs to a loop");
        let _ = corio_seam::local(|| LoopTimer(Some(timer.clone())));
        let cell = Arc::<Mutex<Cell>>::default();
        let key = timer.arm(self.when, Alarm::Call(Rc::new(Bell(cell.clone()))));
        Armed { key, loop_id, door: corio_seam::remote(), cell }
    }

    /// Takes the timer back, if it was armed and has not rung.
    fn disarm(&mut self) {
        let Some(Armed { key, loop_id, door, cell }) = self.armed.take() else { return };
        let (over, waker) = {
            let mut cell = cell.lock();
            (cell.over, cell.waker.take())
        };
        drop(waker);
        if over {
            return;
        }
        if corio_seam::loop_id() == Some(loop_id) {
            LoopTimer::disarm(key);
        } else if let Some(door) = door {
            // Refused, the loop is closed, and its timers with it.
            let _ = door.call(Box::new(move || LoopTimer::disarm(key)));
        }
    }
}

/// The timers of a loop, kept with it from the first sleep on; none is left where the loop is closing.
struct LoopTimer(Option<Rc<dyn Timer>>);

impl LoopTimer {
    /// Takes a timer of this loop's back, if it still has timers. A destructor calls this, so it must not panic.
    fn disarm(key: TimerKey) {
        let timer = corio_seam::local(|| LoopTimer(None));
        if let Some(timer) = timer.as_ref().and_then(|timer| timer.0.as_ref()) {
            timer.disarm(key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none() {
            self.armed = Some(self.arm());
        }
        let armed = self.armed.as_ref().expect("it was just armed");
        let waker = cx.waker().clone();
        let mut cell = armed.cell.lock();
        if cell.over {
            drop(cell);
            drop(waker);
            return Poll::Ready(());
        }
        let former = cell.waker.replace(waker);
        drop(cell);
        drop(former);
        wait_on(Waiting::Leaf(&"sleep"));
        Poll::Pending
    }
}

impl hyper::rt::Sleep for Sleep {}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("when", &self.when).field("armed", &self.armed.is_some()).finish()
    }
}

/// The loop's end of the cell. Dropped unrung, because its loop closes or its future is gone, it rings.
struct Bell(Arc<Mutex<Cell>>);

impl OnAlarm for Bell {
    fn on_alarm(self: Rc<Self>) {
        // Dropping rings, whatever the reason.
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let waker = {
            let mut cell = self.0.lock();
            cell.over = true;
            cell.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
