//! The promises that the workspace makes about itself, read from its own files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).expect("there is a folder of crates");
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file of sources in a folder.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// Every file with one of these endings in a folder, and in the folders in it.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted)) {
            found.push(path);
        }
    }
    found
}

/// Checks that a test which a page names as `path::name` is there; a path alone is a file or a folder of tests.
pub(crate) fn test_is_there(name: &str, by: &str) {
    let Some((path, function)) = name.split_once("::") else {
        return assert!(root().join(name).exists(), "{by}: there is no {name}");
    };
    let source = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{by}: {path}: {error}"));
    assert!(source.contains(&format!("fn {function}()")), "{by}: {path} has no {function}");
}

/// Reads the floors out of the README's picture: lines such as `floor 2  corio-executor   the event loop`, whose
/// floor holds for the lines below it. The ground is floor -1.
pub(crate) fn floors() -> BTreeMap<String, i32> {
    let readme = read("README.md");
    let picture = readme.split("```text").find(|block| block.contains("floor 5")).expect("the README has the picture");
    let picture = picture.split("```").next().unwrap();
    let (mut floor, mut floors) = (0, BTreeMap::new());
    for line in picture.lines() {
        if let Some(rest) = line.strip_prefix("floor ") {
            floor = rest[..1].parse().expect("a floor has a number");
        } else if line.starts_with("ground") {
            floor = -1;
        }
        if let Some(name) = line.split_whitespace().find(|word| *word == "corio" || word.starts_with("corio-")) {
            floors.entry(name.to_string()).or_insert(floor);
        }
    }
    floors
}

/// Arrows between crates of one floor that the picture shows.
fn arrows() -> BTreeSet<(String, String)> {
    let readme = read("README.md");
    let arrow = |line: &str| {
        let (from, to) = line.trim().trim_start_matches("- ").split_once(" → ")?;
        let word = |text: &str| text.trim_matches('`').split_whitespace().next().map(str::to_string);
        Some((word(from)?.trim_matches('`').to_string(), word(to)?.trim_matches('`').to_string()))
    };
    readme.lines().filter_map(arrow).collect()
}

/// The crates of ours that a manifest names, in any table of dependencies.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = read(format!("crates/{name}/Cargo.toml"));
    let lines = manifest.lines().filter_map(|line| line.split_once('=').map(|(key, _)| key.trim().to_string()));
    let ours = lines.filter(|key| key == "corio" || key.starts_with("corio-"));
    ours.map(|key| key.trim_end_matches(".workspace").to_string()).collect()
}

#[test]
fn every_crate_stands_on_a_floor() {
    let floors = floors();
    for name in crates() {
        assert!(floors.contains_key(&name), "{name} is not in the README's picture");
    }
    assert_eq!(floors.len(), crates().len(), "the picture shows a crate that is not there: {floors:?}");
}

#[test]
fn arrows_point_down() {
    let (floors, arrows) = (floors(), arrows());
    for name in crates() {
        for below in dependencies(&name) {
            let down = floors[&below] < floors[&name];
            let shown = floors[&below] == floors[&name] && arrows.contains(&(name.clone(), below.clone()));
            assert!(down || shown, "{name} (floor {}) depends on {below} (floor {})", floors[&name], floors[&below]);
        }
    }
}

/// The names of all packages in the normal tree of a crate.
fn tree(name: &str, extra: &[&str]) -> String {
    cargo_tree(&[&["-p", name, "-e", "normal"], extra].concat())
}

/// What `cargo tree` says, a line a package.
pub(crate) fn cargo_tree(arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--locked", "--offline", "--prefix", "none"]);
    let output = cargo.args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn there_is_no_runtime_below_floor_three() {
    let runtimes = ["tokio", "smol", "async-std", "async-io", "async-executor", "futures-executor", "monoio", "compio"];
    for (name, _) in floors().into_iter().filter(|(_, floor)| *floor < 3) {
        let tree = tree(&name, &[]);
        for line in tree.lines() {
            let package = line.split_whitespace().next().unwrap_or("");
            assert!(!runtimes.contains(&package), "{name} brings {package}");
        }
    }
}

#[test]
fn tokio_brings_no_more_than_sync_above() {
    let features = tree("corio-crawl", &["-f", "{p} {f}"]);
    for line in features.lines().filter(|line| line.starts_with("tokio ")) {
        let enabled = line.rsplit(' ').next().unwrap_or("");
        assert!(matches!(enabled, "sync" | "default,sync" | "(*)"), "tokio comes with {line}");
    }
}

/// Takes the names out of the `pub use` and `pub mod` lines of a crate's root. A glob, or a whole crate, is a name too.
fn exports(source: &str) -> Vec<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for statement in code.split(';') {
        let statement = statement.trim();
        let Some(at) = statement.rfind("pub use ").map(|at| at + 8) else {
            if let Some(at) = statement.rfind("pub mod ") {
                if !statement[at..].contains('{') {
                    names.push(statement[at + 8..].trim().to_string());
                }
            }
            continue;
        };
        let path = statement[at..].trim();
        let list = match path.split_once('{') {
            Some((_, list)) => list.trim_end_matches('}').to_string(),
            None => path.rsplit("::").next().unwrap_or(path).to_string(),
        };
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "*") {
            let name = name.split(" as ").next().unwrap().trim();
            names.push(name.to_string());
        }
    }
    names
}

#[test]
fn each_public_name_comes_once_through_the_umbrella() {
    let umbrella = read("crates/corio/src/lib.rs");
    let taken = |name: &str| -> Vec<String> {
        let module = name.replace('-', "_");
        let mut names = Vec::new();
        for statement in umbrella.split(';') {
            let Some(at) = statement.find(&format!("pub use {module}")) else { continue };
            let rest = statement[at + 8 + module.len()..].trim();
            if rest.starts_with("as ") || rest.is_empty() {
                names.push("*".to_string());
            } else if rest.starts_with("::") {
                names.extend(exports(&format!("pub use {module}{rest};")));
            }
        }
        names
    };
    for (name, _) in floors().into_iter().filter(|(_, floor)| *floor <= 3) {
        let source = read(format!("crates/{name}/src/lib.rs"));
        let (mut public, taken) = (exports(&source), taken(&name));
        if source.contains("#[proc_macro_attribute]") {
            let functions = source.lines().filter_map(|line| line.strip_prefix("pub fn "));
            public.extend(functions.map(|function| function.split('(').next().unwrap().to_string()));
        }
        if taken == ["*"] {
            continue; // The whole crate, as a module.
        }
        for item in &public {
            let foreign = ["Cancelled", "Panic", "LoopTime", "LoopId", "Closed", "Report"].contains(&item.as_str()); // The seam's, handed on.
            let times = taken.iter().filter(|taken| *taken == item).count();
            assert!(times == 1 || foreign && times == 0, "{name}: {item} comes {times} times through the umbrella");
        }
        for item in &taken {
            assert!(public.contains(item), "the umbrella takes {item} from {name}, where it is not public");
        }
    }
}

#[test]
fn every_crate_has_its_papers() {
    for name in crates() {
        for file in ["README.md", "CHANGELOG.md", "Cargo.toml"] {
            assert!(root().join("crates").join(&name).join(file).is_file(), "{name} has no {file}");
        }
    }
}

#[test]
fn the_commands_for_contributors_name_what_is_there() {
    let page = read("CONTRIBUTING.md");
    let words: Vec<_> = page.split(|c: char| c.is_whitespace() || "`|,.".contains(c)).collect();
    let mut count = 0;
    for pair in words.windows(2) {
        let (option, name) = (pair[0], pair[1]);
        if option == "-p" && name.starts_with("corio") {
            let is_there =
                crates().iter().any(|found| found == name) || ["corio-tests", "corio-benches"].contains(&name);
            assert!(is_there, "there is no crate {name}");
        } else if option == "--test" {
            let here = [format!("tests/tests/{name}"), format!("tests/tests/{name}.rs")];
            let beside = crates().into_iter().map(|krate| format!("crates/{krate}/tests/{name}.rs"));
            assert!(here.into_iter().chain(beside).any(|path| root().join(path).exists()), "there is no test {name}");
        } else {
            continue;
        }
        count += 1;
    }
    assert!(count > 20, "{count} names");
    for link in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
        assert!(root().join(link.0).exists(), "there is no {}", link.0);
    }
}
