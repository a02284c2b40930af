//! `crash --rounds N --seed S`: the crash harness; as `crash writer STORE SEED` its writer.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use accredit_testkit::crash::{WRITER, rounds, write};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            // A standard error that is gone has nobody to tell.
            drop(writeln!(std::io::stderr(), "crash: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    if let [WRITER, store, seed] = args {
        write(Path::new(store), seed.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut n, mut seed) = (20, 1);
    for option in args.chunks(2) {
        match option {
            ["--rounds", value] => n = value.parse()?,
            ["--seed", value] => seed = value.parse()?,
            _ => return Err("usage: crash [--rounds N] [--seed S]".into()),
        }
    }
    let folder = tempfile::tempdir()?;
    let summary = rounds(&std::env::current_exe()?, folder.path(), n, seed)?;
    let mut stdout = std::io::stdout();
    for problem in summary.problems.iter().take(20) {
        writeln!(stdout, "{problem}")?;
    }
    writeln!(
        stdout,
        "crash: {} rounds, seed {seed}: {} acknowledged entries, {} sent again, {} problems",
        summary.rounds,
        summary.acknowledged,
        summary.sent_again,
        summary.problems.len(),
    )?;
    Ok(if summary.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
