//! What the server answers.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

pub(super) type Reply = Response<Full<Bytes>>;

/// Says a status, and repeats it as text.
pub(super) fn plain(status: StatusCode) -> Reply {
    let mut reply = document("text/plain; charset=utf-8", format!("{status}\n"));
    *reply.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    reply
}

/// Gives a document.
pub(super) fn document(content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// Sends the client elsewhere.
pub(super) fn redirect(status: StatusCode, location: &str) -> Reply {
    let Ok(location) = HeaderValue::from_str(location) else { return plain(StatusCode::BAD_REQUEST) };
    let mut reply = plain(status);
    reply.headers_mut().insert(LOCATION, location);
    reply
}
