//! One connection to a server, and the task that drives it.

use super::stream::Stream;
use crate::failure::Failure;
use corio::{Task, create_task};
use corio_hyper::Io;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use std::error::Error;

/// How many bytes the head of an answer may have; hyper reads bodies in pieces up to this length.
const MAX_HEAD: usize = 256 * 1024;

/// A connection, closed when it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Empty<Bytes>>,
    driver: Task<()>,
    /// Whether the connection must not be used again.
    closed: bool,
}

impl Connection {
    /// Begins to speak HTTP on a stream.
    pub(super) async fn open(stream: Stream) -> Result<Connection, Failure> {
        let (requests, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(Io::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let driver = create_task(async move {
            // Whoever waits for an answer learns of the error too.
            let _ = connection.await;
        });
        Ok(Connection { requests, driver, closed: false })
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, Failure> {
        self.requests.send_request(request).await.map_err(|error| failed(&error))
    }

    /// Waits until a request can be sent; false if that will never be.
    pub(super) async fn is_ready(&mut self) -> bool {
        !self.is_closed() && self.requests.ready().await.is_ok()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed || self.requests.is_closed()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.cancel();
    }
}

fn failed(error: &hyper::Error) -> Failure {
    Failure::Protocol(reason(error))
}

/// Tells what hyper says and what caused it, in one line.
pub(super) fn reason(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
