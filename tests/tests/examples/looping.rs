use crate::{examples, log};
use std::time::Duration;

/// It is about threads, and so it is run on real time, with seconds that last twenty milliseconds.
#[test]
fn blocking_in_executor() {
    let (ended, lines) =
        log::on_a_loop_of_its_own(|| corio::run(examples::blocking_in_executor::program(Duration::from_millis(20))));
    ended.unwrap().unwrap();
    let ticks = lines.len() - 2;
    assert!(ticks > 0, "the loop went on meanwhile");
    let seen = lines.iter().map(|line| line.split_once(' ').expect("each begins with its time").1);
    let ticks = (1..=ticks).map(|n| format!("tick {n}"));
    let results = ["the sleep: slept", "the request: HTTP/1.0 200 OK"].map(String::from);
    assert!(seen.eq(ticks.chain(results)), "{lines:?}");
}

#[test]
fn callback_order() {
    let ((), lines) = log::of(examples::callback_order::program());
    assert_eq!(
        lines,
        [
            "0 loop-bound: set_result is called",
            "0 loop-bound: set_result has returned",
            "0 callback 1 in the loop's thread",
            "0 callback 2 in the loop's thread",
            "0 callback 3 in the loop's thread",
            "0 loop-bound: an iteration later",
            "thread-safe: set_result is called",
            "callback 1 in the completing thread",
            "callback 2 in the completing thread",
            "callback 3 in the completing thread",
            "thread-safe: set_result has returned",
            "0 callback 4 in the loop's thread",
            "0 thread-safe: it was added",
        ]
    );
}

#[test]
fn wrap_future() {
    let ((), lines) = log::of(examples::wrap_future::program());
    assert_eq!(
        lines,
        [
            "0 from a thread: a value",
            "0 from a thread: an error",
            "0 the thread's side is cancelled: true",
            "0 from a thread: future was cancelled: the thread changed its mind",
            "1 from the loop: a task's value",
            "1 from the loop: future was cancelled",
        ]
    );
}

#[test]
fn pending_at_close() {
    let event_loop = log::virtual_loop();
    event_loop.set_exception_handler(|report| log::print(format_args!("warning: {report}")));
    let (ended, lines) = log::on_a_loop_of_its_own(|| examples::pending_at_close::by_hand(&event_loop));
    ended.unwrap();
    let [main, warning] = <[String; 2]>::try_from(lines).expect("two lines");
    assert_eq!(main, "1 main is done");
    let named = "1 warning: task was destroyed but it is pending: task \"forgotten\" pending, made at ";
    assert!(warning.starts_with(named) && warning.ends_with("pending_at_close.rs:19:10"), "{warning}");

    let ((), lines) = log::of(examples::pending_at_close::in_good_order());
    assert_eq!(lines, ["1 main is done", "1 cancelled: the cleanup runs"]);
}

#[test]
fn own_loop() {
    let (ended, lines) = log::on_a_loop_of_its_own(examples::own_loop::main);
    ended.unwrap();
    assert_eq!(
        lines,
        [
            "0 selector: watches a socket",
            "0 clock: on to second 3600",
            "3600 an hour is over",
            "3600 selector: a socket can be read",
            "main: hello",
        ]
    );
}

#[test]
fn many_loops() {
    let ((), lines) = log::of(examples::many_loops::program(3));
    assert_eq!(
        lines,
        [
            "0 loop 0: 3294 primes",
            "0 loop 1: 3108 primes",
            "0 loop 2: 3190 primes",
            "0 9592 primes below 100000, by 3 loops",
        ]
    );
}
