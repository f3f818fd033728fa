//! The crawler from end to end against the embedded site, in this process.

use clap::Parser as _;
use corio_crawl::args::Args;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// A file of this test's own in the target folder.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}-{}.tsv", std::process::id()))
}

fn crawl(arguments: &[&str]) -> String {
    let args = Args::try_parse_from(["corio-crawl"].iter().chain(arguments)).expect("the arguments are good");
    let code: ExitCode = corio_crawl::main(&args);
    format!("{code:?}")
}

fn success() -> String {
    format!("{:?}", ExitCode::SUCCESS)
}

#[test]
fn the_embedded_site_is_crawled_whole_and_each_pair_once() {
    let file = scratch("whole");
    assert_eq!(crawl(&["-o", file.to_str().unwrap(), "--concurrency", "7"]), success());
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
        let file = scratch(concurrency);
        assert_eq!(crawl(&["-o", file.to_str().unwrap(), "--concurrency", concurrency]), success());
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(file).unwrap();
        let origin = text.lines().nth(1).and_then(|row| row.splitn(4, '/').nth(2)).unwrap().to_string();
        text.lines().map(|line| line.replace(&origin, "site")).collect()
    };
    assert_eq!(find("1"), find("32"));
}

#[test]
fn strict_tells_by_its_status_that_a_page_failed() {
    let file = scratch("strict");
    assert_ne!(crawl(&["-o", file.to_str().unwrap(), "--strict"]), success()); // The site has a missing page.
    fs::remove_file(file).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_a_failure() {
    assert_ne!(crawl(&["-o", "/nowhere/at/all.tsv"]), success());
}
