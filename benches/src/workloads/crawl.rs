//! A crawl of a site of a few thousand pages: corio-crawl against a crawler of the same shape on tokio and hyper.
//!
//! Both use corio-crawl's parser, frontier and rows. The site is served by corio-crawl's server, in a process of its own. What
//! each found is compared with what there is.

use super::{Corio, Row, Sample, Slice, Tokio, TokioLocal, column};
use crate::Crawling;
use crate::measure::processor_time;
use crate::site::{Serving, Site};
use std::hint::black_box;
use std::time::{Duration, Instant};

macro_rules! crawlers {
    ($clock:ident: $($Runtime:ty),+) => { vec![$(column::<$Runtime>(|n, times| (0..times).map(|_| Slice::of(|| crawl::<$Runtime>(n, $clock))).collect())),+] };
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("crawl of a local site, CPU, a page", 3_000, crawlers!(processor_time: Corio, Tokio, TokioLocal))
            .crawl(),
        Row::new("crawl of a local site, wall, a page", 3_000, crawlers!(wall: Corio, Tokio, TokioLocal)).crawl(),
    ]
}

impl Row {
    /// Says that its figures are microseconds, and that the crawler and the server have a processor each, if there are two.
    fn crawl(self) -> Row {
        self.threads().unpinned().unit("us")
    }
}

/// The time on the clock, from any moment on.
fn wall() -> Duration {
    thread_local!(static START: Instant = Instant::now());
    START.with(Instant::elapsed)
}

fn crawl<R: Crawling>(pages: u64, clock: fn() -> Duration) -> Sample {
    let site = Site::write(pages).expect("room for the site's files");
    let serving = Serving::start(site.folder()).expect("a server");
    let (seed, rows) = (serving.address(), site.rows());
    let took = R::block_on(async move {
        let start = black_box(clock());
        R::crawl(seed, rows).await;
        clock() - start
    });
    site.check(&serving.address()).unwrap_or_else(|wrong| panic!("{wrong}"));
    Sample::Value(took.as_secs_f64() * 1e6 / pages as f64)
}
