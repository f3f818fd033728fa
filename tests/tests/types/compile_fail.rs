//! Programs that must not compile, in `tests/tests/compile_fail`, and what the compiler says of them.
//!
//! That they do not compile is tested with every compiler; its words change from version to version, and are compared
//! with one alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler whose words stand in the `.stderr` files. With another one that is newer:
/// `TRYBUILD=overwrite cargo test -p corio-tests --test types`, and look at each.
const WORDS_OF: &str = "1.95";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail")
}

/// The version of the compiler that tests are built with, as `1.95`.
fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let version = text.split_whitespace().nth(1).unwrap();
    version.rsplit_once('.').unwrap().0.to_string()
}

/// Set, for a child, to the folder of programs without words.
const WITHOUT_WORDS: &str = "CORIO_COMPILE_FAIL";

/// Copies the programs without their words, and starts this test again on them; told to write down what the compiler says,
/// trybuild compares nothing, and finds out whether each is refused.
fn whatever_the_words(found: &str) {
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compile_fail_{found}"));
    fs::create_dir_all(&programs).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            fs::copy(&path, programs.join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "compile_fail::what_must_not_compile_does_not", "--nocapture"]);
    again.env(WITHOUT_WORDS, programs).env("TRYBUILD", "overwrite");
    assert!(again.status().unwrap().success(), "a program that must not compile does");
}

#[test]
fn what_must_not_compile_does_not() {
    let found = compiler();
    if let Some(programs) = std::env::var_os(WITHOUT_WORDS) {
        trybuild::TestCases::new().compile_fail(Path::new(&programs).join("*.rs"));
    } else if found == WORDS_OF {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    } else {
        println!(
            "SKIPPED: THE COMPILER'S WORDS, WHICH ARE THOSE OF {WORDS_OF}: THIS IS {found}. THAT IT REFUSES IS TESTED."
        );
        whatever_the_words(&found);
    }
}

#[test]
fn each_program_has_its_words_and_says_what_it_is_about() {
    let mut programs = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            assert!(path.with_extension("stderr").is_file(), "{} has no words", path.display());
            assert!(fs::read_to_string(&path).unwrap().starts_with("//! "), "{}", path.display());
            programs += 1;
        }
    }
    assert!(programs >= 20);
}
