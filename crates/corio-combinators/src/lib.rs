//! gather, as_completed, wait, wait_for, shield, timeout, TaskGroup; join and race.

#![deny(unsafe_code)] // Lifted in `block` alone.

mod join;
mod try_join;
mod race;
mod by_completion;
mod round;
mod bells;
mod members;
mod member;
mod block;

pub use by_completion::{ByCompletion, by_completion};
pub use join::{Join, join};
pub use race::{Race, race};
pub use try_join::{TryJoin, try_join};

#[doc(hidden)]
pub use members::*;
