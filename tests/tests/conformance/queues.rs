//! Queues of three kinds.

use crate::harness::{conforms, ms};
use crate::python::{ValueError, python};
use corio::queue::{GetError, PutError, ShutDown};
use corio::{
    LifoQueue, LoopHandle, PriorityQueue, Queue, ReturnWhen, create_task, gather, gather_settled, sleep, timeout, wait,
    yield_now,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::rc::Rc;

async fn get_and_say(queue: Queue<i32>, name: char) {
    say!("getter {name} got {}", queue.get().await.unwrap());
}

async fn put_and_say(queue: Queue<i32>, n: i32) {
    queue.put(n).await.unwrap();
    say!("put {n}");
}

#[test]
fn c39_queue_fifo() {
    conforms("39_queue_fifo", async {
        let queue = Queue::new(2);
        if let Err(GetError::QueueEmpty) = queue.get_nowait() {
            say!("Empty {} {} {}", queue.is_empty(), queue.is_full(), queue.len());
        }
        let putters = [0, 1, 2, 3].map(|n| create_task(put_and_say(queue.clone(), n)));
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
        let getters = ['a', 'b', 'c'].map(|name| create_task(get_and_say(queue.clone(), name)));
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

#[test]
fn x24_queue_cancel() {
    conforms("x24_queue_cancel", async {
        let queue = Queue::new(1);
        let get = |name| create_task(get_and_say(queue.clone(), name));
        let mut tasks = vec![get('a'), get('b')];
        yield_now().await;
        queue.put_nowait(1).unwrap(); // a is woken, and cancelled before it runs.
        tasks[0].cancel();
        let done = wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        say!("{} {} {}", done[0].cancelled(), done[1].cancelled(), queue.len());
        let (c, d) = (get('c'), get('d'));
        yield_now().await;
        c.cancel();
        yield_now().await;
        queue.put_nowait(2).unwrap();
        d.await.unwrap();

        queue.put_nowait(3).unwrap();
        let mut tasks = Vec::from([4, 5].map(|n| create_task(put_and_say(queue.clone(), n))));
        yield_now().await;
        say!("get {}", queue.get_nowait().unwrap()); // The first putter is woken, and cancelled before it runs.
        tasks[0].cancel();
        let done = wait(&mut tasks, ReturnWhen::AllCompleted, None).await.unwrap();
        say!("{} then {} {}", done[0].cancelled(), queue.get_nowait().unwrap(), queue.is_empty());
        if timeout(ms(10), queue.get()).await.is_err() {
            say!("Timeout");
        }
        queue.put_nowait(6).unwrap();
        say!("nobody took it {}", queue.get_nowait().unwrap());
    });
}

#[test]
fn x25_queue_barging() {
    const ROBBER: i32 = 0;
    fn spell(item: i32) -> String {
        if item == ROBBER { "robber".to_owned() } else { item.to_string() }
    }
    conforms("x25_queue_barging", async {
        let queue = Queue::new(1);
        let getters = ['a', 'b'].map(|name| create_task(get_and_say(queue.clone(), name)));
        yield_now().await;
        queue.put_nowait(1).unwrap();
        say!("robbed {}", queue.get_nowait().unwrap());
        yield_now().await;
        queue.put(2).await.unwrap();
        yield_now().await;
        queue.put(3).await.unwrap();
        gather(getters).await.unwrap();

        queue.put(4).await.unwrap();
        let putters = [5, 6].map(|n| create_task(put_and_say(queue.clone(), n)));
        yield_now().await;
        say!("get {}", queue.get_nowait().unwrap());
        queue.put_nowait(ROBBER).unwrap();
        yield_now().await;
        for _ in 0..3 {
            say!("get {}", spell(queue.get().await.unwrap()));
            yield_now().await;
        }
        gather(putters).await.unwrap();
        say!("empty {}", queue.is_empty());
    });
}

#[test]
fn x26_worker_pool() {
    type Done = Rc<RefCell<BTreeMap<&'static str, Vec<u64>>>>;
    async fn work(n: u64) -> Result<u64, ValueError> {
        sleep(ms(n)).await;
        if n == 30 { Err(ValueError("30")) } else { Ok(n) }
    }
    async fn worker(name: &'static str, queue: Queue<u64>, done: Done) {
        while let Ok(n) = queue.get().await {
            match work(n).await {
                Ok(n) => done.borrow_mut().entry(name).or_default().push(n),
                Err(error) => say!("{name} failed on {error}"),
            }
            queue.task_done().unwrap();
        }
    }
    conforms("x26_worker_pool", async {
        let (queue, done) = (Queue::new(2), Done::default());
        let workers = ["w1", "w2", "w3"].map(|name| create_task(worker(name, queue.clone(), Rc::clone(&done))));
        let start = LoopHandle::current().time();
        for n in [50, 10, 30, 45, 20] {
            queue.put(n).await.unwrap();
        }
        say!("all put {}", queue.len());
        queue.join().await;
        say!("joined {} {}", queue.is_empty(), (LoopHandle::current().time() - start).as_millis() / 10);
        let refs = workers.each_ref().map(|worker| worker.task_ref());
        for worker in &workers {
            worker.cancel();
        }
        gather_settled(workers).await.unwrap();
        say!("{:?} {:?}", refs.map(|worker| worker.cancelled()), Vec::from_iter(&*done.borrow()));
    });
}
