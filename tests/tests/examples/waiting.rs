use crate::{examples, log};

#[test]
fn hello_world() {
    let ((), lines) = log::of(examples::hello_world::program());
    assert_eq!(lines, ["0 hello", "1 world"]);
}

#[test]
fn lazy_coroutine() {
    let ((), lines) = log::of(examples::lazy_coroutine::program());
    assert_eq!(
        lines,
        [
            "0 square is a function",
            "0 square(2) is a future, not yet run",
            "1 square(2) begins",
            "1.845 square(2).await is the value 4",
        ]
    );
}

#[test]
fn await_in_sequence() {
    let ((), lines) = log::of(examples::await_in_sequence::program());
    assert_eq!(
        lines,
        [
            "0.091 square(0) = 0",
            "0.559 square(1) = 1",
            "1.404 square(2) = 4",
            "1.626 square(3) = 9",
            "2.225 square(4) = 16",
            "3.201 square(5) = 25",
            "3.554 square(6) = 36",
            "4.284 square(7) = 49",
            "4.391 square(8) = 64",
            "4.875 square(9) = 81",
            "4.875 total 4.88 s",
        ]
    );
}

#[test]
fn gather_in_order() {
    let ((), lines) = log::of(examples::gather_in_order::program());
    assert_eq!(
        lines,
        [
            "0.091 square(0) is done",
            "0.107 square(8) is done",
            "0.222 square(3) is done",
            "0.353 square(6) is done",
            "0.468 square(1) is done",
            "0.484 square(9) is done",
            "0.599 square(4) is done",
            "0.73 square(7) is done",
            "0.845 square(2) is done",
            "0.976 square(5) is done",
            "0.976 [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]",
            "0.976 total 0.98 s",
        ]
    );
}

#[test]
fn as_completed_order() {
    let ((), lines) = log::of(examples::as_completed_order::program());
    assert_eq!(
        lines,
        [
            "0.091 square(0) = 0, 9 to come",
            "0.107 square(8) = 64, 8 to come",
            "0.222 square(3) = 9, 7 to come",
            "0.353 square(6) = 36, 6 to come",
            "0.468 square(1) = 1, 5 to come",
            "0.484 square(9) = 81, 4 to come",
            "0.599 square(4) = 16, 3 to come",
            "0.73 square(7) = 49, 2 to come",
            "0.845 square(2) = 4, 1 to come",
            "0.976 square(5) = 25, 0 to come",
        ]
    );
}

#[test]
fn say_after() {
    let ((), lines) = log::of(examples::say_after::program());
    assert_eq!(lines, ["1 hello", "3 world", "3 in turn: 3 s", "4 hello", "5 world", "5 as tasks: 2 s"]);
}

#[test]
fn nested_await() {
    let ((), lines) = log::of(examples::nested_await::program());
    assert_eq!(lines, ["0 42", "0 42"]);
}

#[test]
fn gather_two_sleeps() {
    let event_loop = log::virtual_loop();
    let (ended, lines) = log::on_a_loop_of_its_own(|| examples::gather_two_sleeps::program(&event_loop));
    ended.unwrap();
    assert_eq!(lines, ["result : [1, 2]", "total time : 2.00 sec"]);
}

#[test]
fn count() {
    let ((), lines) = log::of(examples::count::program());
    assert_eq!(lines, ["0 One", "0 One", "0 One", "1 Two", "1 Two", "1 Two", "1 1.00 s"]);
}

#[test]
fn interleave() {
    let ((), lines) = log::of(examples::interleave::program());
    assert_eq!(lines, ["0 main2 start", "0 1", "0 2", "0 3", "1 1", "2 main2 end", "2 2", "3 3"]);
}
