//! corio's benches.
