//! The one place that owns standard output and standard error.

use std::error::Error as _;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use crate::Error;

/// Standard output, buffered. Everything a command says goes through here.
pub(crate) struct Out {
    stdout: BufWriter<io::Stdout>,
}

impl Out {
    /// The process's own.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { stdout: BufWriter::with_capacity(64 * 1024, io::stdout()) }
    }

    /// Whether a person is looking.
    #[must_use]
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes a text as it is.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Error> {
        self.stdout.write_all(text.as_bytes()).map_err(Error::Output)
    }

    /// Writes one JSON value on a line of its own: indented for people, compact for programs.
    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let result = if self.is_terminal() {
            serde_json::to_writer_pretty(&mut self.stdout, value)
        } else {
            serde_json::to_writer(&mut self.stdout, value)
        };
        result.map_err(|error| Error::Output(error.into()))?;
        self.text("\n")
    }

    /// Sends what is buffered on its way.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.stdout.flush().map_err(Error::Output)
    }
}

impl Default for Out {
    fn default() -> Self {
        Self::new()
    }
}

/// Says something beside the output proper. A standard error that is gone has nobody to tell.
pub(crate) fn note(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Says on standard error why the command failed, and what can be done.
pub(crate) fn failure(error: &Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    note(&format!("error: {}", text.replace('\n', " ")));
    if let Some(help) = error.help() {
        note(&format!("help: {help}"));
    }
}
