//! The machine and what ran on it.

use serde::Serialize;
use std::process::Command;

/// The peers whose versions the page names.
const PEERS: [&str; 14] = [
    "tokio",
    "smol",
    "async-executor",
    "async-io",
    "futures-executor",
    "monoio",
    "compio",
    "glommio",
    "kimojio",
    "runite",
    "local-sync",
    "async-channel",
    "hyper",
    "hyper-util",
];

/// The versions that this workspace is built with.
const LOCK: &str = include_str!("../../../../../Cargo.lock");

/// Where and when a comparison was made.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// The day, and the hour in UTC.
    pub(crate) date: String,
    /// The processor's name, how many there are, and whether they are a guest's.
    pub(crate) processor: String,
    /// The kernel.
    pub(crate) kernel: String,
    /// The compiler.
    pub(crate) compiler: String,
    /// How busy it was: the system's load averages when the comparison began.
    pub(crate) load: String,
    /// The peers' versions.
    pub(crate) peers: Vec<String>,
}

impl Machine {
    /// Asks this machine.
    #[must_use]
    pub(crate) fn here() -> Machine {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let system = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        Machine {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            processor: processor(),
            kernel: format!("{} {} {}", text(system.sysname()), text(system.release()), text(system.machine())),
            compiler: said("rustc", &["--version"]),
            load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
            peers: PEERS.iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect(),
        }
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| String::from("unknown"), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = value("model name").unwrap_or_else(|| String::from("unknown"));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let guest = value("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    format!("{name}, {count} processors{}", if guest { " of a virtual machine" } else { "" })
}

/// Returns the version of a package.
pub(crate) fn version(package: &str) -> Option<&'static str> {
    let (_, after) = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(after.split_once('"')?.0)
}
