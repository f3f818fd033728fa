//! Programs that do nothing: how long their first build takes, how many crates it builds, and how large they are.
//!
//! Each is a crate in a temporary folder, with the workspace's own `Cargo.lock` beside it, so that the versions are the
//! comparison's. Nothing is built before: every build has a target folder of its own.

use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program's figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Build {
    /// The runtime.
    pub(crate) name: &'static str,
    /// How long a build from nothing takes, in seconds on the clock: the quickest.
    pub(crate) seconds: f64,
    /// The processor time of the same build.
    pub(crate) processor_seconds: f64,
    /// How many crates it builds, itself left out.
    pub(crate) crates: usize,
    /// How many of them are not of the runtime's own family.
    pub(crate) foreign: usize,
    /// How long the stripped program is, in bytes.
    pub(crate) size: Option<u64>,
    /// The same with link-time optimisation.
    pub(crate) size_lto: Option<u64>,
}

/// The share of tokio's time that a cold build on corio must not pass, and how many crates of others it may need.
pub(crate) const BARS: (f64, usize) = (1.0, 16);

/// Tells which of the bars corio passes, a sentence each.
#[must_use]
pub(crate) fn passed_bars(builds: &[Build]) -> Vec<String> {
    let of = |name| builds.iter().find(|build| build.name == name);
    let (Some(corio), Some(tokio)) = (of("corio"), of("tokio")) else { return Vec::new() };
    let mut said = Vec::new();
    let ratio = corio.seconds / tokio.seconds;
    if ratio > BARS.0 {
        said.push(format!("a cold build: {ratio:.2} of tokio's, and the bar is {:.2}", BARS.0));
    }
    if corio.foreign > BARS.1 {
        said.push(format!("foreign crates: {}, and the bar is {}", corio.foreign, BARS.1));
    }
    said
}

/// A program that does nothing.
struct Program {
    name: &'static str,
    /// What it depends on, but for the version.
    features: &'static str,
    main: &'static str,
}

const PROGRAMS: [Program; 8] = [
    Program { name: "corio", features: "", main: "corio::run(async { println!(\"hello\") }).unwrap()" },
    Program {
        name: "tokio",
        features: "\"rt\", \"net\", \"time\", \"sync\", \"macros\"",
        main: "tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async { println!(\"hello\") })",
    },
    Program {
        name: "smol",
        features: "",
        main: "smol::block_on(smol::LocalExecutor::new().run(async { println!(\"hello\") }))",
    },
    Program {
        name: "monoio",
        features: "",
        main: "monoio::RuntimeBuilder::<monoio::FusionDriver>::new().enable_timer().build().unwrap().block_on(async { println!(\"hello\") })",
    },
    Program {
        name: "compio",
        features: "",
        main: "compio::runtime::Runtime::new().unwrap().block_on(async { println!(\"hello\") })",
    },
    Program {
        name: "glommio",
        features: "",
        main: "glommio::LocalExecutor::default().run(async { println!(\"hello\") })",
    },
    Program {
        name: "kimojio",
        features: "",
        main: "kimojio::Runtime::new(0, kimojio::configuration::Configuration::new()).block_on(async { println!(\"hello\") }).unwrap().unwrap()",
    },
    Program { name: "runite", features: "", main: "runite::block_on(async { println!(\"hello\") })" },
];

/// Builds the programs of the runtimes that `wanted` says, the runtimes in turns, `runs` times; tells by `told` the figures so far
/// after each, and returns with them what could not be built.
pub(crate) fn builds(
    runs: u32,
    wanted: impl Fn(&str) -> bool,
    mut told: impl FnMut(&[Build]),
) -> (Vec<Build>, Vec<String>) {
    let folder = std::env::temp_dir().join(format!("corio-builds-{}", std::process::id()));
    let mut builds = Vec::new();
    let mut failed = Vec::new();
    let programs: Vec<_> = PROGRAMS.iter().filter(|program| wanted(program.name)).collect();
    for run in 0..runs {
        for program in &programs {
            if failed.iter().any(|(name, _)| *name == program.name) {
                continue;
            }
            eprintln!("building a program on {} from nothing, {} of {runs}", program.name, run + 1);
            match program.build(&folder, run + 1 == runs) {
                Ok(build) => {
                    let (name, seconds, crates) = (build.name, build.seconds, build.crates);
                    eprintln!("  {name}: {seconds:.1} s, {crates} crates, {} of them foreign", build.foreign);
                    merge(&mut builds, build);
                    told(&builds);
                }
                Err(error) => failed.push((program.name, error.to_string())),
            }
            let _ = fs::remove_dir_all(folder.join(program.name));
        }
    }
    let _ = fs::remove_dir_all(&folder);
    (builds, failed.into_iter().map(|(name, error)| format!("THE BUILD ON {}: {error}", name.to_uppercase())).collect())
}

/// Keeps the quicker of two builds.
fn merge(builds: &mut Vec<Build>, new: Build) {
    match builds.iter_mut().find(|build| build.name == new.name) {
        Some(build) => {
            build.seconds = build.seconds.min(new.seconds);
            build.processor_seconds = build.processor_seconds.min(new.processor_seconds);
            build.size_lto = new.size_lto;
        }
        None => builds.push(new),
    }
}

impl Program {
    /// Builds it from nothing; and once more with link-time optimisation, if that is wanted.
    fn build(&self, folder: &Path, with_lto: bool) -> io::Result<Build> {
        let folder = self.write(folder)?;
        let before = processor_seconds_of_children();
        let start = Instant::now();
        let size = Some(self.cargo(&folder, "release")?);
        let seconds = start.elapsed().as_secs_f64();
        let processor_seconds = processor_seconds_of_children() - before;
        let size_lto = if with_lto { Some(self.cargo(&folder, "lto")?) } else { None };
        let crates = crates(&folder)?;
        let own = |name: &&String| name.starts_with(self.name);
        let foreign = crates.iter().filter(|name| !own(name)).count();
        Ok(Build { name: self.name, seconds, processor_seconds, crates: crates.len(), foreign, size, size_lto })
    }

    /// Writes the crate.
    fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let folder = folder.join(self.name);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let source = match crate::report::version_of(self.name) {
            Some(_) if self.name == "corio" => format!("path = {:?}", workspace.join("crates/corio")),
            version => format!("version = \"={}\"", version.unwrap_or("*")),
        };
        let manifest = format!(
            "[package]\nname = \"hello\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{} = {{ {source}, features = [{}] }}\n\n\
             [profile.release]\nstrip = true\n\n[profile.lto]\ninherits = \"release\"\nlto = \"fat\"\n",
            self.name, self.features
        );
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), format!("fn main() {{\n    {}\n}}\n", self.main))?;
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        // What the lock has not, such as a macro crate, is looked up and fetched before the clock starts.
        run(Command::new("cargo").arg("fetch").current_dir(&folder))?;
        Ok(folder)
    }

    /// Builds it with a profile, and returns how long the program is.
    fn cargo(&self, folder: &Path, profile: &str) -> io::Result<u64> {
        let mut command = Command::new("cargo");
        command.args(["build", "--offline", "--quiet", "--profile", profile, "--target-dir", "target"]);
        // What this process was started with is not the program's.
        for name in ["RUSTFLAGS", "CARGO_BUILD_JOBS", "CARGO_PROFILE_RELEASE_DEBUG"] {
            command.env_remove(name);
        }
        run(command.current_dir(folder))?;
        let program = folder.join("target").join(profile).join("hello");
        let hello = Command::new(&program).output()?;
        if hello.stdout != b"hello\n" {
            return Err(io::Error::other("the program does not say hello"));
        }
        Ok(fs::metadata(program)?.len())
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(text.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed").to_owned()))
}

/// Returns the names and versions of what is built for this machine, itself left out.
fn crates(folder: &Path) -> io::Result<BTreeSet<String>> {
    let arguments = ["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = Command::new("cargo").args(arguments).current_dir(folder).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let name = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(text.lines().map(name).filter(|name| !name.is_empty() && !name.starts_with("hello ")).collect())
}

/// Returns the processor time of all processes that were waited for; 0 where the system does not tell.
fn processor_seconds_of_children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields behind the name in parentheses; times are in ticks.
    let fields: Vec<_> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / rustix::param::clock_ticks_per_second() as f64
}
