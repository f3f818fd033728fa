//! Threads against the loop.

use corio_executor::{LoopHandle, run, sleep};
use corio_queue::concurrent;
use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

thread_local! {
    static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn calls_from_many_threads_keep_each_threads_order() {
    run(async {
        let remote = LoopHandle::current().remote();
        let threads: Vec<_> = (0..4_u32)
            .map(|thread| {
                let remote = remote.clone();
                thread::spawn(move || {
                    for n in 0..1000 {
                        remote
                            .call_soon_threadsafe(move || SEEN.with(|seen| seen.borrow_mut().push(thread * 10_000 + n)))
                            .expect("the loop runs");
                    }
                })
            })
            .collect();
        while SEEN.with(|seen| seen.borrow().len()) < 4000 {
            sleep(Duration::from_micros(200)).await;
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    })
    .unwrap();
    SEEN.with(|seen| {
        for thread in 0..4 {
            let theirs: Vec<_> = seen.borrow().iter().filter(|n| *n / 10_000 == thread).copied().collect();
            assert!(theirs.is_sorted() && theirs.len() == 1000);
        }
    });
}

#[test]
fn a_coroutine_from_another_thread_answers_it() {
    let (send, receive) = mpsc::channel();
    let asker = thread::spawn(move || {
        let remote: corio_executor::RemoteHandle = receive.recv().unwrap();
        let asked = remote.run_coroutine_threadsafe(|| async {
            sleep(Duration::from_millis(1)).await;
            42
        });
        let mut answer = asked.expect("the loop runs");
        let answer = answer.result(Some(Duration::from_secs(20)));
        remote.stop().expect("the loop runs");
        format!("{answer:?}")
    });
    let stopped = run(async move {
        send.send(LoopHandle::current().remote()).unwrap();
        std::future::pending::<()>().await;
    });
    assert!(matches!(stopped, Err(corio_executor::RunError::Stopped)), "{stopped:?}");
    assert!(asker.join().unwrap().contains("42"));
}

#[test]
fn a_queue_has_one_end_in_the_loop_and_one_in_a_thread() {
    let (up, down) = (concurrent::Queue::new(4), concurrent::Queue::new(4));
    let (requests, answers) = (up.clone(), down.clone());
    let worker = thread::spawn(move || {
        while let Ok(n) = requests.get_blocking(None) {
            answers.put_blocking(n * n, None).unwrap();
        }
    });
    let sum = run(async move {
        let sender = corio_task::create_task(async move {
            for n in 0..100_u64 {
                up.put(n).await.unwrap();
            }
            up.shutdown(false);
        });
        let mut sum = 0;
        for _ in 0..100 {
            sum += down.get().await.unwrap();
        }
        sender.await.unwrap();
        sum
    });
    assert_eq!(sum.unwrap(), (0..100).map(|n| n * n).sum::<u64>());
    worker.join().unwrap();
}
