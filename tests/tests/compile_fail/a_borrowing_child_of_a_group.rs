//! A child of a group is a task, and cannot borrow from the body.

fn main() {
    corio::run(async {
        let text = String::from("borrowed");
        let _ = corio::TaskGroup::run(async |group| {
            let _ = group.create_task(async { text.len() });
        })
        .await;
    })
    .unwrap();
}
