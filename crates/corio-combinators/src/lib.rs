//! gather, as_completed, wait, wait_for, shield, timeout, TaskGroup; join and race.

#![deny(unsafe_code)] // Lifted in `block` alone.

mod gather;
mod as_completed;
mod wait;
mod wait_for;
mod shield;
mod task_group;
mod member_task;
mod timeout;
mod timeout_scope;
mod outcome;
mod fallible;
mod child;
mod standing;
mod slots;
mod signal;
mod deadline;
mod error;
mod join;
mod try_join;
mod race;
mod by_completion;
mod round;
mod bells;
mod members;
mod member;
mod block;
pub mod shapes;

pub use as_completed::{AsCompleted, NextCompleted, Turns, as_completed};
pub use by_completion::{ByCompletion, by_completion};
pub use error::{ErrorGroup, Failure, TimedOut};
pub use fallible::{Fallible, fallible};
pub use gather::{Gather, gather, gather_settled};
pub use join::{Join, join};
pub use outcome::{Outcome, Plain};
pub use race::{Race, race};
pub use shield::{Shield, shield};
pub use task_group::{Refused, TaskGroup};
pub use timeout::{Timeout, timeout, timeout_at};
pub use timeout_scope::{NotActive, TimeoutScope, timeout_scope, timeout_scope_at};
pub use try_join::{TryJoin, try_join};
pub use wait::{NothingToWaitFor, ReturnWhen, wait};
pub use wait_for::wait_for;
