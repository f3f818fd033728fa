//! A gather is made of futures.

fn main() {
    corio::gather([1, 2, 3]);
}
