use corio_executor::{LoopHandle, sleep};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[corio_macros::test(crate = corio_executor)]
async fn time_is_virtual() {
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(LoopHandle::current().time().since_start(), Duration::from_secs(24 * 60 * 60));
}

/// Says that it returns one.
#[corio_macros::test(crate = ::corio_executor)]
async fn it_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let number: u8 = "7".parse()?;
    assert_eq!(number, 7);
    Ok(())
}

#[corio_macros::test(crate = corio_executor)]
#[should_panic(expected = "on purpose")]
async fn attributes_stay() {
    panic!("on purpose");
}

#[should_panic(expected = "on purpose")]
#[corio_macros::test(crate = corio_executor)]
async fn those_above_too() {
    panic!("on purpose");
}

#[corio_macros::test(crate = corio_executor)]
#[cfg(any())]
async fn one_that_is_left_out_is_not_there() {
    compile_error!("it is there");
}

#[corio_macros::test(seeds = 3, crate = corio_executor,)]
async fn a_test_runs_under_each_of_its_seeds() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let runs = RUNS.fetch_add(1, Ordering::Relaxed);
    assert_eq!(corio_seam::is_seeded(), runs > 0, "seed 0 is none");
    assert!(runs < 3);
}

#[corio_macros::test(crate = corio_executor, seeds = 1_0)]
async fn under_seeds_it_may_return_a_result_too() -> Result<(), std::num::ParseIntError> {
    "7".parse().map(|number: u8| assert_eq!(number, 7))
}

#[corio_macros::test(seeds = 2, crate = corio_executor)]
#[should_panic(expected = "the test returned an error")]
async fn under_seeds_an_error_is_a_panic() -> Result<(), std::num::ParseIntError> {
    "seven".parse().map(|number: u8| assert_eq!(number, 7))
}

mod shadows_what_the_expansion_says {
    #![allow(non_camel_case_types, dead_code)]

    struct core;
    struct std;
    struct test;

    #[corio_macros::test(crate = ::corio_executor)]
    async fn run() {}

    #[corio_macros::test(seeds = 2, crate = ::corio_executor)]
    pub(super) async fn run_seeds() {}
}

#[test]
fn a_test_is_a_function_like_any_other() {
    shadows_what_the_expansion_says::run_seeds();
}
