//! What needs two crates, or a foreign runtime.

/// The house: arrows point down, no runtime below floor 3, each public name once through the umbrella.
mod house;
/// The primitives of floors 0 and 1 under every runtime.
mod primitives;
/// Floors 0 to 2 under tokio, under smol, and under a bare `block_on`.
mod runtimes;
/// Who waits for whom, through each thing that stands between.
mod call_graph;
/// A loop that can never wake says so, and no other.
mod deadlock;
/// Cancellation through the layers: loop, task group, timeout, gather, queue, pool.
mod cancellation;
/// Async generators: cancelled, left open, dropped half-way.
mod generators;
/// Orders that nobody promised, under many seeds.
mod seeds;
/// Shutdown with work in flight.
mod shutdown;
/// Threads against the loop.
mod threads;
/// The crawler from end to end against the embedded site.
mod crawler;
/// The guide: the names that it promises.
mod guide;
/// The page of guarantees, held to the sources.
mod guarantees;
/// The inventory of unsafe code, held to the sources.
mod inventory;
/// What comes from elsewhere: from where, under which licence, and whether it is used.
mod supply;
