//! A task may outlive whoever made it, and so cannot borrow; `join` can.

fn main() {
    corio::run(async {
        let text = String::from("borrowed");
        let task = corio::create_task(async { text.len() });
        let _ = task.await;
    })
    .unwrap();
}
