//! A connection.

use crate::address::Address;
use crate::connect::connect;
use corio_executor::io::Source;
use futures_io::{AsyncRead, AsyncWrite, IoSlice, IoSliceMut};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A TCP connection; what asyncio's `open_connection` gives, without a buffer.
///
/// It reads and writes through [`AsyncRead`] and [`AsyncWrite`], by value and by reference: `&stream` can be read in one
/// task while it is written in another. Closing it as a writer ([`AsyncWrite::poll_close`]) shuts the writing side down;
/// dropping it closes the connection.
///
/// # Cancel safety
///
/// A `read` or `write` that is dropped while it waits has moved no byte. `read_exact`, `write_all` and the like have
/// moved those that they have moved.
///
/// # Examples
///
/// See the [crate's page](crate).
pub struct TcpStream {
    /// In an `Rc` for [`Source::note_full_read`]; nothing else keeps it.
    source: Source<Rc<std::net::TcpStream>>,
}

impl TcpStream {
    /// Connects to `address`, which is looked up first if it is a name; asyncio's `open_connection`.
    ///
    /// If there are several addresses they are tried in order, one after the other.
    ///
    /// # Errors
    ///
    /// When no address answers: one error that names them all, of the kind of the last. When the name is unknown, or the
    /// text is no address. Where no corio loop runs.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it closes what it has begun.
    ///
    /// # Examples
    ///
    /// ```
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let port = listener.local_addr()?.port();
    /// let stream = corio_executor::run(async { corio_net::TcpStream::connect(("127.0.0.1", port)).await?.into_std() });
    /// assert_eq!(stream.unwrap()?.peer_addr()?.port(), port);
    ///
    /// let error = corio_executor::run(corio_net::TcpStream::connect("no port")).unwrap().unwrap_err();
    /// assert_eq!(error.to_string(), "`no port` is no address: write a host, a colon and a port");
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect(address: impl Into<Address>) -> io::Result<TcpStream> {
        let source = connect(address.into()).await?;
        Ok(TcpStream { source })
    }

    /// Takes a connection of the standard library's to the loop that runs here.
    ///
    /// # Errors
    ///
    /// Where no corio loop runs, and when the system refuses.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        TcpStream::from_nonblocking(stream)
    }

    /// As [`from_std`](TcpStream::from_std), for one that does not block already.
    pub(crate) fn from_nonblocking(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream { source: Source::new(Rc::new(stream))? })
    }

    /// Takes the connection away from the loop, as a blocking one of the standard library's, which may go to any thread.
    ///
    /// # Errors
    ///
    /// When the system refuses to let it block.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        let stream = Rc::into_inner(self.source.into_inner()).expect("the loop has let go of the connection");
        stream.set_nonblocking(false)?;
        Ok(stream)
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// Tells whether small writes are sent at once.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.get_ref().nodelay()
    }

    /// Chooses whether small writes are sent at once (`TCP_NODELAY`), or gathered for a while, which is how it begins.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.source.get_ref().set_nodelay(nodelay)
    }

    /// Ends reading, writing or both; the other end sees the end of what was written.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.get_ref().shutdown(how)
    }

    /// Reads without taking: what is there is read again. Waits for the first byte; returns 0 at the end.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has changed nothing.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read_with(|stream| stream.peek(buffer)).await
    }
}

impl TcpStream {
    /// Lends the socket.
    pub(crate) fn socket(&self) -> &std::net::TcpStream {
        self.source.get_ref()
    }

    /// Notes whether a read filled `wanted` bytes, or only a part: then it has read all there was. The end, which is no
    /// byte, is not noted, for it is read again and again.
    #[inline]
    fn note(&self, read: Poll<io::Result<usize>>, wanted: usize) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(n)) = read {
            match n {
                0 => (),
                _ if n < wanted => self.source.note_short_read(),
                _ => self.source.note_full_read(),
            }
        }
        read
    }
}

impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = self.source.poll_read_with(cx, |stream| (&**stream).read(buffer));
        self.note(read, buffer.len())
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let read = self.source.poll_read_with(cx, |stream| (&**stream).read_vectored(buffers));
        self.note(read, buffers.iter().map(|buffer| buffer.len()).sum())
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.source.poll_write_with(cx, |stream| (&**stream).write(buffer))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_write_with(cx, |stream| (&**stream).write_vectored(buffers))
    }

    /// Does nothing: what was written is the system's.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Shuts the writing side down. One that is down already, because the connection is broken, is well closed.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome,
        })
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buffer)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, buffers)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, buffers)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.get_ref().fmt(f)
    }
}
