//! Trying addresses in turn.

use crate::address::{Address, resolve};
use crate::sys;
use corio_executor::io::Source;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

/// Connects to the first address that answers.
pub(crate) async fn connect(address: Address) -> io::Result<Source<Rc<TcpStream>>> {
    let mut failure = Failure { target: address.to_string(), attempts: Vec::new() };
    for address in resolve(address).await? {
        match sys::connect(address).await {
            Ok(source) => return Ok(source),
            Err(error) => failure.attempts.push((address, error)),
        }
    }
    let kind = failure.attempts.last().map_or(io::ErrorKind::InvalidInput, |(_, error)| error.kind());
    Err(io::Error::new(kind, failure))
}

/// That no address answered, and how each failed.
#[derive(Debug)]
struct Failure {
    /// What was asked for.
    target: String,
    attempts: Vec<(SocketAddr, io::Error)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}", self.target)?;
        match &*self.attempts {
            [] => f.write_str("nothing: no address was given"),
            [(address, error)] if address.to_string() == self.target => write!(f, ": {error}"),
            attempts => {
                for (n, (address, error)) in attempts.iter().enumerate() {
                    write!(f, "{}{address}: {error}", if n == 0 { ": " } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_names_all_attempts() {
        let attempt = |address: &str, error: &str| (address.parse().unwrap(), io::Error::other(error.to_owned()));
        let mut failure = Failure { target: "host:1".into(), attempts: vec![attempt("127.0.0.1:1", "refused")] };
        assert_eq!(failure.to_string(), "cannot connect to host:1: 127.0.0.1:1: refused");
        failure.attempts.push(attempt("[::1]:1", "unreachable"));
        assert_eq!(failure.to_string(), "cannot connect to host:1: 127.0.0.1:1: refused; [::1]:1: unreachable");
        let failure = Failure { target: "127.0.0.1:1".into(), attempts: vec![attempt("127.0.0.1:1", "refused")] };
        assert_eq!(failure.to_string(), "cannot connect to 127.0.0.1:1: refused");
    }
}
