//! The closure that makes a coroutine on the loop crosses a thread; what it captures must be able to.

fn main() {
    corio::run(async {
        let task = corio::create_task(async { 1 });
        let remote = corio::LoopHandle::current().remote();
        let _ = remote.run_coroutine_threadsafe(move || async move { task.await });
    })
    .unwrap();
}
