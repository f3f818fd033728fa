use crate::{examples, log};

#[test]
fn factorial() {
    let ((), lines) = log::of(examples::factorial::program());
    assert_eq!(
        lines,
        [
            "0 task A: compute factorial(2), currently i=2",
            "0 task B: compute factorial(3), currently i=2",
            "0 task C: compute factorial(4), currently i=2",
            "1 task A: factorial(2) = 2",
            "1 task B: compute factorial(3), currently i=3",
            "1 task C: compute factorial(4), currently i=3",
            "2 task B: factorial(3) = 6",
            "2 gather: task C cannot go on at 4",
            "2 task A: compute factorial(2), currently i=2",
            "2 task B: compute factorial(3), currently i=2",
            "2 task C: compute factorial(4), currently i=2",
            "3 task A: factorial(2) = 2",
            "3 task B: compute factorial(3), currently i=3",
            "3 task C: compute factorial(4), currently i=3",
            "4 task B: factorial(3) = 6",
            "4 settled: 2",
            "4 settled: 6",
            "4 settled: error: task C cannot go on at 4",
        ]
    );
}

#[test]
fn mixed_gather() {
    let ((), lines) = log::of(examples::mixed_gather::program());
    assert_eq!(lines, ["1 the callback is called", "2 the coroutine returns", "2 from a callback, 42"]);
}

#[test]
fn producers_consumers() {
    let ((), lines) = log::of(examples::producers_consumers::program(2, 3));
    assert_eq!(
        lines,
        [
            "0.774 producer 1 adds 1.1",
            "0.774 consumer 0 got 1.1 after 0.000 s",
            "0.807 producer 0 adds 0.1",
            "0.807 consumer 1 got 0.1 after 0.000 s",
            "0.927 producer 1 adds 1.2",
            "0.927 consumer 2 got 1.2 after 0.000 s",
            "1.123 producer 1 adds 1.3",
            "1.123 consumer 0 got 1.3 after 0.000 s",
            "1.231 producer 0 adds 0.2",
            "1.421 consumer 1 got 0.2 after 0.190 s",
            "2.168 producer 0 adds 0.3",
            "2.168 consumer 2 got 0.3 after 0.000 s",
            "2.168 all is produced",
            "2.168 all is consumed, and 0 items are left",
            "2.168 consumer 0: task was cancelled",
            "2.168 consumer 1: task was cancelled",
            "2.168 consumer 2: task was cancelled",
        ]
    );

    // With any numbers each item is taken once, and all are before the join returns.
    for (producers, consumers) in [(0, 1), (1, 1), (7, 2), (2, 7)] {
        let ((), lines) = log::of(examples::producers_consumers::program(producers, consumers));
        let word = |line: &String, n| line.split(' ').nth(n).map(String::from);
        let items = |verb| lines.iter().filter(move |line| line.contains(verb)).filter_map(move |line| word(line, 4));
        let (mut added, mut got): (Vec<_>, Vec<_>) = (items(" adds ").collect(), items(" got ").collect());
        added.sort();
        got.sort();
        assert_eq!((added.len() as u64, &added), (3 * producers, &got));
        let joined = lines.iter().position(|line| line.ends_with("all is consumed, and 0 items are left"));
        assert_eq!(lines.len() - joined.expect("the join returns") - 1, consumers as usize);
    }
}

#[test]
fn async_generator() {
    let ((), lines) = log::of(examples::async_generator::program());
    assert_eq!(
        lines,
        ["1 [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]", "3 [1, 2, 16, 32, 256, 512, 4096, 8192, 65536, 131072]",]
    );
}

#[test]
fn generator_send() {
    let ((), lines) = log::on_a_loop_of_its_own(examples::generator_send::main);
    assert_eq!(lines, ["a", "b", "c", "next: 5", "send(3): 8", "send(7): 15", "closed: None", "5", "4", "3", "2", "1"]);
}
