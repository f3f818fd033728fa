//! A task is made of a future.

fn main() {
    corio::create_task(42);
}
