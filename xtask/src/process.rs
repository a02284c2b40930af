//! Running other programs.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How often a program with a time limit is looked at.
const POLL: Duration = Duration::from_millis(50);

/// The command line as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs to the end; the program talks to the same terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    expect_success(command, status)
}

/// Runs to the end, shows what the program says, and keeps the lines that `keep` picks.
pub(crate) fn run_keeping(command: &mut Command, keep: fn(&str) -> bool) -> Result<(Vec<String>, Result<()>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let stdout = child.stdout.take().map(|pipe| thread::spawn(move || forward(pipe, std::io::stdout(), keep)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || forward(pipe, std::io::stderr(), keep)));
    let status = child.wait()?;
    let readers = [stderr, stdout].into_iter().flatten();
    let kept = readers.flat_map(|reader| reader.join().unwrap_or_default()).collect();
    Ok((kept, expect_success(command, status)))
}

/// Runs to the end and returns what the program said; ends it when it takes longer than `limit`.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Result<Output> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| not_started(command, &error))?;
    let stdout = child.stdout.take().map(|pipe| thread::spawn(move || drain(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || drain(pipe)));
    let status = wait_within(&mut child, limit)?;
    let read = |reader: Option<thread::JoinHandle<Vec<u8>>>| reader.and_then(|it| it.join().ok()).unwrap_or_default();
    match status {
        Some(status) => Ok(Output { status, stdout: read(stdout), stderr: read(stderr) }),
        None => Err(format!("`{}` took longer than {} s and was ended", shown(command), limit.as_secs()).into()),
    }
}

/// Runs to the end on the same terminal; ends the program when it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|error| not_started(command, &error))?;
    match wait_within(&mut child, limit)? {
        Some(status) => expect_success(command, status),
        None => Err(format!("`{}` took longer than {} s and was ended", shown(command), limit.as_secs()).into()),
    }
}

/// Waits for the end; `None` when the limit came first, and then the program is killed.
pub(crate) fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn expect_success(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command)).into()) }
}

fn not_started(command: &Command, error: &std::io::Error) -> Error {
    format!("`{}` did not start: {error}", shown(command)).into()
}

fn drain(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A broken pipe means that the program ended; what it said so far is what there is.
    pipe.read_to_end(&mut bytes).map(|_| ()).unwrap_or_default();
    bytes
}

fn forward(pipe: impl Read, mut to: impl Write, keep: fn(&str) -> bool) -> Vec<String> {
    let mut kept = Vec::new();
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|n_bytes| n_bytes > 0) {
        let text = String::from_utf8_lossy(&line);
        // Nobody reads any more: the program is still read to its end, or it would block.
        to.write_all(text.as_bytes()).and_then(|()| to.flush()).unwrap_or_default();
        if keep(&text) {
            kept.push(text.trim_end().to_owned());
        }
        line.clear();
    }
    kept
}
