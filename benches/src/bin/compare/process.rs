//! Runs a command to its end, and tells how it ended.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs a command, and returns what it wrote to standard output.
///
/// # Errors
///
/// If it cannot be run, takes longer than `limit` (then it is ended), or fails: with its last words.
pub(crate) fn output_of(command: &mut Command, limit: Duration) -> Result<Vec<u8>, String> {
    let output = finish(command, limit)?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{}: {}", output.status, last_words(&output))) }
}

/// Returns the last line that a command wrote to standard error.
fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty() && !line.starts_with("note:"));
    last.unwrap_or("").to_owned()
}

/// Runs a command to its end, or ends it when it takes too long.
fn finish(command: &mut Command, limit: Duration) -> Result<Output, String> {
    // What a peer panics with is its last words, and not where it was.
    let child =
        command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| error.to_string())?;
    let process = process_of(&child);
    let (tell, ended) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let output = child.wait_with_output();
        let _ = tell.send(()); // Nobody listens if it took too long.
        output
    });
    let late = ended.recv_timeout(limit).is_err();
    if late {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL); // It may have ended just now.
    }
    let output = waiting.join().expect("it does not panic");
    if late { Err(format!("not done after {limit:?}")) } else { output.map_err(|error| error.to_string()) }
}

fn process_of(child: &Child) -> rustix::process::Pid {
    let id = i32::try_from(child.id()).expect("a process's number");
    rustix::process::Pid::from_raw(id).expect("not zero")
}
