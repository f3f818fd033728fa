//! Models with a known mistake in them, which must fail: they show that the models can.

use std::process::Command;

const MISTAKE: &str = "CORIO_LOOM_MISTAKE";

/// Tells whether this process is to make that mistake.
pub(crate) fn is(mistake: &str) -> bool {
    std::env::var_os(MISTAKE).is_some_and(|made| made == mistake)
}

/// Runs one model in a child that makes the mistake; a model that fails aborts the child.
fn fails(model: &str, mistake: &str) {
    let me = std::env::current_exe().unwrap();
    let mut command = Command::new(me);
    command.args(["--exact", &format!("models::{model}"), "--test-threads=1"]).env(MISTAKE, mistake);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("running 1 test"), "the child ran no model: {text}");
    assert!(!output.status.success(), "the model {model} does not notice the mistake {mistake}");
}

/// A worker that does not say `done` is never counted on again.
#[test]
fn a_forgetful_worker_is_noticed() {
    fails("a_free_worker_is_used_again", "forgetful");
}

/// A worker that leaves without a sound leaves somebody waiting.
#[test]
fn a_deaf_wait_is_noticed() {
    fails("submit_meets_shutdown", "deaf");
}
