//! What the user names: addresses, or a directory.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use url::Url;

/// Why there is nothing to crawl: the user's mistake, told in one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeedError {
    /// An address is none.
    Address {
        /// Where it stands: an argument, or a line of a file.
        place: Place,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of addresses cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The file of addresses holds none.
    Empty(PathBuf),
    /// What is to be served is no directory.
    NoDirectory(PathBuf),
}

/// Where an address was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Among the arguments.
    Argument,
    /// In a file, at this line, counted from 1.
    Line(PathBuf, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Argument => Ok(()),
            Place::Line(file, line) => write!(f, "{}, line {line}: ", file.display()),
        }
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeedError::Address { place, text, reason } => {
                write!(f, "{place}{} is no address to crawl: {reason}", text.escape_debug())
            }
            SeedError::Unreadable(file, error) => write!(f, "cannot read {}: {error}", file.display()),
            SeedError::NoDirectory(path) => write!(f, "cannot serve {}: it is no directory", path.display()),
            SeedError::Empty(file) => write!(f, "{} holds no address", file.display()),
        }
    }
}

impl std::error::Error for SeedError {}

/// Reads one address.
///
/// # Errors
///
/// [`SeedError::Address`] if it is none, or not one of http or https.
pub fn address(text: &str, place: Place) -> Result<Url, SeedError> {
    let wrong = |reason: String| SeedError::Address { place: place.clone(), text: text.to_owned(), reason };
    let mut url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => wrong("it does not begin with http:// or https://".to_owned()),
        error => wrong(error.to_string()),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("{} is neither http nor https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it bears a user name or password".to_owned()));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Reads the addresses of a file, one a line; `-` is standard input. Empty lines and comments, from `#`, are skipped.
///
/// # Errors
///
/// If the file cannot be read, holds no address, or one that is none.
pub fn addresses_of(file: &Path) -> Result<Vec<Url>, SeedError> {
    let text = read(file).map_err(|error| SeedError::Unreadable(file.to_owned(), error))?;
    let lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim).enumerate();
    let addresses = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let addresses = addresses.map(|(index, line)| address(line, Place::Line(file.to_owned(), index + 1)));
    let addresses: Vec<Url> = addresses.collect::<Result<_, _>>()?;
    if addresses.is_empty() { Err(SeedError::Empty(file.to_owned())) } else { Ok(addresses) }
}

fn read(file: &Path) -> io::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}
