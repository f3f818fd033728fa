//! The simulator: random programs on a real loop, against a model that foretells what they must do.
//!
//! See `README.md` beside this file for the invariants, and how to replay what fails.

mod program;
mod model;
mod world;
mod run;
mod drops;
mod threads;
mod trace;
mod shrink;
mod counts;
mod check;

use check::{check, first_difference};
use clap::Parser;
use counts::Counts;
use model::Model;
use program::Program;
use std::panic;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use threads::Threads;
use trace::Written;

/// Runs random programs on a loop and on a model, and compares.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to try.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Replay one seed, and print its program and its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Say each seed before it is tried: for what ends the process.
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    harness: Harness,
}

/// What cargo hands to all tests alike, and this one must bear.
#[derive(clap::Args)]
struct Harness {
    #[arg(hide = true)]
    filters: Vec<String>,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    format: Option<String>,
}

impl Harness {
    /// Tells whether other tests are meant.
    fn means_others(&self) -> bool {
        let is_asked_for =
            self.filters.is_empty() || self.filters.iter().any(|name| "simulator".contains(name.as_str()));
        self.list || self.ignored || !is_asked_for
    }
}

/// How many seeds are tried when nothing is said.
const SEEDS: u64 = if cfg!(miri) {
    2
} else if cfg!(debug_assertions) {
    1_000
} else {
    10_000
};

/// From how many seeds on each kind of operation must have had an effect.
const ENOUGH: u64 = 200;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.harness.means_others() {
        return ExitCode::SUCCESS;
    }
    let said = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // Programs panic on purpose.
    let simulator = Simulator { threads: Rc::new(Threads::new()), watch: Watch::new() };
    let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| match arguments.seed {
        Some(seed) => simulator.replay(seed),
        None => simulator.try_all(arguments.first, arguments.seeds.unwrap_or(SEEDS), arguments.verbose),
    }));
    panic::set_hook(said);
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map_or("no text", String::as_str);
            println!("the simulator itself panicked, at seed {}: {text}", simulator.watch.seed());
            ExitCode::FAILURE
        }
    }
}

struct Simulator {
    threads: Rc<Threads>,
    watch: Watch,
}

impl Simulator {
    /// Tries so many seeds; false if one fails.
    fn try_all(&self, first: u64, seeds: u64, verbose: bool) -> bool {
        let start = Instant::now();
        let (mut counts, mut ops) = (Counts::default(), 0);
        for seed in first..first + seeds {
            self.watch.begin(seed);
            if verbose {
                println!("seed {seed}");
            }
            let program = Program::new(seed);
            ops += program.ops.len();
            match check(&program, &self.threads) {
                Ok(events) => counts.add(&program, &events),
                Err(_) => {
                    self.tell(seed, &program);
                    return false;
                }
            }
        }
        println!(
            "simulator: {seeds} seeds, {ops} operations, each twice, in {:.1} s; those that had an effect:",
            start.elapsed().as_secs_f32()
        );
        counts.print();
        let never = counts.never();
        if !never.is_empty() && seeds >= ENOUGH {
            println!("these never had an effect: {never:?}");
            return false;
        }
        true
    }

    /// Shrinks a program that fails, and prints what there is to know.
    fn tell(&self, seed: u64, program: &Program) {
        println!("seed {seed} FAILS; shrinking ...");
        let shrunk = shrink::shrink(program, |program| check(program, &self.threads).is_err());
        let wrong = check(&shrunk, &self.threads).err().unwrap_or_else(|| "nothing, the second time".to_string());
        println!("violated: {wrong}\n\nprogram of {} operations, then {:?}:", shrunk.ops.len(), shrunk.finale);
        for (index, op) in shrunk.ops.iter().enumerate() {
            println!("  [{index}] {op:?}");
        }
        let run = run::run(&shrunk, &self.threads);
        println!("\ntrace:\n{}", Written { ops: &shrunk.ops, events: &run.events });
        let must = Model::run(&shrunk).events;
        if let Some(at) = first_difference(&must, &run.events) {
            let end = must.len().min(at + 8);
            println!("what must happen from event {at} on:\n{}", Written { ops: &shrunk.ops, events: &must[at..end] });
        }
        run.wrongs.iter().for_each(|wrong| println!("wrong: {wrong}"));
        println!("\nreplay: cargo test -p corio-tests --test simulator -- --seed {seed}");
    }

    /// Prints a seed's program and trace; false if it fails.
    fn replay(&self, seed: u64) -> bool {
        self.watch.begin(seed);
        let program = Program::new(seed);
        let run = run::run(&program, &self.threads);
        println!("seed {seed}: {} operations, then {:?}", program.ops.len(), program.finale);
        println!("{}", Written { ops: &program.ops, events: &run.events });
        match check(&program, &self.threads) {
            Ok(_) => true,
            Err(_) => {
                self.tell(seed, &program);
                false
            }
        }
    }
}

/// Says which seed it is, and ends the process, if one hangs.
struct Watch(Arc<AtomicU64>);

/// How long a seed, with its shrinking, may take.
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 3_600 } else { 60 });

impl Watch {
    fn new() -> Watch {
        let watched = Arc::new(AtomicU64::new(u64::MAX));
        let weak = Arc::downgrade(&watched);
        let watch = move || {
            let (mut last, mut since) = (u64::MAX, Instant::now());
            while let Some(watched) = weak.upgrade() {
                let seed = watched.load(Ordering::Relaxed);
                drop(watched);
                if seed != last {
                    (last, since) = (seed, Instant::now());
                } else if since.elapsed() > PATIENCE {
                    println!("seed {seed} FAILS: it hangs. Its program:\n{:#?}", Program::new(seed).ops);
                    std::process::exit(1);
                }
                thread::sleep(Duration::from_millis(20));
            }
        };
        thread::spawn(watch);
        Watch(watched)
    }

    fn seed(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn begin(&self, seed: u64) {
        self.0.store(seed, Ordering::Relaxed);
    }
}
