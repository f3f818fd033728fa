//! Two words of the header that are one of several pointers each, told apart by their lowest bits.

use super::seats::{Seat, Seats};
use super::{TaskPtr, TaskRef, waker};
use crate::listeners::Listeners;
use crate::node::{Node, Slot};
use crate::waits::{Place, Waits};
use corio_seam::ThinTarget;
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::task::Waker;

/// In either word: a task.
const TASK: usize = 1;
/// In `ExtraWord`: the name of a leaf.
const LEAF: usize = 2;
/// In `SlotWord`: a seat.
const SEAT: usize = 2;
/// In `ExtraWord`: the number of a place, above the tag.
const PLACE: usize = TASK | LEAF;
const TAGS: usize = TASK | LEAF;
/// In `ExtraWord`, where none of the tags is: a future of ours. The root scope's address has this bit never.
const TARGET: usize = 4;
const _: () = assert!(ThinTarget::ALIGN > TARGET && align_of::<Node>() > TARGET);
/// How far the number of a place is shifted.
const PLACE_SHIFT: u32 = TAGS.count_ones();

fn tagged<T>(pointer: *const T, tag: usize) -> *const () {
    pointer.cast::<()>().map_addr(|addr| addr | tag)
}

fn untagged<T>(word: *const ()) -> *const T {
    word.map_addr(|addr| addr & !TAGS).cast()
}

fn as_task(word: *const ()) -> TaskPtr {
    TaskPtr(NonNull::new(untagged::<super::Header>(word).cast_mut()).expect("a task's address is never null"))
}

/// Makes a seat of a word that `put` made of one, and that its caller has replaced.
#[inline]
fn as_seat(word: *const ()) -> Seat {
    let number = NonNull::new(untagged::<u32>(word).cast_mut()).expect("a seat's address is never null");
    // SAFETY:
    // * `put` made the word of a seat, which the word gives up.
    unsafe { Seat::from_raw(number) }
}

/// Tells whether a word of `ExtraWord` is a future of ours.
#[inline]
fn is_target(word: *const ()) -> bool {
    word.addr() & (TAGS | TARGET) == TARGET
}

/// Makes the future of a word that `put` made of one, and that its caller has replaced.
#[inline]
fn as_target(word: *const ()) -> ThinTarget {
    let address = word.map_addr(|addr| addr & !TARGET).cast_mut();
    let address = NonNull::new(address).expect("a future's address is never null");
    // SAFETY:
    // * `put`, or `wait_on_target`, made the word of a future, which the word gives up.
    unsafe { ThinTarget::from_raw(address) }
}

/// Who is told of a task's end.
pub(super) struct SlotWord(Cell<*const ()>);

/// What [`SlotWord`] holds.
pub(super) enum Listening {
    Nobody,
    /// A task that waits for this one, and nobody else; the pointer is one of its kept wakers.
    Task(TaskPtr),
    /// A seat, and nobody else. It stays there while the task, being over, stands in the ready queue to call it.
    Seat(Seat),
    Many(Box<Listeners>),
}

impl SlotWord {
    pub(super) fn new() -> SlotWord {
        SlotWord(Cell::new(ptr::null()))
    }

    #[inline]
    pub(super) fn take(&self) -> Listening {
        let word = self.0.replace(ptr::null());
        if word.is_null() {
            return Listening::Nobody;
        }
        match word.addr() & TAGS {
            TASK => Listening::Task(as_task(word)),
            SEAT => Listening::Seat(as_seat(word)),
            _ => {
                // SAFETY:
                // * an untagged word comes from `Box::into_raw` in `put`, and was replaced just now.
                Listening::Many(unsafe { Box::from_raw(word.cast::<Listeners>().cast_mut()) })
            }
        }
    }

    /// Tells whether nobody is told.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.get().is_null()
    }

    #[inline]
    pub(super) fn is_seat(&self) -> bool {
        self.0.get().addr() & TAGS == SEAT
    }

    /// Takes the task whose waker it is, if nobody else is told.
    #[inline]
    pub(super) fn take_task(&self) -> Option<TaskPtr> {
        let is_task = self.0.get().addr() & TAGS == TASK;
        is_task.then(|| as_task(self.0.replace(ptr::null())))
    }

    /// Takes the seat, if nobody else is told.
    #[inline]
    pub(super) fn take_seat(&self) -> Option<Seat> {
        if self.is_seat() { Some(as_seat(self.0.replace(ptr::null()))) } else { None }
    }

    /// Notes the end in the seat, if nobody else is told, and announces it if that `has_output`; true if that did, and the seat
    /// is given up.
    #[inline(always)] // Into the one place that tells.
    pub(super) fn announce(&self, has_output: bool) -> bool {
        let Some(seat) = self.take_seat() else { return false };
        seat.note_end();
        let did = has_output && seat.announce();
        if did {
            seat.discard();
        } else {
            self.put(Listening::Seat(seat));
        }
        did
    }

    /// Has a seat told.
    #[inline(always)]
    pub(super) fn add_seat(&self, seat: Seat) {
        if self.is_empty() {
            self.put(Listening::Seat(seat));
        } else {
            self.add_one_more_seat(seat);
        }
    }

    /// A function of its own, so that the usual case goes into the loop that takes seats.
    #[inline(never)]
    fn add_one_more_seat(&self, seat: Seat) {
        self.with_listeners(|listeners| listeners.add_seat(seat));
    }

    /// Takes that seat back, if it is there; the caller drops it.
    pub(super) fn remove_seat(&self, seats: &Seats, index: usize) -> Option<Seat> {
        match self.take() {
            Listening::Seat(seat) if seat.is(seats, index) => Some(seat),
            Listening::Many(mut listeners) => {
                let removed = listeners.remove_seat(seats, index);
                if !listeners.is_unused() {
                    self.put(Listening::Many(listeners));
                }
                removed
            }
            other => {
                self.put(other);
                None
            }
        }
    }

    #[inline]
    pub(super) fn put(&self, listening: Listening) {
        let word = match listening {
            Listening::Nobody => ptr::null(),
            Listening::Task(task) => tagged(task.0.as_ptr(), TASK),
            Listening::Seat(seat) => tagged(seat.into_raw().as_ptr(), SEAT),
            Listening::Many(listeners) => Box::into_raw(listeners).cast_const().cast(),
        };
        debug_assert!(self.0.get().is_null());
        self.0.set(word);
    }

    /// Notes the waker of whoever awaits the handle; an older one of theirs is replaced.
    #[inline]
    pub(super) fn set_waker(&self, waker: &Waker) {
        let word = self.0.get();
        if word.is_null() {
            let listening = match waker::task_of(waker) {
                Some(task) if waker::add_kept(task) => Listening::Task(task), // The word is that waker from now on.
                _ => Listening::Many(Box::new(Listeners::of_waker(waker::keep(waker)))),
            };
            self.put(listening);
        } else if word.addr() & TAGS == TASK && waker::task_of(waker) == Some(as_task(word)) {
            // The same task asks again: what is noted will do.
        } else if !self.with_listeners(|listeners| listeners.has_waker(waker)) {
            let new = waker::keep(waker); // User code, as is the drop of the old one: the word is whole meanwhile.
            let old = self.with_listeners(|listeners| listeners.set_waker(new));
            drop(old);
        }
    }

    /// Forgets the waker of whoever awaited the handle.
    #[inline]
    pub(super) fn drop_waker(&self) {
        if !self.is_empty() && !self.is_seat() {
            self.drop_waker_slow();
        }
    }

    fn drop_waker_slow(&self) {
        match self.take() {
            Listening::Nobody => (),
            Listening::Task(task) => drop(waker::kept(task)),
            seat @ Listening::Seat(_) => self.put(seat),
            Listening::Many(mut listeners) => {
                let old = listeners.take_waker();
                if !listeners.is_unused() {
                    self.put(Listening::Many(listeners));
                }
                drop(old); // User code: the word is whole again.
            }
        }
    }

    /// Calls `f` with the box of listeners, made now if there was none. `f` must not run user code.
    pub(super) fn with_listeners<R>(&self, f: impl FnOnce(&mut Listeners) -> R) -> R {
        let mut listeners = match self.take() {
            Listening::Nobody => Box::default(),
            Listening::Task(task) => Box::new(Listeners::of_waker(waker::kept(task))),
            Listening::Seat(seat) => Box::new(Listeners::of_seat(seat)),
            Listening::Many(listeners) => listeners,
        };
        let result = f(&mut listeners);
        self.put(Listening::Many(listeners));
        result
    }
}

/// What a task waits for, or all that is rarely needed.
pub(super) struct ExtraWord(Cell<*const ()>);

/// What [`ExtraWord`] holds.
pub(super) enum Extra {
    Nothing,
    /// It waits for something that is merely left.
    Leaf(&'static &'static str),
    /// It waits for that task; the pointer is one of its views.
    Task(TaskPtr),
    /// It waits for that future.
    Target(ThinTarget),
    /// It waits for what the set's [`Waits`] keep there.
    Place(Place),
    /// It has a root scope, which has a slot of its own, and perhaps a name.
    Root(Rc<Node>),
}

impl ExtraWord {
    pub(super) fn new() -> ExtraWord {
        ExtraWord(Cell::new(ptr::null()))
    }

    #[inline]
    pub(super) fn take(&self) -> Extra {
        let word = self.0.replace(ptr::null());
        if word.is_null() {
            return Extra::Nothing;
        }
        match word.addr() & TAGS {
            TASK => Extra::Task(as_task(word)),
            LEAF => {
                // SAFETY:
                // * the tag says that `put` made the word of a `&'static &'static str`.
                Extra::Leaf(unsafe { &*untagged::<&'static str>(word) })
            }
            PLACE => Extra::Place(Place((word.addr() >> PLACE_SHIFT) as u32)),
            _ if word.addr() & TARGET != 0 => Extra::Target(as_target(word)),
            _ => {
                // SAFETY:
                // * an untagged word comes from `Rc::into_raw` in `put`, and was replaced just now.
                Extra::Root(unsafe { Rc::from_raw(word.cast::<Node>()) })
            }
        }
    }

    #[inline]
    pub(super) fn put(&self, extra: Extra) {
        debug_assert!(self.0.get().is_null());
        self.0.set(match extra {
            Extra::Nothing => ptr::null(),
            Extra::Leaf(name) => tagged(ptr::from_ref(name), LEAF),
            Extra::Task(task) => tagged(task.0.as_ptr(), TASK),
            Extra::Target(target) => tagged(target.into_raw().as_ptr(), TARGET),
            Extra::Place(place) => ptr::without_provenance((place.0 as usize) << PLACE_SHIFT | PLACE),
            Extra::Root(root) => Rc::into_raw(root).cast(),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.get().is_null()
    }

    /// Tells whether `node` is the root scope.
    #[inline]
    pub(super) fn is_root(&self, node: &Rc<Node>) -> bool {
        self.0.get() == Rc::as_ptr(node).cast()
    }

    fn has_root(&self) -> bool {
        let word = self.0.get();
        !word.is_null() && word.addr() & (TAGS | TARGET) == 0
    }

    /// Returns the root scope.
    pub(super) fn root(&self) -> Option<Rc<Node>> {
        if !self.has_root() {
            return None;
        }
        let root = self.0.get().cast::<Node>();
        // SAFETY:
        // * the word is an `Rc` that `put` leaked, and stays one.
        unsafe { Rc::increment_strong_count(root) };
        // SAFETY:
        // * the count was raised for this very `Rc`.
        Some(unsafe { Rc::from_raw(root) })
    }

    /// Returns how many requests were aimed at the root scope, less those taken back.
    #[inline]
    pub(super) fn requests(&self) -> usize {
        if self.has_root() { self.root().map_or(0, |root| root.requests()) } else { 0 }
    }

    /// Forgets what the task waits for: it is about to be polled, or over.
    #[inline]
    pub(super) fn forget_waiting(&self, waits: &Waits) {
        let word = self.0.get();
        if word.addr() & TAGS == LEAF {
            self.0.set(ptr::null());
        } else if !word.is_null() {
            self.forget_waiting_slow(waits);
        }
    }

    #[inline(never)]
    fn forget_waiting_slow(&self, waits: &Waits) {
        let word = self.0.get();
        if is_target(word) {
            self.0.set(ptr::null());
            return drop(as_target(word)); // User code perhaps, if it was the last reference: the word is whole.
        }
        match self.root() {
            Some(root) => root.clear_slot(),
            None => self.clear(waits),
        }
    }

    /// Notes that the task waits for something that is merely left.
    #[inline]
    pub(super) fn wait_on_leaf(&self, waits: &Waits, name: &'static &'static str) {
        if self.0.get().is_null() {
            self.0.set(tagged(ptr::from_ref(name), LEAF));
        } else {
            self.wait_on_one_more_leaf(waits, name);
        }
    }

    /// A function of its own, so that a usual wait has no slot to make room for.
    #[cold]
    fn wait_on_one_more_leaf(&self, waits: &Waits, name: &'static &'static str) {
        self.wait_on_more(waits, Slot::Leaf(name));
    }

    /// Notes that the task waits for `task`.
    #[inline]
    pub(super) fn wait_on_task(&self, waits: &Waits, task: TaskPtr) {
        if self.0.get().is_null() {
            std::mem::forget(task.view()); // The word is that view from now on.
            self.0.set(tagged(task.0.as_ptr(), TASK));
        } else {
            self.wait_on_more(waits, Slot::Task(task.view()));
        }
    }

    /// Notes that the task waits for a future of ours.
    #[inline]
    pub(super) fn wait_on_target(&self, waits: &Waits, target: ThinTarget) {
        if self.0.get().is_null() {
            self.0.set(tagged(target.into_raw().as_ptr(), TARGET));
        } else {
            self.wait_on_one_more_target(waits, target);
        }
    }

    /// As [`wait_on_one_more_leaf`](ExtraWord::wait_on_one_more_leaf).
    #[cold]
    fn wait_on_one_more_target(&self, waits: &Waits, target: ThinTarget) {
        self.wait_on_more(waits, Slot::Target(target.into_rc()));
    }

    /// Notes that the task waits for something that takes more than a word to say.
    #[inline]
    pub(super) fn wait_on_slot(&self, waits: &Waits, slot: Slot) {
        if !self.0.get().is_null() {
            return self.wait_on_more(waits, slot);
        }
        match slot {
            Slot::Leaf(name) => self.wait_on_leaf(waits, name),
            slot => self.put(Extra::Place(waits.put(|| slot))),
        }
    }

    /// Notes that the task waits for `slot`: to its root, or beside something else, so that neither is to be cancelled in
    /// its stead.
    #[cold]
    fn wait_on_more(&self, waits: &Waits, slot: Slot) {
        match self.root() {
            Some(root) => root.note(slot),
            None => {
                self.clear(waits);
                self.put(Extra::Leaf(&"several"));
            }
        }
    }

    /// Drops what the word holds.
    pub(super) fn clear(&self, waits: &Waits) {
        match self.take() {
            Extra::Nothing | Extra::Leaf(_) => (),
            Extra::Task(task) => drop(TaskRef::from_ptr(task)),
            Extra::Target(target) => drop(target),
            Extra::Place(place) => drop(waits.take(place)),
            Extra::Root(root) => drop(root),
        }
    }
}
