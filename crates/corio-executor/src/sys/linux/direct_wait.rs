//! One system call a wait, where the portable path needs five.

use super::read;
use crate::selector::{Interest, Mode, Ready};
use corio_task::Bell;
use polling::Poller;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, write};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The key of the bell and of the timer, as that of polling's own notifier, which is never used here.
const NOT_A_SOURCE: u64 = usize::MAX as u64;
/// How many events one wait fetches; the rest waits for the next.
const BATCH: usize = 1024;
/// The longest wait, about 24 days; longer ones come back early.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// Watches and waits on an epoll descriptor that belongs to somebody else, with a bell and a timer of its own.
///
/// The bell is an eventfd, registered edge-triggered and never read: each ring is a new edge, and a 64-bit count of
/// rings does not overflow. `epoll_wait` counts in milliseconds, and the kernel sets and takes back a timer of its own for
/// each; so a timeout is left to a timerfd, edge-triggered and never read either. (`epoll_pwait2` would take nanoseconds,
/// but sandboxes older than it end the process that tries.)
///
/// The timer runs on when something else ends the wait. One that ends later than it goes off needs no call to set it: the
/// timer ends that wait early, once. So a wait that readiness or the bell ends costs one system call, and a loop that
/// sleeps a hundred thousand times a second, each time with a limit, sets a timer once a limit.
pub(crate) struct DirectWait {
    /// Rung by any thread.
    bell: Arc<EventBell>,
    /// Ends a wait in time. Made with the rest: a wait must not fail for want of a descriptor.
    timer: OwnedFd,
    /// The process that made it: a forked child shares the timer, and leaves it to its parent.
    maker: u32,
    /// When the timer goes off, or went off, on the clock that [`read`] reads.
    goes_off: Cell<u64>,
    /// Where the kernel puts its answer; empty between waits.
    events: RefCell<Vec<epoll::Event>>,
}

impl DirectWait {
    /// Registers a bell with `poller`. Always some, on this system.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left.
    pub(crate) fn new(poller: &Poller) -> io::Result<Option<DirectWait>> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        add_edge(poller.as_fd(), &bell)?;
        add_edge(poller.as_fd(), &timer)?;
        let (bell, events) = (Arc::new(EventBell(bell)), RefCell::new(Vec::with_capacity(BATCH)));
        Ok(Some(DirectWait { bell, timer, maker: std::process::id(), goes_off: Cell::new(0), events }))
    }

    /// Begins to watch a descriptor.
    ///
    /// # Errors
    ///
    /// Whatever the kernel says.
    pub(crate) fn register(
        &self,
        poller: &Poller,
        fd: BorrowedFd<'_>,
        key: usize,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        Ok(epoll::add(poller.as_fd(), fd, EventData::new_u64(key as u64), to_flags(interest, mode))?)
    }

    /// Changes what is watched for.
    ///
    /// # Errors
    ///
    /// Whatever the kernel says.
    pub(crate) fn modify(
        &self,
        poller: &Poller,
        fd: BorrowedFd<'_>,
        key: usize,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        Ok(epoll::modify(poller.as_fd(), fd, EventData::new_u64(key as u64), to_flags(interest, mode))?)
    }

    /// Returns what ends a wait from any thread.
    pub(crate) fn bell(&self) -> Arc<dyn Bell> {
        self.bell.clone()
    }

    /// Waits until something is ready, the bell rings or `timeout` has passed, and appends what is ready.
    ///
    /// May return early, with nothing appended.
    ///
    /// # Errors
    ///
    /// Whatever the kernel says, except that it was interrupted.
    pub(crate) fn wait(&self, poller: &Poller, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = match timeout {
            None | Some(Duration::ZERO) => timeout,
            Some(time) => {
                let time = time.min(LONGEST);
                if self.goes_off_within(time)? { None } else { Some(time) }
            }
        };
        self.fetch(poller.as_fd(), ready, timeout)
    }

    /// Makes one `epoll_wait` and appends the sources that are ready.
    fn fetch(&self, epoll: BorrowedFd<'_>, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        let timeout = timeout.map(to_timespec);
        match epoll::wait(epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
        ready.extend(events.drain(..).filter(|event| event.data.u64() != NOT_A_SOURCE).map(to_ready));
        Ok(())
    }

    /// Has the timer end the wait that follows after `timeout` at the latest: sets it, unless it runs and goes off before.
    /// False if it is not this process's to set.
    fn goes_off_within(&self, timeout: Duration) -> io::Result<bool> {
        let now = read();
        let end = now + timeout.as_nanos() as u64;
        if now < self.goes_off.get() && self.goes_off.get() <= end {
            return Ok(true);
        }
        if self.maker != std::process::id() {
            return Ok(false);
        }
        let once =
            Itimerspec { it_interval: to_timespec(Duration::ZERO), it_value: to_timespec(Duration::from_nanos(end)) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
        self.goes_off.set(end);
        Ok(true)
    }
}

/// Spells a time as the kernel does.
fn to_timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ }
}

/// Registers a descriptor that is no source.
fn add_edge(epoll: BorrowedFd<'_>, fd: &OwnedFd) -> io::Result<()> {
    epoll::add(epoll, fd, EventData::new_u64(NOT_A_SOURCE), EventFlags::IN | EventFlags::ET)?;
    Ok(())
}

/// Translates what is watched for. Errors and hang-ups are reported unasked.
fn to_flags(interest: Interest, mode: Mode) -> EventFlags {
    let mut flags = match mode {
        Mode::Edge => EventFlags::ET,
        Mode::Level => EventFlags::empty(),
    };
    flags.set(EventFlags::IN | EventFlags::RDHUP, interest.readable);
    // A level of urgent data would be reported for ever to callbacks that do not ask for it.
    flags.set(EventFlags::PRI, interest.readable && mode == Mode::Edge);
    flags.set(EventFlags::OUT, interest.writable);
    flags
}

/// Translates an event. A hang-up and an error count as both, so that whoever tries next learns of them.
fn to_ready(event: epoll::Event) -> Ready {
    let (flags, broken) = (event.flags, EventFlags::HUP | EventFlags::ERR);
    let interrupted = EventFlags::RDHUP | EventFlags::PRI | broken;
    Ready {
        key: event.data.u64() as usize,
        readable: flags.intersects(EventFlags::IN | interrupted),
        writable: flags.intersects(EventFlags::OUT | broken),
        interrupted: flags.intersects(interrupted),
    }
}

/// The ringing end of a [`DirectWait`].
struct EventBell(OwnedFd);

impl Bell for EventBell {
    fn ring(&self) {
        // It fails only with 2⁶⁴ rings on the count, each of which was an edge.
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rings, and then waits with a limit; returns when the timer goes off.
    fn rung(direct: &DirectWait, poller: &Poller, limit: Duration) -> u64 {
        direct.bell().ring();
        direct.wait(poller, &mut Vec::new(), Some(limit)).unwrap();
        direct.goes_off.get()
    }

    #[test]
    fn the_timer_runs_on_and_is_set_only_for_what_ends_before() {
        let poller = Poller::new().unwrap();
        let direct = DirectWait::new(&poller).unwrap().unwrap();
        let [second, minute, hour] = [1, 60, 3600].map(Duration::from_secs);
        let first = rung(&direct, &poller, minute);
        assert!(first > read() + second.as_nanos() as u64);
        assert_eq!(rung(&direct, &poller, minute), first, "it goes off earlier");
        assert_eq!(rung(&direct, &poller, hour), first);
        let earlier = rung(&direct, &poller, second);
        assert!(earlier < first, "it would have gone off too late");
        assert_eq!(rung(&direct, &poller, minute), earlier);
    }

    #[test]
    fn a_forked_child_leaves_the_timer_to_its_parent() {
        let poller = Poller::new().unwrap();
        let direct = DirectWait::new(&poller).unwrap().unwrap();
        let child = DirectWait { maker: direct.maker + 1, ..direct };
        let (start, limit) = (read(), Duration::from_micros(1_500));
        child.wait(&poller, &mut Vec::new(), Some(limit)).unwrap();
        assert!(read() - start >= limit.as_nanos() as u64);
        assert_eq!(child.goes_off.get(), 0);
    }

    #[test]
    fn a_timer_that_has_gone_off_is_set_again() {
        let poller = Poller::new().unwrap();
        let direct = DirectWait::new(&poller).unwrap().unwrap();
        let limit = Duration::from_millis(1);
        let first = rung(&direct, &poller, limit);
        std::thread::sleep(limit * 2);
        // The timer has an event for this wait; it is taken back as the timer is set.
        let start = read();
        direct.wait(&poller, &mut Vec::new(), Some(limit)).unwrap();
        assert!(direct.goes_off.get() > first);
        assert!(read() - start >= limit.as_nanos() as u64, "what is past ends no wait");
    }

    /// What callbacks watch for stays as long as it is there: urgent data, for which they do not ask, would be told for ever.
    #[test]
    fn urgent_data_is_watched_for_at_edges_and_by_readers_alone() {
        let (read, ever) = (EventFlags::IN | EventFlags::RDHUP, EventFlags::empty());
        for (mode, mark, urgent) in [(Mode::Edge, EventFlags::ET, EventFlags::PRI), (Mode::Level, ever, ever)] {
            assert_eq!(to_flags(Interest::READABLE, mode), mark | read | urgent);
            assert_eq!(to_flags(Interest::WRITABLE, mode), mark | EventFlags::OUT);
            assert_eq!(to_flags(Interest::BOTH, mode), mark | read | urgent | EventFlags::OUT);
        }
    }
}
