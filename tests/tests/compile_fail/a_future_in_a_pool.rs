//! A loop's future does not go to the threads of a pool.

fn main() {
    corio::run(async {
        let (_promise, future) = corio::promise::<u32>();
        let _ = corio::to_thread(move || future.done()).await;
    })
    .unwrap();
}
