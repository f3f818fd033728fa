//! TCP: echo of 64 bytes over loopback, both ends on the one loop.

use super::floors::{self, EPOLL};
use super::{Compio, Corio, Epoll, Glommio, Monoio, Runite, Smol, Tokio, TokioLocal, Uring};
use super::{Position, Row, Sample, columns};
use crate::Network;
use crate::measure::{self, processor_time};

pub(super) const MESSAGE: usize = 64;

macro_rules! networks {
    ($connections:expr) => {
        columns!(echo($connections): Corio, Tokio, TokioLocal, Smol, Monoio<Epoll>, Monoio<Uring>, Compio, Glommio, Runite)
    };
}

pub(super) fn rows<P: Position>() -> Vec<Row> {
    vec![
        Row::new("TCP echo, 1 connection, CPU a round trip", 10_000, networks!(1))
            .threads()
            .floor(EPOLL, floors::echo::<1>),
        Row::new("TCP echo, 100 connections, CPU a round trip", 20_000, networks!(100))
            .batch(100)
            .threads()
            .bar(0.97)
            .floor(EPOLL, floors::echo::<100>)
            .floor_bar(1.05),
        Row::new("TCP echo, 1,000 connections, CPU a round trip", 20_000, networks!(1000))
            .batch(1000)
            .threads()
            .bar(0.97)
            .floor(EPOLL, floors::echo::<1000>)
            .floor_bar(1.05),
        Row::new("TCP echo, 10,000 connections, CPU a round trip", 50_000, networks!(10_000))
            .batch(10_000)
            .slow()
            .threads()
            .bar(0.97)
            .floor(EPOLL, floors::echo::<10_000>)
            .floor_bar(1.05),
    ]
}

async fn serve<R: Network>(mut stream: R::Stream) {
    let mut buffer = vec![0; MESSAGE];
    while let Some(message) = R::read(&mut stream, buffer).await {
        buffer = R::write(&mut stream, message).await;
    }
}

async fn ask<R: Network>(mut stream: R::Stream, rounds: u64) -> R::Stream {
    let mut buffer = vec![7; MESSAGE];
    for _ in 0..rounds {
        buffer = R::write(&mut stream, buffer).await;
        buffer = R::read(&mut stream, buffer).await.expect("an answer");
        assert_eq!(buffer, [7; MESSAGE]);
    }
    stream
}

/// The connections are made before the clock starts, and closed after it has stopped.
async fn echo<R: Network>(n: u64, connections: u64) -> Sample {
    measure::expect_descriptors(2 * connections + 100); // Both ends, and what a runtime has besides.
    let (mut listener, address) = R::listen().await;
    let mut streams = Vec::new();
    let mut servers = Vec::new();
    for _ in 0..connections {
        let client = R::spawn(R::connect(address));
        servers.push(R::spawn(serve::<R>(R::accept(&mut listener).await)));
        streams.push(client.await);
    }
    let rounds = n / connections;
    let start = processor_time();
    let clients: Vec<_> = streams.into_iter().map(|stream| R::spawn(ask::<R>(stream, rounds))).collect();
    let mut streams = Vec::new();
    for client in clients {
        streams.push(client.await);
    }
    let time = processor_time() - start;
    drop(streams);
    for server in servers {
        server.await;
    }
    Sample::Time(time)
}
