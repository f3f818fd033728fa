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
//!
//! A bell is a byte and a bit, and 32 of them are a *row*, which begins at a multiple of 64: a waker points to the row, as many
//! bytes behind its beginning as the bell has others in front of it. A bell with a pointer and a number of its own took
//! sixteen bytes; and of a hundred thousand, which are polled in turns, that is what counts.

use crate::sync::{AtomicU32, AtomicUsize, Mutex, MutexGuard, thread_number};
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
    /// Of a bell for each child, and one more, for all of them.
    rows: Box<[Row]>,
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

/// So many bells, and what their wakers point into.
#[repr(C, align(64))]
struct Row {
    /// The allocation that it lies in, as `Arc::as_ptr` has it. Never written.
    shared: NonNull<Shared>,
    /// The number of its first bell. Never written.
    first: u32,
    /// Whose numbers are on the board, a bit each. Cleared, before the child is polled, by whoever took the numbers.
    rung: AtomicU32,
    /// Touched at home only.
    here: [Cell<Here>; BELLS],
}

/// What is known at home of a child and its bell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Here {
    /// It waits, or is being polled.
    Silent,
    /// Its number is in `woken_here`.
    Rung,
    /// It is over.
    Ended,
}

/// How many bells a row has. With what they share they fill most of a line of a processor's cache.
const BELLS: usize = u32::BITS as usize;
const _: () = assert!(BELLS <= align_of::<Row>(), "an address for each");
#[cfg(not(loom))]
const _: () = assert!(size_of::<Row>() == 64);

/// One bell: what the waker of one child points to.
#[derive(Clone, Copy)]
pub(crate) struct Bell<'r> {
    row: &'r Row,
    number: u32,
}

impl Shared {
    #[inline]
    fn bell(&self, index: usize) -> Bell<'_> {
        Bell { row: &self.rows[index / BELLS], number: index as u32 }
    }

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

impl<'r> Bell<'r> {
    #[inline]
    fn shared(self) -> &'r Shared {
        // SAFETY:
        // * a row lies in the allocation that it points to.
        unsafe { self.row.shared.as_ref() }
    }

    /// Returns the number of the child.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.number as usize
    }

    /// Says that the child has ended: it is polled no more.
    #[inline]
    pub(crate) fn end(self) {
        self.here().set(Here::Ended);
    }

    #[inline]
    fn place(self) -> usize {
        self.index() % BELLS
    }

    #[inline]
    fn here(self) -> &'r Cell<Here> {
        &self.row.here[self.place()]
    }

    #[inline]
    fn ring(self) {
        let shared = self.shared();
        if shared.home != thread_number() {
            return self.ring_elsewhere();
        }
        if self.here().get() != Here::Silent {
            return;
        }
        self.here().set(Here::Rung);
        shared.woken_here.borrow_mut().push(self.number);
        if !shared.awake.replace(true) {
            shared.wake_owner(|_| ());
        }
    }

    #[cold]
    fn ring_elsewhere(self) {
        // Acquire and Release pair with the write in `silence`: what led to this wake is seen by the poll that a bell rung
        // before it has caused.
        let bit = 1 << self.place();
        if self.row.rung.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
            self.shared().wake_owner(|board| board.woken.push(self.number));
        }
    }

    /// Has the next wake count again: the child is about to be polled.
    #[inline]
    fn silence(self) {
        self.here().set(Here::Silent);
        if self.row.rung.load(Ordering::Relaxed) != 0 {
            self.silence_elsewhere();
        }
    }

    #[cold]
    fn silence_elsewhere(self) {
        let bit = 1 << self.place();
        if self.row.rung.load(Ordering::Relaxed) & bit != 0 {
            self.row.rung.fetch_and(!bit, Ordering::AcqRel); // Pairs with the write in `ring_elsewhere`.
        }
    }

    /// Makes a waker of a reference that is counted already, or lent.
    #[inline]
    fn waker(self, table: &'static RawWakerVTable) -> Waker {
        let data = ptr::from_ref(self.row).cast::<()>().map_addr(|row| row | self.place());
        // SAFETY:
        // * the functions below keep `RawWaker`'s contract: they may be called from any thread.
        unsafe { Waker::from_raw(RawWaker::new(data, table)) }
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
#[inline]
unsafe fn bell<'w>(data: *const ()) -> Bell<'w> {
    let row = data.map_addr(|data| data & !(align_of::<Row>() - 1)).cast::<Row>();
    // SAFETY:
    // * the waker holds a reference of the allocation, or is lent by whoever does, and has provenance over its row. All
    //   that changes in a row is a `Cell`, touched at home only, or an atomic.
    let row = unsafe { &*row };
    Bell { row, number: row.first + (data.addr() % BELLS) as u32 }
}

/// Counts one more reference of the allocation.
fn retain(bell: Bell<'_>) {
    // SAFETY:
    // * the pointer came from `Arc::as_ptr`, and a reference exists: the one that the bell was reached by.
    unsafe { Arc::increment_strong_count(bell.row.shared.as_ptr()) }
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
    let shared = bell.row.shared;
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
    let shared = unsafe { bell(data) }.row.shared;
    // SAFETY:
    // * the caller's own promise.
    unsafe { release(shared) };
}

/// The bells of a combinator's children, as the combinator sees them.
pub(crate) struct Bells {
    shared: Arc<Shared>,
    /// How many children there are.
    count: u32,
    /// So many are to be polled, from the first on, because all are: the whole of them, or none.
    all: usize,
    /// The numbers of those to be polled after them, in order.
    batch: Vec<u32>,
    /// How many of both have had their turn.
    done: Cell<usize>,
    /// The board's owner is a plain waker.
    owner_is_plain: Cell<bool>,
    /// Upon which all children are polled.
    all_waker: Waker,
    /// The task that the last poll was in; a child that moved to another is told by polling.
    task: Option<Option<TaskId>>,
}

impl Bells {
    pub(crate) fn new(count: usize) -> Bells {
        let count = u32::try_from(count).expect("four billion futures in place");
        // Not `Send`, and yet an `Arc`: what is touched at home only is never touched elsewhere.
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let at = NonNull::new(shared.as_ptr().cast_mut()).expect("an `Arc` is never null");
            let row = |first| Row {
                shared: at,
                first,
                rung: AtomicU32::new(0),
                here: [const { Cell::new(Here::Silent) }; BELLS],
            };
            Shared {
                home: thread_number(),
                rows: (0..=count).step_by(BELLS).map(row).collect(),
                woken_here: RefCell::new(Vec::with_capacity(count as usize)),
                awake: Cell::new(false),
                board: Mutex::new(Board::default()),
                plain: AtomicUsize::new(0),
            }
        });
        let bell_of_all = shared.bell(count as usize);
        let all_waker = bell_of_all.waker(&LOCAL);
        retain(bell_of_all); // What `all_waker` holds.
        Bells {
            shared,
            count,
            all: count as usize,
            batch: Vec::new(),
            done: Cell::new(0),
            owner_is_plain: Cell::new(false),
            all_waker,
            task: None,
        }
    }

    /// Begins a round: whoever was woken until now is in it. `owner` is woken when a child is.
    pub(crate) fn begin(&mut self, owner: &Waker) {
        // Acquire pairs with the Release of a plain waker that is dropped.
        self.owner_is_plain.set(self.shared.plain.load(Ordering::Acquire) > 0);
        // User code: not under the lock, and nor is the drop of the old one.
        let for_board = if self.owner_is_plain.get() { owner.clone() } else { local_waker(owner) };
        self.shared.awake.set(false);
        let before = self.forget_done();
        self.take_woken_here();
        let old = {
            let mut board = self.shared.board();
            self.batch.append(&mut board.woken);
            board.owner.replace(for_board)
        };
        drop(old);
        let task = current_task().map(|task| task.id());
        let moved = self.task.replace(task).is_some_and(|before| before != task);
        if moved || self.batch[before..].contains(&self.count) {
            self.shared.bell(self.count as usize).silence();
            self.all = self.count as usize;
            self.batch.clear();
            self.done.set(0);
        }
    }

    /// Moves the numbers of those that were woken at home into the batch; as they lie, if it is empty.
    fn take_woken_here(&mut self) {
        let mut woken = self.shared.woken_here.borrow_mut();
        if self.batch.is_empty() {
            mem::swap(&mut self.batch, &mut woken);
        } else {
            self.batch.append(&mut woken);
        }
    }

    /// Drops those that have had their turn, if they are many, and returns how long the batch is.
    fn forget_done(&mut self) -> usize {
        let done = self.done.get();
        if done >= self.all && done > (self.all + self.batch.len()) / 2 {
            self.batch.drain(..done - self.all);
            self.all = 0;
            self.done.set(0);
        }
        self.batch.len()
    }

    /// Returns the bell of the next child to be polled in this round.
    #[inline]
    pub(crate) fn next(&self) -> Option<Bell<'_>> {
        loop {
            let done = self.done.get();
            let index = if done < self.all { done } else { *self.batch.get(done - self.all)? as usize };
            self.done.set(done + 1);
            let bell = self.shared.bell(index);
            if bell.here().get() != Here::Ended {
                return Some(bell);
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
    pub(crate) fn poll<R>(&self, bell: Bell<'_>, owner: &Waker, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        bell.silence();
        let waker = ManuallyDrop::new(bell.waker(&PLAIN)); // Lent: the bells outlive the poll.
        let polled = poll(&mut Context::from_waker(&waker));
        if !self.owner_is_plain.get() && self.shared.plain.load(Ordering::Relaxed) > 0 {
            self.renew(owner);
        }
        polled
    }

    /// Puts a plain clone in the place of the waker of whoever polls, unless that was woken.
    #[cold]
    fn renew(&self, owner: &Waker) {
        self.owner_is_plain.set(true);
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
        &self.all_waker
    }
}

/// Knows the wakers of the children of one combinator, by the address of what they share.
pub(crate) struct Wakers {
    shared: *const Shared,
}

impl Wakers {
    /// Returns the bell to which a plain waker of one of the children points.
    fn bell<'w>(&self, waker: &'w Waker) -> Option<Bell<'w>> {
        if !ptr::eq(waker.vtable(), &PLAIN) {
            return None;
        }
        // SAFETY:
        // * the waker is borrowed, and of that table.
        let bell = unsafe { bell(waker.data()) };
        ptr::eq(bell.row.shared.as_ptr(), self.shared).then_some(bell)
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
    use loom::sync::atomic::AtomicBool;
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
            while let Some(bell) = bells.next() {
                let index = bell.index();
                let is_first = !mem::replace(&mut started[index], true);
                let door = Arc::clone(&doors[index]);
                let is_open = if is_first || !silence_late {
                    bells.poll(bell, &owner, |cx| {
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
                    bell.silence();
                    is_open
                };
                if is_open {
                    left -= 1;
                    bell.end();
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
