//! Where to connect to or to listen at, and looking it up.

use corio_threadpool::to_thread;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// Where to connect to or to listen at: addresses in numbers, or a name and a port that have yet to be looked up.
///
/// It is made from what [`std::net::ToSocketAddrs`] takes: a [`SocketAddr`] or several, `"127.0.0.1:80"`,
/// `"example.com:80"`, `("example.com", 80)`. Nothing is looked up before it is used.
///
/// # Examples
///
/// ```
/// use corio_net::Address;
///
/// assert_eq!(Address::from("example.com:80").to_string(), "example.com:80");
/// assert_eq!(Address::from(("::1", 80)).to_string(), "[::1]:80");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing to look up.
    Numbers(Vec<SocketAddr>),
    /// To be looked up.
    Name { host: String, port: u16 },
    /// Neither; said when it is used.
    Nonsense(String),
}

/// Looks an address up, in the loop's thread pool; asyncio's `loop.getaddrinfo`.
///
/// Addresses in numbers are returned as they are, without the pool.
///
/// # Errors
///
/// When the name is unknown, or the text is no address.
///
/// # Cancel safety
///
/// Dropped, it leaves the look-up to the pool, or takes it back if it has not begun.
///
/// # Examples
///
/// ```
/// let found = corio_executor::run(corio_net::resolve("127.0.0.1:80"));
/// assert_eq!(found.unwrap().unwrap(), ["127.0.0.1:80".parse().unwrap()]);
/// ```
pub async fn resolve(address: impl Into<Address>) -> io::Result<Vec<SocketAddr>> {
    match address.into().0 {
        Kind::Numbers(addresses) => Ok(addresses),
        Kind::Name { host, port } => look_up(host, port).await,
        Kind::Nonsense(text) => {
            let message = format!("`{text}` is no address: write a host, a colon and a port");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

/// Asks the system, in the pool: its answer may take seconds, and its function blocks.
async fn look_up(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let name = host.clone();
    let found = to_thread(move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter)).await;
    let found = found.unwrap_or_else(|error| Err(io::Error::other(error)));
    match found {
        Ok(addresses) if addresses.is_empty() => {
            Err(io::Error::new(io::ErrorKind::NotFound, format!("`{host}` has no address")))
        }
        Ok(addresses) => Ok(addresses),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot look up `{host}`: {error}"))),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Numbers(addresses) => {
                for (n, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if n == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Kind::Name { host, port } => write!(f, "{host}:{port}"),
            Kind::Nonsense(text) => f.write_str(text),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address(Kind::Numbers(vec![address]))
    }
}

impl From<&[SocketAddr]> for Address {
    fn from(addresses: &[SocketAddr]) -> Address {
        Address(Kind::Numbers(addresses.to_vec()))
    }
}

impl From<Vec<SocketAddr>> for Address {
    fn from(addresses: Vec<SocketAddr>) -> Address {
        Address(Kind::Numbers(addresses))
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from((address, port): (IpAddr, u16)) -> Address {
        Address::from(SocketAddr::new(address, port))
    }
}

impl From<(Ipv4Addr, u16)> for Address {
    fn from((address, port): (Ipv4Addr, u16)) -> Address {
        Address::from(SocketAddr::new(address.into(), port))
    }
}

impl From<(Ipv6Addr, u16)> for Address {
    fn from((address, port): (Ipv6Addr, u16)) -> Address {
        Address::from(SocketAddr::new(address.into(), port))
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Address {
        match host.parse::<IpAddr>() {
            Ok(address) => Address::from(SocketAddr::new(address, port)),
            Err(_) => Address(Kind::Name { host: host.to_owned(), port }),
        }
    }
}

impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Address {
        Address::from((host.as_str(), port))
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Address {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Address::from(address);
        }
        match text.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) if !host.is_empty() => Address::from((host, port)),
            _ => Address(Kind::Nonsense(text.to_owned())),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Address {
        Address::from(text.as_str())
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Address {
        Address::from(text.as_str())
    }
}
