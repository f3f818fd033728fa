//! hyper on corio's event loop: its executor, its timer, and its I/O traits.
//!
//! hyper knows no runtime; it asks for three things, and this crate answers: [`Executor`] starts tasks, [`Timer`] sleeps,
//! [`Io`] lends it a connection that speaks `futures-io`, and takes one back from it. Nothing here needs `Send`, so that
//! services and bodies may hold what belongs to one thread.
//!
//! You want this crate to speak HTTP from a program on corio. There is no client with a pool of connections here, and no
//! server that accepts them: `corio-net` makes connections, a loop of five lines serves them.
//!
//! # Examples
//!
//! A server and a client, on one thread:
//!
//! ```
//! use bytes::Bytes;
//! use corio_executor::LoopHandle;
//! use corio_hyper::{Io, Timer};
//! use corio_net::{TcpListener, TcpStream};
//! use http_body_util::{BodyExt, Empty, Full};
//! use hyper::{Request, Response, body::Incoming, service::service_fn};
//! use std::convert::Infallible;
//!
//! async fn greet(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new(format!("Hello, {}!", &request.uri().path()[1..]).into()))
//! }
//!
//! async fn fetch() -> Result<String, Box<dyn std::error::Error>> {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let spawner = LoopHandle::current();
//!     drop(spawner.create_task(async move {
//!         let (stream, _) = listener.accept().await.expect("somebody comes");
//!         let server = hyper::server::conn::http1::Builder::new().timer(Timer).clone();
//!         server.serve_connection(Io::new(stream), service_fn(greet)).await
//!     }));
//!
//!     let stream = TcpStream::connect(address).await?;
//!     let (mut sender, connection) = hyper::client::conn::http1::handshake(Io::new(stream)).await?;
//!     drop(spawner.create_task(connection));
//!     let request = Request::get("/world").body(Empty::<Bytes>::new())?;
//!     let answer = sender.send_request(request).await?.into_body().collect().await?;
//!     Ok(String::from_utf8(answer.to_bytes().to_vec())?)
//! }
//!
//! let greeting = corio_executor::run(fetch()).unwrap();
//! assert_eq!(greeting.unwrap(), "Hello, world!");
//! ```
//!
//! # Guarantees
//!
//! * What the executor starts is a task of the loop like any other: it is in `all_tasks`, its panic is reported, and the
//!   loop's end cancels it.
//! * The timer is the loop's: virtual where the loop's clock is. Nothing fires early.
//! * Reading costs one copy, through a buffer that the thread's connections share, and no unsafe code.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Executor`], [`Timer`] | yes: they name the loop of whatever thread they are used on | yes |
//! | [`Sleep`] | yes: hyper asks for it | yes |
//! | [`Io`] | as what it wraps | as what it wraps |
//!
//! # How it works
//!
//! See [`Sleep`] for how a future may be `Send` although the timer it stands for is not, and [`Io`] for the buffer.

#![forbid(unsafe_code)]

mod executor;
mod timer;
mod sleep;
mod io;

pub use executor::Executor;
pub use io::Io;
pub use sleep::Sleep;
pub use timer::Timer;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
