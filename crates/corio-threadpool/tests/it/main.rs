//! No test sleeps to get its way: threads meet at channels, and a wait that does not end is a failure after [`LONG`].
//!
//! Under Miri: `MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-permissive-provenance -Zmiri-ignore-leaks"`; parking_lot makes
//! pointers from integers, and threads of the process's pool outlive `main`, as they should.

mod order; // first in, first out; threads on demand; names
mod shutdown; // hazard 50, and who waits for whom
mod panic; // hazard 52
mod cancel; // hazards 51 and 55
mod reentrancy; // hazards 53, 54 and 56
mod initializer; // thread-locals, and pools that break
mod refuse; // settings that cannot be, threads that do not start
mod bridge; // run_in_executor and to_thread
mod default_pool; // the pool that is there
mod map; // one function, many items
mod foreign; // other executors than the pool
mod words; // what they say to a person
mod auto_traits;

use corio_threadpool::ThreadPoolExecutor;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

fn pool(threads: usize) -> ThreadPoolExecutor {
    ThreadPoolExecutor::builder().max_threads(threads).build().unwrap()
}

/// A door that holds whoever comes until it is opened; dropping the key opens it for good.
fn door() -> (Key, Door) {
    let (key, door) = sync_channel(100);
    (Key(key), Door(Arc::new(Mutex::new(door))))
}

struct Key(SyncSender<()>);

impl Key {
    /// Lets one through, if anybody is left who might come.
    fn open(&self) {
        let _ = self.0.send(());
    }
}

#[derive(Clone)]
struct Door(Arc<Mutex<Receiver<()>>>);

impl Door {
    /// Waits to be let through.
    fn pass(&self) {
        let result = self.0.lock().unwrap().recv_timeout(LONG);
        assert_ne!(result, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "nobody opened");
    }
}

/// Lists what happened, in order, from any thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Adds a line to the log when it is dropped, with the name of the thread it is dropped on.
struct Witness(&'static str, Log);

impl Drop for Witness {
    fn drop(&mut self) {
        let thread = std::thread::current();
        self.1.add(format!("{} dropped on {}", self.0, thread.name().unwrap_or("?")));
    }
}
