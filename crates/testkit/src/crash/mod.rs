//! The crash harness: a writer process is killed at random moments, its store is opened again, and everything that it
//! had acknowledged must be there, as it was, where it was; what nobody sent must not.
//!
//! A round: the writer records from several threads and says on its standard output what it is about to send and what
//! was answered; it is killed with SIGKILL; what it said is compared with the store, read beside no writer; in every
//! other round the store is then opened for writing, what had no answer is sent again under the same ids and keys, and
//! must be there once. In the other rounds the next writer finds the store as the kill left it. A store lives through
//! several rounds, and some of them end while it is just being made or opened.
//!
//! SIGKILL leaves the operating system's cache in place, so this does not show what a power loss does: that rests on
//! the fsync that returns before every acknowledgement, and on the tests of torn files in `accredit-store`.

mod compare;
mod ledger;
mod line;
mod writer;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use accredit::{Config, Engine, VerifyReport};

use crate::Random;
pub use compare::Differences;
pub use ledger::Ledger;
pub use line::{Line, Reply};
pub use writer::write;

/// The argument that makes the harness's binary a writer.
pub const WRITER: &str = "writer";

/// Rounds that one store lives through.
const ROUNDS_A_STORE: u64 = 8;
/// A writer that has said nothing after this time hangs.
const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// What is done.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The harness's own binary, which is the writer too.
    pub binary: &'a Path,
    /// Where the stores lie.
    pub folder: &'a Path,
    /// How many rounds.
    pub rounds: u64,
    /// The same seed kills after the same times.
    pub seed: u64,
    /// Done to the store after each kill: how a test shows that the harness can fail.
    pub damage: Option<fn(&Path)>,
}

/// What the rounds came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rounds played.
    pub rounds: u64,
    /// Entries that had been acknowledged.
    pub acknowledged: u64,
    /// Commands that were sent again.
    pub sent_again: u64,
    /// What was lost or wrong, in words. The first round that finds something is the last.
    pub differences: Differences,
}

/// Plays the rounds.
///
/// # Errors
/// When a writer cannot be started or says what cannot be understood.
pub fn play(plan: &Plan<'_>) -> Result<Summary, String> {
    let mut random = Random::new(plan.seed);
    let mut summary = Summary::default();
    let mut ledger = Ledger::default();
    for round in 0..plan.rounds {
        if round % ROUNDS_A_STORE == 0 {
            ledger = Ledger::default();
        }
        let store = plan.folder.join(format!("crash-{}.db", round / ROUNDS_A_STORE));
        let n_before = ledger.n_entries();
        let found = one_round(plan, &store, &mut random, &mut ledger, &mut summary)?;
        summary.acknowledged += ledger.n_entries() - n_before;
        summary.rounds += 1;
        let named = |what: Vec<String>| what.into_iter().map(|what| format!("round {round}: {what}")).collect();
        summary.differences = Differences { lost: named(found.lost), wrong: named(found.wrong) };
        if !summary.differences.is_empty() {
            break;
        }
    }
    Ok(summary)
}

fn one_round(
    plan: &Plan<'_>,
    store: &Path,
    random: &mut Random,
    ledger: &mut Ledger,
    summary: &mut Summary,
) -> Result<Differences, String> {
    let kill = match random.below(6) {
        0 => Kill::AfterStart(Duration::from_micros(random.below(30_000))),
        _ => Kill::AfterAnswer(Duration::from_millis(5 + random.below(395))),
    };
    for line in run_writer(plan.binary, store, random.bits(), kill)? {
        ledger.note(line)?;
    }
    if let Some(damage) = plan.damage {
        damage(store);
    }
    let mut found = Differences::default();
    // Where nothing was acknowledged, there may be no store yet.
    if ledger.knows_actions() {
        found.extend(look(Config::read_only(store), ledger));
    }
    if found.is_empty() && random.below(2) == 0 {
        match Engine::open(config(store)) {
            Ok(engine) => {
                summary.sent_again += ledger.send_again(&engine)?;
                found.extend(look_with(&engine, ledger));
                engine.close().map_err(|error| format!("close the store: {error}"))?;
            }
            Err(error) => found.extend(Differences::wrong(format!("the store cannot be opened: {error}"))),
        }
    }
    Ok(found)
}

/// The configuration of writers.
fn config(store: &Path) -> Config {
    Config { sweep_secs: 0, ..Config::at(store) }
}

fn look(config: Config, ledger: &mut Ledger) -> Differences {
    match Engine::open(config) {
        Ok(engine) => look_with(&engine, ledger),
        Err(error) => Differences { lost: vec![format!("the store: {error}")], ..Differences::default() },
    }
}

/// Everything that was said, and everything that the store says of itself.
fn look_with(engine: &Engine, ledger: &mut Ledger) -> Differences {
    let mut found = ledger
        .compare(engine)
        .unwrap_or_else(|error| Differences { lost: vec![format!("what cannot be read: {error}")], wrong: vec![] });
    match engine.verify(&mut |_, _| {}) {
        Ok(report) => {
            found.wrong.extend(report.problems.iter().map(|problem| format!("verify: {problem:?}")));
            found.wrong.extend(unbalanced(engine, &report));
        }
        Err(error) => found.wrong.push(format!("verify: {error}")),
    }
    found
}

/// The identities of the counters, and the counters against what was found.
fn unbalanced(engine: &Engine, report: &VerifyReport) -> Option<String> {
    let stats = match engine.stats() {
        Ok(stats) => stats,
        Err(error) => return Some(format!("stats: {error}")),
    };
    let closed = stats.completed + stats.timed_out + stats.evicted + stats.cancelled;
    let balanced = stats.begun == stats.open + closed
        && stats.received == stats.recorded + stats.refused_total
        && stats.experiences == stats.delivered + stats.pending + stats.dead
        && (stats.begun, stats.open, stats.recorded) == (report.actions, report.open, report.entries);
    (!balanced).then(|| format!("the counters do not balance: {stats:?} {report:?}"))
}

/// When the writer is killed.
#[derive(Clone, Copy)]
enum Kill {
    /// So long after it was started, whatever it does then.
    AfterStart(Duration),
    /// So long after it first acknowledged something.
    AfterAnswer(Duration),
}

/// Runs a writer until it is killed, and answers what it said.
fn run_writer(binary: &Path, store: &Path, seed: u64, kill: Kill) -> Result<Vec<Line>, String> {
    let mut command = Command::new(binary);
    command.arg(WRITER).arg(store).arg(seed.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("start {}: {error}", binary.display()))?;
    let stdout = child.stdout.take().ok_or("the writer has no standard output")?;
    let (answered, first_answer) = channel();
    let reader = std::thread::spawn(move || read_lines(stdout, &answered));
    let waited = wait(kill, &first_answer);
    let ended = end(&mut child);
    let said = reader.join().map_err(|_| "the reader of the writer's output died".to_owned())?;
    waited.and(ended).and(said)
}

fn wait(kill: Kill, first_answer: &Receiver<()>) -> Result<(), String> {
    let pause = match kill {
        Kill::AfterStart(pause) => pause,
        Kill::AfterAnswer(pause) => {
            first_answer.recv_timeout(FIRST_ANSWER).map_err(|_| "the writer acknowledged nothing".to_owned())?;
            pause
        }
    };
    std::thread::sleep(pause);
    Ok(())
}

/// Kills the writer. One that has ended by itself failed, and has said why on the standard error.
fn end(child: &mut Child) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("end the writer: {error}");
    if let Some(status) = child.try_wait().map_err(failed)? {
        return Err(format!("the writer ended by itself: {status}"));
    }
    child.kill().map_err(failed)?;
    child.wait().map(drop).map_err(failed)
}

/// Reads to the end of the pipe, and tells of the first answer.
fn read_lines(stdout: ChildStdout, answered: &Sender<()>) -> Result<Vec<Line>, String> {
    let mut lines = BufReader::new(stdout);
    let (mut said, mut text) = (Vec::new(), String::new());
    let mut has_answered = false;
    // A line without its end was cut by the kill: nobody has read that acknowledgement.
    while lines.read_line(&mut text).is_ok_and(|n| n > 0) && text.ends_with('\n') {
        let line: Line = serde_json::from_str(&text).map_err(|error| format!("the writer said {text}: {error}"))?;
        if line.is_answer() && !has_answered {
            has_answered = true;
            // Nobody waits for it where the kill has its own time.
            answered.send(()).unwrap_or_default();
        }
        said.push(line);
        text.clear();
    }
    Ok(said)
}
