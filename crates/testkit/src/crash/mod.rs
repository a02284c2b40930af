//! The crash harness: a writer process is killed at random moments, its store is opened again, and everything that it
//! had acknowledged must be there.
//!
//! A round: the writer records from several threads and says on its standard output what it is about to send and what
//! was acknowledged; it is killed with SIGKILL; what it said is compared with the store; what it had sent without an
//! answer is sent again under the same keys and must be there once. The store lives through several rounds.
//!
//! SIGKILL leaves the operating system's cache in place, so this does not show what a power loss does: that rests on
//! the fsync that returns before every acknowledgement.

mod ledger;
mod writer;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use accredit::{Config, Engine};

use crate::Random;
pub use ledger::{Ledger, Line};
pub use writer::write;

/// The argument that makes the harness's binary a writer.
pub const WRITER: &str = "writer";

/// Rounds that one store lives through.
const ROUNDS_A_STORE: u64 = 8;

/// What the rounds came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rounds played.
    pub rounds: u64,
    /// Entries that had been acknowledged.
    pub acknowledged: u64,
    /// Commands that were sent again.
    pub sent_again: u64,
    /// What was lost or wrong, in words.
    pub problems: Vec<String>,
}

/// Plays rounds with `binary` as the writer, in `folder`; the same seed kills after the same times.
///
/// # Errors
/// When a writer cannot be started or a store cannot be opened at all.
pub fn rounds(binary: &Path, folder: &Path, n: u64, seed: u64) -> Result<Summary, String> {
    let mut random = Random::new(seed);
    let mut summary = Summary::default();
    let mut ledger = Ledger::default();
    for round in 0..n {
        if round % ROUNDS_A_STORE == 0 {
            ledger = Ledger::default();
        }
        let store = folder.join(format!("crash-{}.db", round / ROUNDS_A_STORE));
        let before = ledger.n_entries();
        let pause = Duration::from_millis(5 + random.below(395));
        for line in run_writer(binary, &store, random.bits(), pause)? {
            ledger.note(line);
        }
        summary.acknowledged += ledger.n_entries() - before;
        let engine = Engine::open(config(&store)).map_err(|error| format!("round {round}: open again: {error}"))?;
        let mut problems = ledger.compare(&engine);
        summary.sent_again += ledger.send_again(&engine, &mut problems);
        problems.extend(unsound(&engine));
        engine.close().map_err(|error| format!("round {round}: close: {error}"))?;
        summary.problems.extend(problems.into_iter().map(|problem| format!("round {round}: {problem}")));
        summary.rounds += 1;
        if !summary.problems.is_empty() {
            break;
        }
    }
    Ok(summary)
}

/// The configuration of writer and checker alike.
fn config(store: &Path) -> Config {
    Config { sweep_secs: 0, ..Config::at(store) }
}

/// Runs a writer until it is killed, and answers what it said.
fn run_writer(binary: &Path, store: &Path, seed: u64, pause: Duration) -> Result<Vec<Line>, String> {
    let mut command = Command::new(binary);
    command.arg(WRITER).arg(store).arg(seed.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("start {}: {error}", binary.display()))?;
    let stdout = child.stdout.take().ok_or("the writer has no standard output")?;
    let reader = std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout);
        let (mut said, mut line) = (Vec::new(), String::new());
        // A line without its end was cut by the kill: nobody has read that acknowledgement.
        while lines.read_line(&mut line).is_ok_and(|n| n > 0) && line.ends_with('\n') {
            said.push(serde_json::from_str::<Line>(&line).map_err(|error| format!("the writer said {line}: {error}")));
            line.clear();
        }
        said
    });
    std::thread::sleep(pause);
    child.kill().map_err(|error| format!("kill the writer: {error}"))?;
    child.wait().map_err(|error| format!("wait for the writer: {error}"))?;
    reader.join().map_err(|_| "the reader of the writer's output died".to_owned())?.into_iter().collect()
}

/// What `verify` and the counters complain about.
fn unsound(engine: &Engine) -> Vec<String> {
    let mut problems = Vec::new();
    match engine.verify(&mut |_, _| {}) {
        Ok(report) => problems.extend(report.problems.iter().map(|problem| format!("verify: {problem:?}"))),
        Err(error) => problems.push(format!("verify: {error}")),
    }
    match engine.stats() {
        Ok(stats) => {
            let closed = stats.completed + stats.timed_out + stats.evicted + stats.cancelled;
            let balanced = stats.begun == stats.open + closed
                && stats.received == stats.recorded + stats.refused_total
                && stats.experiences == stats.delivered + stats.pending + stats.dead;
            if !balanced {
                problems.push(format!("the counters do not balance: {stats:?}"));
            }
        }
        Err(error) => problems.push(format!("stats: {error}")),
    }
    problems
}
