//! What one version of an attribution teaches.

use accredit_credit::{Learner, Sample};
use accredit_model::{Action, ActionId, Attribution, Version};
use accredit_store::{Chain, StoredAttribution};

use crate::attribute::{self, Parsed, trajectory};
use crate::engine::Inner;
use crate::{Error, ErrorKind};

/// What a learner had of an action before a version, and what it is to have now, as rewards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    before: Option<f64>,
    after: Option<f64>,
}

/// The reward that an attribution teaches: none where nothing was judged and no reward given, or nothing was done.
pub(super) fn reward(attribution: &Attribution) -> Option<f64> {
    let is_judged = attribution.evaluated || attribution.reward.is_some();
    (is_judged && !attribution.credits.is_empty()).then(|| attribution.effective_reward())
}

/// A version of an attribution with all that is needed to learn from it.
pub(super) struct Lesson {
    pub(super) action: Action,
    pub(super) version: Version,
    chain: Chain,
    change: Change,
}

impl Lesson {
    /// `None` where it teaches nothing.
    pub(super) fn read(inner: &Inner, stored: &StoredAttribution) -> Result<Option<Self>, Error> {
        let after = reward(&attribute::read(stored)?);
        let before = match stored.version {
            0 | 1 => None,
            version => match inner.store.attribution(stored.action, Some(version - 1))? {
                Some(before) => reward(&attribute::read(&before)?),
                None => None,
            },
        };
        if before.is_none() && after.is_none() {
            return Ok(None);
        }
        let action = inner.store.action(stored.action)?;
        let chain = inner.store.chain(stored.action)?;
        let (Some(action), Some(chain)) = (action, chain) else { return Ok(None) };
        Ok(Some(Self { action, version: stored.version, chain, change: Change { before, after } }))
    }

    /// What the version that was learned last of an action teaches, to be taken back. `None` where it taught nothing.
    pub(super) fn to_forget(inner: &Inner, id: ActionId, taken_to: u64) -> Result<Option<Self>, Error> {
        let action = inner.action(id)?;
        for version in (1..=action.version).rev() {
            let Some(stored) = inner.store.attribution(id, Some(version))? else { continue };
            if stored.cursor <= taken_to {
                let before = reward(&attribute::read(&stored)?);
                let chain = inner.stored_chain(id)?;
                let change = Change { before, after: None };
                return Ok(before.is_some().then_some(Self { action, version, chain, change }));
            }
        }
        Ok(None)
    }

    /// Hands the change to a learner; answers whether it changed.
    pub(super) fn teach(&self, writer: u64, learner: &mut Learner) -> Result<bool, Error> {
        let id = self.action.action_id;
        let Change { before, after } = self.change;
        let is_same = before.map(f64::to_bits) == after.map(f64::to_bits);
        // Of a version that only credits anew there is nothing to learn, unless somebody has judged a step since.
        let has_late = self.chain.n_sealed < self.chain.n_entries();
        if is_same && !(has_late && learner.sample(id).is_some()) {
            return Ok(false);
        }
        let parsed = Parsed::of(&self.chain)?;
        if !parsed.has_steps() {
            return Ok(false);
        }
        let steps = parsed.features(None, &self.action.agent_id);
        let with = |reward: f64| trajectory(&self.action, &steps, reward);
        if is_same
            && let (Some(reward), Some(kept)) = (after, learner.sample(id))
            && Sample::of(id, kept.version, &with(reward)) == *kept
        {
            return Ok(false);
        }
        if let Some(before) = before {
            learner.forget(writer, id, &with(before));
        }
        if let Some(after) = after {
            learner.learn(writer, id, self.version, &with(after));
        }
        Ok(true)
    }
}

/// One damaged chain must not keep the others from being learned.
pub(super) fn without_damage<T>(result: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            tracing::warn!(%error, "an action is not learned");
            Ok(None)
        }
        other => other,
    }
}
