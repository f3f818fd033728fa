//! A child of a test, with signals as they are by default.

use std::process::Command;

/// Starts this program again.
///
/// Whoever runs the tests in the background may have it ignore signals, and a child inherits that: then `env` puts the
/// default actions back.
pub(crate) fn this_program() -> Command {
    let me = std::env::current_exe().unwrap();
    if !ignores_a_signal() {
        return Command::new(me);
    }
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(me);
    command
}

/// Tells whether SIGHUP, SIGINT or SIGQUIT is ignored; where there is no `/proc`, it is taken for not.
fn ignores_a_signal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 0b111 != 0))
}
