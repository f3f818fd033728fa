//! Nobody could give a main function arguments.

#[corio::main]
async fn main(name: String) {}
