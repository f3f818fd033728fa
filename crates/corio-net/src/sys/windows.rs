//! Sockets as Windows has them. A connection is made in the thread pool, since its end cannot be told without unsafe code.

use corio_executor::io::Source;
use corio_threadpool::to_thread;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::rc::Rc;

/// Connects to one address.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Source<Rc<TcpStream>>> {
    let connected = to_thread(move || TcpStream::connect(address)).await;
    let stream = connected.unwrap_or_else(|error| Err(io::Error::other(error)))?;
    stream.set_nonblocking(true)?;
    Source::new(Rc::new(stream))
}

/// Accepts a connection.
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, address))
}

/// Tells whether an error of `accept` means that the system has nothing left: WSAEMFILE and WSAENOBUFS.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(10024 | 10055))
}

/// Tells whether an error of `accept` is that of a connection that broke before it was accepted.
pub(crate) fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

impl AsSocket for crate::TcpStream {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.socket().as_socket()
    }
}

impl AsSocket for crate::TcpListener {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.socket().as_socket()
    }
}
