//! A server that is out of descriptors; alone in its process, whose limit it lowers.

#![cfg(unix)]

use corio_net::TcpListener;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Opens files until there is no descriptor left.
fn exhaust() -> Vec<File> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn hazard_36_accept_pauses_and_then_accepts() {
    let outcome = corio_executor::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let handle = corio_executor::LoopHandle::current();
        let client = TcpStream::connect(listener.local_addr()?)?;
        let files = exhaust();
        handle.call_later(Duration::from_millis(25), move || drop(files));

        let start = Instant::now();
        let (stream, from) = listener.accept().await?;
        assert_eq!(from, client.local_addr()?);
        assert!(start.elapsed() >= Duration::from_millis(25), "there was no descriptor before");
        drop(stream);
        io::Result::Ok(())
    });
    outcome.unwrap().unwrap();
}
