//! The crawler from end to end against the embedded site: the program, as a user runs it.

pub(crate) mod program;

use program::program;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A file of this test's own in the target folder.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}-{}.tsv", std::process::id()))
}

fn crawl(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

#[test]
fn the_embedded_site_is_crawled_whole_and_each_pair_once() {
    let file = scratch("whole");
    assert!(crawl(&["-o", file.to_str().unwrap(), "--concurrency", "7"]).status.success());
    let text = fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("source_url\tparsed_url"));
    let rows: Vec<&str> = lines.collect();
    let (distinct, sources): (HashSet<_>, HashSet<_>) =
        rows.iter().map(|row| (*row, row.split('\t').next().unwrap())).unzip();
    assert_eq!(distinct.len(), rows.len(), "a pair came twice");
    assert!(sources.len() > 100, "only {} pages had links", sources.len());
    assert!(sources.iter().all(|source| source.starts_with("http://127.0.0.1:")));
    assert!(rows.iter().all(|row| row.split('\t').count() == 2 && !row.contains('#')));
    fs::remove_file(file).unwrap();
}

#[test]
fn two_crawls_find_the_same() {
    let find = |concurrency: &str| -> HashSet<String> {
        let output = crawl(&["--concurrency", concurrency]);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let origin = text.lines().nth(1).and_then(|row| row.split('/').nth(2)).unwrap().to_string();
        text.lines().map(|line| line.replace(&origin, "site")).collect()
    };
    assert_eq!(find("1"), find("32"));
}

#[test]
fn strict_tells_by_its_status_that_a_page_failed() {
    let file = scratch("strict");
    assert_eq!(crawl(&["-o", file.to_str().unwrap(), "--strict"]).status.code(), Some(1)); // The site has a missing page.
    fs::remove_file(file).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_a_failure() {
    let output = crawl(&["-o", "/nowhere/at/all.tsv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write /nowhere/at/all.tsv"));
}
