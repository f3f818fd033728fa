//! Connections that wait for their next request.

use super::connection::Connection;
use std::cell::RefCell;
use url::{Position, Url};

/// How many connections are kept: enough for each worker, few beside what a process may have open.
const MAX_IDLE: usize = 256;

/// Idle connections, the one that was used last at the end.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: RefCell<Vec<(String, Connection)>>,
}

impl Pool {
    /// Takes a connection to the origin of `url` that can be used at once.
    pub(super) async fn take(&self, url: &Url) -> Option<Connection> {
        loop {
            let mut connection = self.pop(origin(url))?;
            if connection.is_ready().await {
                return Some(connection);
            }
        }
    }

    fn pop(&self, origin: &str) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let place = idle.iter().rposition(|(of, _)| of == origin)?;
        Some(idle.remove(place).1)
    }

    /// Keeps a connection for later, unless it is closed; closes the one that waited longest if there are too many.
    pub(super) fn keep(&self, url: &Url, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let oldest = (idle.len() >= MAX_IDLE).then(|| idle.remove(0));
        idle.push((origin(url).to_owned(), connection));
        // Dropped when nothing is borrowed: its destructor cancels a task.
        drop(idle);
        drop(oldest);
    }
}

/// Returns the part of an address that a connection is for: scheme, host and port.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}
