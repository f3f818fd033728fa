//! A future that drives a coroutine: a task.

#![deny(unsafe_code)] // Lifted in `raw`, and for two pieces of the same story in `set` and `drive`.

mod task;
mod task_ref;
mod error;
mod catch_cancelled;
mod scope;
mod request;
mod forward;
mod set;
mod drive;
mod sleep_timer;
mod inbox;
mod listeners;
mod report;
mod seam;
mod raw;
mod sync;

pub use catch_cancelled::{CatchCancelled, catch_cancelled};
pub use corio_seam::{Cancelled, Panic};
pub use drive::RunUntil;
pub use error::JoinError;
pub use inbox::Bell;
pub use listeners::CallbackKey;
pub use raw::TaskRef;
pub use scope::{Scope, ScopeHandle};
pub use set::{RemoteSet, TaskSet};
pub use sleep_timer::SleepTimer;
pub use task::{Task, all_tasks, create_task, current_task};
pub use task_ref::TaskId;
