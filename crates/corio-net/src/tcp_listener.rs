//! Waiting for connections.

use crate::TcpStream;
use crate::address::{Address, resolve};
use crate::backoff::{Backoff, Verdict};
use crate::sys;
use corio_executor::io::Source;
use corio_seam::{Sleep, now, sleep_until};
use futures_core::Stream;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A socket that accepts TCP connections; what asyncio's `start_server` listens with.
///
/// # Examples
///
/// ```
/// use corio_net::TcpListener;
/// use futures_lite::StreamExt;
/// use std::net::TcpStream;
///
/// let accepted = corio_executor::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?)?;
///     let stream = listener.incoming().next().await.expect("it never ends")?;
///     std::io::Result::Ok(stream.peer_addr()? == client.local_addr()?)
/// });
/// assert!(accepted.unwrap().unwrap());
/// ```
pub struct TcpListener {
    source: Source<std::net::TcpListener>,
}

impl TcpListener {
    /// Listens at the first of the addresses that can be had. Port 0 lets the system choose one.
    ///
    /// An address that was in use a moment ago can be had again at once (`SO_REUSEADDR`, on Unix).
    ///
    /// # Errors
    ///
    /// When no address can be had: one is in use, say. When the name is unknown, or the text is no address. Where no
    /// corio loop runs.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it listens at none.
    pub async fn bind(address: impl Into<Address>) -> io::Result<TcpListener> {
        let address = address.into();
        let target = address.to_string();
        let addresses = resolve(address).await?;
        let listener = std::net::TcpListener::bind(&*addresses)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen at {target}: {error}")))?;
        TcpListener::from_std(listener)
    }

    /// Takes a listener of the standard library's to the loop that runs here.
    ///
    /// # Errors
    ///
    /// Where no corio loop runs, and when the system refuses.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        Ok(TcpListener { source: Source::new(listener)? })
    }

    /// Waits for a connection; asyncio's `loop.sock_accept`.
    ///
    /// While the process or the system is out of descriptors or memory it pauses, 10 ms at first and up to a second, and
    /// tries again: such an error is reported to the loop's exception handler, once for each run of them, and not
    /// returned. A connection that broke before it was accepted is passed over.
    ///
    /// # Errors
    ///
    /// Any other that the system may find.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has accepted nothing.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut backoff = Backoff::new();
        loop {
            match self.source.read_with(sys::accept).await {
                Ok((stream, address)) => return Ok((TcpStream::from_nonblocking(stream)?, address)),
                Err(error) => match backoff.judge(error) {
                    Verdict::Retry => (),
                    Verdict::Pause(pause) => sleep_until(now() + pause).await,
                    Verdict::Fail(error) => return Err(error),
                },
            }
        }
    }

    /// Returns the connections one after the other, as a stream that never ends.
    ///
    /// Each item is what [`accept`](TcpListener::accept) returns, without the address.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self, backoff: Backoff::new(), pause: None }
    }

    /// Lends the socket.
    pub(crate) fn socket(&self) -> &std::net::TcpListener {
        self.source.get_ref()
    }

    /// Returns the address that it listens at, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.get_ref().fmt(f)
    }
}

/// Stream of [`TcpListener::incoming`].
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'l> {
    listener: &'l TcpListener,
    backoff: Backoff,
    /// Some while it waits for the system to have something again.
    pause: Option<Sleep>,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<TcpStream>>> {
        let this = &mut *self;
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(Pin::new(pause).poll(cx));
                this.pause = None;
            }
            match ready!(this.listener.source.poll_read_with(cx, sys::accept)) {
                Ok((stream, _)) => {
                    this.backoff.reset();
                    return Poll::Ready(Some(TcpStream::from_nonblocking(stream)));
                }
                Err(error) => match this.backoff.judge(error) {
                    Verdict::Retry => (),
                    Verdict::Pause(pause) => this.pause = Some(sleep_until(now() + pause)),
                    Verdict::Fail(error) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", &self.listener).finish_non_exhaustive()
    }
}
