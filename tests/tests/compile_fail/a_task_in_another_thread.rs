//! A task is cancelled on its loop's thread.

fn main() {
    corio::run(async {
        let task = corio::create_task(async { 1 });
        std::thread::spawn(move || task.cancel());
    })
    .unwrap();
}
