//! Bad usage is a clear line and status 2.

use crate::program::{folder, run};

#[track_caller]
fn refused(arguments: &[&str], line: &str) {
    let run = run(arguments);
    assert_eq!(run.status, Some(2), "{run:?}");
    assert!(run.stderr.contains(line), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn options() {
    refused(&["--concurrency", "0"], "--concurrency");
    refused(&["--concurrency", "many"], "--concurrency");
    refused(&["--timeout", "0"], "a positive number of seconds is wanted");
    refused(&["--timeout=-1"], "--timeout");
    refused(&["--timeout", "nan"], "a positive number of seconds is wanted");
    refused(&["--timeout", "1e300"], "a positive number of seconds is wanted");
    refused(&["--depth=-1"], "--depth");
    refused(&["--max-pages", "0"], "--max-pages");
    refused(&["--nonsense"], "--nonsense");
    refused(&["--serve", "/tmp", "http://a.test/"], "cannot be used with");
}

#[test]
fn addresses() {
    refused(&["nonsense"], "corio-crawl: nonsense is no address to crawl: it does not begin with http:// or https://");
    refused(&["http://[::1"], "is no address to crawl");
    refused(&["ftp://a.test/"], "ftp is neither http nor https");
    refused(&["http://a.test/", "\u{1b}[2J"], "corio-crawl: \\u{1b}[2J is no address");
}

#[test]
fn files_of_addresses() {
    let folder = folder(&[("list", "http://127.0.0.1:1/\nnonsense\n"), ("empty", "")]);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    refused(&["-f", &path("list")], "list, line 2: nonsense is no address to crawl");
    refused(&["-f", &path("empty")], "empty holds no address");
    refused(&["-f", &path("none")], "cannot read");
    refused(&["-f", "-"], "- holds no address");
}

#[test]
fn folders_to_serve() {
    refused(&["--serve", "/nonexistent/folder"], "cannot serve /nonexistent/folder: it is no directory");
    refused(&["--serve", "/dev/null"], "cannot serve /dev/null: it is no directory");
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert_eq!(help.status, Some(0));
    assert!(help.stdout.contains("--max-pages"), "{help:?}");
    assert!(run(&["--version"]).stdout.starts_with("corio-crawl "));
}
