//! One closed action as learning keeps it.

use std::ops::Range;

use accredit_model::ActionId;
use serde::{Deserialize, Serialize};

use crate::keys::{self, Domain, STEPS_MAX, Wants, hash};
use crate::{Episode, EpisodeStep, Trajectory};

/// One closed action in hashes: what learning keeps of it. About 100 bytes a step, and 8 a feature of each distinct
/// situation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The action.
    pub action: ActionId,
    /// The version of its attribution that this reward belongs to.
    pub version: u32,
    /// Hash of the goal's id.
    pub goal: Option<u64>,
    /// Hash of the agent's id.
    pub agent: u64,
    /// `R`, in units of reward.
    pub reward: f64,
    /// Its steps in order.
    pub steps: Vec<SampleStep>,
    /// Hashes of the situations' categorical parts, as `path=value`: each distinct situation's once, one after the other.
    pub features: Vec<u64>,
}

/// One step of a [`Sample`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleStep {
    /// Index of the step in its action.
    pub index: u32,
    /// Hash of the situation's key.
    pub state: u64,
    /// Hash of the decision's key.
    pub decision: u64,
    /// Hash of the decision with its arguments.
    pub detail: u64,
    /// Which of the sample's features are those of its situation: see [`Sample::features_of`].
    pub features: Range<u32>,
    /// The part of `R` that arrived with this step, where somebody said so.
    pub reward: Option<f64>,
    /// The behaviour policy's probability of the decision.
    pub propensity: Option<f64>,
    /// Whether the step changed the world.
    pub effect: Option<bool>,
    /// What a person or a judge gave this step, in [0, 1].
    pub judged: Option<f64>,
}

impl Sample {
    /// The sample of an action.
    #[must_use]
    pub fn of(action: ActionId, version: u32, trajectory: &Trajectory<'_>) -> Self {
        Self::labelled(action, version, trajectory, Wants::ALL, &mut |_, _| {})
    }

    /// The same; `label` hears the text of every key.
    pub(crate) fn labelled(
        action: ActionId,
        version: u32,
        trajectory: &Trajectory<'_>,
        wants: Wants,
        label: &mut dyn FnMut(u64, &str),
    ) -> Self {
        let mut steps = Vec::with_capacity(trajectory.steps.len().min(STEPS_MAX));
        let mut features = Vec::new();
        let mut of_situations: Vec<Option<Range<u32>>> = Vec::new();
        keys::action_keys(trajectory.steps, wants, &mut |index, keys| {
            label(keys.state, &keys.state_label);
            label(keys.decision, &keys.decision_label);
            let step = &trajectory.steps[index];
            let features = keys.situation.map_or(0..0, |(number, said)| {
                if of_situations.len() <= number {
                    of_situations.resize(number + 1, None);
                }
                let list = of_situations[number].get_or_insert_with(|| {
                    let start = place(features.len());
                    features.extend_from_slice(&said);
                    start..place(features.len())
                });
                list.clone()
            });
            steps.push(SampleStep {
                index: place(index),
                state: keys.state,
                decision: keys.decision,
                detail: keys.detail,
                features,
                reward: step.reward,
                propensity: step.propensity,
                effect: step.effect,
                judged: step.judged,
            });
        });
        Self {
            action,
            version,
            goal: trajectory.goal_id.map(|goal| hash(Domain::Goal, goal)),
            agent: hash(Domain::Agent, trajectory.agent_id),
            reward: trajectory.reward,
            steps,
            features,
        }
    }

    /// The features of the situation of one of its steps.
    #[must_use]
    pub fn features_of(&self, step: &SampleStep) -> &[u64] {
        self.features.get(step.features.start as usize..step.features.end as usize).unwrap_or_default()
    }

    /// What the tables count of it.
    pub(crate) fn episode(&self) -> Episode {
        let step = |step: &SampleStep| EpisodeStep {
            state: step.state,
            decision: step.decision,
            reward: step.reward,
            propensity: step.propensity,
        };
        Episode { reward: self.reward, steps: self.steps.iter().map(step).collect() }
    }

    /// A hash of all that is in it.
    pub(crate) fn fingerprint(&self) -> u64 {
        let real = |value: Option<f64>| [u64::from(value.is_some()), value.map_or(0, f64::to_bits)];
        let mut parts = vec![u64::from(self.version), self.agent, self.reward.to_bits()];
        parts.extend([u64::from(self.goal.is_some()), self.goal.unwrap_or(0)]);
        for step in &self.steps {
            parts.extend([u64::from(step.index), step.state, step.decision, step.detail]);
            parts.push(step.effect.map_or(2, u64::from));
            parts.extend([step.reward, step.propensity, step.judged].into_iter().flat_map(real));
            parts.push(keys::combine(self.features_of(step)));
        }
        keys::combine(&parts)
    }

    /// Bytes in memory, about.
    pub(crate) fn n_bytes(&self) -> usize {
        size_of::<Self>() + self.steps.len() * size_of::<SampleStep>() + self.features.len() * size_of::<u64>()
    }
}

/// At most `STEPS_MAX` steps of at most `FEATURES_MAX` features each: it always fits.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
