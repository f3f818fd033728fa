//! What can go wrong between hyper and the loop.

/// Requests and answers, of both versions, small and large.
mod http;
/// Sleeps: on time, moved to other threads, left behind by their loop.
mod timer;
/// Bytes through the adapter, both ways.
mod io;
/// What is `Send`.
mod auto_traits;
