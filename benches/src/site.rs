//! The site that is crawled: its files, the process that serves them, and whether all of it was found.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use url::Url;

/// How many links a page bears.
const LINKS: u64 = 20;

/// How many paragraphs of text stand between them.
const PARAGRAPHS: u64 = 40;

const TEXT: &str = "<p>A coroutine that <em>waits</em> is a value in memory, and a loop that has nothing to do is a thread \
asleep: <code>await</code> is where the two meet. What is cheap may be had by the million; what is dear, one keeps.</p>\n";

/// A folder of pages, gone when it is dropped.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    pages: u64,
}

/// The pages that a page links to: the next one, so that all are found, and some from here and there.
fn targets(page: u64, pages: u64) -> impl Iterator<Item = u64> {
    let far = (2..=LINKS).map(move |i| (page * i + i * 7919) % pages);
    std::iter::once((page + 1) % pages).chain(far)
}

fn name(page: u64) -> String {
    format!("page{page}.html")
}

impl Site {
    /// Writes so many pages into a temporary folder.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write(pages: u64) -> io::Result<Site> {
        let folder = std::env::temp_dir().join(format!("corio-benches-{}", std::process::id()));
        let site = Site { folder, pages };
        fs::create_dir_all(site.folder())?;
        for page in 0..pages {
            fs::write(site.folder().join(name(page)), text(page, pages))?;
        }
        Ok(site)
    }

    /// Returns the folder with the pages.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.join("site")
    }

    /// Returns the file for the rows that a crawler writes.
    #[must_use]
    pub fn rows(&self) -> PathBuf {
        self.folder.join("rows.tsv")
    }

    /// Compares the rows with the site's links.
    ///
    /// # Errors
    ///
    /// If a row is missing, or one too many.
    pub fn check(&self, seed: &Url) -> Result<(), String> {
        let text = fs::read_to_string(self.rows()).map_err(|error| error.to_string())?;
        let found: BTreeSet<_> = text.lines().skip(1).map(str::to_owned).collect();
        let row = |page, target: u64| {
            let address = |page| seed.join(&name(page)).expect("a plain name");
            format!("{}\t{}", address(page), address(target))
        };
        let pages = 0..self.pages;
        let there: BTreeSet<_> =
            pages.flat_map(|page| targets(page, self.pages).map(move |target| row(page, target))).collect();
        if found == there && text.lines().count() == there.len() + 1 {
            return Ok(());
        }
        let missing = there.difference(&found).count();
        let wrong = text.lines().count() - 1 - found.intersection(&there).count();
        Err(format!("{missing} links of the site were not found, and {wrong} rows are wrong"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn text(page: u64, pages: u64) -> String {
    let mut text = format!("<!DOCTYPE html><html><head><meta charset=utf-8><title>Page {page}</title></head><body>\n");
    let mut targets = targets(page, pages);
    for paragraph in 0..PARAGRAPHS {
        text.push_str(TEXT);
        let target = if paragraph % 2 == 0 { targets.next() } else { None };
        if let Some(target) = target {
            let _ = writeln!(text, "<p>See <a class=\"link\" href=\"{}#top\">page {target}</a>.</p>", name(target));
        }
    }
    text + "</body></html>\n"
}

/// A process that serves a folder by corio-crawl's server; ended when it is dropped.
#[derive(Debug)]
pub struct Serving {
    process: Child,
    address: Url,
}

impl Serving {
    /// Starts it: this program, told to be [`serve`].
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or serves nothing.
    pub fn start(folder: PathBuf) -> io::Result<Serving> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("--serve").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Serving { process, address })
    }

    /// Returns the address of the first page.
    #[must_use]
    pub fn address(&self) -> Url {
        self.address.join(&name(0)).expect("a plain name")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves a folder, tells the address on standard output, and goes on until standard input ends.
///
/// # Errors
///
/// If no port can be had.
pub fn serve(folder: &Path) -> io::Result<()> {
    let folder = corio_crawl::site::Site::Files(folder.to_owned());
    let served = corio::run(async {
        let server = corio_crawl::site::Server::start(folder, 0).await?;
        println!("{}", server.url());
        corio::to_thread(|| io::stdin().read_to_end(&mut Vec::new())).await.map_err(io::Error::other)?.map(drop)
    });
    served.map_err(io::Error::other)?
}
