//! The soak: everything at once on one loop, for as long as one likes, while memory, descriptors and the loop's turns are
//! watched.
//!
//! ```console
//! $ cargo test --release -p corio-tests --test soak -- --minutes 60
//! ```
//!
//! Without a word it takes some seconds, in which it can find little: plain `cargo test` sees that it works. It fails if an
//! answer is wrong, if nothing of one kind was done, if resident memory grows by more than 5 % (and a megabyte) after the
//! first minute (or the first half of a shorter run), if more descriptors are open than the work can need, or other ones after it
//! than before, or if one turn of the loop in a hundred takes more than 20 ms.

mod load;
mod site;
mod watch;

use clap::Parser;
use corio::{LoopHandle, create_task, sleep, yield_now};
use load::Tally;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};
use watch::Watch;

/// How long it takes if nothing is said.
const A_MOMENT: Duration = Duration::from_secs(4);

/// Runs everything at once, and watches.
#[derive(Parser)]
struct Arguments {
    /// For so many minutes.
    #[arg(long)]
    minutes: Option<f64>,
    /// What cargo hands to all tests alike, and this one must bear.
    #[arg(hide = true)]
    filters: Vec<String>,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list || !arguments.filters.is_empty() {
        return ExitCode::SUCCESS; // Somebody looks for other tests.
    }
    let time = arguments.minutes.map_or(A_MOMENT, |minutes| Duration::from_secs_f64(minutes * 60.0));
    let outcome = corio::run(soak(time)).expect("the soak is not stopped");
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(said) => {
            eprintln!("the soak found something:\n{said}");
            ExitCode::FAILURE
        }
    }
}

/// Soaks for so long; says what was done and seen, or what is wrong.
async fn soak(time: Duration) -> Result<String, String> {
    let tally = Rc::new(Tally::default());
    open_what_stays(&tally).await.map_err(|error| format!("no first site: {error}"))?;
    let (end, watch) = (Instant::now() + time, Watch::new(time));
    let site = site::Site::open().await.map_err(|error| format!("no site: {error}"))?;
    let threads = load::foreign_threads(LoopHandle::current().remote(), end);
    let mut workers = load::workers(&tally, site.address(), end);
    workers.push(create_task(load::foreign_answers(Rc::clone(&tally), threads.questions, end)));
    let watch = create_task(watch.until(end));
    for worker in workers {
        worker.await.map_err(|error| format!("a worker failed: {error}"))?;
    }
    let seen = watch.await.map_err(|error| format!("the watch failed: {error}"))?;
    site.close().await;
    for thread in threads.handles {
        thread.join().map_err(|_| "a thread panicked".to_string())?;
    }
    sleep(Duration::from_millis(50)).await; // What the threads sent last comes in.
    let (done, left) = (tally.all_done(), corio::all_tasks().len() - 1);
    let mut wrong = seen.wrong();
    wrong.extend(tally.idle().map(|kind| format!("nothing was done: {kind}")));
    wrong.extend((left > 0).then(|| format!("{left} tasks are left over")));
    let said = format!("{done}\n{seen}");
    if wrong.is_empty() { Ok(said) } else { Err(format!("{}\n{said}", wrong.join("\n"))) }
}

/// Does some work beforehand, at which the loop opens what it opens when it is first needed, and keeps.
async fn open_what_stays(tally: &Rc<Tally>) -> std::io::Result<()> {
    let site = site::Site::open().await?;
    load::crawl(Rc::clone(tally), site.address()).await;
    site.close().await;
    while corio::all_tasks().len() > 1 {
        yield_now().await; // The servers of the last pages end.
    }
    Ok(())
}
