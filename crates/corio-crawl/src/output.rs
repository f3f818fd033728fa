//! Where the rows go.

use crate::tsv;
use corio::{Queue, to_thread};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// How many bytes are gathered for one write, at most; rows that have come are written at once, however few.
const BATCH: usize = 256 * 1024;

/// A file, or standard output, that rows are written to.
pub struct Output {
    name: String,
    file: Box<dyn Write + Send>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The output cannot be written.
#[derive(Debug)]
pub struct OutputError {
    name: String,
    error: io::Error,
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.name, self.error)
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl Output {
    /// Creates `file`, or empties it; without one, takes standard output.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    pub fn open(file: Option<&Path>) -> Result<Output, OutputError> {
        let Some(path) = file else {
            return Ok(Output { name: "standard output".to_owned(), file: Box::new(io::stdout()) });
        };
        let name = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Output { name, file: Box::new(file) }),
            Err(error) => Err(OutputError { name, error }),
        }
    }

    /// Writes the header, and then whatever blocks of rows come, until `rows` is shut down and empty.
    ///
    /// The writing is done in the thread pool: a slow disk, or a pipe that nobody reads, does not hold up the loop.
    ///
    /// # Errors
    ///
    /// If something cannot be written. What was written before stays.
    pub async fn write_rows(mut self, rows: &Queue<Vec<u8>>) -> Result<(), OutputError> {
        self = self.write(tsv::HEADER.into()).await?;
        while let Ok(mut batch) = rows.get().await {
            while batch.len() < BATCH {
                let Ok(more) = rows.get_nowait() else { break };
                batch.extend_from_slice(&more);
            }
            self = self.write(batch).await?;
        }
        Ok(())
    }

    /// Writes one batch and flushes it, so that whole rows are out whenever the program ends.
    async fn write(mut self, batch: Vec<u8>) -> Result<Output, OutputError> {
        let name = self.name.clone();
        let written = to_thread(move || match self.file.write_all(&batch).and_then(|()| self.file.flush()) {
            Ok(()) => Ok(self),
            Err(error) => Err(error),
        });
        let written = written.await.unwrap_or_else(|lost| Err(io::Error::other(lost)));
        written.map_err(|error| OutputError { name, error })
    }
}
