//! What the crawler serves to itself: a site of its own, or the files of a directory.

mod embedded;
mod files;
mod listing;
mod reply;
mod server;

pub use embedded::PAGES;
pub use server::Server;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use reply::Reply;
use std::path::PathBuf;

/// Where pages come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Site {
    /// The crawler's own pages.
    Embedded,
    /// The files of this directory.
    Files(PathBuf),
}

impl Site {
    /// Answers a request.
    async fn answer(&self, request: &Request<Incoming>) -> Reply {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return reply::plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        match self {
            Site::Embedded => embedded::answer(request.uri().path()).await,
            Site::Files(root) => files::answer(root, request.uri()).await,
        }
    }
}
