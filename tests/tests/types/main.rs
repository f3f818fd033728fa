//! Types as tests: which public type may cross threads, be moved while pinned, and be looked at after a panic; and what
//! must not compile, with the words of the compiler.

/// Each public type of each crate, with its auto traits.
mod auto_traits;
/// Programs that must not compile.
mod compile_fail;
