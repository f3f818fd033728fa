//! What is known against the packages of `Cargo.lock`, looked up without a network in a copy of RustSec's database.
//!
//! The copy is `../shared/advisory-db.tar.gz`, beside the workspace; another, as an archive or a folder, is named by
//! `cargo test -p corio-tests --test advisories -- --db PATH`. Without one this is skipped, and says so.
//!
//! What cannot be mended is excused in `deny.toml`, each with a reason; an excuse for nothing is a failure as well. The
//! same list is cargo-deny's.

use semver::{Version, VersionReq};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};
use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table(text: &str, of: &Path) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", of.display()))
}

/// The texts in the list of that name; none, if there is no such list.
fn texts<'t>(table: &'t Table, name: &str) -> Vec<&'t str> {
    let list = table.get(name).and_then(Value::as_array).into_iter().flatten();
    list.map(|value| value.as_str().expect("a list of texts")).collect()
}

/// One thing that is known against a package.
struct Advisory {
    id: String,
    /// What sort of news it is, if it is no hole: `unsound`, `unmaintained`, `notice`.
    informational: Option<String>,
    url: String,
    /// The versions that are well, because they were mended, or never had it.
    well: Vec<VersionReq>,
}

impl Advisory {
    /// Reads one out of a page of the database, which begins with a block of TOML; none if it was withdrawn.
    fn read(path: &Path) -> Option<Advisory> {
        let page = read(path);
        let block = page.strip_prefix("```toml\n").and_then(|page| page.split_once("\n```"));
        let page = table(block.unwrap_or_else(|| panic!("{}: no block of TOML", path.display())).0, path);
        let about = page["advisory"].as_table().expect("a table");
        if about.contains_key("withdrawn") {
            return None;
        }
        let text = |name: &str| about.get(name).and_then(Value::as_str).map(str::to_string);
        let versions = page["versions"].as_table().expect("a table");
        let well = [texts(versions, "patched"), texts(versions, "unaffected")].concat();
        let well = well.into_iter().map(|range| range.parse().unwrap_or_else(|error| panic!("{range}: {error}")));
        Some(Advisory {
            id: text("id").expect("an advisory has a number"),
            informational: text("informational"),
            url: text("url").unwrap_or_default(),
            well: well.collect(),
        })
    }

    fn concerns(&self, version: &Version) -> bool {
        !self.well.iter().any(|range| range.matches(version))
    }
}

/// The packages that come from elsewhere, by name.
fn packages() -> BTreeMap<String, Vec<Version>> {
    let path = root().join("Cargo.lock");
    let mut packages = BTreeMap::<String, Vec<Version>>::new();
    for package in table(&read(&path), &path)["package"].as_array().expect("a list of packages") {
        let text = |name: &str| package.get(name).and_then(Value::as_str);
        if text("source").is_some() {
            let version = text("version").expect("a version").parse().expect("a version");
            packages.entry(text("name").expect("a name").to_string()).or_default().push(version);
        }
    }
    packages
}

/// The numbers that `deny.toml` excuses.
fn excused() -> BTreeSet<String> {
    let path = root().join("deny.toml");
    let ignored = table(&read(&path), &path)["advisories"]["ignore"].as_array().expect("a list").clone();
    let id = |entry: &Value| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
        assert!(text("reason").len() > 10, "deny.toml excuses {entry} without a reason");
        text("id")
    };
    ignored.iter().map(id).collect()
}

/// Where the database's folder of packages is, unpacked if need be.
fn database() -> Option<PathBuf> {
    let arguments: Vec<_> = env::args().collect();
    let named = arguments.iter().position(|argument| argument == "--db").and_then(|at| arguments.get(at + 1));
    let path = named.map_or_else(|| root().join("../shared/advisory-db.tar.gz"), PathBuf::from);
    if path.is_dir() {
        return Some(path.join("crates"));
    } else if !path.exists() {
        assert!(named.is_none(), "there is no {}", path.display());
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("advisory-db");
    let _ = fs::remove_dir_all(&folder); // Of another day, or not there.
    fs::create_dir_all(&folder).expect("a folder below target/");
    let tar = Command::new("tar").arg("xzf").arg(&path).arg("-C").arg(&folder).status();
    assert!(tar.expect("tar runs").success(), "{} is no archive", path.display());
    Some(folder.join("crates"))
}

/// The advisories about a package.
fn advisories(database: &Path, package: &str) -> Vec<Advisory> {
    let pages = fs::read_dir(database.join(package)).into_iter().flatten();
    pages.filter_map(|page| Advisory::read(&page.expect("a page").path())).collect()
}

/// What is said against `packages` in the database, one line each, and of which of it is excused.
fn known(database: &Path, packages: &BTreeMap<String, Vec<Version>>) -> Vec<(String, String)> {
    let mut known = Vec::new();
    for (name, versions) in packages {
        for advisory in advisories(database, name) {
            for version in versions.iter().filter(|version| advisory.concerns(version)) {
                let sort = advisory.informational.as_deref().unwrap_or("a hole");
                known
                    .push((advisory.id.clone(), format!("{name} {version}: {sort}: {} {}", advisory.id, advisory.url)));
            }
        }
    }
    known
}

/// A database that says nothing is no database: what is known of old versions must be found in it.
fn control(database: &Path) -> bool {
    let old = BTreeMap::from([("openssl".to_string(), vec![Version::new(0, 8, 0)])]);
    known(database, &old).iter().any(|(id, _)| id == "RUSTSEC-2016-0001")
}

fn main() -> ExitCode {
    if env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS; // Asked for by whoever runs all tests alike.
    }
    let Some(database) = database() else {
        eprintln!("SKIPPED: ADVISORIES: THERE IS NO ../shared/advisory-db.tar.gz");
        return ExitCode::SUCCESS;
    };
    assert!(control(&database), "{} says nothing of what it must know", database.display());
    let (packages, excused) = (packages(), excused());
    let known = known(&database, &packages);
    let mut failed = false;
    for (id, line) in &known {
        let is_excused = excused.contains(id);
        println!("{} {line}", if is_excused { "excused" } else { "FAILED " });
        failed |= !is_excused;
    }
    for id in excused.iter().filter(|id| !known.iter().any(|(known, _)| known == *id)) {
        println!("FAILED  {id}: deny.toml excuses what concerns no package any more");
        failed = true;
    }
    println!("advisories: {} packages, {} known, {} excused", packages.len(), known.len(), excused.len());
    ExitCode::from(u8::from(failed))
}
