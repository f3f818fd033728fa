use super::runtime::Spawner;
use corio_future::{FutureError, concurrent, promise, wrap_future};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;

on_every_runtime!(
    many_wait_for_one_value callbacks_run_in_order_and_not_nested a_promise_that_is_dropped_is_broken
    a_value_from_another_thread between_threads_it_is_cancelled_or_broken_too
);

async fn many_wait_for_one_value(at: Spawner) {
    let (log, (set, get)) = (Rc::new(RefCell::new(Vec::new())), promise());
    let children = (0..5).map(|name| {
        let (get, log) = (get.share(), Rc::clone(&log));
        at.spawn(async move {
            let value: u32 = get.await.unwrap();
            log.borrow_mut().push((name, value));
        })
    });
    let children: Vec<_> = children.collect();
    at.settle().await;
    set.set_result(7).unwrap();
    assert!(log.borrow().is_empty(), "nobody is resumed inside `set_result`");
    at.join(children).await;
    let mut log = log.take();
    log.sort_unstable();
    assert_eq!(log, [0, 1, 2, 3, 4].map(|name| (name, 7)));
    assert_eq!(get.await, Ok(7), "it is done: no need to wait");
}

async fn callbacks_run_in_order_and_not_nested(at: Spawner) {
    let (log, (set, get), (inner_set, inner)) = (Rc::new(RefCell::new(Vec::new())), promise::<u32>(), promise::<u32>());
    let (first, second, third) = (Rc::clone(&log), Rc::clone(&log), Rc::clone(&log));
    get.add_done_callback(move |_| {
        first.borrow_mut().push("first");
        inner_set.set_result(1).unwrap(); // Its callback comes behind the second.
        first.borrow_mut().push("first, end");
    });
    get.add_done_callback(move |_| second.borrow_mut().push("second"));
    inner.add_done_callback(move |_| third.borrow_mut().push("third"));
    set.set_result(1).unwrap();
    let seen = Rc::clone(&log);
    at.until(move || seen.borrow().len() == 4).await;
    assert_eq!(log.take(), ["first", "first, end", "second", "third"]);
}

async fn a_promise_that_is_dropped_is_broken(at: Spawner) {
    let (set, get) = promise::<u32>();
    let child = at.spawn(async move { assert_eq!(get.await, Err(FutureError::BrokenPromise)) });
    at.settle().await;
    drop(set);
    at.join(vec![child]).await;
    let (set, get) = promise::<u32>();
    get.cancel();
    assert_eq!(set.set_result(5), Err(5), "the value comes back");
    assert!(get.await.unwrap_err().is_cancelled());
}

async fn a_value_from_another_thread(at: Spawner) {
    let (set, get) = concurrent::promise();
    let (go, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        wait.recv().unwrap();
        set.set_result("from elsewhere").unwrap();
    });
    let child = at.spawn(async move { assert_eq!(wrap_future(get).await, Ok("from elsewhere")) });
    at.settle().await;
    assert!(!child.done());
    go.send(()).unwrap();
    at.join(vec![child]).await;
    thread.join().unwrap();
}

async fn between_threads_it_is_cancelled_or_broken_too(at: Spawner) {
    let ((set, get), (broken, never)) = (concurrent::promise::<u32>(), concurrent::promise::<u32>());
    let (asked, view) = (get.share(), get);
    let children = vec![
        at.spawn(async move { assert!(wrap_future(asked).await.unwrap_err().is_cancelled()) }),
        at.spawn(async move { assert!(wrap_future(never).await.is_err()) }),
    ];
    at.settle().await;
    std::thread::spawn(move || {
        assert!(view.cancel());
        drop(broken);
    })
    .join()
    .unwrap();
    at.join(children).await;
    assert_eq!(set.set_result(1), Err(1));
}
