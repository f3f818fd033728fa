//! What the crawl found, told on standard error.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How many failed pages of one class the summary names.
const NAMED: usize = 20;

/// The account of a crawl.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Pages fetched, of whatever type.
    pub pages: usize,
    /// Rows found.
    pub links: usize,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// How long the crawl took.
    pub elapsed: Duration,
    /// How many pages failed.
    pub failed: usize,
    classes: BTreeMap<String, Class>,
}

/// The failures of one class.
#[derive(Debug, Default)]
struct Class {
    count: usize,
    /// The first few, a line each.
    named: Vec<String>,
}

impl Summary {
    /// Enters a page that failed.
    pub fn fail(&mut self, address: &str, failure: &Failure) {
        self.failed += 1;
        let class = self.classes.entry(failure.class()).or_default();
        class.count += 1;
        if class.named.len() < NAMED {
            let detail = failure.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            class.named.push(printable(&format!("{address}{detail}")));
        }
    }

    /// Returns the speed of the crawl.
    #[must_use]
    pub fn pages_per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.pages as f64 / seconds } else { 0.0 }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pages         {}", self.pages)?;
        writeln!(f, "links         {}", self.links)?;
        writeln!(f, "bytes         {}", self.bytes)?;
        writeln!(f, "seconds       {:.3}", self.elapsed.as_secs_f64())?;
        writeln!(f, "pages/second  {:.1}", self.pages_per_second())?;
        writeln!(f, "errors        {}", self.failed)?;
        for (name, class) in &self.classes {
            writeln!(f, "  {name}: {}", class.count)?;
            for line in &class.named {
                writeln!(f, "    {line}")?;
            }
            if class.count > class.named.len() {
                writeln!(f, "    and {} more", class.count - class.named.len())?;
            }
        }
        Ok(())
    }
}

/// Returns text from the network as it may be shown on a terminal: without control characters, and in one line.
///
/// # Examples
///
/// ```
/// use corio_crawl::report::printable;
///
/// assert_eq!(printable("plain ünïcode"), "plain ünïcode");
/// assert_eq!(printable("\u{1b}[2J\r\nx"), "\\u{1b}[2J\\r\\nx");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_direction(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// The marks that turn the direction of the text around them, or break the line.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
