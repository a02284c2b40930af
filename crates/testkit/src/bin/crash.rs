//! `crash --rounds N --seed S`: the crash harness; as `crash writer STORE SEED` its writer.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use accredit_testkit::crash::{Differences, Plan, WRITER, play, write};

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
    let (mut rounds, mut seed) = (20, 1);
    for option in args.chunks(2) {
        match option {
            ["--rounds", value] => rounds = value.parse()?,
            ["--seed", value] => seed = value.parse()?,
            _ => return Err("usage: crash [--rounds N] [--seed S]".into()),
        }
    }
    let folder = tempfile::tempdir()?;
    let binary = std::env::current_exe()?;
    let summary = play(&Plan { binary: &binary, folder: folder.path(), rounds, seed, damage: None })?;
    let mut stdout = std::io::stdout();
    let Differences { lost, wrong } = &summary.differences;
    for what in lost.iter().map(|what| format!("lost: {what}")).chain(wrong.iter().cloned()).take(20) {
        writeln!(stdout, "{what}")?;
    }
    let (acknowledged, sent_again) = (grouped(summary.acknowledged), grouped(summary.sent_again));
    writeln!(
        stdout,
        "crash: {} rounds, seed {seed}: {acknowledged} acknowledged entries, {} lost, {} problems; \
         {sent_again} commands sent again",
        summary.rounds,
        lost.len(),
        lost.len() + wrong.len(),
    )?;
    Ok(if summary.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A number with commas between thousands.
fn grouped(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        _ => format!("{},{:03}", grouped(n / 1_000), n % 1_000),
    }
}
