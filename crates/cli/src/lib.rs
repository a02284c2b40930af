//! The command line of accredit: a server to start, files to bring in, and pages that explain what agents did.
//!
//! It is thin: every command opens a store (or asks a server), asks it for nouns of `accredit-model` and lays them out.
//! What this crate is not: it computes no score and no credit, knows no SQL and no HTTP beyond asking a server. Formats of
//! other programs end at its importers, which turn them into the same commands that every door speaks.
//!
//! Limits: `list` gives 100,000 actions at a time, a prefix of an id is looked for among the newest 20,000 actions, a line
//! of an imported file has at most 16 MiB, a single JSON document 256 MiB.
//!
//! ```
//! use clap::CommandFactory as _;
//!
//! let names: Vec<String> = accredit_cli::Cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
//! assert!(names.contains(&"why".to_owned()));
//! ```

mod bench;
mod cli;
mod command;
#[cfg(test)]
mod docs;
mod error;
mod exit;
mod import;
mod out;
mod page;
mod screen;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use cli::Cli;
use error::Error;
pub use exit::Exit;

/// Runs the program and answers its exit code.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors to clap's exit code, and a closed pipe is none to anybody.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Ok.code() });
        }
    };
    let mut out = out::Out::new();
    let result = command::run(&cli, &mut out).and_then(|exit| out.flush().map(|()| exit));
    let exit = match result {
        Ok(exit) => exit,
        Err(error) if error.is_closed_pipe() => Exit::Ok,
        Err(error) => {
            // What was printed before the failure comes before it.
            drop(out.flush());
            out::failure(&error);
            error.exit()
        }
    };
    ExitCode::from(exit.code())
}
