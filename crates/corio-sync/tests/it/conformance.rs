//! asyncio's programs, ported line by line, with the lines that CPython prints.

use crate::toy::Toy;
use corio_sync::Event;
use std::rc::Rc;

async fn waiter(toy: Toy, event: Rc<Event>, name: char) {
    event.wait().await;
    toy.print(format!("woke {name} {}", event.is_set()));
}

/// `45_event.py`.
#[test]
fn event() {
    let log = Toy::run(|toy| async move {
        let event = Rc::new(Event::new());
        let start = |name| toy.spawn(waiter(toy.clone(), Rc::clone(&event), name));
        let tasks = ['a', 'b', 'c'].map(start);
        toy.sleep(0).await;
        tasks[1].cancel();
        event.set();
        event.set();
        toy.print("set");
        for task in &tasks {
            task.join().await;
        }
        let callback = toy.clone();
        toy.spawn(async move { callback.print("loop ran") });
        event.wait().await;
        toy.print("no yield");
        toy.sleep(0).await;
        event.clear();
        let late = start('d');
        toy.sleep(0).await;
        event.set();
        event.clear();
        late.join().await;
    });
    assert_eq!(log, ["set", "woke a True", "woke c True", "no yield", "loop ran", "woke d False"].map(rust_bool));
}

/// Python's `True` is Rust's `true`.
fn rust_bool(line: &str) -> String {
    line.replace("True", "true").replace("False", "false")
}
