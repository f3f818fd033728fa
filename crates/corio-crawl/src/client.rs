//! An HTTP client: hyper's HTTP/1 on corio's sockets, with connections kept alive, and TLS by rustls.

mod connection;
mod pool;
mod stream;
mod tls;

use crate::failure::Failure;
use connection::Connection;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::{HeaderMap, Request, Response};
use pool::Pool;
use stream::Connector;
use url::{Position, Url};

/// The longest body that is read, in bytes; a page that is longer fails.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// The longest body that is read only to keep its connection, in bytes; past it the connection is dropped.
const MAX_WASTE: usize = 256 * 1024;

const AGENT: &str = concat!("corio-crawl/", env!("CARGO_PKG_VERSION"));

/// What a server answered, without the body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The Content-Type, or nothing.
    pub content_type: String,
    /// Where a redirect leads, as it is written.
    pub location: Option<String>,
}

/// An answer: its head, and its body, if that was wanted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The head.
    pub head: Head,
    /// The body; empty if it was not wanted.
    pub body: Bytes,
    /// How many bytes of body came, wanted or not.
    pub received: u64,
}

/// Fetches pages. One client serves any number of tasks of its loop at once.
#[derive(Debug, Default)]
pub struct Client {
    connector: Connector,
    pool: Pool,
}

impl Client {
    /// Makes a client without connections.
    #[must_use]
    pub fn new() -> Client {
        Client::default()
    }

    /// Fetches `url`, and reads the body if `wanted` says so of the head.
    ///
    /// Redirects are not followed, and any status is an answer.
    ///
    /// # Errors
    ///
    /// If the host cannot be reached, or what it sends is no HTTP, breaks off, or is longer than [`MAX_BODY`].
    ///
    /// # Cancel safety
    ///
    /// Dropped on the way, it closes the connection it used.
    pub async fn fetch(&self, url: &Url, wanted: impl FnOnce(&Head) -> bool) -> Result<Answer, Failure> {
        let (mut connection, response) = self.send(url).await?;
        let (parts, body) = response.into_parts();
        let head = Head::new(parts.status.as_u16(), &parts.headers);
        let (body, received) = if wanted(&head) {
            refuse_coding(&parts.headers)?;
            let body = read(body, &parts.headers).await?;
            let received = body.len() as u64;
            (body, received)
        } else {
            let (received, whole) = skip(body).await;
            if !whole {
                connection.close();
            }
            (Bytes::new(), received)
        };
        self.pool.keep(url, connection);
        Ok(Answer { head, body, received })
    }

    /// Sends a request, on an idle connection if there is one. The server may have closed that at the same moment, so
    /// one that fails before it answers is tried again, once, on a fresh one.
    async fn send(&self, url: &Url) -> Result<(Connection, Response<Incoming>), Failure> {
        let request = || request(url);
        if let Some(mut connection) = self.pool.take(url).await {
            if let Ok(response) = connection.send(request()?).await {
                return Ok((connection, response));
            }
        }
        let mut connection = Connection::open(self.connector.connect(url).await?).await?;
        let response = connection.send(request()?).await?;
        Ok((connection, response))
    }
}

impl Head {
    fn new(status: u16, headers: &HeaderMap) -> Head {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let content_type = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
        Head { status, content_type, location: headers.get(LOCATION).map(text) }
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Failure> {
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "text/html, */*;q=0.5")
        .header(ACCEPT_ENCODING, "identity");
    request.body(Empty::new()).map_err(|error| Failure::Protocol(format!("no request can be made: {error}")))
}

/// Refuses a body that came compressed though it was not asked for.
fn refuse_coding(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(coding) => Err(Failure::Coding(String::from_utf8_lossy(coding).into_owned())),
    }
}

/// Reads a body. One that comes in one piece, as small ones do, is not copied.
async fn read(mut body: Incoming, headers: &HeaderMap) -> Result<Bytes, Failure> {
    let Some(first) = next_piece(&mut body).await? else { return Ok(Bytes::new()) };
    let Some(second) = next_piece(&mut body).await? else { return Ok(first) };
    // The length is the server's word: room for a megabyte is made on it, and no more.
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or(0).min(1 << 20));
    bytes.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if bytes.len() + piece.len() > MAX_BODY {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&piece);
        next = next_piece(&mut body).await?;
    }
    Ok(bytes.into())
}

async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        // What is no data is trailers.
        if let Ok(data) = frame.map_err(broken_off)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Reads a body that nobody wants; tells how many bytes came, and whether they were all.
async fn skip(mut body: Incoming) -> (u64, bool) {
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (received, false) };
        received += frame.data_ref().map_or(0, |data| data.len() as u64);
        if received > MAX_WASTE as u64 {
            return (received, false);
        }
    }
    (received, true)
}

fn broken_off(error: hyper::Error) -> Failure {
    Failure::Body(connection::reason(&error))
}
