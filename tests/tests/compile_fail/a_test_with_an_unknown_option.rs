//! An option that there is not.

#[corio::test(threads = 4)]
async fn many_threads() {}

fn main() {}
