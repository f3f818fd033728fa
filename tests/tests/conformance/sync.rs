//! Events and their kin.

use crate::harness::conforms;
use corio::{Event, LoopHandle, ReturnWhen, create_task, wait, yield_now};
use std::rc::Rc;

#[test]
fn c45_event() {
    async fn waiter(event: Rc<Event>, name: char) {
        event.wait().await;
        say!("woke {name} {}", event.is_set());
    }
    conforms("45_event", async {
        let event = Rc::new(Event::new());
        let mut tasks = Vec::from(['a', 'b', 'c'].map(|name| create_task(waiter(Rc::clone(&event), name))));
        yield_now().await;
        tasks[1].cancel();
        event.set();
        event.set();
        say!("set");
        wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        LoopHandle::current().call_soon(|| say!("loop ran"));
        event.wait().await;
        say!("no yield");
        yield_now().await;
        event.clear();
        let task = create_task(waiter(Rc::clone(&event), 'd'));
        yield_now().await;
        event.set();
        event.clear();
        task.await.unwrap();
    });
}
