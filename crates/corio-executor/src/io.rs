//! Reading and writing without blocking: a descriptor that the loop watches.

use crate::event_loop;
use crate::reactor::{Reactor, SourceState, WaiterId, closed};
use crate::selector::Interest;
use crate::sys::{AsFd, borrow, check_nonblocking, is_ready};
use corio_seam::{Waiting, wait_on};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A non-blocking descriptor whose readiness the loop knows; what asyncio's `loop.sock_*` functions are made of.
///
/// It is registered once, with the loop that runs here, and remembers that it is ready until an operation would block.
/// So an operation is tried at once, and only if it would block does its task wait. On Windows it takes sockets.
///
/// Any number of tasks may wait for it, by reference; all that wait for a direction are woken when it is ready. The
/// descriptor is closed when the source is dropped, after the loop has forgotten it. A source may outlive its loop: then
/// every operation is an error.
///
/// # Examples
///
/// ```
/// use corio_executor::io::Source;
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let word = corio_executor::run(async {
///     let (near, mut far) = UnixStream::pair()?;
///     near.set_nonblocking(true)?;
///     let near = Source::new(near)?;
///
///     far.write_all(b"hello")?;
///     let mut word = [0; 5];
///     let n = near.read_with(|mut stream| stream.read(&mut word)).await?;
///     std::io::Result::Ok(word[..n].to_vec())
/// });
/// assert_eq!(word.unwrap().unwrap(), b"hello");
/// ```
pub struct Source<T: AsFd> {
    /// Some until [`into_inner`](Source::into_inner) takes it.
    io: Option<T>,
    state: Rc<SourceState>,
    reactor: Rc<Reactor>,
}

impl<T: AsFd> Source<T> {
    /// Registers `io`, which must be non-blocking, with the loop that runs on this thread.
    ///
    /// # Errors
    ///
    /// Where no loop runs or it is closing, when the descriptor has a source or a reader already, when the system
    /// refuses (a regular file, say), and in a child that was forked while the loop ran. In debug builds also when `io`
    /// is blocking.
    pub fn new(io: T) -> io::Result<Source<T>> {
        Source::on(event_loop::reactor()?, io)
    }

    /// Registers `io` with a reactor.
    pub(crate) fn on(reactor: Rc<Reactor>, io: T) -> io::Result<Source<T>> {
        check_nonblocking(borrow(&io))?;
        let state = reactor.register(borrow(&io))?;
        Ok(Source { io: Some(io), state, reactor })
    }

    /// Lends what was registered, to ask or set its options.
    ///
    /// Reading and writing go through [`read_with`](Source::read_with) and [`write_with`](Source::write_with), which
    /// alone take note of readiness.
    #[inline]
    pub fn get_ref(&self) -> &T {
        self.io.as_ref().expect("a source has its descriptor until it is taken apart")
    }

    /// Takes the descriptor back; the loop forgets it.
    pub fn into_inner(mut self) -> T {
        self.deregister();
        self.io.take().expect("a source has its descriptor until it is taken apart")
    }

    /// Reads, or does whatever else waits until `io` is readable: `accept`, say.
    ///
    /// `op` is called at once, and again each time the descriptor becomes readable, until it returns anything but
    /// [`WouldBlock`](io::ErrorKind::WouldBlock); interrupted, it is called again.
    ///
    /// # Errors
    ///
    /// Whatever `op` returns, and one of its own when the loop is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has done nothing but what `op` did when it would block.
    pub async fn read_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.attempt(Interest::READABLE, op).await
    }

    /// Writes, or does whatever else waits until `io` is writable: the end of a `connect`, say.
    ///
    /// # Errors
    ///
    /// As [`read_with`](Source::read_with).
    ///
    /// # Cancel safety
    ///
    /// As [`read_with`](Source::read_with).
    pub async fn write_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.attempt(Interest::WRITABLE, op).await
    }

    /// Waits until there is something to read: data, its end, a connection, or an error.
    ///
    /// The kernel is asked, not the memory: when it returns, a read would not have blocked.
    ///
    /// # Errors
    ///
    /// When the loop is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has changed nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.attempt(Interest::READABLE, |io| ask(io, Interest::READABLE)).await
    }

    /// Waits until there is room to write, or an error.
    ///
    /// # Errors
    ///
    /// When the loop is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has changed nothing.
    pub async fn writable(&self) -> io::Result<()> {
        self.attempt(Interest::WRITABLE, |io| ask(io, Interest::WRITABLE)).await
    }

    /// Reads as [`read_with`](Source::read_with) does, for writers of poll functions.
    ///
    /// The task is woken when another call is worth while. A poll function cannot know that its caller has gone: if more
    /// than eight tasks poll one direction, the oldest is woken for nothing to make room. [`read_with`](Source::read_with)
    /// has no such bound.
    ///
    /// # Errors
    ///
    /// As [`read_with`](Source::read_with).
    #[inline]
    pub fn poll_read_with<R>(&self, cx: &mut Context<'_>, op: impl FnMut(&T) -> io::Result<R>) -> Poll<io::Result<R>> {
        self.poll_attempt(Interest::READABLE, None, cx, op)
    }

    /// Writes as [`write_with`](Source::write_with) does, for writers of poll functions.
    ///
    /// # Errors
    ///
    /// As [`poll_read_with`](Source::poll_read_with).
    #[inline]
    pub fn poll_write_with<R>(&self, cx: &mut Context<'_>, op: impl FnMut(&T) -> io::Result<R>) -> Poll<io::Result<R>> {
        self.poll_attempt(Interest::WRITABLE, None, cx, op)
    }

    /// Says that a read from a TCP connection has just filled only a part of its buffer: the next read then waits for the
    /// loop to report more, where it would have made a system call only to learn that it would block.
    ///
    /// It is for TCP alone. Of a datagram, or of a Unix stream that carries descriptors, a short read proves nothing, and
    /// the next one might wait for what is there already. It is a hint: where the selector cannot tell the end of a
    /// connection from more of its data, and once there is an end, nothing follows from it.
    #[inline]
    pub fn note_short_read(&self) {
        self.reactor.read_short(&self.state);
    }

    /// Calls `op` until it does not block any more.
    async fn attempt<R>(&self, interest: Interest, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let waiter = Waiter { state: &self.state, interest, id: self.state.new_id() };
        poll_fn(|cx| self.poll_attempt(interest, Some(waiter.id), cx, &mut op)).await
    }

    /// Calls `op` while it is worth while, or enlists the caller for when it is.
    fn poll_attempt<R>(
        &self,
        interest: Interest,
        id: Option<WaiterId>,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        if self.state.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        // An edge that comes between `WouldBlock` and the loop's next turn is reported by that turn: none is lost.
        while self.state.is_ready(interest) {
            match op(self.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.reactor.used_up(&self.state, interest)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                outcome => return Poll::Ready(outcome),
            }
        }
        self.state.enlist(interest, id, cx.waker());
        wait_on(Waiting::Leaf(if interest.readable { &"readable" } else { &"writable" }));
        Poll::Pending
    }

    /// Lets the loop forget the descriptor, while it is still open.
    fn deregister(&self) {
        if let Some(io) = &self.io {
            self.reactor.deregister(borrow(io), &self.state);
        }
    }
}

impl<T: AsFd + 'static> Source<Rc<T>> {
    /// Says that a read from a TCP connection has just filled its buffer, so that nobody knows whether it left something.
    ///
    /// When several of them in a row have left nothing, the loop takes to watching the connection at the level of what can
    /// be read: the next read then waits for the loop to report more, where it would have made a system call only to learn
    /// that it would block. Anything else ends that: something left after all (one in sixteen is checked), data that
    /// nobody waits for, the end of the connection, a write that would block. Then it takes twice as many to begin again.
    ///
    /// Whoever gives this hint gives [the other](Source::note_short_read), too, and reads in no other way. The loop keeps
    /// the descriptor while it watches it so, hence the `Rc`; once the source is dropped or taken apart it has let go.
    /// It is a hint: where the selector cannot [change modes](crate::Selector::changes_modes), nothing follows from it.
    #[inline]
    pub fn note_full_read(&self) {
        self.reactor.read_full(&self.state, self.get_ref());
    }
}

/// Asks the kernel whether a direction is ready, and says so as an operation would.
fn ask(io: &impl AsFd, interest: Interest) -> io::Result<()> {
    if is_ready(borrow(io), interest)? { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        self.deregister();
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("io", &self.io).finish_non_exhaustive()
    }
}

/// A future's place among those who wait; given up when the future is dropped.
struct Waiter<'s> {
    state: &'s SourceState,
    interest: Interest,
    id: WaiterId,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.state.retire(self.interest, self.id);
    }
}
