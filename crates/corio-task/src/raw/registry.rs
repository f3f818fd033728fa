//! The unfinished tasks of a set, which it owns.

use super::{Header, TaskPtr, TaskRef};
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};

/// A list of the unfinished tasks. Each knows its place and keeps it, so that one that leaves touches no other's memory.
#[derive(Default)]
pub(crate) struct Registry {
    places: RefCell<Places>,
    /// Where the last search for a task that may be woken ended.
    cursor: Cell<usize>,
}

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
    /// Adds a task at the end.
    #[cold]
    fn grow(&mut self, task: TaskPtr) -> u32 {
        let index = u32::try_from(self.places.len()).ok().filter(|index| *index < NONE);
        self.places.push(Place::of(task));
        index.expect("two billion unfinished tasks")
    }

    fn tasks(&self) -> impl DoubleEndedIterator<Item = TaskPtr> {
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
            task.header().index.set(index as u32);
        }
    }
}

impl Registry {
    #[inline]
    pub(super) fn add(&self, task: TaskPtr) {
        let mut places = self.places.borrow_mut();
        let index = match places.free {
            NONE => places.grow(task),
            free => {
                let place = &mut places.places[free as usize];
                let next = std::mem::replace(place, Place::of(task)).next();
                places.free = next;
                free
            }
        };
        places.taken += 1;
        task.header().index.set(index);
    }

    #[inline]
    pub(super) fn remove(&self, task: TaskPtr) {
        let index = task.header().index.get();
        let places = &mut *self.places.borrow_mut();
        let place = &mut places.places[index as usize];
        debug_assert!(place.task() == Some(task));
        *place = Place::free(places.free);
        places.free = index;
        places.taken -= 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.places.borrow().taken
    }

    /// Returns the unfinished tasks, in no order that means anything.
    pub(crate) fn views(&self) -> Vec<TaskRef> {
        self.places.borrow_mut().tidy();
        let mut views: Vec<_> = self.places.borrow().tasks().map(TaskPtr::view).collect();
        corio_seam::permute(&mut views);
        views
    }

    /// Returns one of the unfinished tasks: whoever ends them all, one by one, looks at no place twice.
    pub(crate) fn any(&self) -> Option<TaskRef> {
        let places = &mut *self.places.borrow_mut();
        while let Some(last) = places.places.last() {
            if let Some(task) = last.task() {
                return Some(task.view());
            }
            places.free = NONE; // It led through this place, and others: `tidy` finds those.
            places.places.pop();
        }
        None
    }

    /// Tells whether some unfinished task may be woken by anything but code on this thread.
    ///
    /// The search begins where the last one ended: a set that falls asleep again and again finds the same task, or one
    /// near by, and looks at few others.
    pub(crate) fn any_may_be_woken(&self) -> bool {
        self.places.borrow_mut().tidy();
        let places = &self.places.borrow().places;
        let start = self.cursor.get().min(places.len());
        let may_be_woken = |index: &usize| places[*index].task().is_some_and(TaskPtr::may_be_woken);
        let found = (start..places.len()).chain(0..start).find(may_be_woken);
        self.cursor.set(found.unwrap_or(0));
        found.is_some()
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use crate::{Task, TaskSet};
    use std::future::pending;

    fn spawn(set: &TaskSet, count: usize) -> Vec<Task<()>> {
        (0..count).map(|_| set.spawn(pending())).collect()
    }

    fn places(set: &TaskSet) -> usize {
        set.core.tasks.places.borrow().places.len()
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
}
