//! Queues of three kinds.

use crate::harness::{conforms, ms};
use crate::python::python;
use corio::queue::{GetError, PutError, ShutDown};
use corio::{LifoQueue, PriorityQueue, Queue, create_task, gather, sleep, yield_now};
use std::fmt::Display;

#[test]
fn c39_queue_fifo() {
    async fn put(queue: Queue<i32>, n: i32) {
        queue.put(n).await.unwrap();
        say!("put {n}");
    }
    async fn get(queue: Queue<i32>, name: char) {
        say!("getter {name} got {}", queue.get().await.unwrap());
    }
    conforms("39_queue_fifo", async {
        let queue = Queue::new(2);
        if let Err(GetError::QueueEmpty) = queue.get_nowait() {
            say!("Empty {} {} {}", queue.is_empty(), queue.is_full(), queue.len());
        }
        let putters = [0, 1, 2, 3].map(|n| create_task(put(queue.clone(), n)));
        yield_now().await;
        yield_now().await;
        say!("size {} {}", queue.len(), queue.is_full());
        if let Err(PutError::QueueFull(_)) = queue.put_nowait(99) {
            say!("Full");
        }
        for _ in 0..4 {
            say!("get {}", queue.get().await.unwrap());
            yield_now().await;
        }
        let getters = ['a', 'b', 'c'].map(|name| create_task(get(queue.clone(), name)));
        yield_now().await;
        for n in 0..2 {
            queue.put_nowait(n).unwrap();
        }
        yield_now().await;
        queue.put(2).await.unwrap();
        gather(putters.into_iter().chain(getters)).await.unwrap();
        let unbounded = Queue::new(0);
        for n in 0..100 {
            unbounded.put_nowait(n).unwrap();
        }
        say!("unbounded {} {}", unbounded.is_full(), unbounded.len());
    });
}

#[test]
fn c42_queue_kinds() {
    conforms("42_queue_kinds", async {
        let (newest, smallest) = (LifoQueue::new(0), PriorityQueue::new(0));
        for n in [3, 1, 2] {
            newest.put_nowait(n).unwrap();
            smallest.put_nowait((n, "item")).unwrap();
        }
        say!(
            "{:?} {:?}",
            [(); 3].map(|()| newest.get_nowait().unwrap()),
            [(); 3].map(|()| smallest.get_nowait().unwrap().0)
        );
        let getters = ['a', 'b'].map(|name| {
            let queue = smallest.clone();
            create_task(async move { say!("getter {name} {}", queue.get().await.unwrap().0) })
        });
        yield_now().await;
        smallest.put_nowait((9, "x")).unwrap();
        smallest.put_nowait((5, "y")).unwrap(); // a is woken for 9, but takes 5.
        gather(getters).await.unwrap();
    });
}

#[test]
fn c43_queue_join() {
    async fn worker(queue: Queue<i32>) {
        while let Ok(n) = queue.get().await {
            sleep(ms(10)).await;
            say!("processed {n}");
            queue.task_done().unwrap();
        }
    }
    conforms("43_queue_join", async {
        let queue = Queue::new(0);
        queue.join().await;
        say!("fresh join");
        for n in 0..3 {
            queue.put_nowait(n).unwrap();
        }
        let worker = create_task(worker(queue.clone()));
        let joined = queue.clone();
        let join = create_task(async move { joined.join().await });
        yield_now().await;
        while !queue.is_empty() {
            sleep(ms(1)).await; // On virtual time, to yield alone would not let the worker's sleep end.
        }
        say!("empty, join done {}", join.done());
        join.await.unwrap();
        say!("joined");
        worker.cancel();
        if let Err(error) = queue.task_done() {
            let error = python(error);
            say!("{} {error}", error.kind);
        }
    });
}

#[test]
fn c71_queue_shutdown() {
    fn attempt<T: Display, E>(label: &str, outcome: Result<T, ShutDown<E>>) {
        match outcome {
            Ok(value) => say!("{label} -> {value}"),
            Err(_) => say!("{label} -> ShutDown"),
        }
    }
    async fn put(label: &str, queue: Queue<i32>, n: i32) {
        attempt(label, queue.put(n).await.map(|()| "None"));
    }
    async fn get(label: &str, queue: Queue<i32>) {
        attempt(label, queue.get().await);
    }
    fn join(queue: &Queue<i32>) -> corio::Task<()> {
        let queue = queue.clone();
        create_task(async move { queue.join().await })
    }
    conforms("71_queue_shutdown", async {
        let queue = Queue::new(2);
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        let blocked = create_task(put("blocked put", queue.clone(), 3));
        yield_now().await;
        queue.shutdown(false);
        queue.shutdown(false);
        blocked.await.unwrap();
        put("put", queue.clone(), 4).await;
        for _ in 0..3 {
            get("get", queue.clone()).await;
        }
        if let Err(GetError::ShutDown) = queue.get_nowait() {
            say!("get_nowait -> ShutDown");
        }
        let joined = join(&queue);
        yield_now().await;
        say!("join pending {}", !joined.done());
        queue.task_done().unwrap();
        queue.task_done().unwrap();
        joined.await.unwrap();

        let queue = Queue::new(0);
        let blocked = create_task(get("blocked get", queue.clone()));
        yield_now().await;
        queue.shutdown(false);
        blocked.await.unwrap();

        let queue = Queue::new(0);
        for n in 0..3 {
            queue.put_nowait(n).unwrap();
        }
        get("get", queue.clone()).await;
        let joined = join(&queue);
        yield_now().await;
        queue.shutdown(true);
        get("get after immediate", queue.clone()).await;
        say!("join pending (one item in work) {}", !joined.done());
        queue.task_done().unwrap();
        joined.await.unwrap();
        say!("joined {}", queue.len());
    });
}
