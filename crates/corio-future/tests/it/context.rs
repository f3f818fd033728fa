//! In which context callbacks run.

use crate::ledger::Log;
use crate::toy_loop::Toy;
use corio_future::promise;
use corio_seam::{Context, ContextVar};

static NAME: ContextVar<&str> = ContextVar::new("name");

fn name() -> &'static str {
    NAME.get().unwrap_or("default")
}

#[test]
fn without_a_loop_callbacks_run_in_their_own_contexts_all_the_same() {
    let (log, given) = (Log::default(), Context::new());
    let (promise, future) = promise();
    let [before, copied, shared, late] = [(); 4].map(|()| log.clone());
    future.add_done_callback(move |_| {
        before.say(name());
        NAME.set("lost");
    });
    NAME.set("one");
    future.add_done_callback(move |_| copied.say(name()));
    future.add_done_callback_in(&given, move |_| {
        shared.say(name());
        NAME.set("given");
    });
    NAME.set("two");
    promise.set_result(()).unwrap();
    assert_eq!(log.lines(), ["default", "one", "default"]);
    assert_eq!((name(), given.get(&NAME)), ("two", Some("given")));
    future.add_done_callback(move |_| late.say(name()));
    assert_eq!(log.lines(), ["two"]);
}

#[test]
fn under_a_loop_a_callback_leaves_nothing_to_the_next() {
    let (toy, log) = (Toy::new(), Log::default());
    toy.enter(|| {
        let (promise, future) = promise();
        let (one, two) = (log.clone(), log.clone());
        future.add_done_callback(move |_| {
            one.say(name());
            NAME.set("lost");
        });
        future.add_done_callback(move |_| two.say(name()));
        promise.set_result(()).unwrap();
    });
    assert!(toy.run_batch());
    assert_eq!(log.lines(), ["default", "default"]);
    toy.close();
}
