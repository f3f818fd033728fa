//! The files of a directory, as `--serve` gives them.
//!
//! - A path names a file under the directory; its percent-escapes are decoded. `..`, and names that
//!   are more than a name to the file system (an escaped slash), are not found.
//! - Symbolic links are followed, also out of the directory: whoever put them there meant it.
//! - A directory is its `index.html` or `index.htm`, else a list of what is in it; without a slash at the end of its
//!   path, the client is sent to the path with one.
//! - A small file is read in place: it costs less than a thread's attention. A large one is read in the thread pool.

use super::listing;
use super::reply::{self, Reply};
use corio::to_thread;
use hyper::{StatusCode, Uri};
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Files up to this length, in bytes, are read in place.
const SMALL: u64 = 64 * 1024;

/// Answers a request for `uri`.
pub(super) async fn answer(root: &Path, uri: &Uri) -> Reply {
    let Some(path) = path_under(root, uri.path()) else { return reply::plain(StatusCode::NOT_FOUND) };
    let found = if uri.path().ends_with('/') { folder(&path, uri.path()).await } else { file(&path).await };
    match found {
        Ok(Some(reply)) => reply,
        Ok(None) => to_folder(uri),
        Err(error) => reply::plain(status_of(&error)),
    }
}

fn status_of(error: &io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput => StatusCode::NOT_FOUND,
        io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the path of a file under `root`; `None` if the path leads out of it.
fn path_under(root: &Path, path: &str) -> Option<PathBuf> {
    let mut under = root.to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        if !is_plain(&name) {
            return None;
        }
        under.push(&*name);
    }
    Some(under)
}

/// Tells whether a name is no more than a name to the file system: not `..`, without separators and drive letters.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

/// Sends the client from `/folder` to `/folder/`.
fn to_folder(uri: &Uri) -> Reply {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Several slashes at the beginning would name another host.
    let path = uri.path().trim_start_matches('/');
    reply::redirect(StatusCode::MOVED_PERMANENTLY, &format!("/{path}/{query}"))
}

/// Reads a file; `None` if it is a directory.
async fn file(path: &Path) -> io::Result<Option<Reply>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let length = metadata.len();
    let body = if length <= SMALL { read(file, length)? } else { in_pool(move || read(file, length)).await? };
    Ok(Some(reply::document(content_type(path), body)))
}

fn read(mut file: File, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.read_to_end(&mut body)?;
    Ok(body)
}

/// Gives a directory: its index, or a list.
async fn folder(path: &Path, shown: &str) -> io::Result<Option<Reply>> {
    for index in ["index.html", "index.htm"] {
        match file(&path.join(index)).await {
            Ok(Some(reply)) => return Ok(Some(reply)),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let (path, shown) = (path.to_owned(), shown.to_owned());
    let list = in_pool(move || fs::read_dir(&path).and_then(|entries| listing::page(&shown, entries))).await?;
    Ok(Some(reply::document("text/html; charset=utf-8", list)))
}

/// Runs blocking work in the thread pool.
async fn in_pool<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    to_thread(work).await.map_err(io::Error::other)?
}

/// Returns the type of a file, by the end of its name.
fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    match &*extension {
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "txt" => "text/plain",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "ico" => "image/vnd.microsoft.icon",
        "pdf" => "application/pdf",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
