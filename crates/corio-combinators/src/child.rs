//! One child of a combinator over tasks: something that goes on by itself, and is listened to.

use crate::Failure;
use crate::ears::Ears;
use crate::fallible::Handle;
use crate::outcome::Outcome;
use crate::standing::Key;
use corio_seam::Waitable;
use corio_task::{Audience, Seats, Task, create_task};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A child whose future returns `O`.
///
/// Two words: there may be a hundred thousand, which are tasks. What is none is in a box.
pub enum Child<O: Outcome> {
    /// A task that was made of a plain future.
    Spawned(Task<O>),
    /// A task that was given.
    Task(Task<O::Value>),
    /// A cell that was given.
    Cell(Box<corio_future::Future<O::Value>>),
    /// A gather that was given.
    Gather(Box<corio_future::Future<Result<O::Value, Failure>>>),
    /// A task or a cell of results that was given to count as one.
    Fallible(Box<Box<dyn Handle<O::Value>>>),
}

impl<O: Outcome> Child<O> {
    /// Takes a handle as it is, and makes a task of any other future.
    #[track_caller]
    pub(crate) fn start<F: Future<Output = O> + 'static>(future: F) -> Child<O> {
        match O::existing(future) {
            Ok(child) => child,
            Err(future) => Child::Spawned(create_task(future)),
        }
    }

    #[inline]
    pub(crate) fn done(&self) -> bool {
        match self {
            Child::Spawned(task) => task.done(),
            Child::Task(task) => task.done(),
            Child::Cell(cell) => cell.done(),
            Child::Gather(cell) => cell.done(),
            Child::Fallible(handle) => handle.is_over(),
        }
    }

    /// Has `callback` called through the loop when the child is over.
    #[inline]
    pub(crate) fn listen(&self, callback: impl FnOnce() + 'static) -> Key {
        match self {
            Child::Spawned(task) => Key::Task(task.add_done_callback(|_| callback())),
            Child::Task(task) => Key::Task(task.add_done_callback(|_| callback())),
            Child::Cell(cell) => Key::Cell(cell.add_done_callback(|_| callback())),
            Child::Gather(cell) => Key::Cell(cell.add_done_callback(|_| callback())),
            Child::Fallible(handle) => handle.tell(Box::new(callback)),
        }
    }

    /// Has the audience told when the child is over, through the loop; none if it is over.
    #[inline]
    pub(crate) fn listen_with<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> Option<Key> {
        match self {
            Child::Spawned(task) => (!task.done()).then(|| ears.seat(task, index)),
            Child::Task(task) => (!task.done()).then(|| ears.seat(task, index)),
            _ => (!self.done()).then(|| self.listen(ears.callback(index))),
        }
    }

    /// Has the audience told, through the loop, of a child that is over; false if it is no task of this loop: that takes a
    /// callback.
    #[inline]
    pub(crate) fn listen_late<A: Audience + 'static>(&self, ears: &Ears<A>, index: usize) -> bool {
        match self {
            Child::Spawned(task) => ears.late_seat(task, index),
            Child::Task(task) => ears.late_seat(task, index),
            _ => false,
        }
    }

    pub(crate) fn unlisten(&self, key: &Key, seats: Option<&Seats>, index: usize) {
        match (self, key) {
            (Child::Spawned(task), Key::Seat) => seats.is_some_and(|seats| task.leave_seat(seats, index)),
            (Child::Task(task), Key::Seat) => seats.is_some_and(|seats| task.leave_seat(seats, index)),
            (Child::Cell(cell), Key::Cell(key)) => cell.remove_done_callback(*key),
            (Child::Gather(cell), Key::Cell(key)) => cell.remove_done_callback(*key),
            (Child::Fallible(handle), key) => handle.forget(key),
            _ => unreachable!("a child's key is of the child's own kind"),
        };
    }

    /// Asks the child to end; false if it is over.
    pub(crate) fn cancel(&self, message: Option<Arc<str>>) -> bool {
        let text = |message: Option<Arc<str>>| message.map(|message| message.to_string());
        match self {
            Child::Spawned(task) => Waitable::cancel(&task.task_ref(), message),
            Child::Task(task) => Waitable::cancel(&task.task_ref(), message),
            Child::Cell(cell) => text(message).map_or_else(|| cell.cancel(), |text| cell.cancel_with(text)),
            Child::Gather(cell) => text(message).map_or_else(|| cell.cancel(), |text| cell.cancel_with(text)),
            Child::Fallible(handle) => handle.cancel_for(message),
        }
    }

    /// Returns it as the await graph sees it.
    pub(crate) fn waitable(&self) -> Rc<dyn Waitable> {
        match self {
            Child::Spawned(task) => Rc::new(task.task_ref()),
            Child::Task(task) => Rc::new(task.task_ref()),
            Child::Cell(cell) => cell.waitable(),
            Child::Gather(cell) => cell.waitable(),
            Child::Fallible(handle) => handle.waitable(),
        }
    }

    /// Moves out how the child ended.
    ///
    /// # Panics
    ///
    /// If it has not ended.
    #[inline]
    pub(crate) fn take(self) -> Result<O::Value, Failure> {
        match self {
            Child::Spawned(task) => {
                task.into_output().map_or_else(|task| Child::<O>::Spawned(task).take_slow(), O::settle)
            }
            Child::Task(task) => task.into_output().or_else(|task| Child::<O>::Task(task).take_slow()),
            child => child.take_slow(),
        }
    }

    /// Moves the value out of a task that returned one, without any code of the user's; or gives the child back.
    #[inline]
    pub(crate) fn take_value(self) -> Result<O::Value, Child<O>> {
        match self {
            Child::Spawned(task) if task.output().is_some_and(|output| !output.is_failure()) => {
                let output = task.into_output().map_err(Child::Spawned)?;
                Ok(O::settle(output).unwrap_or_else(|_| unreachable!("an output that is no failure is a value")))
            }
            Child::Task(task) => task.into_output().map_err(Child::Task),
            child => Err(child),
        }
    }

    /// As [`take`](Child::take), of a child that is no task, or failed.
    #[inline(never)]
    fn take_slow(mut self) -> Result<O::Value, Failure> {
        const OVER: &str = "a child is asked for its output after its end";
        match &mut self {
            Child::Spawned(task) => task.take_output().expect(OVER).map_err(Failure::from).and_then(O::settle),
            Child::Task(task) => task.take_output().expect(OVER).map_err(Failure::from),
            Child::Cell(cell) => cell.take().expect(OVER).map_err(Failure::from),
            Child::Gather(cell) => cell.take().expect(OVER).map_err(Failure::from).and_then(|result| result),
            Child::Fallible(handle) => handle.take_flat().expect(OVER),
        }
    }
}

impl<O: Outcome> fmt::Debug for Child<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("done", &self.done()).finish_non_exhaustive()
    }
}
