//! What an entry may look like, and what is said of one that may not.

/// Programs that run: what they return, and with what status they end.
mod entry;
/// Programs that do not compile: each sentence, and where it points.
mod sentences;
