//! Which of many children were woken: one board, and a waker for each child that pins its number to it.

use crate::sync::{AtomicBool, Mutex, MutexGuard};
use corio_seam::local_waker;
use corio_task::{TaskId, current_task};
use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

/// What the wakers share. They may be on any thread, and outlive the combinator.
struct Board {
    notes: Mutex<Notes>,
}

struct Notes {
    /// The numbers of the children that were woken since they were last taken, each once, in order.
    woken: VecDeque<usize>,
    /// Who polls the combinator; taken by the first who wakes it, and put back by its next poll.
    owner: Option<Waker>,
}

impl Board {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner) // Nothing that can panic runs under it.
    }

    /// Moves the woken behind those in `batch`, and notes who is to be woken next; returns who was.
    fn take_woken(&self, batch: &mut VecDeque<usize>, owner: Waker) -> Option<Waker> {
        let mut notes = self.notes();
        if batch.is_empty() {
            mem::swap(&mut notes.woken, batch);
        } else {
            batch.append(&mut notes.woken);
        }
        notes.owner.replace(owner)
    }

    /// Puts a plain clone in the place of the waker of whoever polls, unless that was woken.
    fn renew(&self, owner: &Waker) {
        let mut plain = Some(owner.clone()); // User code: not under the lock.
        let mut notes = self.notes();
        if notes.owner.is_some() {
            mem::swap(&mut notes.owner, &mut plain);
        }
        drop(notes);
        drop(plain);
    }
}

/// The waker of one child.
struct Bell {
    board: Arc<Board>,
    index: usize,
    /// Its number is on the board. Cleared, before the child is polled, by whoever took the numbers.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Acquire and Release pair with the swap in `Bells::begin`: what led to this wake is seen by the poll that a
        // bell rung before it has caused.
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let owner = {
            let mut notes = self.board.notes();
            notes.woken.push_back(self.index);
            notes.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake(); // User code: not under the lock.
        }
    }
}

/// The counterpart of a bell for places that never leave the thread.
struct LocalBell(Arc<Bell>);

impl Wake for LocalBell {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// How a child stands.
enum Place {
    New,
    /// It is pending, and has a waker.
    Live(Live),
    Ended,
}

/// What a pending child has.
struct Live {
    bell: Arc<Bell>,
    waker: Waker,
    /// Whom leaves wake that keep their waker on this thread.
    local: Waker,
    /// When it was polled last, somebody else had a clone of `waker`.
    is_known: bool,
}

/// How many hold a bell if nobody else does: the place, its waker, and the local counterpart.
const HELD: usize = 3;

/// The wakers of many children.
pub(crate) struct Bells {
    board: Arc<Board>,
    places: Vec<Place>,
    /// The numbers of those to be polled; some may have ended.
    batch: VecDeque<usize>,
    /// How many children have wakers that somebody else may have, on any thread.
    known: usize,
    /// The task in which we were polled last, if we were; a waker would not tell, for it may change from poll to poll.
    task: Option<Option<TaskId>>,
}

impl Bells {
    /// Makes wakers for `count` children, all of which are to be polled first.
    pub(crate) fn new(count: usize) -> Bells {
        let notes = Notes { woken: VecDeque::new(), owner: None };
        Bells {
            board: Arc::new(Board { notes: Mutex::new(notes) }),
            places: (0..count).map(|_| Place::New).collect(),
            batch: (0..count).collect(),
            known: 0,
            task: None,
        }
    }

    /// Begins a poll: those who were woken are to be polled, in that order.
    ///
    /// If another task polls than before, all are polled, so that their scopes see where they are now.
    pub(crate) fn begin(&mut self, owner: &Waker) {
        // User code: not under the lock, and nor is the drop of the old one.
        let for_board = if self.known > 0 { owner.clone() } else { local_waker(owner) };
        let old = self.board.take_woken(&mut self.batch, for_board);
        drop(old);
        let task = current_task().map(|task| task.id());
        if self.task.replace(task).is_some_and(|before| before != task) {
            self.batch = (0..self.places.len()).collect();
        }
    }

    /// Returns the number of a child that is to be polled.
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let index = self.batch.pop_front()?;
            if !matches!(self.places[index], Place::Ended) {
                return Some(index);
            }
        }
    }

    /// Returns the waker of a child that is about to be polled, and allows it to be woken again.
    ///
    /// The second is its counterpart for leaves that never leave the thread.
    pub(crate) fn waker(&mut self, index: usize) -> (&Waker, &Waker) {
        let place = &mut self.places[index];
        if matches!(place, Place::New) {
            let bell = Arc::new(Bell { board: Arc::clone(&self.board), index, rung: AtomicBool::new(true) });
            let waker = Waker::from(Arc::clone(&bell));
            let local = Waker::from(Arc::new(LocalBell(Arc::clone(&bell))));
            *place = Place::Live(Live { bell, waker, local, is_known: false });
        }
        let Place::Live(live) = place else { unreachable!("a child that has ended is not polled") };
        live.bell.rung.swap(false, Ordering::AcqRel); // Pairs with the swap in `wake_by_ref`.
        (&live.waker, &live.local)
    }

    /// Notes, after a poll, whether somebody else has the child's waker now: only then may another thread wake us, and our
    /// own waker has to say so.
    pub(crate) fn polled(&mut self, index: usize, owner: &Waker) {
        let Place::Live(live) = &mut self.places[index] else { return };
        let is_known = Arc::strong_count(&live.bell) > HELD;
        let was_known = mem::replace(&mut live.is_known, is_known);
        self.known = self.known - usize::from(was_known) + usize::from(is_known);
        if is_known && self.known == 1 {
            self.board.renew(owner);
        }
    }

    /// Forgets a child that has ended.
    pub(crate) fn end(&mut self, index: usize) {
        if let Place::Live(live) = &self.places[index] {
            self.known -= usize::from(live.is_known);
        }
        self.places[index] = Place::Ended;
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        let owner = self.board.notes().owner.take();
        drop(owner); // Wakers of children may outlive us; they wake nobody now.
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p corio-combinators --release --lib loom`
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::Condvar;
    use loom::thread;

    /// Who polls: it sleeps until it is woken. A wake that is lost is a deadlock, which loom finds.
    struct Sleeper {
        woken: Mutex<bool>,
        bell: Condvar,
    }

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            *self.woken.lock().unwrap() = true;
            self.bell.notify_one();
        }
    }

    impl Sleeper {
        fn sleep(&self) {
            let mut woken = self.woken.lock().unwrap();
            while !*woken {
                woken = self.bell.wait(woken).unwrap();
            }
            *woken = false;
        }
    }

    /// Polls `count` children, each of which is opened by a thread of its own, until all were seen open. `silence_late`
    /// breaks the rule that a bell is silenced before its child is polled.
    fn opened_by_threads(count: usize, silence_late: bool) {
        let sleeper = Arc::new(Sleeper { woken: Mutex::new(false), bell: Condvar::new() });
        let (owner, mut bells) = (Waker::from(Arc::clone(&sleeper)), Bells::new(count));
        let doors: Vec<_> = (0..count).map(|_| Arc::new(AtomicBool::new(false))).collect();
        let (mut started, mut left) = (vec![false; count], count);
        loop {
            bells.begin(&owner);
            while let Some(index) = bells.next() {
                let is_first = !mem::replace(&mut started[index], true);
                if is_first || !silence_late {
                    bells.waker(index);
                }
                if doors[index].load(Ordering::Relaxed) {
                    left -= 1;
                    bells.end(index);
                    continue;
                }
                if is_first {
                    let (door, waker) = (Arc::clone(&doors[index]), bells.waker(index).0.clone());
                    thread::spawn(move || {
                        waker.wake_by_ref(); // One for nothing, so that the second meets a poll.
                        door.store(true, Ordering::Relaxed);
                        waker.wake();
                    });
                } else if silence_late {
                    bells.waker(index);
                }
            }
            if left == 0 {
                return;
            }
            sleeper.sleep();
        }
    }

    #[test]
    fn loom_no_wake_is_lost() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| opened_by_threads(1, false));
        model.preemption_bound = Some(2);
        model.check(|| opened_by_threads(2, false));
    }

    /// The control, which must fail; a model that fails may abort, so it runs in a process of its own.
    #[test]
    fn loom_control_a_bell_silenced_too_late() {
        if std::env::var_os("CORIO_LOOM_CONTROL").is_some() {
            return loom::model(|| opened_by_threads(1, true));
        }
        let name = "bells::loom_tests::loom_control_a_bell_silenced_too_late";
        let control = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--test-threads=1"])
            .env("CORIO_LOOM_CONTROL", "1")
            .output()
            .unwrap();
        assert!(!control.status.success(), "the control passed: the model could not fail either");
    }
}
