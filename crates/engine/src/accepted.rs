//! Completions that are durable before they are attributed: who completes an action goes on at once, and a thread of the
//! engine closes it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accredit_model::{Action, ActionId, Closing, Completion, Timestamp};
use accredit_store::{Answer, Write};
use serde::{Deserialize, Serialize};

use crate::closing::FrozenAction;
use crate::engine::Inner;
use crate::{Applied, Engine, Error};

/// Completions that may wait to be attributed. Beyond that, who completes an action waits for its attribution.
pub(crate) const WAITING_MAX: usize = 256;
/// The pause after a closing that failed, before it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long the first completion after a while waits before it is attributed, unless somebody waits for that. Attributing
/// a long action takes a processor for a millisecond or more, which its agent, who is just being told that it may go on,
/// would wait for where processors are few.
const LINGER: Duration = Duration::from_millis(2);

/// A completion as the store keeps it until its action is closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    #[serde(flatten)]
    pub(crate) completion: Completion,
    /// When it was accepted.
    pub(crate) accepted_at: Timestamp,
}

/// A completion that waits, with its action as it was frozen.
pub(crate) struct Waiting {
    pub(crate) action: Action,
    /// When it began, on the clock that never jumps; `None` where another process began it.
    pub(crate) begun: Option<Timestamp>,
    pub(crate) accepted: Accepted,
}

/// Completions that wait to be attributed.
#[derive(Default)]
pub(crate) struct Closer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Those that wait and the one that is being closed.
    n_left: usize,
    /// How many threads wait until nothing is left.
    n_awaiting: usize,
    /// Closings failed and are tried again after a pause.
    is_failing: bool,
    has_ended: bool,
}

impl Closer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, waiting: Waiting) {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        state.n_left += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Whether it takes no more without waiting.
    pub(crate) fn is_full(&self) -> bool {
        let state = self.state();
        state.n_left >= WAITING_MAX || state.has_ended
    }

    /// Waits until nothing is left, or closings fail.
    pub(crate) fn wait_done(&self) {
        let busy = |state: &mut State| state.n_left > 0 && !state.is_failing && !state.has_ended;
        let mut state = self.state();
        if !busy(&mut state) {
            return;
        }
        state.n_awaiting += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, busy).unwrap_or_else(PoisonError::into_inner);
        state.n_awaiting -= 1;
    }

    /// There will be no more; what waits is still closed.
    pub(crate) fn end(&self) {
        self.state().has_ended = true;
        self.changed.notify_all();
    }

    fn take(&self) -> Option<Waiting> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.has_ended;
        let mut state = self.state();
        if idle(&mut state) {
            state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
            let lingers = |state: &mut State| state.n_awaiting == 0 && !state.has_ended;
            let lingered = self.changed.wait_timeout_while(state, LINGER, lingers);
            state = lingered.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting.pop_front()
    }

    fn done(&self) {
        let mut state = self.state();
        state.n_left -= 1;
        state.is_failing = false;
        drop(state);
        self.changed.notify_all();
    }

    /// Puts one back that could not be closed. False where the engine ends: the next one that opens the store tries again.
    fn put_back(&self, waiting: Waiting) -> bool {
        let mut state = self.state();
        state.is_failing = true;
        state.waiting.push_back(waiting);
        self.changed.notify_all();
        let ends = |state: &mut State| !state.has_ended;
        let state = self.changed.wait_timeout_while(state, RETRY, ends).unwrap_or_else(PoisonError::into_inner).0;
        !state.has_ended
    }
}

/// Closes what was accepted, until the engine ends and nothing is left.
pub(crate) fn run(inner: &Inner) {
    while let Some(waiting) = inner.closer.take() {
        let id = waiting.action.action_id;
        match inner.close_accepted(&waiting) {
            Ok(()) => inner.closer.done(),
            Err(error) => {
                tracing::error!(%error, action = %id, "an accepted completion could not be attributed; it is tried again");
                if !inner.closer.put_back(waiting) {
                    return;
                }
            }
        }
    }
}

impl Inner {
    /// Takes up what an earlier process had accepted and not closed.
    pub(crate) fn take_up_accepted(&self) -> Result<(), Error> {
        for (id, bytes) in self.store.accepted()? {
            let damaged = |error: serde_json::Error| accredit_store::StoreError::Corrupt {
                what: format!("the accepted completion of action {id} ({error})"),
            };
            let accepted = serde_json::from_slice(&bytes).map_err(damaged)?;
            self.closer.put(Waiting { action: self.action(id)?, begun: None, accepted });
        }
        Ok(())
    }

    fn close_accepted(&self, waiting: &Waiting) -> Result<(), Error> {
        let Waiting { action, begun, accepted } = waiting;
        let completion = accepted.completion.clone();
        // Of what another process began, the wall's clock alone can tell how long it took.
        let at = completion.at.or_else(|| begun.is_none().then_some(accepted.accepted_at));
        let frozen = FrozenAction::accepted(self, action.clone(), begun.unwrap_or(action.begun_at));
        frozen.close(Closing::Completed, completion.outcome.unwrap_or_default(), completion.reward, at).map(drop)
    }

    /// The write that accepts a completion.
    pub(crate) fn acceptance(&self, id: ActionId, completion: Completion) -> Result<(Write, Accepted), Error> {
        let (completion, _) = self.guard.completion(completion)?.into_parts();
        let accepted = Accepted { completion, accepted_at: self.wall() };
        let bytes = serde_json::to_vec(&accepted).map_err(|_| Error::Bug("EN-7: a completion is JSON"))?;
        Ok((Write::Accept { action: id, completion: bytes }, accepted))
    }

    /// What becomes of a completion when the store has answered whether it is accepted; `None` where it must be carried
    /// out in full.
    pub(crate) fn accepted(&self, answer: Answer, accepted: &Accepted) -> Option<Applied> {
        match answer {
            Answer::Frozen(action, begun) => {
                self.closer.put(Waiting { action: *action, begun: Some(begun), accepted: accepted.clone() });
                Some(Applied::Accepted)
            }
            _ => None,
        }
    }
}

impl Engine {
    /// Waits until every completion that was accepted is attributed, or their closing fails (it is then tried again).
    pub fn wait_accepted(&self) {
        self.inner.closer.wait_done();
    }
}
