//! Awaiting a task moves its output out, and the task with it.

fn main() {
    corio::run(async {
        let task = corio::create_task(async { 1 });
        let _ = task.await;
        let _ = task.await;
    })
    .unwrap();
}
