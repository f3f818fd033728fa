//! What comes from elsewhere: from where, under which licence, and whether it is used at all.
//!
//! cargo-deny judges the same by `deny.toml`, and more; this holds where it is not installed. What is known against the
//! packages is looked up by the test `advisories`.

use crate::house::{cargo_tree, crates, files, floors, read, root};
use std::collections::BTreeSet;
use std::fs;
use toml::{Table, Value};

fn table(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The folders of all packages of ours.
fn packages() -> Vec<String> {
    let crates = crates().into_iter().map(|name| format!("crates/{name}"));
    crates.chain(["tests".to_string(), "benches".to_string()]).collect()
}

/// The dependencies that a manifest names, in whichever table, with what it says of them.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        if key.ends_with("dependencies") {
            found.extend(table.iter().map(|(name, value)| (name.clone(), value.clone())));
        } else if key == "target" || key.starts_with("cfg(") || key == "workspace" {
            found.extend(dependencies(table));
        }
    }
    found
}

/// Tells whether code, or an example in documentation, speaks of the crate of that name.
fn is_used(name: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let behind = &text[at + name.len()..];
        !text[..at].ends_with(is_word) && ["::", " as ", ";"].iter().any(|next| behind.starts_with(next))
    })
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    for package in packages() {
        let texts =
            files(&root().join(&package), &["rs", "md"]).into_iter().map(|path| fs::read_to_string(path).unwrap());
        let text: String = texts.collect();
        for (name, _) in dependencies(&table(&format!("{package}/Cargo.toml"))) {
            if !is_used(&name.replace('-', "_"), &text) {
                unused.push(format!("{package}: {name}"));
            }
        }
    }
    assert!(unused.is_empty(), "named in a manifest, and used nowhere: {unused:?}");
}

#[test]
fn every_dependency_of_the_workspace_is_taken_by_somebody() {
    let manifests = packages().into_iter().map(|package| table(&format!("{package}/Cargo.toml")));
    let taken: BTreeSet<_> = manifests.flat_map(|manifest| dependencies(&manifest)).map(|(name, _)| name).collect();
    for (name, _) in dependencies(&table("Cargo.toml")) {
        assert!(taken.contains(&name), "the workspace names {name}, and nobody takes it");
    }
}

/// What a program takes into the house with `corio`, on Linux. Who adds to it raises the number here, and says why.
#[test]
fn corio_brings_sixteen_packages_of_others() {
    let tree = cargo_tree(&["-p", "corio", "-e", "normal", "--target", "x86_64-unknown-linux-gnu"]);
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let others: BTreeSet<_> = names.filter(|name| *name != "corio" && !name.starts_with("corio-")).collect();
    assert!(others.len() <= 16, "{}: {others:?}", others.len());
    assert!(others.contains("polling"), "the list has gone blind: {others:?}");
}

#[test]
fn every_dependency_has_a_version_and_comes_from_the_registry() {
    for package in
        packages().into_iter().map(|package| format!("{package}/Cargo.toml")).chain(["Cargo.toml".to_string()])
    {
        for (name, value) in dependencies(&table(&package)) {
            let said = |key: &str| value.get(key).is_some();
            assert!(!said("git") && !said("registry"), "{package}: {name} comes from elsewhere");
            let version = value.get("version").or(Some(&value)).and_then(Value::as_str).unwrap_or_default();
            let inherits = value.get("workspace") == Some(&Value::Boolean(true));
            assert!(inherits || version.starts_with(|c: char| c.is_ascii_digit()), "{package}: {name} has no version");
        }
    }
    for entry in table("Cargo.lock")["package"].as_array().unwrap() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let name = text("name").unwrap();
        match text("source") {
            None => assert!(name == "corio" || name.starts_with("corio-"), "{name} is a path, and not ours"),
            Some(source) => {
                assert!(source.starts_with("registry+") && source.ends_with("/crates.io-index"), "{name}: {source}");
                assert!(text("checksum").is_some_and(|sum| sum.len() == 64), "{name} has no checksum");
            }
        }
    }
}

/// Tells whether the expression is met by those licences.
///
/// Brackets are taken off without a look, which may refuse what would do, and lets nothing pass that would not.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let plain: String = expression.chars().filter(|c| !"()".contains(*c)).collect();
    let plain = plain.replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| allowed.contains(licence.trim())))
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_string()).collect()
}

/// The peers of the benches are cargo-deny's to judge: they are built by nothing else, and need not be here.
#[test]
fn every_licence_is_one_of_those_that_deny_toml_allows() {
    let licences = &table("deny.toml")["licenses"];
    let allowed = texts(&licences["allow"]);
    let tree = cargo_tree(&["--workspace", "--exclude", "corio-benches", "-e", "all", "-f", "{l}|{p}"]);
    let mut count = 0;
    for line in tree.lines().filter(|line| line.contains('|')) {
        let (licence, package) = line.split_once('|').unwrap();
        let name = package.split(' ').next().unwrap();
        let exceptions = licences["exceptions"].as_array().unwrap().iter();
        let own = exceptions.filter(|exception| exception["crate"].as_str() == Some(name));
        let own: BTreeSet<_> = own.flat_map(|exception| texts(&exception["allow"])).chain(allowed.clone()).collect();
        assert!(is_met(licence, &own), "{package} is under {licence:?}");
        count += 1;
    }
    assert!(count > 50, "{count} packages: the tree has gone");
}

#[test]
fn expressions_are_judged_with_care() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_string).into();
    for good in ["MIT", "MIT/GPL-3.0", "(GPL-3.0 OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception OR GPL-3.0"] {
        assert!(is_met(good, &allowed), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0", "(GPL-3.0 AND MIT) OR GPL-2.0"]
    {
        assert!(!is_met(bad, &allowed), "{bad}");
    }
}

/// Floors 0 to 4 need the Rust of the workspace, which CI builds them with; the crawler may need a later one, and says so.
#[test]
fn every_crate_says_which_rust_it_needs() {
    let stated = table("Cargo.toml")["workspace"]["package"]["rust-version"].as_str().unwrap().to_string();
    let readme = read("README.md");
    for (name, floor) in floors() {
        let version = &table(&format!("crates/{name}/Cargo.toml"))["package"]["rust-version"];
        match version.as_str() {
            Some(own) => {
                assert!(floor > 4, "{name} needs another Rust than its floor");
                assert!(
                    readme.contains(&format!("{own} for the crawler")),
                    "the README does not say that {name} needs {own}"
                );
                assert!(read(".ci/deep").contains(&format!("+{own} check")), "nothing builds {name} with {own}");
            }
            None => assert_eq!(version["workspace"].as_bool(), Some(true), "{name} does not say which Rust it needs"),
        }
    }
    assert!(readme.contains(&format!("Rust {stated} or newer for floors 0 to 4")), "the README says another version");
    assert!(read(".ci/run").contains(&format!("rust={stated} ")), ".ci/run builds with another version");
}

#[test]
fn ci_builds_what_is_locked() {
    let builds = ["build", "check", "clippy", "doc", "test", "run", "deny"];
    for script in [".ci/run", ".ci/deep"] {
        let source = read(script).replace("\\\n", " ");
        for line in source.lines().filter(|line| !line.trim_start().starts_with('#')) {
            for (at, _) in line.match_indices("cargo ") {
                let mut words =
                    line[at..].split_whitespace().skip(1).filter(|word| !word.starts_with('+') && *word != "miri");
                let is_build = words.next().is_some_and(|word| builds.contains(&word));
                assert!(!is_build || line[at..].contains("--locked"), "{script}: {line}");
            }
        }
    }
}
