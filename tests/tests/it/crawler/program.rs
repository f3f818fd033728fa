//! The crawler, built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Builds the program, once, beside this test's own executable: `cargo test` of this package alone does not.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let me = std::env::current_exe().unwrap();
        let profile = me.ancestors().nth(2).unwrap(); // target/PROFILE/deps/NAME-HASH
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--quiet", "-p", "corio-crawl", "--bin", "corio-crawl", "--target-dir"]);
        cargo.arg(profile.parent().unwrap()).args((!cfg!(debug_assertions)).then_some("--release"));
        assert!(cargo.status().unwrap().success(), "the crawler does not build");
        profile.join(format!("corio-crawl{}", std::env::consts::EXE_SUFFIX))
    })
}
