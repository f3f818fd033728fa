//! The attribute runs an async function.

#[corio::main]
fn main() {}
