use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the file of the attribute's crate that this test was built with: it lies beside the test.
fn library() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let library = name.starts_with("libcorio_macros-") || name.starts_with("corio_macros-");
        library && [".so", ".dylib", ".dll"].iter().any(|end| name.ends_with(end))
    };
    let files = fs::read_dir(exe.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(is_ours).max_by_key(|path| path.metadata().unwrap().modified().unwrap()).expect("cargo has built it")
}

/// Compiles `program` as far as the attribute is concerned, and returns the compiler's errors, one a line.
fn errors(name: &str, program: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(format!("{name}.rs"));
    fs::write(&source, program).unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
    rustc.args(["--edition=2024", "--error-format=short", "--emit=metadata", "--crate-type=bin", "--out-dir"]);
    rustc.arg(directory).arg("--extern").arg(format!("corio_macros={}", library().display()));
    let output = rustc.arg(&source).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let file = format!("{}:", source.display());
    let lines = text.lines().filter_map(|line| line.strip_prefix(&file));
    lines.filter(|line| line.contains("error")).map(str::to_owned).collect()
}

/// Checks that `program` has one error: that one.
#[track_caller]
fn check(name: &str, program: &str, error: &str) {
    assert_eq!(errors(name, program), [error], "{program}");
}

#[test]
fn each_mistake_has_its_sentence() {
    let attribute = "#[corio_macros::main] ";
    let cases = [
        ("not_async", "fn main() {}", "1:23: error: write `async fn`: `#[corio::main]` is for functions that await"),
        (
            "arguments",
            "async fn main(name: &str) {}",
            "1:36: error: `main` takes no arguments; those of the program are in `std::env::args`",
        ),
        ("generics", "async fn main<T>() {}", "1:36: error: `main` cannot be generic: nobody chooses its types"),
        (
            "bounds",
            "async fn main() where u8: Copy {}",
            "1:39: error: `main` cannot be generic: nobody chooses its types",
        ),
        (
            "unsafe_main",
            "unsafe fn main() {}",
            "1:23: error: `#[corio::main]` is for a plain `async fn`: remove `unsafe`",
        ),
        ("other_name", "async fn start() {}", "1:32: error: a program begins with `main`, not with `start`"),
        ("no_function", "struct Main;", "1:23: error: `#[corio::main]` is for an `async fn`"),
        ("no_body", "async fn main();", "1:32: error: `main` has no body"),
    ];
    for (name, item, error) in cases {
        check(name, &format!("{attribute}{item}"), error);
    }
}

#[test]
fn each_mistake_of_a_test_has_its_sentence() {
    let cases = [
        ("", "fn works() {}", "1:23: error: write `async fn`: `#[corio::test]` is for functions that await"),
        (
            "",
            "async fn works(n: u8) {}",
            "1:37: error: `works` takes no arguments: a test is called by nobody who has any",
        ),
        ("", "async fn works<T>() {}", "1:37: error: `works` cannot be generic: nobody chooses its types"),
        ("", "struct Works;", "1:23: error: `#[corio::test]` is for an `async fn`"),
        (
            "",
            "#[test] async fn works() {}",
            "1:24: error: remove `#[test]`: `#[corio::test]` makes the function a test",
        ),
        (
            "(seeds = 0)",
            "async fn works() {}",
            "1:30: error: `seeds` is at least 1: a test under no seed tests nothing, such as `seeds = 20`",
        ),
        (
            "(seeds = \"many\")",
            "async fn works() {}",
            "1:30: error: `seeds` is the number of seeds to run the test under, such as `seeds = 20`",
        ),
        ("(seeds = 0, seeds = 5)", "async fn works() {}", "1:33: error: `seeds` is said twice"),
    ];
    for (arguments, item, error) in cases {
        check("test", &format!("#[corio_macros::test{arguments}] {item} fn main() {{}}"), error);
    }
}

#[test]
fn unknown_arguments_of_a_test_are_refused() {
    for argument in ["flavor = \"multi\"", "seeds", "seeds = ", "seeds = a", "seeds 5", "crate = 5", "crate = a b, 5"] {
        let program = format!("#[corio_macros::test({argument})] async fn works() {{}} fn main() {{}}");
        let errors = errors("argument_of_a_test", &program);
        assert_eq!(errors.len(), 1, "{argument}: {errors:?}");
        let sentence = "error: the arguments are `seeds = number` and `crate = path`, the path of what has `test::run`";
        assert!(errors[0].ends_with(sentence), "{argument}: {errors:?}");
    }
}

#[test]
fn unknown_arguments_are_refused() {
    for argument in ["flavor = \"multi\"", "crate", "crate = ", "crate = 5", "threads"] {
        let program = format!("#[corio_macros::main({argument})] async fn main() {{}}");
        check("argument", &program, "1:22: error: the only argument is `crate = path`, the path of corio");
    }
}

#[test]
fn an_argument_is_said_once() {
    let program = "#[corio_macros::main(crate = a, crate = b)] async fn main() {}";
    check("twice", program, "1:33: error: `crate` is said twice");
}

#[test]
fn an_error_in_the_body_is_shown_there() {
    let program = "mod corio { pub fn run<F: Future>(_: F) -> Result<F::Output, std::fmt::Error> { loop {} } }\n\
         #[corio_macros::main(crate = crate::corio)]\n\
         async fn main() {\n    let number: u8 = \"text\";\n}\n";
    let errors = errors("body", program);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("4:22: error[E0308]"), "{errors:?}");
}

#[test]
fn a_type_that_no_main_may_return_is_shown_there() {
    let program = "mod corio { pub fn run<F: Future>(_: F) -> Result<F::Output, std::fmt::Error> { loop {} } }\n\
         #[corio_macros::main(crate = crate::corio)]\n\
         async fn main() -> String { String::new() }\n";
    let errors = errors("output", program);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("3:20: error[E0277]"), "{errors:?}");
    assert!(errors[0].contains("Termination"), "{errors:?}");
}
