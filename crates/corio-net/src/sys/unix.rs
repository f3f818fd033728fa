//! Sockets that do not block from their first moment on.

use corio_executor::io::Source;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Connects to one address.
///
/// The end of a `connect` is told by writability, but not every writability tells it: the socket is asked for its error
/// and its peer, and without either it has to wait on.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Source<Rc<TcpStream>>> {
    let socket = new_socket(address)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => (),
        Err(error) => return Err(error.into()),
    }
    let source = Source::new(Rc::new(TcpStream::from(socket)))?;
    source.write_with(|stream| connected(stream)).await?;
    Ok(source)
}

/// Tells how a `connect` ended, as an operation that would block until it has.
fn connected(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        outcome => outcome.map(drop),
    }
}

/// Returns the family of an address.
fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// Makes a socket, in one system call.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn new_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(family(address), SocketType::STREAM, flags, None)?)
}

/// Accepts a connection, in one system call.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    use rustix::net::{SocketFlags, acceptfrom_with};
    let (socket, address) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    let stream = TcpStream::from(socket);
    let address = address.and_then(|address| SocketAddr::try_from(address).ok());
    let address = address.map_or_else(|| stream.peer_addr(), Ok)?;
    Ok((stream, address))
}

/// Makes a socket.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn new_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
    let socket = rustix::net::socket(family(address), SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Accepts a connection.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, address))
}

/// Tells whether an error of `accept` means that the system, or this process, has nothing left to make a socket of.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| exhausted.contains(&errno))
}

/// Tells whether an error of `accept` is that of a connection that broke before it was accepted.
pub(crate) fn is_of_the_connection(error: &io::Error) -> bool {
    let broken = [
        Errno::CONNABORTED,
        Errno::NETDOWN,
        Errno::PROTO,
        Errno::NOPROTOOPT,
        Errno::HOSTDOWN,
        Errno::HOSTUNREACH,
        Errno::NETUNREACH,
        Errno::OPNOTSUPP,
    ];
    Errno::from_io_error(error).is_some_and(|errno| broken.contains(&errno))
}

impl AsFd for crate::TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsFd for crate::TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
