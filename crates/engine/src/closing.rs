//! Closing actions and revising what they earned.

use std::time::{Duration, Instant};

use accredit_model::{
    Action, ActionId, Attribution, Cancel, Closing, Completion, EventBody, JsonObject, RefusalReason, Revision, Status,
    Timestamp, rounded_duration,
};
use accredit_store::{Amend, Answer, Chain, Close, SealedChain, Write};
use serde_json::{Value, json};

use crate::attribute::{Judged, duration_micros, stored};
use crate::engine::Inner;
use crate::record::refusal;
use crate::{Engine, Error};

/// How long a closing, a revision or a late observation waits for another change of the same action.
pub(crate) const CONTENTION_MAX: Duration = Duration::from_secs(30);

impl Engine {
    /// Closes an action with its outcome and attributes it. The same completion again answers the same attribution,
    /// with `repeat` set. After a time-out or an eviction it is taken as a revision: no real outcome is thrown away.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the action stands completed with another outcome; a refusal; a store that fails.
    pub fn complete(&self, id: ActionId, completion: Completion) -> Result<Attribution, Error> {
        let (completion, _) = self.inner.guard.completion(completion)?.into_parts();
        match self.inner.freeze(id)? {
            Frozen::Open(frozen) => {
                let outcome = completion.outcome.unwrap_or_default();
                frozen.close(Closing::Completed, outcome, completion.reward, completion.at)
            }
            Frozen::Closed => self.inner.complete_again(id, &completion),
        }
    }

    /// Changes the outcome of a closed action: a new version of its attribution.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the action is open; a refusal; a store that fails.
    pub fn revise(&self, id: ActionId, revision: Revision) -> Result<Attribution, Error> {
        let (revision, _) = self.inner.guard.revision(revision)?.into_parts();
        self.inner.revise(id, &revision)
    }

    /// Closes an action without an outcome.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is closed in another way; a store that fails.
    pub fn cancel(&self, id: ActionId, cancel: Cancel) -> Result<Attribution, Error> {
        let (cancel, _) = self.inner.guard.cancel(cancel)?.into_parts();
        match self.inner.freeze(id)? {
            Frozen::Open(frozen) => {
                let mut outcome = engine_outcome(Closing::Cancelled);
                if let Some(reason) = cancel.reason {
                    outcome.insert("reason".to_owned(), Value::String(reason));
                }
                frozen.close(Closing::Cancelled, outcome, None, None)
            }
            Frozen::Closed => {
                let standing = self.attribution(id, None)?;
                match standing.closing {
                    Closing::Cancelled => Ok(Attribution { repeat: true, ..standing }),
                    _ => Err(Error::Conflict {
                        action_id: id,
                        detail: "is closed already; revise its outcome if it was wrong",
                    }),
                }
            }
        }
    }
}

/// What freezing an action led to.
pub(crate) enum Frozen<'a> {
    /// It was open and takes no entries now.
    Open(Box<FrozenAction<'a>>),
    /// It is closed.
    Closed,
}

/// An action that takes no entries while it is being closed; dropped without a close, it takes them again.
pub(crate) struct FrozenAction<'a> {
    inner: &'a Inner,
    action: Action,
    begun: Timestamp,
    is_closed: bool,
    /// Its completion is durable: it is never thawed.
    is_accepted: bool,
}

impl Drop for FrozenAction<'_> {
    fn drop(&mut self) {
        if !self.is_closed
            && !self.is_accepted
            && let Err(error) = self.inner.submit_one(Write::Thaw { action: self.action.action_id })
        {
            tracing::error!(%error, "an action that could not be closed stays frozen until the next start");
        }
    }
}

impl Inner {
    /// Stops the action from taking entries; waits while somebody else does the same.
    pub(crate) fn freeze(&self, id: ActionId) -> Result<Frozen<'_>, Error> {
        let deadline = Instant::now() + CONTENTION_MAX;
        loop {
            match self.submit_one(Write::Freeze { action: id })? {
                Answer::Frozen(action, begun) => {
                    let frozen =
                        FrozenAction { inner: self, action: *action, begun, is_closed: false, is_accepted: false };
                    return Ok(Frozen::Open(Box::new(frozen)));
                }
                Answer::Refused(RefusalReason::ClosedAction) => return Ok(Frozen::Closed),
                Answer::Refused(reason) => return Err(refusal(reason).into()),
                _ => pause(id, deadline)?,
            }
        }
    }

    /// Closes an open action that its agent did not close; `None` where it has been closed meanwhile.
    pub(crate) fn close_by_engine(&self, id: ActionId, closing: Closing) -> Result<Option<Attribution>, Error> {
        match self.freeze(id)? {
            Frozen::Open(frozen) => frozen.close(closing, engine_outcome(closing), None, None).map(Some),
            Frozen::Closed => Ok(None),
        }
    }

    /// A completion of an action that is closed: a repeat, a conflict, or the truth after an engine closing.
    fn complete_again(&self, id: ActionId, completion: &Completion) -> Result<Attribution, Error> {
        let standing = self.attribution(id, None)?;
        match standing.closing {
            Closing::TimedOut | Closing::Evicted if self.config.compat => {
                Err(refusal(RefusalReason::ClosedAction).into())
            }
            Closing::TimedOut | Closing::Evicted => {
                let truth = Revision {
                    outcome: Some(completion.outcome.clone().unwrap_or_default()),
                    reward: completion.reward,
                    reason: Some(format!("completed after it had been closed as {}", standing.closing.code())),
                    at: completion.at,
                };
                self.revise(id, &truth)
            }
            Closing::Completed if is_same(&standing, completion) => Ok(Attribution { repeat: true, ..standing }),
            // A client that sends its completion again after somebody revised it has done nothing wrong.
            Closing::Completed if standing.version > 1 && is_same(&self.attribution(id, Some(1))?, completion) => {
                Ok(Attribution { repeat: true, ..standing })
            }
            Closing::Completed | Closing::Cancelled => Err(Error::Conflict {
                action_id: id,
                detail: "is closed with another outcome; call revise_outcome (POST …/revise) to change it",
            }),
        }
    }

    fn revise(&self, id: ActionId, revision: &Revision) -> Result<Attribution, Error> {
        let deadline = Instant::now() + CONTENTION_MAX;
        loop {
            let mut action = self.action(id)?;
            if action.status == Status::Open {
                // Its completion may be accepted and not attributed yet.
                self.closer.wait_done();
                action = self.action(id)?;
            }
            if action.status == Status::Open {
                return Err(Error::Conflict { action_id: id, detail: "is open; complete it first, then revise" });
            }
            let chain = self.stored_chain(id)?;
            let standing = self.attribution(id, None)?;
            if let Some(attribution) = self.try_revise(&action, &chain, &standing, revision)? {
                return Ok(attribution);
            }
            pause(id, deadline)?;
        }
    }

    /// One attempt; `None` when somebody else was faster.
    fn try_revise(
        &self,
        action: &Action,
        chain: &Chain,
        standing: &Attribution,
        revision: &Revision,
    ) -> Result<Option<Attribution>, Error> {
        let now = self.now();
        // Whoever knows the outcome knows that the action was completed, whatever the engine had thought.
        let is_truth = revision.outcome.is_some() && standing.closing != Closing::Completed;
        let closing = if is_truth { Closing::Completed } else { standing.closing };
        let closed_at = if is_truth { revision.at.or(Some(now.wall)) } else { action.closed_at };
        let duration_micros = match closed_at.filter(|_| is_truth) {
            Some(closed_at) => closed_at.micros_since(action.begun_at).max(0),
            None => duration_micros(action),
        };
        let mut judged = Judged {
            closing,
            duration_micros,
            reward: revision.reward.or(standing.reward),
            reason: revision.reason.clone(),
            ..Judged::again(action, chain, standing, now.wall)
        };
        if let Some(outcome) = &revision.outcome {
            judged.outcome.clone_from(outcome);
        }
        let attribution = self.attribute(judged)?;
        let amend = Amend {
            action: action.action_id,
            expect_version: standing.version,
            expect_entries: chain.n_entries(),
            late: None,
            attribution: Some(stored(&attribution)?),
            completed: closed_at.filter(|_| is_truth).map(|closed_at| (closed_at, duration_micros)),
        };
        let event = completed_event(action, &attribution, duration_micros);
        match self.submit_told(Write::Amend(Box::new(amend)), vec![event])? {
            Answer::Attributed { .. } => Ok(Some(attribution)),
            Answer::Refused(reason) => Err(refusal(reason).into()),
            _ => Ok(None),
        }
    }
}

/// What subscribers hear of a closing or a revision.
pub(crate) fn completed_event(action: &Action, made: &Attribution, duration_micros: i64) -> EventBody {
    EventBody::Completed {
        action_id: action.action_id,
        agent_id: action.agent_id.clone(),
        action_type: action.action_type.clone(),
        goal_id: action.goal_id.clone(),
        duration_seconds: rounded_duration(action.begun_at, Timestamp::from_micros(duration_micros).seconds()),
        step_count: action.step_count,
        success_score: made.success_score,
        verdict: made.verdict,
        version: made.version,
        closing: made.closing,
    }
}

impl<'a> FrozenAction<'a> {
    /// An action whose completion was accepted.
    pub(crate) const fn accepted(inner: &'a Inner, action: Action, begun: Timestamp) -> Self {
        Self { inner, action, begun, is_closed: false, is_accepted: true }
    }

    /// Attributes, seals and closes.
    pub(crate) fn close(
        mut self,
        closing: Closing,
        outcome: JsonObject,
        reward: Option<f64>,
        at: Option<Timestamp>,
    ) -> Result<Attribution, Error> {
        let (inner, id) = (self.inner, self.action.action_id);
        let now = inner.now();
        let closed_at = at.unwrap_or(now.wall);
        let duration_micros = match at {
            Some(at) => at.micros_since(self.action.begun_at),
            None => now.steady.micros_since(self.begun),
        };
        let duration_micros = duration_micros.max(0);
        let chain = inner.stored_chain(id)?;
        let judged = Judged {
            action: &self.action,
            chain: &chain,
            late: None,
            closing,
            duration_micros,
            outcome,
            reward,
            version: 1,
            attributed_at: now.wall,
            reason: None,
            what_if: None,
        };
        let (sealed, attribution) =
            beside(chain.n_bytes(), || SealedChain::compress(&chain), || inner.attribute(judged));
        let attribution = attribution?;
        let close = Close {
            action: id,
            closing,
            closed_at,
            duration_micros,
            sealed: sealed?,
            attribution: stored(&attribution)?,
            received_at: now.wall,
        };
        let event = completed_event(&self.action, &attribution, duration_micros);
        match inner.submit_told(Write::Close(Box::new(close)), vec![event])? {
            Answer::Attributed { .. } => {
                self.is_closed = true;
                Ok(attribution)
            }
            _ => Err(Error::Bug("EN-5: a frozen action can be closed")),
        }
    }
}

/// Does two things with `n_bytes`; at once, where there are enough of them to be worth a thread.
fn beside<A: Send, B>(n_bytes: usize, one: impl Fn() -> A + Send + Sync, other: impl FnOnce() -> B) -> (A, B) {
    const WORTH_A_THREAD_BYTES: usize = 128 << 10;
    if n_bytes < WORTH_A_THREAD_BYTES {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().name("accredit-seal".to_owned()).spawn_scoped(scope, &one);
        let done = other();
        // Where the system gives no thread, or it panicked, this one does the work.
        (beside.ok().and_then(|beside| beside.join().ok()).unwrap_or_else(&one), done)
    })
}

/// The outcome that stands for a closing by the engine.
fn engine_outcome(closing: Closing) -> JsonObject {
    let outcome = match closing {
        Closing::Completed => json!({}),
        Closing::TimedOut => json!({"status": "timeout"}),
        Closing::Evicted => json!({"status": "evicted", "reason": "max_open_actions"}),
        Closing::Cancelled => json!({"status": "cancelled"}),
    };
    match outcome {
        Value::Object(outcome) => outcome,
        _ => JsonObject::new(),
    }
}

fn is_same(standing: &Attribution, completion: &Completion) -> bool {
    let outcome = completion.outcome.as_ref();
    let same_outcome = outcome.map_or(standing.outcome.is_empty(), |outcome| *outcome == standing.outcome);
    same_outcome && completion.reward == standing.reward
}

pub(crate) fn pause(action_id: ActionId, deadline: Instant) -> Result<(), Error> {
    if Instant::now() >= deadline {
        return Err(Error::Contended { action_id });
    }
    std::thread::sleep(Duration::from_micros(500));
    Ok(())
}
