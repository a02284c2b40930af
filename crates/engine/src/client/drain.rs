//! The thread that sends what waits on disk.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use accredit_model::{Attribution, Command, Revision};

use super::Client;
use super::pace::Pace;
use super::send::{Delivered, Line, LineAnswer, Pause};
use super::spool::Batch;
use super::target::Shared;
use crate::Error;

/// How often it looks for what other processes have left.
const ADOPT_EVERY: Duration = Duration::from_secs(10);

/// Sends until the target is closed, and then while the server takes what waits.
pub(super) fn run(shared: &Shared, mut pace: Pace) {
    let _over = Over(shared);
    while let Some(batch) = next(shared, &mut pace) {
        let lines = lines_of(&batch);
        let Delivered { answers, pause } = deliver(&shared.client, &lines);
        let n = answers.iter().take_while(|answer| answer.is_some()).count();
        let mut state = shared.state();
        // Those behind the first without an answer are sent again, and counted then.
        answers.iter().take(n).flatten().for_each(|answer| state.count(answer, true));
        let pause = match state.spool.advance(&batch, n) {
            Ok(()) => pause,
            Err(source) => Some(trouble(state.spool.folder(), source)),
        };
        drop(state);
        match pause {
            None => {
                pace.succeeded();
                shared.state().stats.is_away = false;
            }
            Some(pause) => rest(shared, &mut pace, &pause),
        }
    }
}

/// Says that nothing is sent any more, also where the thread dies of a bug: then nothing more is taken either.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the thread that sends what waits on disk has died of a bug; nothing more is recorded");
        }
        let mut state = self.0.state();
        state.is_over = true;
        state.spool.locks().give_all();
        self.0.changed.notify_all();
    }
}

/// Waits for something to send; `None` at the end.
fn next(shared: &Shared, pace: &mut Pace) -> Option<Batch> {
    loop {
        let mut state = shared.state();
        if let Some(pause) = state.pause.take() {
            drop(state);
            rest(shared, pace, &pause);
            continue;
        }
        match state.spool.peek() {
            Ok(Some(batch)) => match state.closing {
                Some(until) if Instant::now() >= until => return None,
                _ => return Some(batch),
            },
            Ok(None) if state.closing.is_some() => return None,
            Ok(None) => {
                let waited = shared.changed.wait_timeout(state, ADOPT_EVERY).unwrap_or_else(PoisonError::into_inner);
                let (mut state, timeout) = waited;
                if timeout.timed_out()
                    && let Err(error) = state.spool.adopt()
                {
                    tracing::warn!(%error, "cannot look for what other processes have left");
                }
            }
            Err(source) => {
                let pause = trouble(state.spool.folder(), source);
                drop(state);
                rest(shared, pace, &pause);
                if shared.state().closing.is_some() {
                    return None;
                }
            }
        }
    }
}

/// Waits until it is time for another attempt. Who closes does not wait for one.
fn rest(shared: &Shared, pace: &mut Pace, pause: &Pause) {
    let wait = pace.failed(pause.retry_after);
    let until = Instant::now() + wait;
    let mut state = shared.state();
    state.failed(&pause.error);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if state.closing.is_some() {
            state.closing = Some(Instant::now());
            return;
        }
        if left.is_zero() {
            return;
        }
        state = shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn trouble(folder: &std::path::Path, source: std::io::Error) -> Pause {
    Pause::from(Error::Spool { folder: folder.to_owned(), source: std::sync::Arc::new(source) })
}

/// What stands in the spool was written by us: a line that cannot be read as a command is refused as any other would be.
fn lines_of(batch: &Batch) -> Vec<Result<Line, LineAnswer>> {
    let read = |text: &String| match Command::from_json(text) {
        Ok(command) => Ok(Line { text: text.clone(), command }),
        Err(error) => Err(LineAnswer::Refused { reason: error.reason.code().to_owned(), detail: error.detail }),
    };
    batch.commands.iter().map(read).collect()
}

/// Sends lines; a revision by itself, after asking whether it is the one that stands: sent twice it would be made twice.
fn deliver(client: &Client, lines: &[Result<Line, LineAnswer>]) -> Delivered {
    let mut answers: Vec<Option<LineAnswer>> = Vec::with_capacity(lines.len());
    let mut run: Vec<Line> = Vec::new();
    let mut places = Vec::new();
    let flush = |run: &mut Vec<Line>, places: &mut Vec<usize>, answers: &mut Vec<Option<LineAnswer>>| {
        let Delivered { answers: got, pause } = client.deliver(run);
        for (place, answer) in places.drain(..).zip(got) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        run.clear();
        pause
    };
    for line in lines {
        let place = answers.len();
        let line = match line {
            Err(refused) => {
                answers.push(Some(refused.clone()));
                continue;
            }
            Ok(line) => line,
        };
        answers.push(None);
        if let Command::Revise { action_id, revision } = &line.command {
            if let Some(pause) = flush(&mut run, &mut places, &mut answers) {
                return Delivered { answers, pause: Some(pause) };
            }
            if client.attribution(*action_id, None).is_ok_and(|standing| stands(revision, &standing)) {
                answers[place] = Some(LineAnswer::Stored { repeat: true });
                continue;
            }
        }
        run.push(Line { text: line.text.clone(), command: line.command.clone() });
        places.push(place);
    }
    let pause = flush(&mut run, &mut places, &mut answers);
    Delivered { answers, pause }
}

/// Whether this revision is what the attribution rests on.
fn stands(revision: &Revision, standing: &Attribution) -> bool {
    standing.version > 1
        && standing.reason == revision.reason
        && revision.outcome.as_ref().is_none_or(|outcome| *outcome == standing.outcome)
        && revision.reward.is_none_or(|reward| standing.reward == Some(reward))
}
