//! The table of all hazards, held to the sources: a test that it names is there, and a number without a test has a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../../hazards/README.md");

/// What stands in each row: the number, and the last column.
fn rows() -> Vec<(u32, String)> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| "));
    let row = |line: &str| {
        let columns: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let number = columns[0].trim().parse().ok()?;
        Some((number, columns.last()?.to_string()))
    };
    rows.filter_map(row).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The names of the test functions in a file or a folder of sources.
fn functions(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            functions(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = fs::read_to_string(path).unwrap();
        let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
        found.extend(names.filter_map(|name| name.split_once("()").map(|(name, _)| name.to_string())));
    }
}

/// The tests here, by name.
fn here() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    functions(&root().join("tests/tests/hazards"), &mut names);
    names.into_iter().filter(|name| name.starts_with('h') && name[1..3].parse::<u32>().is_ok()).collect()
}

#[test]
fn every_number_has_a_row_and_a_test_here_or_a_reason() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=59).collect::<Vec<_>>());
    let here = here();
    for (number, last) in rows {
        let prefix = format!("h{number:02}_");
        let tests = here.iter().filter(|name| name.starts_with(&prefix)).count();
        assert!(tests > 0 || last.contains("Cannot apply:"), "{number} has neither a test nor a reason");
        assert!(last.contains(&format!("`{}", prefix.trim_end_matches('_'))) || tests == 0, "row {number} names none");
    }
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let here = here();
    let mut elsewhere = 0;
    for (number, last) in rows() {
        for name in last.split('`').skip(1).step_by(2) {
            if let Some((path, function)) = name.split_once("::") {
                let path = root().join(path);
                let mut found = BTreeSet::new();
                assert!(path.exists(), "row {number}: there is no {}", path.display());
                functions(&path, &mut found);
                assert!(found.contains(function), "row {number}: {} has no test {function}", path.display());
                elsewhere += 1;
            } else if let Some(prefix) = name.strip_suffix("_*") {
                assert!(here.iter().any(|test| test.starts_with(prefix)), "row {number}: there is no {name}");
            } else if name.contains('/') {
                assert!(root().join(name).exists(), "row {number}: there is no {name}");
            }
        }
    }
    assert!(elsewhere > 10, "{elsewhere} tests in the crates");
}
