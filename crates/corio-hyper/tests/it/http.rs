use bytes::Bytes;
use corio_executor::{LoopHandle, run};
use corio_hyper::{Executor, Io, Timer};
use corio_net::{TcpListener, TcpStream};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, server};
use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Answers with what it was sent.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(Response::new(Full::new(body)))
}

/// Serves HTTP/1 to whoever comes; returns the address.
async fn serve() -> std::io::Result<SocketAddr> {
    serve_within(Duration::from_secs(600)).await
}

/// As [`serve`], and closes a connection on which a request's head does not come within `limit`.
async fn serve_within(limit: Duration) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let spawner = LoopHandle::current();
    drop(spawner.clone().create_task(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut server = server::conn::http1::Builder::new();
            server.timer(Timer).header_read_timeout(limit);
            drop(spawner.create_task(server.serve_connection(Io::vectored(stream), service_fn(echo))));
        }
    }));
    Ok(address)
}

/// A request with a body.
fn request(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(Method::POST).uri("http://host/").header("host", "host");
    request.body(Full::new(body.into())).unwrap()
}

#[test]
fn one_connection_carries_many_requests_of_all_sizes() {
    let outcome = run(async {
        let stream = TcpStream::connect(serve().await?).await?;
        let (mut sender, connection) = http1::handshake(Io::new(stream)).await?;
        drop(LoopHandle::current().create_task(connection));
        for size in [0, 1, 100, 65_535, 65_536, 1_000_000, 3] {
            let body: Bytes = (0..size).map(|i| (i % 253) as u8).collect();
            let response = sender.send_request(request(body.clone())).await?;
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.into_body().collect().await?.to_bytes() == body, "{size} bytes");
        }
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn many_connections_are_served_at_once() {
    let outcome = run(async {
        let address = serve().await?;
        let tasks: Vec<_> = (0..50)
            .map(|number| {
                LoopHandle::current().create_task(async move {
                    let stream = TcpStream::connect(address).await.unwrap();
                    let (mut sender, connection) = http1::handshake(Io::new(stream)).await.unwrap();
                    drop(LoopHandle::current().create_task(connection));
                    let response = sender.send_request(request(number.to_string())).await.unwrap();
                    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), number.to_string());
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn http_2_multiplexes_services_that_are_not_send() {
    let outcome = run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let requests = Rc::new(Cell::new(0));
        let counted = requests.clone();
        drop(LoopHandle::current().create_task(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(move |request| {
                counted.set(counted.get() + 1);
                let number = counted.get();
                async move {
                    let body = echo(request).await.unwrap().into_body().collect().await?.to_bytes();
                    nap(Duration::from_millis(number)).await; // The first to come is the first to go.
                    Ok::<_, Infallible>(Response::new(Full::new(body)))
                }
            });
            server::conn::http2::Builder::new(Executor).timer(Timer).serve_connection(Io::new(stream), service).await
        }));
        let stream = Io::new(TcpStream::connect(address).await?);
        let (sender, connection) = http2::handshake(Executor, stream).await?;
        drop(LoopHandle::current().create_task(connection));
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let mut sender = sender.clone();
                LoopHandle::current().create_task(async move {
                    let response = sender.send_request(request(number.to_string())).await.unwrap();
                    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), number.to_string());
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        assert_eq!(requests.get(), 20);
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.unwrap().unwrap();
}

/// Sleeps by the adapter's timer.
async fn nap(duration: Duration) {
    hyper::rt::Timer::sleep(&Timer, duration).await;
}

#[test]
fn a_client_that_says_nothing_is_timed_out() {
    let outcome = run(async {
        let mut stream = TcpStream::connect(serve_within(Duration::from_millis(50)).await?).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHos").await?; // And no more, as a slow-loris does.
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?; // The server hangs up.
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.unwrap().unwrap();
}

#[test]
fn a_server_that_goes_away_is_an_error_not_a_hang() {
    let outcome = run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (accepted, stream) = future::zip(listener.accept(), TcpStream::connect(address)).await;
        let (mut sender, connection) = http1::handshake(Io::new(stream?)).await?;
        drop(LoopHandle::current().create_task(connection));
        drop(accepted?);
        assert!(sender.send_request(request("")).await.is_err());
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.unwrap().unwrap();
}
