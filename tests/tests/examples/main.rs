//! The umbrella's examples, on virtual time: each line that they print, and when.
//!
//! An example is a plain program. Here it is a module, in which `println!` is the macro below: it notes the line in place
//! of printing it, after the seconds that the loop's clock shows.

mod log;
/// The programs that are about time: sleeps, tasks, combinators.
mod waiting;
/// The programs that are about errors, queues and generators.
mod working;
/// The programs that are about threads, and about loops.
mod looping;

macro_rules! println {
    ($($text:tt)*) => { $crate::log::print(format_args!($($text)*)) };
}

#[path = "../../../crates/corio/examples"]
#[allow(dead_code, reason = "each has a `main` of its own")]
#[allow(unreachable_pub, reason = "each is a crate of its own")]
mod examples {
    pub(crate) mod as_completed_order;
    pub(crate) mod async_generator;
    pub(crate) mod await_in_sequence;
    pub(crate) mod blocking_in_executor;
    pub(crate) mod callback_order;
    pub(crate) mod count;
    pub(crate) mod factorial;
    pub(crate) mod gather_in_order;
    pub(crate) mod gather_two_sleeps;
    pub(crate) mod generator_send;
    pub(crate) mod hello_world;
    pub(crate) mod interleave;
    pub(crate) mod lazy_coroutine;
    pub(crate) mod many_loops;
    pub(crate) mod mixed_gather;
    pub(crate) mod nested_await;
    pub(crate) mod own_loop;
    pub(crate) mod pending_at_close;
    pub(crate) mod producers_consumers;
    pub(crate) mod say_after;
    pub(crate) mod wrap_future;
}

#[test]
fn every_example_is_here_and_tested() {
    let tests = [include_str!("waiting.rs"), include_str!("working.rs"), include_str!("looping.rs")].concat();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/corio/examples");
    for entry in std::fs::read_dir(folder).expect("the umbrella has examples") {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".rs") else { continue };
        assert!(include_str!("main.rs").contains(&format!("mod {name};")), "{name} is not included");
        assert!(tests.contains(&format!("fn {name}() {{")), "{name} has no test");
    }
}
