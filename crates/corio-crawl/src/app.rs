//! From the command line to the exit status.

use crate::args::Args;
use crate::crawl::{Crawl, CrawlError, Options};
use crate::frontier::Limits;
use crate::output::Output;
use crate::progress;
use crate::report::printable;
use crate::seeds::{self, Place, SeedError};
use crate::site::{Server, Site};
use corio::{create_task, signal};
use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;
use url::Url;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Interrupted = 130,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// What is to be crawled.
enum Target {
    Addresses(Vec<Url>),
    Site(Site),
}

/// Does what the command line says, and returns the exit status. Complaints go to standard error, a line each.
#[must_use]
pub fn main(args: &Args) -> ExitCode {
    let target = match target(args) {
        Ok(target) => target,
        Err(error) => return complain(error, Status::Usage).into(),
    };
    let output = match Output::open(args.output.as_deref()) {
        Ok(output) => output,
        Err(error) => return complain(error, Status::Failed).into(),
    };
    let ended = corio::run(async {
        let status = crawl(args, target, output).await;
        // All is written and said. A look-up that hangs in the thread pool is not to hold up the end, as it would the
        // loop's.
        std::process::exit(status as i32)
    });
    let Err(error) = ended;
    complain(error, Status::Failed).into()
}

fn complain(error: impl Display, status: Status) -> Status {
    say(&format!("corio-crawl: {}\n", printable(&error.to_string())));
    status
}

/// Writes to standard error; where that is closed, there is nobody to tell.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn target(args: &Args) -> Result<Target, SeedError> {
    if let Some(folder) = &args.serve {
        let files = Site::Files(folder.clone());
        return if folder.is_dir() { Ok(Target::Site(files)) } else { Err(SeedError::NoDirectory(folder.clone())) };
    }
    let named = args.urls.iter().map(|text| seeds::address(text, Place::Argument));
    let mut addresses = named.collect::<Result<Vec<_>, _>>()?;
    if let Some(file) = &args.file {
        addresses.extend(seeds::addresses_of(file)?);
    }
    Ok(if addresses.is_empty() { Target::Site(Site::Embedded) } else { Target::Addresses(addresses) })
}

async fn crawl(args: &Args, target: Target, output: Output) -> Status {
    let (addresses, depth, _server) = match target {
        Target::Addresses(addresses) => (addresses, Some(args.depth.unwrap_or(0)), None),
        Target::Site(site) => match Server::start(site, args.port.map_or(0, Into::into)).await {
            Ok(server) => (vec![server.url()], args.depth, Some(server)),
            Err(error) => return complain(format_args!("cannot serve: {error}"), Status::Failed),
        },
    };
    let limits = Limits { depth, max_pages: args.max_pages.map(Into::into) };
    let crawl = Crawl::new(addresses, Options { concurrency: args.concurrency, limits, timeout: args.timeout });
    let interrupted = Rc::new(Cell::new(false));
    drop(create_task(heed_signals(Rc::clone(&crawl), Rc::clone(&interrupted)))); // It goes on by itself.
    let progress = create_task(progress::show(Rc::clone(&crawl)));
    let written = crawl.run(output).await;
    progress.cancel();
    let _ = progress.await;
    say(&crawl.summary().to_string());
    status(args, &crawl, written, interrupted.get())
}

fn status(args: &Args, crawl: &Crawl, written: Result<(), CrawlError>, interrupted: bool) -> Status {
    let summary = crawl.summary();
    match written {
        _ if interrupted => Status::Interrupted,
        Err(error) => complain(error, Status::Failed),
        Ok(()) if summary.pages == 0 => complain("nothing could be fetched", Status::Failed),
        Ok(()) if args.strict && summary.failed > 0 => Status::Failed,
        Ok(()) => Status::Done,
    }
}

/// Stops the crawl at the first Ctrl-C, and the program at the second.
async fn heed_signals(crawl: Rc<Crawl>, interrupted: Rc<Cell<bool>>) {
    // Where signals cannot be heard, Ctrl-C ends the program, as it does by default.
    let Ok(mut signals) = signal::ctrl_c() else { return };
    signals.recv().await;
    interrupted.set(true);
    say("corio-crawl: stopping; what was found is being written. Ctrl-C again ends at once.\n");
    crawl.stop();
    signals.recv().await;
    std::process::exit(Status::Interrupted as i32);
}
