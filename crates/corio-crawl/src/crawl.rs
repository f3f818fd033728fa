//! The crawl itself: workers that fetch pages, and one writer of rows.
//!
//! As in asyncio's own examples, addresses to visit lie in a [`Queue`], and a number of workers take from it; when
//! `join` says that every address put in was worked off, the crawl is over. What a page yields goes through a second,
//! bounded queue to the one task that writes, so that a slow disk slows the workers down instead of filling memory.

use crate::charset;
use crate::client::{Answer, Client, Head};
use crate::failure::Failure;
use crate::frontier::{Frontier, Limits, Redirect, Visit};
use crate::links::links;
use crate::output::{Output, OutputError};
use crate::report::Summary;
use crate::tsv;
use corio::{ErrorGroup, Event, Queue, TaskGroup, create_task, race, timeout, to_thread};
use std::cell::{Ref, RefCell};
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};
use url::Url;

/// How many redirects are followed in a row.
pub const MAX_REDIRECTS: usize = 20;

/// Pages longer than this, in bytes, are parsed in the thread pool.
const LARGE: usize = 64 * 1024;

/// How many pages' rows may wait for the writer.
const ROWS_WAITING: usize = 64;

/// How to crawl.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many pages are fetched at once.
    pub concurrency: NonZeroUsize,
    /// How far to go.
    pub limits: Limits,
    /// How long a page may take, redirects included.
    pub timeout: Duration,
}

/// A crawl under way.
#[derive(Debug)]
pub struct Crawl {
    options: Options,
    client: Client,
    frontier: RefCell<Frontier>,
    visits: Queue<Visit>,
    rows: Queue<Vec<u8>>,
    summary: RefCell<Summary>,
    /// Set once no further page is to be fetched.
    stopping: Event,
}

/// Why a crawl was not completed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CrawlError {
    /// The output cannot be written.
    Output(OutputError),
    /// The crawler itself failed.
    Defect(String),
}

impl fmt::Display for CrawlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CrawlError::Output(error) => error.fmt(f),
            CrawlError::Defect(what) => write!(f, "a defect of the crawler: {what}"),
        }
    }
}

impl std::error::Error for CrawlError {}

/// A page that was fetched, at its final address.
struct Page {
    url: Url,
    answer: Answer,
}

/// What an HTML page yielded.
struct Yield {
    links: Vec<String>,
    rows: Vec<u8>,
}

impl Crawl {
    /// Makes a crawl that begins at `seeds`.
    #[must_use]
    pub fn new(seeds: Vec<Url>, options: Options) -> Rc<Crawl> {
        let mut frontier = Frontier::new(options.limits);
        let visits = Queue::new(0);
        for visit in seeds.into_iter().filter_map(|seed| frontier.seed(seed)) {
            let _ = visits.put_nowait(visit);
        }
        Rc::new(Crawl {
            options,
            client: Client::new(),
            frontier: RefCell::new(frontier),
            visits,
            rows: Queue::new(ROWS_WAITING),
            summary: RefCell::default(),
            stopping: Event::new(),
        })
    }

    /// Returns the account so far.
    pub fn summary(&self) -> Ref<'_, Summary> {
        self.summary.borrow()
    }

    /// Returns how many pages are known and not yet begun.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.visits.len()
    }

    /// Fetches no further page, and drops those that are under way; what was found is still written.
    pub fn stop(&self) {
        self.stopping.set();
    }

    /// Crawls until everything within the limits was fetched, or the crawl was stopped.
    ///
    /// # Errors
    ///
    /// If the output cannot be written, which stops the crawl. What a page does is no error: it is in the summary.
    pub async fn run(self: &Rc<Self>, output: Output) -> Result<(), CrawlError> {
        let begin = Instant::now();
        let writer = create_task(Rc::clone(self).write(output));
        let worked = self.visit_all().await;
        self.rows.shutdown(false);
        let written = writer.await;
        self.summary.borrow_mut().elapsed = begin.elapsed();
        written.map_err(|error| CrawlError::Defect(error.to_string()))?.map_err(CrawlError::Output)?;
        worked.map_err(|error| CrawlError::Defect(error.to_string()))
    }

    /// Writes rows. If they cannot be written, nobody is to wait for that.
    async fn write(self: Rc<Self>, output: Output) -> Result<(), OutputError> {
        let written = output.write_rows(&self.rows).await;
        if written.is_err() {
            self.stop();
            self.rows.shutdown(true);
        }
        written
    }

    async fn visit_all(self: &Rc<Self>) -> Result<(), ErrorGroup> {
        let workers = TaskGroup::run(async |group: TaskGroup| {
            for _ in 0..self.options.concurrency.get() {
                let crawl = Rc::clone(self);
                drop(group.create_task(async move { crawl.work().await }));
            }
            race((self.visits.join(), self.stopping.wait())).await;
            self.visits.shutdown(true);
        });
        workers.await
    }

    async fn work(&self) {
        while let Ok(visit) = self.visits.get().await {
            self.visit(visit).await;
            let _ = self.visits.task_done(); // The stop may have been before us.
        }
    }

    /// Fetches one page. Whatever happens to it is entered in the summary.
    async fn visit(&self, visit: Visit) {
        let fetched = timeout(self.options.timeout, self.fetch(&visit));
        let stopped = async {
            self.stopping.wait().await;
            None
        };
        let Some(fetched) = race((async { Some(fetched.await) }, stopped)).await else { return };
        match fetched.unwrap_or(Err(Failure::Timeout)) {
            Ok(Some(page)) => self.take_in(page, &visit).await,
            Ok(None) => {} // It redirected to a page that is somebody else's.
            Err(failure) => self.fail(&visit.url, &failure),
        }
    }

    fn fail(&self, url: &Url, failure: &Failure) {
        self.summary.borrow_mut().fail(url.as_str(), failure);
    }

    /// Fetches a page, following redirects; `None` if they lead to a page that is fetched otherwise.
    async fn fetch(&self, visit: &Visit) -> Result<Option<Page>, Failure> {
        let mut url = visit.url.clone();
        let mut chain = vec![url.clone()];
        loop {
            let answer = self.client.fetch(&url, is_wanted).await?;
            let Some(target) = target(&url, &answer.head)? else { return Ok(Some(Page { url, answer })) };
            match self.frontier.borrow_mut().redirect(&target, visit.depth) {
                Redirect::Follow => {}
                Redirect::Known if chain.contains(&target) => return Err(Failure::RedirectLoop),
                Redirect::Known => return Ok(None),
                Redirect::Outside => return Err(Failure::RedirectOutside(target.into())),
            }
            if chain.len() > MAX_REDIRECTS {
                return Err(Failure::TooManyRedirects);
            }
            chain.push(target.clone());
            url = target;
        }
    }

    /// Parses a page, queues what it links to, and hands its rows to the writer.
    async fn take_in(&self, page: Page, visit: &Visit) {
        self.count(&page.answer);
        if !is_wanted(&page.answer.head) {
            return;
        }
        let found = match parse(page).await {
            Ok(found) => found,
            Err(failure) => return self.fail(&visit.url, &failure),
        };
        self.summary.borrow_mut().links += found.links.len();
        let new = self.frontier.borrow_mut().admit_links(&found.links, visit.depth);
        for visit in new {
            let _ = self.visits.put_nowait(visit);
        }
        if !found.rows.is_empty() {
            // It fails only if the writer did, who says so himself.
            let _ = self.rows.put(found.rows).await;
        }
    }

    fn count(&self, answer: &Answer) {
        let mut summary = self.summary.borrow_mut();
        summary.pages += 1;
        summary.bytes += answer.received;
    }
}

/// Tells whether the body of an answer is of use: a page of HTML.
fn is_wanted(head: &Head) -> bool {
    (200..300).contains(&head.status) && charset::is_html(&head.content_type)
}

/// Returns where an answer sends the client; `None` if it is the page itself.
fn target(url: &Url, head: &Head) -> Result<Option<Url>, Failure> {
    match head.status {
        200..=299 => return Ok(None),
        301 | 302 | 303 | 307 | 308 => {}
        status => return Err(Failure::Status(status)),
    }
    let Some(location) = &head.location else { return Err(Failure::Status(head.status)) };
    let target = url.join(location).ok().filter(|target| matches!(target.scheme(), "http" | "https"));
    let mut target = target.ok_or_else(|| Failure::BadRedirect(location.clone()))?;
    target.set_fragment(None);
    Ok(Some(target))
}

/// Finds the links of a page, in the thread pool if it is large. A parser that panics fails the page, not the crawl.
async fn parse(page: Page) -> Result<Yield, Failure> {
    let large = page.answer.body.len() > LARGE;
    let work = move || catch_unwind(AssertUnwindSafe(|| yield_of(&page)));
    let done = if large { to_thread(work).await.ok() } else { Some(work()) };
    match done {
        Some(Ok(found)) => Ok(found),
        _ => Err(Failure::Internal("the parser panicked".to_owned())),
    }
}

fn yield_of(page: &Page) -> Yield {
    let (text, encoding) = charset::decode(&page.answer.body, &page.answer.head.content_type);
    let links = links(&text, &page.url, encoding);
    let rows = tsv::rows(page.url.as_str(), &links);
    Yield { links, rows }
}
