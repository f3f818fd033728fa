//! A connection's bytes, plain or under TLS.

use super::tls;
use crate::failure::Failure;
use corio::net::{self, TcpStream};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::client::TlsStream;
use std::cell::OnceCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use url::{Host, Url};

/// Opens connections. TLS is set up when the first `https` address comes.
#[derive(Default)]
pub(super) struct Connector {
    tls: OnceCell<futures_rustls::TlsConnector>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("tls", &self.tls.get().is_some()).finish()
    }
}

impl Connector {
    /// Connects to the origin of `url`: name, socket, and TLS if its scheme says so.
    pub(super) async fn connect(&self, url: &Url) -> Result<Stream, Failure> {
        let tcp = connect(url).await?;
        // Requests go out whole: waiting for more to send would only delay them.
        let _ = tcp.set_nodelay(true);
        if url.scheme() != "https" {
            return Ok(Stream::Plain(tcp));
        }
        let name = tls::server_name(url)?;
        let connector = match self.tls.get() {
            Some(connector) => connector,
            None => {
                let connector = tls::connector()?;
                self.tls.get_or_init(|| connector)
            }
        };
        let stream = connector.connect(name, tcp).await.map_err(Failure::Tls)?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// Looks the host up and connects, apart from one another: they fail in classes of their own.
async fn connect(url: &Url) -> Result<TcpStream, Failure> {
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = match url.host() {
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => net::resolve((name, port)).await.map_err(Failure::Dns)?,
        None => return Err(Failure::Dns(io::Error::other("the address has no host"))),
    };
    TcpStream::connect(&*addresses).await.map_err(Failure::Connect)
}

/// A connection's bytes.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_close(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_close(cx),
        }
    }
}
