//! The unfinished tasks of a set, which it owns.
//!
//! Of a small one nobody keeps a note: its slab is looked through when somebody asks. A cell that is not `DONE` is that of an
//! unfinished task; one that is, or was, stays so until the next task is written over it. A large one has a place in a list.

use super::cache::{BlockPlace, Class, number_before};
use super::state::{DONE, LARGE};
use super::{Cache, Header, TaskPtr, TaskRef};
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};

/// How many tasks are unfinished, and which.
#[derive(Default)]
pub(crate) struct Registry {
    /// How many there are.
    count: Cell<usize>,
    /// The large ones. Each knows its place and keeps it, so that one that leaves touches no other's memory.
    large: RefCell<Places>,
    /// Where the last search for a large one that may be woken ended; and for a small one.
    large_cursor: Cell<usize>,
    small_cursor: Cell<BlockPlace>,
    /// The one that was found last was large.
    found_large: Cell<bool>,
}

/// The places of the large tasks.
struct Places {
    places: Vec<Place>,
    /// The place that was given up last; [`NONE`] if all are taken.
    free: u32,
    /// How many are taken.
    taken: usize,
}

/// One place: a task, or, above a tag that no task's address has, the place that was given up before it.
#[derive(Clone, Copy)]
struct Place(*const Header);

const FREE: usize = 1;
/// The number of no place.
const NONE: u32 = u32::MAX >> 1;
/// Fewer places than this are never too many.
const FEW: usize = 64;

impl Place {
    #[inline]
    fn of(task: TaskPtr) -> Place {
        Place(task.0.as_ptr())
    }

    #[inline]
    fn free(next: u32) -> Place {
        Place(ptr::without_provenance((next as usize) << 1 | FREE))
    }

    #[inline]
    fn task(self) -> Option<TaskPtr> {
        if self.0.addr() & FREE == 0 { NonNull::new(self.0.cast_mut()).map(TaskPtr) } else { None }
    }

    #[inline]
    fn next(self) -> u32 {
        (self.0.addr() >> 1) as u32
    }
}

impl Default for Places {
    fn default() -> Places {
        Places { places: Vec::new(), free: NONE, taken: 0 }
    }
}

impl Places {
    /// Gives a task a place, and returns its number.
    fn add(&mut self, task: TaskPtr) -> u32 {
        self.taken += 1;
        match self.free {
            NONE => self.grow(task),
            free => {
                let place = &mut self.places[free as usize];
                self.free = std::mem::replace(place, Place::of(task)).next();
                free
            }
        }
    }

    fn remove(&mut self, task: TaskPtr) {
        let index = place_of(task);
        let place = &mut self.places[index as usize];
        debug_assert!(place.task() == Some(task));
        *place = Place::free(self.free);
        self.free = index;
        self.taken -= 1;
    }

    /// Adds a task at the end.
    #[cold]
    fn grow(&mut self, task: TaskPtr) -> u32 {
        let index = u32::try_from(self.places.len()).ok().filter(|index| *index < NONE);
        self.places.push(Place::of(task));
        index.expect("two billion unfinished tasks")
    }

    fn tasks(&self) -> impl Iterator<Item = TaskPtr> {
        self.places.iter().filter_map(|place| place.task())
    }

    /// Gives each task a new place, if so many are free that whoever looks at all had better not.
    fn tidy(&mut self) {
        if self.places.len() < FEW || self.taken > self.places.len() / 4 {
            return;
        }
        self.free = NONE;
        self.places.retain(|place| place.task().is_some());
        for (index, task) in self.tasks().enumerate() {
            set_place_of(task, index as u32);
        }
    }
}

impl Registry {
    /// Adds a task that was made just now, as a block of `class`.
    #[inline]
    pub(super) fn add(&self, task: TaskPtr, class: Class) {
        self.count.set(self.count.get() + 1);
        if !class.is_small() {
            self.add_large(task);
        }
    }

    #[cold]
    fn add_large(&self, task: TaskPtr) {
        task.header().state.set(LARGE);
        let index = self.large.borrow_mut().add(task);
        set_place_of(task, index);
    }

    #[inline]
    pub(super) fn remove(&self, task: TaskPtr) {
        self.count.set(self.count.get() - 1);
        if task.header().state.has(LARGE) {
            self.large.borrow_mut().remove(task);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.get()
    }

    /// Returns the unfinished tasks as they were made. `cells` is where the small ones lie, here and below.
    pub(crate) fn views(&self, cells: &Cache) -> Vec<TaskRef> {
        self.large.borrow_mut().tidy();
        let is_pending = |task: &TaskPtr| !task.header().state.has(DONE);
        let mut tasks: Vec<_> = self.large.borrow().tasks().filter(is_pending).collect();
        tasks.extend(cells.blocks_from(BlockPlace::default()).filter_map(|(_, block)| unfinished(block)));
        tasks.sort_unstable_by_key(|task| task.number());
        tasks.into_iter().map(TaskPtr::view).collect()
    }

    /// Tells whether some unfinished task may be woken by anything but code on this thread.
    pub(crate) fn any_may_be_woken(&self, cells: &Cache) -> bool {
        self.any(cells, TaskPtr::may_be_woken)
    }

    /// Likewise, and has the bell rung should that cease to be true of the one that was found.
    pub(crate) fn watch(&self, cells: &Cache) -> bool {
        self.any(cells, TaskPtr::watch)
    }

    /// Looks for an unfinished task of which `test` is true.
    ///
    /// The search begins where the last one ended: a set that falls asleep again and again finds the same task, or one
    /// near by, and looks at few others.
    fn any(&self, cells: &Cache, test: fn(TaskPtr) -> bool) -> bool {
        if self.found_large.get() && self.any_large(test) {
            return true;
        }
        let found_small = self.any_small(cells, test);
        self.found_large.set(!found_small && self.any_large(test));
        found_small || self.found_large.get()
    }

    fn any_small(&self, cells: &Cache, test: fn(TaskPtr) -> bool) -> bool {
        let start = self.small_cursor.get();
        let before = cells.blocks_from(BlockPlace::default()).take_while(|(place, _)| *place < start);
        let mut all = cells.blocks_from(start).chain(before);
        let found = all.find(|(_, block)| unfinished(*block).is_some_and(test));
        self.small_cursor.set(found.map_or(BlockPlace::default(), |(place, _)| place));
        found.is_some()
    }

    fn any_large(&self, test: fn(TaskPtr) -> bool) -> bool {
        self.large.borrow_mut().tidy();
        let places = &self.large.borrow().places;
        let start = self.large_cursor.get().min(places.len());
        let passes = |index: &usize| places[*index].task().is_some_and(test);
        let found = (start..places.len()).chain(0..start).find(passes);
        self.large_cursor.set(found.unwrap_or(0));
        found.is_some()
    }
}

/// Returns the unfinished task that lies in a block of a slab which was taken once, if there is one.
fn unfinished(block: NonNull<u8>) -> Option<TaskPtr> {
    let task = TaskPtr(block.cast());
    // SAFETY:
    // * whatever was taken from a slab begins with a header, which is written at once; when a cell is given back, only its
    //   first word is written over, which is a `Cell`, as the state is.
    let state = unsafe { &(*task.0.as_ptr()).state };
    (!state.has(DONE)).then_some(task)
}

/// Returns the place of a large task.
fn place_of(task: TaskPtr) -> u32 {
    with_place(task, Cell::get)
}

fn set_place_of(task: TaskPtr, place: u32) {
    with_place(task, |before| before.set(place));
}

/// Calls `f` with what stands before a large task: its place.
fn with_place<R>(task: TaskPtr, f: impl FnOnce(&Cell<u32>) -> R) -> R {
    debug_assert!(task.header().state.has(LARGE));
    // SAFETY:
    // * a task that is LARGE lies in a large block.
    let place = unsafe { number_before(task.0.cast()) };
    // SAFETY:
    // * the block is alive, as the task is, and written by its owner's thread alone.
    f(unsafe { place.as_ref() })
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use crate::{Task, TaskSet};
    use std::future::pending;

    /// A task that is large in all builds.
    fn spawn_large(set: &TaskSet) -> Task<()> {
        let waiting = async {
            let much = [1_u64; 70];
            pending::<()>().await;
            std::hint::black_box(&much);
        };
        set.spawn(waiting)
    }

    fn spawn(set: &TaskSet, count: usize) -> Vec<Task<()>> {
        (0..count).map(|_| spawn_large(set)).collect()
    }

    fn places(set: &TaskSet) -> usize {
        set.core.tasks.large.borrow().places.len()
    }

    fn end(set: &TaskSet, tasks: impl IntoIterator<Item = Task<()>>) {
        tasks.into_iter().for_each(|task| assert!(task.cancel()));
        set.run_batch();
    }

    /// Returns what the set knows of, by the numbers of the tasks.
    fn numbers(set: &TaskSet) -> Vec<u64> {
        let mut numbers: Vec<_> = set.tasks().iter().map(|task| task.id().number()).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn places_are_used_again() {
        let set = TaskSet::new();
        let mut tasks = spawn(&set, 10);
        for round in 0..20 {
            end(&set, tasks.drain(round % 3..5 + round % 3));
            tasks.extend(spawn(&set, 5));
            let mut expected: Vec<_> = tasks.iter().map(|task| task.id().number()).collect();
            expected.sort_unstable();
            assert_eq!((numbers(&set), set.len(), places(&set)), (expected, 10, 10));
        }
    }

    /// Whoever looks at all tasks looks at few empty places, and those who are left keep each to their own.
    #[cfg(not(miri))] // Which takes minutes for it; what it is about is numbers.
    #[test]
    fn many_free_places_are_tidied_up() {
        for (count, left, expected) in
            [(63, 1, 63), (64, 17, 64), (64, 16, 16), (64, 0, 0), (400, 101, 400), (400, 100, 100)]
        {
            for look_by_stuck in [false, true] {
                let set = TaskSet::new();
                let mut tasks = spawn(&set, count);
                end(&set, tasks.drain(..count - left));
                if look_by_stuck {
                    _ = set.is_stuck(0)
                } else {
                    drop(set.tasks())
                }
                assert_eq!((places(&set), set.len(), numbers(&set).len()), (expected, left, left));
                tasks.extend(spawn(&set, 3));
                assert_eq!(set.len(), left + 3);
                end(&set, tasks);
                assert!(set.is_empty() && numbers(&set).is_empty());
            }
        }
    }

    /// Whichever way a task lies in memory, it is found as long as it is unfinished, and no longer.
    #[test]
    fn the_unfinished_are_found_among_others() {
        let set = TaskSet::new();
        let count = if cfg!(miri) { 60 } else { 1_000 };
        let some = |index: usize| match index % 3 {
            0 => set.spawn(pending()),
            1 => spawn_large(&set),
            _ => set.spawn(async {
                let more = [1_u64; 30];
                pending::<()>().await;
                std::hint::black_box(&more);
            }),
        };
        let mut tasks: Vec<_> = (0..count).map(some).collect();
        for round in 0..6 {
            let mut left = Vec::new();
            for (index, task) in tasks.drain(..).enumerate() {
                if index % 5 == round % 5 { end(&set, [task]) } else { left.push(task) }
            }
            tasks = left;
            tasks.extend((0..round).map(some));
            let views = set.core.tasks.views(&set.core.cells);
            let found: Vec<_> = views.iter().map(|task| task.id().number()).collect();
            let expected: Vec<_> = tasks.iter().map(|task| task.id().number()).collect();
            assert_eq!((found, set.len()), (expected, tasks.len()), "as they were made");
        }
    }

    /// Who may be woken is found behind the place where the last search ended, and before it.
    #[test]
    fn one_that_may_be_woken_is_found_wherever_it_is() {
        let set = TaskSet::new();
        let may_be_woken = || set.core.tasks.any_may_be_woken(&set.core.cells);
        let known = || {
            set.spawn(std::future::poll_fn(|cx| {
                corio_seam::wait_on(corio_seam::Waiting::Leaf(&"something known"));
                let _ = cx;
                std::task::Poll::Pending
            }))
        };
        let mut tasks: Vec<_> = (0..20).map(|_| known()).collect();
        set.run_batch();
        assert!(!may_be_woken());
        for place in [0, 12, 19, 7] {
            tasks.push(if place == 12 { spawn_large(&set) } else { set.spawn(pending()) });
            set.run_batch();
            assert!(may_be_woken() && may_be_woken());
            let one = tasks.pop().unwrap();
            let other = std::mem::replace(&mut tasks[place], known());
            end(&set, [one, other]);
            assert!(!may_be_woken() && !may_be_woken());
        }
    }
}
