//! The names of what children in place wait for, of which a seat keeps a number.

use crate::branches::{Body, child, join};
use crate::kit::{run_alone, yield_now};
use corio_seam::{Waiting, wait_on};
use corio_task::{Task, capture_call_graph, create_task};
use std::future::poll_fn;
use std::str;
use std::sync::LazyLock;
use std::task::Poll;

/// More than there are numbers; few under Miri, which takes a second for each.
const MANY: usize = if cfg!(miri) { 20 } else { 300 };

/// Names, each longer than the one before.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    static TEXT: [u8; MANY + 1] = [b'n'; MANY + 1];
    (0..=MANY).map(|last| str::from_utf8(&TEXT[..=last]).unwrap()).collect()
});

fn name(number: usize) -> &'static &'static str {
    &NAMES[number]
}

fn waits_at(name: &'static &'static str) -> Body {
    child(poll_fn(move |_| {
        wait_on(Waiting::Leaf(name));
        Poll::<u32>::Pending
    }))
}

fn waits_for<T>(task: &Task<T>) -> Vec<String> {
    capture_call_graph(task).waits_for().iter().map(|leaf| leaf.name().to_string()).collect()
}

#[test]
fn each_of_many_children_waits_for_a_leaf_of_its_own() {
    run_alone(async {
        let names: Vec<_> = (0..MANY).map(name).collect();
        let children = |stride: usize| (0..MANY).map(|n| waits_at(names[n * stride % MANY])).collect::<Vec<_>>();
        let (task, other) = (create_task(join(children(1))), create_task(join(children(7))));
        yield_now().await;
        for _ in 0..2 {
            assert!(waits_for(&task).iter().enumerate().all(|(n, found)| *found == *names[n]));
            assert!(waits_for(&other).iter().enumerate().all(|(n, found)| *found == *names[n * 7 % MANY]));
        }
        assert_eq!(waits_for(&task).len(), MANY);
    });
}

/// The places of a branch are kept for the next one, and the numbers with them.
#[test]
fn one_branch_after_another_waits_for_a_leaf_of_its_own() {
    run_alone(async {
        let same = name(MANY);
        for number in 0..MANY {
            let own = name(number);
            let task = create_task(join([waits_at(own), waits_at(same), waits_at(own)]));
            yield_now().await;
            assert_eq!(waits_for(&task), [*own, *same, *own]);
            task.cancel();
            assert!(task.await.unwrap().iter().all(Result::is_err));
        }
    });
}
