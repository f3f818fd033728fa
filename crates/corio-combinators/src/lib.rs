//! gather, as_completed, wait, wait_for, shield, timeout, TaskGroup; join and race.
