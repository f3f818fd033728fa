//! tokio's `LocalRuntime`: as [`Tokio`](super::Tokio), without the set.

use super::{Expecting, Tokio};
use crate::{Blocking, Crawling, Get, Network, Put, Runtime};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinHandle;
use url::Url;

/// tokio, on one thread, without `Send` bounds: a `LocalRuntime`.
#[derive(Debug)]
pub struct TokioLocal;

impl Runtime for TokioLocal {
    const NAME: &'static str = "tokio LocalRuntime";

    fn block_on<T: 'static>(main: impl Future<Output = T> + 'static) -> T {
        let runtime =
            Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).expect("a runtime");
        runtime.block_on(main)
    }

    type Task<T: 'static> = Expecting<JoinHandle<T>>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T> {
        Expecting(tokio::task::spawn_local(future))
    }

    fn yield_now() -> impl Future<Output = ()> {
        Tokio::yield_now()
    }

    fn oneshot<T: Send + 'static>() -> (impl FnOnce(T) + 'static, impl Future<Output = T> + 'static) {
        Tokio::oneshot()
    }

    fn queue(capacity: usize) -> (impl Put + 'static, impl Get + 'static) {
        Tokio::queue(capacity)
    }

    fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        Tokio::timeout(limit, future)
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + 'static {
        Tokio::sleep(time)
    }

    fn as_completed<T: 'static>(tasks: Vec<Self::Task<T>>, each: impl FnMut(T)) -> impl Future<Output = ()> {
        Tokio::as_completed(tasks, each)
    }
}

impl Blocking for TokioLocal {
    fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> + 'static {
        Tokio::blocking(f)
    }
}

impl Network for TokioLocal {
    type Listener = <Tokio as Network>::Listener;
    type Stream = <Tokio as Network>::Stream;

    fn listen() -> impl Future<Output = (Self::Listener, SocketAddr)> {
        Tokio::listen()
    }

    fn accept(listener: &mut Self::Listener) -> impl Future<Output = Self::Stream> {
        Tokio::accept(listener)
    }

    fn connect(address: SocketAddr) -> impl Future<Output = Self::Stream> {
        Tokio::connect(address)
    }

    fn read(stream: &mut Self::Stream, buffer: Vec<u8>) -> impl Future<Output = Option<Vec<u8>>> {
        Tokio::read(stream, buffer)
    }

    fn write(stream: &mut Self::Stream, buffer: Vec<u8>) -> impl Future<Output = Vec<u8>> {
        Tokio::write(stream, buffer)
    }
}

impl Crawling for TokioLocal {
    fn crawl(seed: Url, rows: PathBuf) -> impl Future<Output = ()> {
        Tokio::crawl(seed, rows)
    }
}
