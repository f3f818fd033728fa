//! TCP on corio's event loop, with the traits of `futures-io`.
//!
//! A [`TcpListener`] accepts connections, a [`TcpStream`] is one. Streams implement [`AsyncRead`](futures_io::AsyncRead)
//! and [`AsyncWrite`](futures_io::AsyncWrite), by value and by reference, so that one task can read while another writes
//! and every adapter of the `futures` world fits: TLS, buffering, hyper through `corio-hyper`. Names are looked up in the
//! loop's thread pool; addresses in numbers are not looked up at all.
//!
//! You want this crate if you write a program or a protocol on corio's loop. To run one, take `corio` or
//! `corio-executor`. There is no TLS here, no HTTP, no buffering.
//!
//! # Examples
//!
//! ```
//! use corio_net::{TcpListener, TcpStream};
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//!
//! let answer = corio_executor::run(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = corio_executor::LoopHandle::current().create_task(async move {
//!         let (mut stream, _) = listener.accept().await?;
//!         let mut question = String::new();
//!         stream.read_to_string(&mut question).await?;
//!         stream.write_all(question.to_uppercase().as_bytes()).await
//!     });
//!
//!     let mut stream = TcpStream::connect(address).await?;
//!     stream.write_all(b"hello").await?;
//!     stream.shutdown(std::net::Shutdown::Write)?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).await?;
//!     server.await.expect("the server is not cancelled")?;
//!     std::io::Result::Ok(answer)
//! });
//! assert_eq!(answer.unwrap().unwrap(), "HELLO");
//! ```
//!
//! # Guarantees
//!
//! * No call blocks the thread: names are looked up in the pool, sockets never block.
//! * An operation is tried at once, and waits only if it would block: under load there is no wait.
//! * Cancelling an operation loses no data and no connection: it either happened or did not.
//! * A listener that meets the limit of open files waits, and does not spin.
//! * Errors are plain [`std::io::Error`]s whose text says what was attempted.
//!
//! # What is `Send`
//!
//! | type | `Send` | `Sync` |
//! |---|---|---|
//! | [`Address`] | yes | yes |
//! | [`TcpListener`], [`TcpStream`], [`Incoming`] | no | no |
//!
//! A stream belongs to its loop. To hand a connection to another thread, take it apart with [`TcpStream::into_std`].
//!
//! # How it works
//!
//! Each socket is a [`Source`](corio_executor::io::Source): registered once, edge-triggered, its readiness remembered
//! until an operation would block. Where reads fill their buffers and leave nothing, as messages of one size do, the loop
//! watches the connection level-triggered, and no read is tried for nothing. See `corio-executor` for the rest.

#![forbid(unsafe_code)]

mod tcp_stream;
mod tcp_listener;
mod connect;
mod address;
mod backoff;
mod sys;

pub use address::{Address, resolve};
pub use tcp_listener::{Incoming, TcpListener};
pub use tcp_stream::TcpStream;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
