//! Commands as lines of `POST /v1/ingest`, and what becomes of each.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::time::Duration;

use accredit_guard::{Guard, Limits};
use accredit_model::{Command, Refusal, RefusalReason};
use serde::Deserialize;

use super::{Client, Failed, answered, unreachable};
use crate::Error;

/// Commands of one request at most.
const BATCH_COMMANDS_MAX: usize = 1_024;
/// Bytes of one request at most; the last line may reach beyond.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Bytes of one line at most: what a server takes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes of all answers to one request at most.
const ANSWERS_BYTES_MAX: u64 = 64 << 20;

const PATH: &str = "/v1/ingest";

/// What the server answered to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineAnswer {
    /// It has it.
    Stored {
        /// It had it before.
        repeat: bool,
    },
    /// It does not take it, now or later.
    Refused {
        /// The stable code that it is counted under.
        reason: String,
        /// What was wrong.
        detail: String,
    },
}

/// One line of the answer.
#[derive(Deserialize)]
struct Answered {
    ok: bool,
    #[serde(default)]
    repeat: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    detail: String,
}

/// A command ready to be sent.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) command: Command,
}

/// What became of lines that were sent. Of those without an answer nobody knows.
pub(super) struct Delivered {
    pub(super) answers: Vec<Option<LineAnswer>>,
    /// Why there are lines without an answer.
    pub(super) pause: Option<Pause>,
}

/// Why, and when to go on where the server said so.
pub(super) struct Pause {
    pub(super) error: Error,
    pub(super) retry_after: Option<Duration>,
}

impl From<Failed> for Pause {
    fn from(Failed { error, retry_after }: Failed) -> Self {
        Self { error, retry_after }
    }
}

impl From<Error> for Pause {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

impl Line {
    /// Writes a command as a line. One that is longer than a server takes is cut to the default limits, as the server would
    /// have cut it.
    pub(super) fn new(command: Command) -> Result<Self, Refusal> {
        if !is_finite(&command) {
            return Err(Refusal::new(RefusalReason::InvalidNumber, "a number is not a finite number"));
        }
        let text = text_of(&command)?;
        if text.len() <= LINE_BYTES_MAX {
            return Ok(Self { text, command });
        }
        let command = cut(command)?;
        let text = text_of(&command)?;
        if text.len() > LINE_BYTES_MAX {
            let detail = format!("a command has at most {LINE_BYTES_MAX} bytes as JSON");
            return Err(Refusal::new(RefusalReason::InvalidField, detail));
        }
        Ok(Self { text, command })
    }
}

fn text_of(command: &Command) -> Result<String, Refusal> {
    let text = serde_json::to_string(command)
        .map_err(|_| Refusal::new(RefusalReason::InvalidField, "the command cannot be written as JSON"))?;
    // Between the tokens of a payload a line break means as much as a space; inside text it is escaped.
    Ok(if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text })
}

/// JSON has no word for other numbers: they would be written as not given.
fn is_finite(command: &Command) -> bool {
    let finite = |numbers: &[Option<f64>]| numbers.iter().flatten().all(|number| number.is_finite());
    match command {
        Command::Step { step, .. } => {
            let usage = step.usage.unwrap_or_default();
            finite(&[step.confidence, step.propensity, step.reward, usage.cost_usd, usage.latency_ms])
        }
        Command::Observe { observation, .. } => finite(&[observation.confidence, observation.score]),
        Command::Complete { completion, .. } => finite(&[completion.reward]),
        Command::Revise { revision, .. } => finite(&[revision.reward]),
        Command::Begin(_) | Command::Cancel { .. } | Command::Heartbeat { .. } => true,
    }
}

fn cut(command: Command) -> Result<Command, Refusal> {
    let guard = Guard::new(Limits::default());
    Ok(match command {
        Command::Begin(begin) => Command::Begin(guard.begin(begin)?.into_parts().0),
        Command::Step { action_id, step } => Command::Step { action_id, step: guard.step(step)?.into_parts().0 },
        Command::Observe { action_id, observation } => {
            Command::Observe { action_id, observation: guard.observation(observation)?.into_parts().0 }
        }
        Command::Complete { action_id, completion } => {
            Command::Complete { action_id, completion: guard.completion(completion)?.into_parts().0 }
        }
        Command::Revise { action_id, revision } => {
            Command::Revise { action_id, revision: guard.revision(revision)?.into_parts().0 }
        }
        Command::Cancel { action_id, cancel } => {
            Command::Cancel { action_id, cancel: guard.cancel(cancel)?.into_parts().0 }
        }
        Command::Heartbeat { action_id } => Command::Heartbeat { action_id },
    })
}

/// Cuts lines into requests, in order.
fn batches(lines: &[Line]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        if at > start && (at - start >= BATCH_COMMANDS_MAX || bytes + line.text.len() > BATCH_BYTES_MAX) {
            batches.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += line.text.len() + 1;
    }
    if start < lines.len() {
        batches.push(start..lines.len());
    }
    batches
}

/// Whether what a request carries is what the server does not take, so that repeating it is of no use.
const fn is_about_the_body(error: &Error) -> bool {
    matches!(error, Error::Answered { status: 400 | 413 | 422, .. })
}

/// Whether a line's reason is the server's own trouble, which passes.
fn passes(reason: &str) -> bool {
    ["overloaded", "contended", "store_unavailable", "closed", "poisoned", "internal", "read_only"].contains(&reason)
}

impl Client {
    /// Sends commands in their order, in batches, once. One answer each.
    ///
    /// # Errors
    /// When the server does not answer to all of them. How many of them it has taken is not known then: entries with an
    /// `idempotency_key`, begins with an `action_id`, completions and cancellations may be sent again.
    pub fn send(&self, commands: Vec<Command>) -> Result<Vec<LineAnswer>, Error> {
        let mut answers: Vec<Option<LineAnswer>> = Vec::with_capacity(commands.len());
        let mut lines = Vec::new();
        for command in commands {
            answers.push(match Line::new(command) {
                Ok(line) => {
                    lines.push(line);
                    None
                }
                Err(Refusal { reason, detail }) => {
                    Some(LineAnswer::Refused { reason: reason.code().to_owned(), detail })
                }
            });
        }
        let Delivered { answers: delivered, pause } = self.deliver(&lines);
        if let Some(Pause { error, .. }) = pause {
            return Err(error);
        }
        let mut delivered = delivered.into_iter().flatten();
        let all: Option<Vec<LineAnswer>> =
            answers.into_iter().map(|answer| answer.or_else(|| delivered.next())).collect();
        all.ok_or(Error::Bug("EN-4: every line that was sent has an answer"))
    }

    /// Sends lines in their order until something comes in between.
    pub(super) fn deliver(&self, lines: &[Line]) -> Delivered {
        let mut answers: Vec<Option<LineAnswer>> = vec![None; lines.len()];
        let mut left = batches(lines);
        left.reverse();
        while let Some(range) = left.pop() {
            let sent = &lines[range.clone()];
            let (got, trouble) = self.ingest(sent);
            let troubled = settle(sent, &got, &mut answers[range.clone()]);
            match trouble {
                Some(pause) if is_about_the_body(&pause.error) && range.len() > 1 => {
                    let middle = range.start + range.len() / 2;
                    left.push(middle..range.end);
                    left.push(range.start..middle);
                }
                Some(Pause { error: Error::Answered { status: 400 | 413 | 422, code, detail }, .. }) => {
                    let reason = if code.is_empty() { "rejected".to_owned() } else { code };
                    answers[range.start] = Some(LineAnswer::Refused { reason, detail });
                }
                Some(pause) => return Delivered { answers, pause: Some(pause) },
                None => {
                    if let Some(pause) = troubled {
                        return Delivered { answers, pause: Some(pause) };
                    }
                }
            }
        }
        Delivered { answers, pause: None }
    }

    /// One request: the answers that came, and why not all did.
    fn ingest(&self, lines: &[Line]) -> (Vec<Answered>, Option<Pause>) {
        let url = format!("{}{PATH}", self.base);
        let mut body = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
        for line in lines {
            body.push_str(&line.text);
            body.push('\n');
        }
        let mut answers = Vec::with_capacity(lines.len());
        let posted = self.begin_post(PATH, "application/x-ndjson", &body);
        let answer = match posted.map_err(Pause::from).and_then(|answer| answered(&url, answer).map_err(Pause::from)) {
            Ok(answer) => answer,
            Err(pause) => return (answers, Some(pause)),
        };
        let reader = answer.into_body().into_with_config().limit(ANSWERS_BYTES_MAX).reader();
        // What came before the answer broke off counts: those lines are stored.
        for line in BufReader::new(reader).lines() {
            let line = match line {
                Ok(line) => line,
                Err(source) => return (answers, Some(unreachable(&url, source).into())),
            };
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(&line) {
                Ok(answer) if answers.len() < lines.len() => answers.push(answer),
                Ok(_) => break,
                Err(source) => {
                    let error = Error::Protocol { url, source: std::sync::Arc::new(source) };
                    return (answers, Some(error.into()));
                }
            }
        }
        if answers.len() < lines.len() {
            let source = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the answer broke off");
            return (answers, Some(unreachable(&url, source).into()));
        }
        (answers, None)
    }
}

/// Puts the answers that are final. Lines that met the server's own trouble stay without one, and so do lines of the same
/// action that were refused after it: they may have been refused because of it.
fn settle(lines: &[Line], got: &[Answered], answers: &mut [Option<LineAnswer>]) -> Option<Pause> {
    let mut troubled = Vec::new();
    let mut pause = None;
    for ((line, got), answer) in lines.iter().zip(got).zip(answers) {
        let id = line.command.action_id();
        *answer = if got.ok {
            Some(LineAnswer::Stored { repeat: got.repeat })
        } else if passes(&got.reason) || troubled.contains(&id) {
            troubled.push(id);
            pause.get_or_insert_with(|| {
                let (code, detail) = (got.reason.clone(), got.detail.clone());
                Pause::from(Error::Answered { status: 503, code, detail })
            });
            None
        } else {
            Some(LineAnswer::Refused { reason: got.reason.clone(), detail: got.detail.clone() })
        };
    }
    pause
}
