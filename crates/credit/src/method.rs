//! What a credit method is given and what it answers.

use accredit_model::{ActionId, Evidence, Payload, Step};

/// The score of an action of which nothing is known.
pub const NEUTRAL_SCORE: f64 = 0.5;

/// What a method may look at in a step. Nothing is copied: the fields borrow from the chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct StepFeatures<'a> {
    /// The step in words.
    pub description: &'a str,
    /// What the agent chose.
    pub decision: Option<&'a str>,
    /// A stable name of the decision.
    pub key: Option<&'a str>,
    /// A stable name of the situation.
    pub state_key: Option<&'a str>,
    /// The agent's own confidence, in [0, 1].
    pub confidence: Option<f64>,
    /// Whether the step changed the world.
    pub effect: Option<bool>,
    /// The behaviour policy's probability of the decision, in (0, 1].
    pub propensity: Option<f64>,
    /// The situation in which the agent decided, as JSON text.
    pub state: Option<&'a str>,
    /// The part of the reward that arrived with the step, where somebody said so.
    pub reward: Option<f64>,
    /// What people or judges gave this step, in [0, 1].
    pub judged: Option<f64>,
    /// How many of them did; 0 where that is not known.
    pub judges: u64,
}

impl<'a> From<&'a Step> for StepFeatures<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            description: &step.description,
            decision: step.decision.as_deref(),
            key: step.key.as_deref(),
            state_key: step.state_key.as_deref(),
            confidence: step.confidence,
            effect: step.effect,
            propensity: step.propensity,
            state: step.state.as_ref().map(Payload::get),
            reward: step.reward,
            judged: None,
            judges: 0,
        }
    }
}

/// One action as a credit method sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trajectory<'a> {
    /// The action, where it may be one that a model was fitted on.
    pub action_id: Option<ActionId>,
    /// Who acted.
    pub agent_id: &'a str,
    /// What it was to achieve: attempts at the same goal are compared with one another.
    pub goal_id: Option<&'a str>,
    /// Its steps in order.
    pub steps: &'a [StepFeatures<'a>],
    /// `R`: the reward that was given, else the success score.
    pub reward: f64,
}

/// The split of one action's result: `R = baseline + sum(advantages) + residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    /// Expected reward before the first step, in units of reward.
    pub baseline: f64,
    /// Per step: non-negative shares that sum to 1. Empty where there are no steps.
    pub credits: Vec<f64>,
    /// Per step: signed contribution in units of reward.
    pub advantages: Vec<f64>,
    /// What baseline and advantages leave unexplained, in units of reward.
    pub residual: f64,
    /// Per step: standard error of the advantage; infinite where the data say nothing of it. Empty for a prior, unless a step
    /// was judged ([`overlay_judgements`](crate::overlay_judgements)); so are the next two.
    pub std_errors: Vec<f64>,
    /// Per step: how many observations the advantage rests on. Empty for a prior.
    pub n: Vec<u64>,
    /// Per step: expected reward of the whole action after the step. Empty for a prior.
    pub forecast: Vec<f64>,
    /// What the method knew.
    pub evidence: Evidence,
    /// The fitted model it used; `None` for a prior.
    pub model_version: Option<u64>,
}

impl Credit {
    /// The answer of a method that knows nothing of other actions: the baseline is the neutral score, and nothing is
    /// said of any single decision, so all that is above or below the baseline stays unexplained.
    pub(crate) fn prior(trajectory: &Trajectory<'_>, credits: Vec<f64>) -> Self {
        debug_assert_eq!(credits.len(), trajectory.steps.len());
        Self {
            baseline: NEUTRAL_SCORE,
            advantages: vec![0.0; credits.len()],
            credits,
            residual: trajectory.reward - NEUTRAL_SCORE,
            std_errors: Vec::new(),
            n: Vec::new(),
            forecast: Vec::new(),
            evidence: Evidence::None,
            model_version: None,
        }
    }
}

/// A way to split an action's result over its steps.
///
/// A method is a value: one that learns holds its fitted model, is replaced by a new value when it is fitted again, and
/// names the model's version in what it answers. `assign` reads the trajectory and that model and nothing else, so the
/// same call answers the same numbers.
pub trait CreditMethod: Send + Sync {
    /// The name that attributions carry.
    fn name(&self) -> &'static str;

    /// Credits and advantages, each as long as `trajectory.steps`.
    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit;
}

#[cfg(test)]
mod tests;
