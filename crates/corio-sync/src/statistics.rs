//! What each primitive tells of itself.
//!
//! Nothing is counted for the lines: how many wait is known, and the most that ever did is the length of the slab. The
//! totals are counters that the primitives have anyway, or one plain addition.

/// What [`Lock::statistics`](crate::Lock::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockStatistics {
    /// Whether somebody holds the lock.
    pub locked: bool,
    /// How many wait for it and have not been woken.
    pub waiting: usize,
    /// The most that were in the line at one time, one that had been woken and had not run yet included.
    pub most_waiting: usize,
    /// How often it has been acquired.
    pub acquired: u64,
}

/// What [`Event::statistics`](crate::Event::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Whether the flag is set.
    pub set: bool,
    /// How many wait and have not been woken.
    pub waiting: usize,
    /// The most that waited at one time, those that had been woken and had not run yet included.
    pub most_waiting: usize,
}

/// What [`Condition::statistics`](crate::Condition::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// How many wait and have not been notified.
    pub waiting: usize,
    /// The most that waited at one time, those that had been notified and had not run yet included.
    pub most_waiting: usize,
    /// What the lock tells.
    pub lock: LockStatistics,
}

/// What [`Semaphore::statistics`](crate::Semaphore::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// How many permits are neither held nor reserved.
    pub available: usize,
    /// How many permits are reserved for waiters that have been woken and have not run yet.
    pub reserved: usize,
    /// How many wait and have no permit reserved.
    pub waiting: usize,
    /// The most that were in the line at one time, those with a permit reserved included.
    pub most_waiting: usize,
    /// How many permits have been taken, those given back included.
    pub acquired: u64,
}

/// What [`Barrier::statistics`](crate::Barrier::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// How many must be there.
    pub parties: usize,
    /// How many wait for the others.
    pub waiting: usize,
    /// How many wait for those before them to leave.
    pub queued: usize,
    /// How often all were there, and it let them through.
    pub passed: u64,
    /// Whether it was aborted.
    pub broken: bool,
}

/// What [`ResourceGuard::statistics`](crate::ResourceGuard::statistics) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceGuardStatistics {
    /// Whether somebody is inside.
    pub busy: bool,
    /// How many were let in.
    pub entered: u64,
    /// How many were turned away.
    pub refused: u64,
}
