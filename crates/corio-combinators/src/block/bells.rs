//! Which of many children were woken: a bell for each, all in one allocation, and a waker that pins its number to a board.
//!
//! ```text
//! at home     bell not rung here ─▶ its number into `woken_here`; the first of a round takes `owner` and wakes it
//! elsewhere   bell not rung      ─▶ its number onto the board, under the lock; takes `owner` and wakes it
//! begin       both lists into the batch, `owner` onto the board again
//! ```
//! Home is the thread of the combinator, which never leaves it. There, where almost all wakes happen, ringing touches plain
//! memory, but for the first of a round. Wakers may be on any thread, and outlive the combinator; each clone counts one
//! reference of the allocation, and one that is about to be polled with is lent, and counts nothing.
//!
//! A waker is *plain* or *local*. A local one is for a leaf that keeps it at home ([`corio_task::OwnWakers`]); as
//! long as there are only those, the board keeps its owner's waker as a local one as well, so that the loop knows that
//! nobody else can wake it.

use crate::sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, thread_number};
use corio_seam::local_waker;
use corio_task::{OwnWakers, TaskId, current_task};
use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

/// What the bells share.
struct Shared {
    /// The thread of the combinator.
    home: u64,
    /// One for each child, and one more, for all of them. Never empty.
    bells: Box<[Bell]>,
    /// The numbers of the children that were woken at home, each once, in order. Touched at home only.
    woken_here: RefCell<Vec<u32>>,
    /// The owner was woken from here since the round began. Touched at home only.
    awake: Cell<bool>,
    board: Mutex<Board>,
    /// How many plain wakers there are, lent ones not counted.
    plain: AtomicUsize,
}

#[derive(Default)]
struct Board {
    /// The numbers of the children that were woken elsewhere since they were last taken, each once, in order.
    woken: Vec<u32>,
    /// Who polls the combinator; taken by the first who wakes it, and put back by its next poll.
    owner: Option<Waker>,
}

/// What the waker of one child points to.
struct Bell {
    /// The allocation that it lies in, as `Arc::as_ptr` has it. Never written.
    shared: NonNull<Shared>,
    /// Never written.
    index: u32,
    /// Its number is in `woken_here`. Touched at home only.
    rung_here: Cell<bool>,
    /// The child has ended. Touched at home only.
    ended: Cell<bool>,
    /// Its number is on the board. Cleared, before the child is polled, by whoever took the numbers.
    rung: AtomicBool,
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner) // Nothing that can panic runs under it.
    }

    /// Wakes whoever polls the combinator, if nobody has since its last poll.
    fn wake_owner(&self, board: impl FnOnce(&mut Board)) {
        let owner = {
            let mut notes = self.board();
            board(&mut notes);
            notes.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake(); // User code: not under the lock.
        }
    }
}

impl Bell {
    fn shared(&self) -> &Shared {
        // SAFETY:
        // * a bell lies in the allocation that it points to.
        unsafe { self.shared.as_ref() }
    }

    #[inline]
    fn ring(&self) {
        let shared = self.shared();
        if shared.home != thread_number() {
            return self.ring_elsewhere();
        }
        if self.rung_here.replace(true) {
            return;
        }
        shared.woken_here.borrow_mut().push(self.index);
        if !shared.awake.replace(true) {
            shared.wake_owner(|_| ());
        }
    }

    #[cold]
    fn ring_elsewhere(&self) {
        // Acquire and Release pair with the swap in `silence`: what led to this wake is seen by the poll that a bell rung
        // before it has caused.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.shared().wake_owner(|board| board.woken.push(self.index));
        }
    }

    /// Has the next wake count again: the child is about to be polled.
    #[inline]
    fn silence(&self) {
        self.rung_here.set(false);
        if self.rung.load(Ordering::Relaxed) {
            self.rung.swap(false, Ordering::AcqRel); // Pairs with the swap in `ring_elsewhere`.
        }
    }

    /// Makes a waker of a reference that is counted already, or lent.
    fn waker(&self, table: &'static RawWakerVTable) -> Waker {
        // SAFETY:
        // * the functions below keep `RawWaker`'s contract: they may be called from any thread.
        unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(self).cast(), table)) }
    }
}

/// The table of plain wakers.
static PLAIN: RawWakerVTable = RawWakerVTable::new(clone_plain, wake_plain, wake_by_ref, drop_plain);
/// The table of local wakers. One that strays to another thread is slower, and no less sound; its clones there are plain.
static LOCAL: RawWakerVTable = RawWakerVTable::new(clone_local, wake_local, wake_by_ref, drop_local);

/// Returns the bell that a waker points to.
///
/// # Safety
///
/// * `data` is that of a waker of one of the tables above which has not been dropped.
unsafe fn bell<'w>(data: *const ()) -> &'w Bell {
    // SAFETY:
    // * the waker holds a reference of the allocation, or is lent by whoever does. All that changes in a bell is a
    //   `Cell`, touched at home only, or an atomic.
    unsafe { &*data.cast::<Bell>() }
}

/// Counts one more reference of the allocation.
fn retain(bell: &Bell) {
    // SAFETY:
    // * the pointer came from `Arc::as_ptr`, and a reference exists: the one that the bell was reached by.
    unsafe { Arc::increment_strong_count(bell.shared.as_ptr()) }
}

/// Gives one reference of the allocation up.
///
/// # Safety
///
/// * The caller owns one, and does not use the bell any more.
unsafe fn release(shared: NonNull<Shared>) {
    // SAFETY:
    // * the pointer came from `Arc::as_ptr`;
    // * the caller's own promise.
    unsafe { Arc::decrement_strong_count(shared.as_ptr()) }
}

/// # Safety
///
/// * As for [`bell`].
unsafe fn clone_plain(data: *const ()) -> RawWaker {
    // SAFETY:
    // * the caller's own promise.
    let bell = unsafe { bell(data) };
    bell.shared().plain.fetch_add(1, Ordering::Relaxed); // Whoever clones has one already, or is at home.
    retain(bell);
    RawWaker::new(data, &PLAIN)
}

/// # Safety
///
/// * As for [`bell`].
unsafe fn clone_local(data: *const ()) -> RawWaker {
    // SAFETY:
    // * the caller's own promise.
    let at = unsafe { bell(data) };
    if at.shared().home != thread_number() {
        // SAFETY:
        // * the caller's own promise.
        return unsafe { clone_plain(data) };
    }
    retain(at);
    RawWaker::new(data, &LOCAL)
}

/// # Safety
///
/// * As for [`bell`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY:
    // * the caller's own promise.
    unsafe { bell(data) }.ring();
}

/// # Safety
///
/// * As for [`bell`]; the waker is not used any more.
unsafe fn wake_plain(data: *const ()) {
    // SAFETY:
    // * the caller's own promise.
    unsafe { wake_by_ref(data) };
    // SAFETY:
    // * the caller's own promise.
    unsafe { drop_plain(data) };
}

/// # Safety
///
/// * As for [`wake_plain`].
unsafe fn wake_local(data: *const ()) {
    // SAFETY:
    // * the caller's own promise.
    unsafe { wake_by_ref(data) };
    // SAFETY:
    // * the caller's own promise.
    unsafe { drop_local(data) };
}

/// # Safety
///
/// * As for [`wake_plain`]; the reference is counted.
unsafe fn drop_plain(data: *const ()) {
    // SAFETY:
    // * the caller's own promise.
    let bell = unsafe { bell(data) };
    // Release: what this waker did is seen by whoever finds that there is none left.
    bell.shared().plain.fetch_sub(1, Ordering::Release);
    let shared = bell.shared;
    // SAFETY:
    // * the caller's own promise.
    unsafe { release(shared) };
}

/// # Safety
///
/// * As for [`drop_plain`].
unsafe fn drop_local(data: *const ()) {
    // SAFETY:
    // * the caller's own promise.
    let shared = unsafe { bell(data) }.shared;
    // SAFETY:
    // * the caller's own promise.
    unsafe { release(shared) };
}

/// The bells of a combinator's children, as the combinator sees them.
pub(crate) struct Bells {
    shared: Arc<Shared>,
    /// The numbers of those to be polled, in order.
    batch: Vec<u32>,
    /// How many of them have had their turn.
    done: usize,
    /// The board's owner is a plain waker.
    owner_is_plain: bool,
    /// Upon which all children are polled.
    all: Waker,
    /// The task that the last poll was in; a child that moved to another is told by polling.
    task: Option<Option<TaskId>>,
}

impl Bells {
    pub(crate) fn new(count: usize) -> Bells {
        let count = u32::try_from(count).expect("four billion futures in place");
        // Not `Send`, and yet an `Arc`: what is touched at home only is never touched elsewhere.
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let at = NonNull::new(shared.as_ptr().cast_mut()).expect("an `Arc` is never null");
            let bell = |index| Bell {
                shared: at,
                index,
                rung_here: Cell::new(false),
                ended: Cell::new(false),
                rung: AtomicBool::new(false),
            };
            Shared {
                home: thread_number(),
                bells: (0..=count).map(bell).collect(),
                woken_here: RefCell::default(),
                awake: Cell::new(false),
                board: Mutex::new(Board::default()),
                plain: AtomicUsize::new(0),
            }
        });
        let all = shared.bells[count as usize].waker(&LOCAL);
        retain(&shared.bells[count as usize]); // What `all` holds.
        Bells { shared, batch: (0..count).collect(), done: 0, owner_is_plain: false, all, task: None }
    }

    /// Begins a round: whoever was woken until now is in it. `owner` is woken when a child is.
    pub(crate) fn begin(&mut self, owner: &Waker) {
        // Acquire pairs with the Release of a plain waker that is dropped.
        self.owner_is_plain = self.shared.plain.load(Ordering::Acquire) > 0;
        // User code: not under the lock, and nor is the drop of the old one.
        let for_board = if self.owner_is_plain { owner.clone() } else { local_waker(owner) };
        self.shared.awake.set(false);
        let before = self.forget_done();
        self.batch.append(&mut self.shared.woken_here.borrow_mut());
        let old = {
            let mut board = self.shared.board();
            self.batch.append(&mut board.woken);
            board.owner.replace(for_board)
        };
        drop(old);
        let task = current_task().map(|task| task.id());
        let moved = self.task.replace(task).is_some_and(|before| before != task);
        let everybody = self.shared.bells.len() as u32 - 1;
        if moved || self.batch[before..].contains(&everybody) {
            self.shared.bells[everybody as usize].silence();
            (self.batch, self.done) = ((0..everybody).collect(), 0);
        }
    }

    /// Drops those from the batch that have had their turn, if they are many, and returns how long the batch is.
    fn forget_done(&mut self) -> usize {
        if self.done > self.batch.len() / 2 {
            self.batch.drain(..self.done);
            self.done = 0;
        }
        self.batch.len()
    }

    /// Returns the number of the next child to be polled in this round.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let index = *self.batch.get(self.done)? as usize;
            self.done += 1;
            if !self.shared.bells[index].ended.get() {
                return Some(index);
            }
        }
    }

    /// Returns what knows the wakers of the children, under which they are to be polled.
    #[inline]
    pub(crate) fn wakers(&self) -> Wakers {
        Wakers { shared: Arc::as_ptr(&self.shared) }
    }

    /// Has a child polled, by `poll`, with a waker of its own.
    #[inline]
    pub(crate) fn poll<R>(&mut self, index: usize, owner: &Waker, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let bell = &self.shared.bells[index];
        bell.silence();
        let waker = ManuallyDrop::new(bell.waker(&PLAIN)); // Lent: the bells outlive the poll.
        let polled = poll(&mut Context::from_waker(&waker));
        if !self.owner_is_plain && self.shared.plain.load(Ordering::Relaxed) > 0 {
            self.renew(owner);
        }
        polled
    }

    /// Puts a plain clone in the place of the waker of whoever polls, unless that was woken.
    #[cold]
    fn renew(&mut self, owner: &Waker) {
        self.owner_is_plain = true;
        let mut plain = Some(owner.clone()); // User code: not under the lock.
        let mut board = self.shared.board();
        if board.owner.is_some() {
            mem::swap(&mut board.owner, &mut plain);
        }
        drop(board);
        drop(plain);
    }

    /// Returns a waker upon which all children are polled; to be kept at home.
    pub(crate) fn waker_of_all(&self) -> &Waker {
        &self.all
    }

    /// Says that a child has ended: it is polled no more.
    #[inline]
    pub(crate) fn end(&mut self, index: usize) {
        self.shared.bells[index].ended.set(true);
    }
}

/// Knows the wakers of the children of one combinator, by the address of what they share.
pub(crate) struct Wakers {
    shared: *const Shared,
}

impl Wakers {
    /// Returns the bell to which a plain waker of one of the children points.
    fn bell<'w>(&self, waker: &'w Waker) -> Option<&'w Bell> {
        if !ptr::eq(waker.vtable(), &PLAIN) {
            return None;
        }
        // SAFETY:
        // * the waker is borrowed, and of that table.
        let bell = unsafe { bell(waker.data()) };
        ptr::eq(bell.shared.as_ptr(), self.shared).then_some(bell)
    }
}

impl OwnWakers for Wakers {
    #[inline]
    fn local(&self, waker: &Waker) -> Option<Waker> {
        self.bell(waker).map(|bell| {
            retain(bell); // What the waker holds.
            bell.waker(&LOCAL)
        })
    }

    #[inline]
    fn is_local(&self, kept: &Waker, waker: &Waker) -> bool {
        self.bell(waker).is_some() && kept.data() == waker.data() && ptr::eq(kept.vtable(), &LOCAL)
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        let owner = self.shared.board().owner.take();
        drop(owner); // Wakers of children may outlive us; they wake nobody now.
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::Condvar;
    use loom::thread;
    use std::task::Wake;

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
                let door = Arc::clone(&doors[index]);
                let is_open = if is_first || !silence_late {
                    bells.poll(index, &owner, |cx| {
                        let is_open = door.load(Ordering::Relaxed);
                        if is_first {
                            let waker = cx.waker().clone();
                            thread::spawn(move || {
                                waker.wake_by_ref(); // One for nothing, so that the second meets a poll.
                                door.store(true, Ordering::Relaxed);
                                waker.wake();
                            });
                        }
                        is_open
                    })
                } else {
                    let is_open = door.load(Ordering::Relaxed);
                    bells.shared.bells[index].silence();
                    is_open
                };
                if is_open {
                    left -= 1;
                    bells.end(index);
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
        let name = "block::bells::loom_tests::loom_control_a_bell_silenced_too_late";
        let control = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--test-threads=1"])
            .env("CORIO_LOOM_CONTROL", "1")
            .output()
            .unwrap();
        assert!(!control.status.success(), "the control passed: the model could not fail either");
    }
}
