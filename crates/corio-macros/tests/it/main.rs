//! What an entry may look like, and what is said of one that may not.

/// Programs that run: what they return, and with what status they end.
mod entry;
/// Tests that are tested: each runs, and is what it says.
mod tests;
/// Programs that do not compile: each sentence, and where it points.
mod sentences;
