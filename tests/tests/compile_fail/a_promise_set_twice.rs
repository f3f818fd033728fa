//! A promise is set once: setting it takes it.

fn main() {
    let (promise, _future) = corio::promise::<u32>();
    promise.set_result(1).unwrap();
    promise.set_result(2).unwrap();
}
