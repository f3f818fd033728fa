//! What can go wrong with sockets, a file for each.

/// What an address is made of, and looking it up.
mod address;
/// Making connections, and failing to.
mod connect;
/// Moving bytes both ways, in small and large pieces.
mod transfer;
/// Reads that fill a part of their buffer, and what may stand behind.
mod short_reads;
/// Reads that fill their buffer each time, as messages of one size do.
mod full_reads;
/// Leaving in the middle, from either side.
mod leave;
/// What is `Send`.
mod auto_traits;
