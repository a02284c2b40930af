//! Crediting closed actions anew by the model that stands now.

use std::time::Instant;

use accredit_model::{Action, ActionId, ActionType, Attribution, Status, Timestamp};
use accredit_store::{Amend, Answer, Filter, Write};

use super::Pace;
use crate::attribute::{Judged, duration_micros, stored};
use crate::closing::{CONTENTION_MAX, completed_event, pause};
use crate::config::OnRefit;
use crate::engine::Inner;
use crate::record::refusal;
use crate::{Error, ErrorKind};

/// Actions that are listed at once.
const PAGE: usize = 256;

impl Inner {
    /// Credits anew what the configuration says is to be when a model replaces another.
    pub(super) fn recredit_by_policy(&self, action_type: &ActionType, pace: &mut Pace) -> Result<u64, Error> {
        let closed_from = match self.config.learning.on_refit {
            OnRefit::None => return Ok(0),
            OnRefit::All => None,
            OnRefit::OpenWindow => {
                let secs = self.config.learning.open_window_secs;
                let micros = i64::try_from(secs.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
                Some(self.wall().plus_micros(micros.saturating_neg()))
            }
        };
        self.recredit(Some(action_type), closed_from, Some(pace))
    }

    /// Credits closed actions anew, those that were closed at this time or later; answers how many have changed.
    pub(super) fn recredit(
        &self,
        action_type: Option<&ActionType>,
        closed_from: Option<Timestamp>,
        mut pace: Option<&mut Pace>,
    ) -> Result<u64, Error> {
        let filter = Filter { action_type: action_type.cloned(), ..Filter::default() };
        let (mut n, mut cursor) = (0, None);
        loop {
            let (actions, next) = self.store.list(&filter, PAGE, cursor)?;
            let is_meant = |action: &&Action| {
                action.status != Status::Open && closed_from.is_none_or(|from| action.closed_at >= Some(from))
            };
            for action in actions.iter().filter(is_meant) {
                let is_new = self.recredit_one(action.action_id)?;
                n += u64::from(is_new);
                if let Some(pace) = pace.as_deref_mut() {
                    pace.own_jobs(u64::from(is_new));
                    if !pace.take_rest(self) {
                        return Ok(n);
                    }
                }
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(n),
            }
        }
    }

    /// Credits one closed action anew; answers whether a number has changed. One that is damaged is left as it is.
    fn recredit_one(&self, id: ActionId) -> Result<bool, Error> {
        let deadline = Instant::now() + CONTENTION_MAX;
        loop {
            match self.try_recredit(id) {
                Ok(Some(changed)) => return Ok(changed),
                Ok(None) => pause(id, deadline)?,
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    tracing::warn!(%error, "an action is not credited anew");
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One attempt; `None` when somebody else was faster.
    fn try_recredit(&self, id: ActionId) -> Result<Option<bool>, Error> {
        let action = self.action(id)?;
        let chain = self.stored_chain(id)?;
        let standing = self.attribution(id, None)?;
        let mut made = self.attribute(Judged::again(&action, &chain, &standing, self.wall()))?;
        if is_same(&made, &standing) {
            return Ok(Some(false));
        }
        made.reason = Some(match made.model_version {
            Some(version) => format!("model {version}"),
            None => format!("method {}", made.method),
        });
        let amend = Amend {
            action: id,
            expect_version: standing.version,
            expect_entries: chain.n_entries(),
            late: None,
            attribution: Some(stored(&made)?),
            completed: None,
        };
        let event = completed_event(&action, &made, duration_micros(&action));
        match self.submit_told(Write::Amend(Box::new(amend)), vec![event])? {
            Answer::Attributed { .. } => Ok(Some(true)),
            Answer::Refused(reason) => Err(refusal(reason).into()),
            _ => Ok(None),
        }
    }
}

/// Whether two attributions say the same of every step.
fn is_same(made: &Attribution, standing: &Attribution) -> bool {
    (&made.method, made.evidence) == (&standing.method, standing.evidence)
        && (made.baseline, made.residual) == (standing.baseline, standing.residual)
        && made.credits == standing.credits
        && made.advantages == standing.advantages
        && made.judged == standing.judged
        && made.std_errors == standing.std_errors
        && made.n == standing.n
        && made.forecast == standing.forecast
}
