//! A loop's promise stays with its loop; `concurrent::promise` is for other threads.

fn main() {
    let (promise, _future) = corio::promise::<u32>();
    std::thread::spawn(move || drop(promise.set_result(1)));
}
