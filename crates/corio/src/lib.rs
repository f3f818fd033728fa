//! Python's asyncio model, native in Rust: the umbrella crate.
