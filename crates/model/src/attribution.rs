//! What an action earned, and which steps earned it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Closing, JsonObject, Timestamp, Version};

/// The result of an action in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The score is 1.
    Success,
    /// The score lies between 0 and 1.
    Partial,
    /// The score is 0.
    Failure,
    /// There was nothing to judge by.
    Unknown,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Success, Self::Partial, Self::Failure, Self::Unknown];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

/// What the score rests on, at its best: one judged item makes it judged, one observed item observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grounding {
    /// Only the agent's word.
    #[default]
    Claimed,
    /// An observation supplied a deciding value.
    Observed,
    /// A person or a judge decided.
    Judged,
}

/// Where the value that decided an item came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nothing supplied it.
    #[default]
    Missing,
    /// The outcome that the agent gave.
    Claimed,
    /// An observation.
    Observed,
    /// The score of a person or a judge.
    Judged,
}

/// The result of one acceptance criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriterionVerdict {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// A name in it has no value, or it is plain text that nobody has judged.
    Unevaluable,
}

/// One acceptance criterion and how it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionResult {
    /// The criterion, word for word.
    pub criterion: String,
    /// How it came out.
    pub result: CriterionVerdict,
    /// What decided it.
    pub source: Source,
}

/// One expected key and whether the outcome met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectationResult {
    /// The key of the expected outcome.
    pub key: String,
    /// Whether the value met the expectation.
    pub matched: bool,
    /// What decided it.
    pub source: Source,
}

/// How much the credit method knew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing was learned from other actions: the credits are a prior.
    #[default]
    None,
    /// The credits come from a model fitted on other actions.
    Learned,
}

/// Score, verdict, credit and advantage of one action. Versioned; a revision makes a new one and keeps the old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// The action.
    pub action_id: ActionId,
    /// 1 at closing, one more at each revision.
    pub version: Version,
    /// The credit method: `decay`, `uniform`…
    pub method: String,
    /// The fitted model that the method used; `null` for a prior.
    pub model_version: Option<u64>,
    /// What the method knew.
    pub evidence: Evidence,
    /// Why this method, where a model was fitted for the action's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_reason: Option<String>,
    /// In [0, 1].
    pub success_score: f64,
    /// Whether anything was there to judge by.
    pub evaluated: bool,
    /// The score in one word.
    pub verdict: Verdict,
    /// How the action ended.
    pub closing: Closing,
    /// What the score rests on.
    pub grounding: Grounding,
    /// The reward that was given; learning uses it in place of the score.
    pub reward: Option<f64>,
    /// Expected reward before the first step, in units of reward.
    pub baseline: f64,
    /// What baseline and advantages leave unexplained: `R - baseline - sum(advantages)`, in units of reward.
    pub residual: f64,
    /// Per step, in order: non-negative shares that sum to 1. Empty where there are no steps.
    pub credits: Vec<f64>,
    /// Per step, in order: signed contribution in units of reward.
    pub advantages: Vec<f64>,
    /// Indices of the steps, in order, that people or judges gave a score: it outranks every estimate of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<u64>,
    /// Per step, in order: standard error of the advantage; `null` where the data say nothing of it. Empty for a prior,
    /// unless a step was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std_errors: Vec<Option<f64>>,
    /// Per step, in order: how many observations the advantage rests on. Empty for a prior, unless a step was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub n: Vec<u64>,
    /// Per step, in order: expected reward of the whole action after the step. Empty for a prior, unless a step was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forecast: Vec<f64>,
    /// The acceptance criteria, in order.
    pub criteria: Vec<CriterionResult>,
    /// The expected keys, in order.
    pub expectation: Vec<ExpectationResult>,
    /// The outcome that was judged.
    pub outcome: JsonObject,
    /// When this version was made.
    pub attributed_at: Timestamp,
    /// Why this version was made, where it is a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True in the answer to a completion that had already happened with the same outcome.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// True where this was computed for one answer, by another method than the one that credited `version`: it is stored
    /// nowhere, and `version` is the one that stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub what_if: bool,
}

impl Attribution {
    /// The reward that learning uses: the one given, else the success score.
    #[must_use]
    pub fn effective_reward(&self) -> f64 {
        self.reward.unwrap_or(self.success_score)
    }
}
