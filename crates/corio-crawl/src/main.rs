//! A concurrent web crawler on corio.
fn main() {}
