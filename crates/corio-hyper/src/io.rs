//! Connections, both ways.

use futures_io::{AsyncRead, AsyncWrite, IoSlice};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How much one read moves at most: what hyper's own buffers grow to under load is of this order.
const BUFFER: usize = 64 << 10;

thread_local! {
    /// The buffer through which this thread's connections read; empty while one does, and before the first.
    static SHARED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A connection of the one world, as the other sees it: `futures-io` for hyper, and hyper's for `futures-io`.
///
/// hyper reads into memory that is not initialised, which safe code cannot lend to `futures-io`. So each read goes
/// through a buffer and is copied once; all connections of a thread share that buffer, and an idle connection costs
/// nothing.
///
/// # Examples
///
/// See the [crate's page](crate). The other direction is for what hyper gives away after an upgrade:
///
/// ```
/// use futures_lite::{AsyncRead, AsyncWrite};
///
/// fn is_stream<T: AsyncRead + AsyncWrite>() {}
/// is_stream::<corio_hyper::Io<hyper::upgrade::Upgraded>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Io<T> {
    inner: T,
    vectored: bool,
}

impl<T> Io<T> {
    /// Wraps a connection. hyper gathers its output before it writes.
    pub fn new(inner: T) -> Io<T> {
        Io { inner, vectored: false }
    }

    /// Wraps a connection that writes several buffers at once as well as one, as a `TcpStream` does: hyper then spares
    /// itself a copy. An encrypted one does not.
    pub fn vectored(inner: T) -> Io<T> {
        Io { inner, vectored: true }
    }

    /// Lends the connection.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Lends the connection, to be changed.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Gives the connection back.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsyncRead + Unpin> Read for Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Taken, not borrowed: what `inner` reads from may be another of these.
        let mut buffer = SHARED.take();
        if buffer.is_empty() {
            buffer.resize(BUFFER, 0);
        }
        let wanted = cursor.remaining().min(BUFFER);
        let outcome = Pin::new(&mut self.inner).poll_read(cx, &mut buffer[..wanted]);
        if let Poll::Ready(Ok(n)) = outcome {
            cursor.put_slice(&buffer[..n]);
        }
        SHARED.set(buffer);
        outcome.map_ok(drop)
    }
}

impl<T: AsyncWrite + Unpin> Write for Io<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }
}

impl<T: Read + Unpin> AsyncRead for Io<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer.unfilled()))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<T: Write + Unpin> AsyncWrite for Io<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
