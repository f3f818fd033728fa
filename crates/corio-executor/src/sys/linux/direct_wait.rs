//! One system call a wait, where the portable path needs five.

use crate::selector::{Interest, Mode, Ready};
use corio_task::Bell;
use polling::Poller;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, write};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The key of the bell and of the timer, as that of polling's own notifier, which is never used here.
const NOT_A_SOURCE: u64 = usize::MAX as u64;
/// How many events one wait fetches; the rest waits for the next.
const BATCH: usize = 1024;
/// What `epoll_wait` measures in.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Watches and waits on an epoll descriptor that belongs to somebody else, with a bell and a timer of its own.
///
/// The bell is an eventfd, registered edge-triggered and never read: each ring is a new edge, and a 64-bit count of
/// rings does not overflow. `epoll_wait` counts in milliseconds; the rest of a timeout is left to a timerfd,
/// edge-triggered and never read either. So a wait that readiness ends costs one system call, and only a timeout that
/// really runs out costs two more. (`epoll_pwait2` would take nanoseconds, but sandboxes older than it end the process
/// that tries.)
pub(crate) struct DirectWait {
    /// Rung by any thread.
    bell: Arc<EventBell>,
    /// Measures what is shorter than a millisecond. Made with the rest: a wait must not fail for want of a descriptor.
    timer: OwnedFd,
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
        Ok(Some(DirectWait { bell, timer, events }))
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
        let epoll = poller.as_fd();
        let rest = match timeout {
            Some(timeout) if timeout >= MILLISECOND => {
                let whole = whole_milliseconds(timeout);
                // The clock is read only where a rest may have to be measured.
                let start = (whole != timeout).then(Instant::now);
                if self.fetch(epoll, ready, Some(whole))? {
                    return Ok(());
                }
                match start.map_or(Duration::ZERO, |start| timeout.saturating_sub(start.elapsed())) {
                    Duration::ZERO => return Ok(()),
                    rest => Some(rest),
                }
            }
            other => other,
        };
        match rest {
            None | Some(Duration::ZERO) => self.fetch(epoll, ready, rest).map(drop),
            Some(rest) => {
                self.arm_timer(rest.min(MILLISECOND))?;
                self.fetch(epoll, ready, None).map(drop)
            }
        }
    }

    /// Makes one `epoll_wait` and appends the sources that are ready; false if the time passed without any event.
    fn fetch(&self, epoll: BorrowedFd<'_>, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> io::Result<bool> {
        let mut events = self.events.borrow_mut();
        let timeout = timeout.map(|time| Timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ });
        match epoll::wait(epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) => (),
            Err(Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        let happened = !events.is_empty();
        ready.extend(events.drain(..).filter(|event| event.data.u64() != NOT_A_SOURCE).map(to_ready));
        Ok(happened)
    }

    /// Makes the wait that follows end after `delay`, which is not zero and not more than a second.
    fn arm_timer(&self, delay: Duration) -> io::Result<()> {
        let it_value = Timespec { tv_sec: 0, tv_nsec: delay.subsec_nanos() as _ };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

/// Registers a descriptor that is no source.
fn add_edge(epoll: BorrowedFd<'_>, fd: &OwnedFd) -> io::Result<()> {
    epoll::add(epoll, fd, EventData::new_u64(NOT_A_SOURCE), EventFlags::IN | EventFlags::ET)?;
    Ok(())
}

/// Rounds down to what `epoll_wait` can count, at most about 24 days: longer waits come back early.
fn whole_milliseconds(timeout: Duration) -> Duration {
    let millis = timeout.as_millis().min(i32::MAX as u128);
    Duration::from_millis(millis as u64)
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

    #[test]
    fn a_wait_that_an_event_ends_sets_no_timer_off() {
        let poller = Poller::new().unwrap();
        let direct = DirectWait::new(&poller).unwrap().unwrap();
        direct.bell().ring();
        direct.wait(&poller, &mut Vec::new(), Some(MILLISECOND * 3 / 2)).unwrap();
        let expiries = rustix::io::read(&direct.timer, &mut [0; 8]);
        assert_eq!(expiries.unwrap_err(), Errno::AGAIN);
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
