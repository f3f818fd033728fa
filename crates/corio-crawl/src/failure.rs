//! Why a page could not be had.

use std::fmt;
use std::io;

/// What went wrong with one page. It ends the page, never the crawl.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The host's name could not be resolved.
    Dns(io::Error),
    /// No connection could be made.
    Connect(io::Error),
    /// The connection could not be secured: a bad certificate, or no TLS at all.
    Tls(io::Error),
    /// The page took longer than its time.
    Timeout,
    /// The answer was no HTTP, or broke off before its body.
    Protocol(String),
    /// The body broke off.
    Body(String),
    /// The body is longer than [`MAX_BODY`](crate::client::MAX_BODY).
    TooLarge,
    /// The body came in a coding that was not asked for, such as gzip.
    Coding(String),
    /// The answer's status is one of failure.
    Status(u16),
    /// The redirect leads nowhere: it names no address of http or https.
    BadRedirect(String),
    /// The redirects lead in a circle.
    RedirectLoop,
    /// There were more than [`MAX_REDIRECTS`](crate::crawl::MAX_REDIRECTS) redirects in a row.
    TooManyRedirects,
    /// The redirect leads to another origin, which is not followed.
    RedirectOutside(String),
    /// The program itself failed over this page: a defect in it.
    Internal(String),
}

impl Failure {
    /// Returns the class that the summary counts the failure under.
    #[must_use]
    pub fn class(&self) -> String {
        let class = match self {
            Failure::Dns(_) => "dns",
            Failure::Connect(_) => "connect",
            Failure::Tls(_) => "tls",
            Failure::Timeout => "timeout",
            Failure::Protocol(_) => "protocol",
            Failure::Body(_) => "body",
            Failure::TooLarge => "too large",
            Failure::Coding(_) => "coding",
            Failure::Status(status) => return format!("status {status}"),
            Failure::BadRedirect(_) => "bad redirect",
            Failure::RedirectLoop => "redirect loop",
            Failure::TooManyRedirects => "too many redirects",
            Failure::RedirectOutside(_) => "redirect outside",
            Failure::Internal(_) => "internal",
        };
        class.to_owned()
    }

    /// Returns what there is to say beyond the class. It may hold text from the network: see
    /// [`printable`](crate::report::printable).
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Failure::Dns(error) | Failure::Connect(error) | Failure::Tls(error) => Some(error.to_string()),
            Failure::Protocol(text) | Failure::Body(text) | Failure::Coding(text) | Failure::Internal(text) => {
                Some(text.clone())
            }
            Failure::BadRedirect(target) | Failure::RedirectOutside(target) => Some(format!("to {target}")),
            Failure::Timeout
            | Failure::TooLarge
            | Failure::Status(_)
            | Failure::RedirectLoop
            | Failure::TooManyRedirects => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.class())?;
        match self.detail() {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
