//! What the user sees meanwhile, on a terminal.

use crate::crawl::Crawl;
use corio::interval;
use indicatif::ProgressBar;
use std::io::{IsTerminal, stderr};
use std::rc::Rc;
use std::time::Duration;

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Shows how far the crawl is, until it is cancelled; nothing if standard error is no terminal.
pub(crate) async fn show(crawl: Rc<Crawl>) {
    if !stderr().is_terminal() {
        return;
    }
    let line = Line(ProgressBar::new_spinner());
    let mut ticks = interval(TICK);
    loop {
        ticks.tick().await;
        let summary = crawl.summary();
        let (pages, links, failed, waiting) = (summary.pages, summary.links, summary.failed, crawl.waiting());
        line.0.set_message(format!("{pages} pages, {links} links, {failed} failed, {waiting} waiting"));
        line.0.tick();
    }
}

/// A line that is gone when nobody shows it any more.
struct Line(ProgressBar);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
