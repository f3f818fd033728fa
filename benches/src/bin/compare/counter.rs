//! Counts what an operation takes by a program that watches the run: system calls by strace, instructions by valgrind.
//!
//! The watcher counts the whole process, and a run cannot tell it where its own part begins. So two runs are made, of so many
//! operations and of twice as many: what the second has more is what the operations took.

use crate::process;
use crate::report::Cell;
use corio_benches::workloads::{Figure, Row};
use std::process::Command;
use std::time::Duration;

/// How long a watched run may take before it is given up: the watcher makes it some fifty times slower.
const LIMIT: Duration = Duration::from_secs(60);

/// Of a row that makes more, so many operations are the ones to divide among the watched runs.
const OPERATIONS: u64 = 20_000;

/// Of how many peers instructions are counted in a row.
const FASTEST: usize = 6;

/// Something that can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// System calls, of all the process's threads.
    SystemCalls,
    /// Instructions outside the kernel.
    Instructions,
}

impl Counter {
    /// What it counts.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Counter::SystemCalls => "system calls",
            Counter::Instructions => "instructions",
        }
    }

    /// Checks that the watcher can be had.
    ///
    /// # Errors
    ///
    /// If it cannot, with its name in capitals and what stands in the way.
    pub(crate) fn check(self) -> Result<(), String> {
        let program = self.watcher()[0];
        let said = process::output_of(Command::new(program).arg("--version"), LIMIT);
        said.map(drop).map_err(|error| {
            format!("{}: it cannot be run: {error}; {} are not counted", program.to_uppercase(), self.what())
        })
    }

    /// Tells whether it counts in this row.
    ///
    /// The largest rows would take a watcher minutes, and ask for nothing else than the smaller ones. Instructions say something
    /// where one thread works, and waits neither for a clock nor, as those with a batch of 100,000 do, for memory.
    pub(crate) fn counts_in(self, row: &Row) -> bool {
        let is_small = !row.from_main && row.quick;
        let is_work = row.figure == Figure::Minimum && row.unit == "ns";
        let has_many = row.operations >= OPERATIONS && row.batch <= OPERATIONS / self.share();
        is_small && (self == Counter::SystemCalls || is_work && has_many)
    }

    /// Returns of how many peers it counts, the fastest first. callgrind takes seconds for each, and who is far behind in time has
    /// seldom the fewest instructions.
    pub(crate) const fn peers(self) -> usize {
        match self {
            Counter::SystemCalls => usize::MAX,
            Counter::Instructions => FASTEST,
        }
    }

    /// Returns what a runtime's operation takes; none if it was not counted.
    pub(crate) const fn of(self, cell: &Cell) -> Option<f64> {
        match self {
            Counter::SystemCalls => cell.system_calls,
            Counter::Instructions => cell.instructions,
        }
    }

    /// Notes what a runtime's operation takes.
    pub(crate) const fn note(self, cell: &mut Cell, figure: f64) {
        match self {
            Counter::SystemCalls => cell.system_calls = Some(figure),
            Counter::Instructions => cell.instructions = Some(figure),
        }
    }

    /// Counts for an operation of a row; `command` makes one run of it.
    ///
    /// # Errors
    ///
    /// If a run fails while it is watched, with its last words.
    pub(crate) fn count(self, row: &Row, command: &[String]) -> Result<f64, String> {
        let few = self.few(row);
        let (once, twice) = (self.total(command, few)?, self.total(command, 2 * few)?);
        Ok((twice - once).max(0.0) / few as f64)
    }

    /// Returns how many operations the shorter of the two runs makes.
    fn few(self, row: &Row) -> u64 {
        row.whole(row.operations.min(OPERATIONS) / self.share())
    }

    /// Which part of the operations the shorter of the two runs makes. strace stops at each call; callgrind takes most of its time
    /// to start, and the more operations, the less does the start blur their difference.
    const fn share(self) -> u64 {
        match self {
            Counter::SystemCalls => 10,
            Counter::Instructions => 2,
        }
    }

    /// Counts in a whole run.
    fn total(self, command: &[String], operations: u64) -> Result<f64, String> {
        let watcher = self.watcher();
        let mut watched = Command::new(watcher[0]);
        watched.args(&watcher[1..]).args(command).arg("--operations").arg(operations.to_string());
        let output = process::output_of(&mut watched, LIMIT)?;
        self.read(&String::from_utf8_lossy(&output)).ok_or_else(|| format!("{} says no total", watcher[0]))
    }

    /// The command that watches another. It writes to standard output, where the run's figure stands too: standard error is for
    /// the run's last words.
    const fn watcher(self) -> &'static [&'static str] {
        match self {
            Counter::SystemCalls => &["strace", "-f", "-c", "-U", "calls", "-o", "/dev/stdout"],
            Counter::Instructions => &["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1"],
        }
    }

    /// Finds the total in what the watcher wrote.
    fn read(self, text: &str) -> Option<f64> {
        match self {
            // The last line is "   82 total".
            Counter::SystemCalls => text.lines().last()?.split_whitespace().next()?.parse().ok(),
            // A line is "==82== Collected : 1264469".
            Counter::Instructions => text.split_once("Collected :")?.1.split_whitespace().next()?.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use corio_benches::workloads;

    #[test]
    fn the_total_is_found_in_what_the_watcher_wrote() {
        let strace = "{\"figure\":1.0,\"allocations\":[0.5,8.0]}\n    calls syscall\n-------- ------\n       81 read\n        1 rseq\n-------- ------\n       82 total\n";
        assert_eq!(Counter::SystemCalls.read(strace), Some(82.0));
        let callgrind = "==7== Command: compare\n{\"figure\":1.0,\"allocations\":[0.5,8.0]}\n==7== Events    : Ir\n==7== Collected : 1264469\n==7== \n==7== I   refs:      1,264,469\n";
        assert_eq!(Counter::Instructions.read(callgrind), Some(1_264_469.0));
    }

    #[test]
    fn no_total_is_found_where_there_is_none() {
        for counter in [Counter::SystemCalls, Counter::Instructions] {
            assert_eq!(counter.read(""), None);
            assert_eq!(counter.read("==7== Process terminating with default action of signal 6\n"), None);
        }
    }

    #[test]
    fn instructions_are_those_of_one_thread_that_waits_for_no_clock() {
        let rows = workloads::all();
        let counted: Vec<_> = rows.iter().filter(|row| Counter::Instructions.counts_in(row)).collect();
        let is_counted = |name: &str| counted.iter().any(|row| row.name == name);
        for name in
            ["spawn one and await it", "gather 1,000 tasks, a task", "queue of 1, an item", "timeout armed and dropped"]
        {
            assert!(is_counted(name), "{name}");
        }
        for part in ["from main", "100,000", "1,000,000", "slow", "CPU", "lateness", "thread", "TCP", "memory", "crawl"]
        {
            let named = counted.iter().find(|row| row.name.contains(part));
            assert!(named.is_none(), "{part}: {named:?}");
        }
    }

    #[test]
    fn two_watched_runs_make_no_more_than_a_rows_operations() {
        for row in workloads::all().iter().filter(|row| Counter::Instructions.counts_in(row)) {
            assert!(2 * Counter::Instructions.few(row) <= row.operations, "{}", row.name);
        }
    }
}
