//! Tasks: their order, their results, misuse.

use crate::harness::{conforms, ms};
use crate::python::ValueError;
use corio::{LoopHandle, ReturnWhen, create_task, gather, sleep, wait, yield_now};
use std::time::Duration;

#[test]
fn c12_task_start_order() {
    async fn worker(n: u32) -> u32 {
        for i in 0..3 {
            say!("worker {n} step {i}");
            yield_now().await;
        }
        n
    }
    conforms("12_task_start_order", async {
        let tasks = [1, 2, 3].map(|n| create_task(worker(n)));
        say!("created");
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        say!("{results:?}");
    });
}

#[test]
fn c13_await_done() {
    conforms("13_await_done", async {
        let ok = create_task(async { Ok(5) });
        let bad = create_task(async { Err(ValueError("bad")) });
        let done = wait(&mut vec![ok, bad], ReturnWhen::AllCompleted, None).await.unwrap();
        // What many await, or many times, is shared.
        let [ok, bad] = <[_; 2]>::try_from(done).unwrap().map(|task| task.share());
        LoopHandle::current().call_soon(|| say!("loop ran"));
        say!("{} {}", ok.clone().await.unwrap().unwrap(), ok.await.unwrap().unwrap());
        for _ in 0..2 {
            if let Err(error) = bad.clone().await.unwrap() {
                say!("error {error}");
            }
        }
        say!("still no yield");
        yield_now().await;
        say!("yielded");
    });
}

#[test]
fn c23_sleep() {
    async fn sleeper(delay: u64) {
        sleep(ms(delay)).await;
        say!("slept {delay}");
    }
    conforms("23_sleep", async {
        LoopHandle::current().call_soon(|| say!("one iteration"));
        sleep(Duration::ZERO).await;
        sleep(ms(5).saturating_sub(ms(10))).await; // There is no negative duration.
        say!("zero negative");
        gather([40, 10, 30, 20].map(sleeper)).await.unwrap();
        let task = create_task(sleeper(20));
        yield_now().await;
        task.cancel();
        let done = wait(&mut vec![task], ReturnWhen::AllCompleted, None).await.unwrap();
        say!("cancelled {}", done[0].cancelled());
    });
}
