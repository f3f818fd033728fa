//! Danger: a timer of foreign sleeps that fires too often, too early, or for somebody else.

use crate::kit::{run, yield_now};
use corio_seam::{Alarm, OnAlarm, Timer};
use corio_task::{SleepTimer, TaskSet};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The sleeps that were asked for: how long, and whether they are over.
type Sleeps = Rc<RefCell<Vec<(Duration, Rc<Cell<bool>>)>>>;

/// A timer whose sleeps end when a test says so.
fn by_hand() -> (Rc<dyn Timer>, Sleeps) {
    let asked = Sleeps::default();
    let sleeps = Rc::clone(&asked);
    let timer = SleepTimer::new(move |delay| {
        let over = Rc::new(Cell::new(false));
        sleeps.borrow_mut().push((delay, Rc::clone(&over)));
        poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            if over.get() { Poll::Ready(()) } else { Poll::Pending }
        })
    });
    assert!(format!("{timer:?}").starts_with("SleepTimer { start: "));
    (timer, asked)
}

struct Rings(Cell<u32>);

impl OnAlarm for Rings {
    fn on_alarm(self: Rc<Self>) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_timer_of_foreign_sleeps_fires_what_is_armed_and_nothing_else() {
    let (timer, asked) = by_hand();
    let set = TaskSet::with_timer(Rc::clone(&timer));
    run(&set, async {
        let rings = Rc::new(Rings(Cell::new(0)));
        let alarm = || Alarm::Call(Rc::clone(&rings) as Rc<dyn OnAlarm>);
        let due = timer.now(); // By this clock it has come.
        let keys = [timer.arm(due, alarm()), timer.arm(due, alarm()), timer.arm(due, alarm())];
        assert!(keys[0] != keys[1] && keys[1] != keys[2]);
        assert!(timer.disarm(keys[1]) && !timer.disarm(keys[1]));
        let again = timer.arm(due, alarm());
        assert!(again != keys[1] && again.index == keys[1].index, "a place is used again, under another name");
        assert!(!timer.disarm(keys[1]), "it is somebody else's now");
        assert_eq!(asked.borrow().len(), 4);
        asked.borrow()[0].1.set(true);
        for _ in 0..3 {
            yield_now().await;
        }
        assert_eq!(rings.0.get(), 1);
        assert!(timer.poll(keys[0], Waker::noop()).is_ready(), "it is due");
        assert!(!timer.disarm(keys[0]) && !timer.disarm(keys[0]), "it was due already");
        assert!(timer.disarm(keys[2]) && timer.disarm(again));
        asked.borrow().iter().for_each(|(_, over)| over.set(true));
        for _ in 0..4 {
            yield_now().await;
        }
        assert_eq!((rings.0.get(), set.len()), (1, 1), "the sleeps of those that were taken back are over");
    })
    .unwrap();
}

#[test]
fn a_timer_of_foreign_sleeps_wakes_whoever_polled_last() {
    let (timer, asked) = by_hand();
    let set = TaskSet::with_timer(Rc::clone(&timer));
    run(&set, async {
        let counts = [(); 3].map(|()| Arc::new(Count::default()));
        let wakers = counts.each_ref().map(|count| Waker::from(Arc::clone(count)));
        let key = timer.arm(timer.now(), Alarm::Wake(wakers[0].clone()));
        assert!(timer.poll(key, &wakers[1]).is_pending() && timer.poll(key, &wakers[2]).is_pending());
        asked.borrow()[0].1.set(true);
        yield_now().await;
        yield_now().await;
        assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [0, 0, 1]);
        assert!(timer.poll(key, Waker::noop()).is_ready());
    })
    .unwrap();
}

#[test]
fn a_foreign_sleep_is_asked_for_what_is_left() {
    let (timer, asked) = by_hand();
    let set = TaskSet::with_timer(Rc::clone(&timer));
    run(&set, async {
        let (start, hour) = (timer.now(), Duration::from_secs(3600));
        thread::sleep(Duration::from_millis(2));
        assert!(timer.now() >= start + Duration::from_millis(2), "its clock goes");
        let key = timer.arm(start + hour, Alarm::Wake(Waker::noop().clone()));
        let delay = asked.borrow()[0].0;
        assert!(delay < hour && delay > hour - Duration::from_secs(60), "{delay:?}");
        timer.disarm(key);
    })
    .unwrap();
}
