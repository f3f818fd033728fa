//! The pool's arithmetic: plain numbers, changed only under the gate's lock.
//!
//! ```text
//!          close                    break_down
//! OPEN ------------> SHUT DOWN    OPEN ------------> BROKEN
//!   |  admit: jobs come in           no job comes in; workers take what is queued (to run it if shut down, to fail
//!   |  no worker leaves              it if broken) and leave
//! ```
//!
//! `spare` is the number of workers without a job, minus the number of queued jobs. Taking a job from the queue changes
//! neither side, so only three events touch it: a job comes in, a worker starts, a worker is done. It is exact, where a
//! count of idle workers that is raised before each look into the queue drifts: a worker that finds a job
//! at once was never idle. Below zero, a job waits for whom nobody is free.

/// Whether jobs come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Jobs come in, and no worker leaves. Left by `close` and `break_down`.
    Open,
    /// Queued jobs still run. Final.
    ShutDown,
    /// An initializer has panicked: queued jobs fail. Final.
    Broken,
}

/// The numbers of one pool.
#[derive(Debug)]
pub(crate) struct Counts {
    phase: Phase,
    /// Workers that have started and not left. Rises while open, falls afterwards.
    threads: usize,
    /// The most workers there may be; at least 1.
    max: usize,
    /// Workers without a job, minus queued jobs; means nothing once the pool is not open.
    spare: isize,
    /// Workers whose job waits for the pool to end, each of which would wait for itself.
    inside: usize,
    /// Set once all remaining workers were `inside`: for them the wait is over, and stays over.
    only_inside: bool,
}

/// What the caller must do about a job.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Admission {
    /// Queue it: a worker will come for it.
    Queue,
    /// Start a worker, and say `spawned` or `not_spawned`.
    Spawn,
    /// Give it back: the pool is in this phase.
    Refuse(Phase),
}

impl Counts {
    pub(crate) fn new(max: usize) -> Counts {
        Counts { phase: Phase::Open, threads: 0, max, spare: 0, inside: 0, only_inside: false }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Counts the workers that wait for a job, and are not spoken for.
    pub(crate) fn idle(&self) -> usize {
        usize::try_from(self.spare).unwrap_or(0)
    }

    /// A job asks to come in.
    pub(crate) fn admit(&mut self) -> Admission {
        if self.phase != Phase::Open {
            return Admission::Refuse(self.phase);
        }
        self.spare -= 1;
        if self.spare < 0 && self.threads < self.max { Admission::Spawn } else { Admission::Queue }
    }

    /// The worker that `admit` asked for has started: queue the job.
    pub(crate) fn spawned(&mut self) {
        self.threads += 1;
        self.spare += 1;
    }

    /// The worker that `admit` asked for could not start. True: others exist, queue the job. False: give it back.
    #[must_use]
    pub(crate) fn not_spawned(&mut self) -> bool {
        if self.threads == 0 {
            self.spare += 1;
        }
        self.threads > 0
    }

    /// A worker has done its job, and looks for the next.
    pub(crate) fn done(&mut self) {
        self.spare += 1;
    }

    /// No more jobs come in. Does nothing the second time.
    pub(crate) fn close(&mut self, phase: Phase) {
        if self.phase == Phase::Open {
            self.phase = phase;
        }
    }

    /// A worker leaves; the pool is not open.
    pub(crate) fn leave(&mut self) {
        self.threads -= 1;
    }

    /// Tells whether the pool has ended: nothing comes in, and nobody is left.
    pub(crate) fn has_ended(&self) -> bool {
        self.phase != Phase::Open && self.threads == 0
    }

    /// A worker's job starts to wait for the pool's end.
    pub(crate) fn wait_inside(&mut self) {
        self.inside += 1;
    }

    /// That wait is over, or was given up.
    pub(crate) fn waited_inside(&mut self) {
        self.inside -= 1;
    }

    /// Tells a worker's job whether all workers are gone but those that wait as it does.
    pub(crate) fn has_ended_but_for_waiters(&mut self) -> bool {
        self.only_inside |= self.phase != Phase::Open && self.threads <= self.inside;
        self.only_inside
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Counts, Phase};

    #[test]
    fn a_thread_starts_only_if_none_is_spare() {
        let mut counts = Counts::new(2);
        assert_eq!(counts.admit(), Admission::Spawn);
        counts.spawned();
        counts.done();
        assert_eq!(counts.admit(), Admission::Queue); // The worker is free again.
        assert_eq!(counts.admit(), Admission::Spawn);
        counts.spawned();
        assert_eq!(counts.admit(), Admission::Queue); // The bound.
        assert_eq!(counts.threads(), 2);
    }

    /// Hazard 54: a worker that goes from job to job through a backlog was never idle.
    #[test]
    fn a_backlog_makes_nobody_idle() {
        let mut counts = Counts::new(1);
        assert_eq!(counts.admit(), Admission::Spawn);
        counts.spawned();
        assert_eq!(counts.admit(), Admission::Queue);
        assert_eq!(counts.admit(), Admission::Queue);
        assert_eq!(counts.spare, -2);
        counts.done();
        counts.done();
        assert_eq!(counts.spare, 0); // The last job runs; nobody is free.
        counts.done();
        assert_eq!(counts.spare, 1);
    }

    #[test]
    fn a_thread_that_does_not_start_leaves_the_numbers_as_they_were() {
        let mut counts = Counts::new(2);
        assert_eq!(counts.admit(), Admission::Spawn);
        assert!(!counts.not_spawned());
        assert_eq!((counts.threads, counts.spare), (0, 0));
        assert_eq!(counts.admit(), Admission::Spawn);
        counts.spawned();
        assert_eq!(counts.admit(), Admission::Spawn);
        assert!(counts.not_spawned());
        assert_eq!((counts.threads, counts.spare), (1, -1));
    }

    #[test]
    fn the_first_reason_to_close_stays() {
        let mut counts = Counts::new(1);
        counts.close(Phase::Broken);
        counts.close(Phase::ShutDown);
        assert_eq!(counts.admit(), Admission::Refuse(Phase::Broken));
        assert!(counts.has_ended());
    }
    /// A job that waits for the pool's end counts for another that does, and no longer once it has given up.
    #[test]
    fn who_has_given_up_waiting_inside_is_waited_for() {
        let mut counts = Counts::new(2);
        counts.spawned();
        counts.spawned();
        counts.close(Phase::ShutDown);
        counts.wait_inside();
        counts.waited_inside();
        counts.wait_inside();
        assert!(!counts.has_ended_but_for_waiters());
        counts.wait_inside();
        assert!(counts.has_ended_but_for_waiters());
    }
}
