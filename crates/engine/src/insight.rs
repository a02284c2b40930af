//! What the recorded actions say of decisions and of agents.

use accredit_credit::{Forecast, ReliabilityBin};
use accredit_model::{ActionId, ActionType, AgentId, Attribution, Entry, Status};
use accredit_store::Filter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judging::judgements;
use crate::{Engine, Error, ModelSummary};

/// Actions of an agent that its report looks at: the newest ones.
const ACTIONS_MAX: usize = 2_000;
/// Actions read at once.
const PAGE: usize = 500;
/// Bins of a reliability diagram.
const BINS: usize = 10;

/// What was learned of the decisions of one action type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Insights {
    /// The type.
    pub action_type: ActionType,
    /// Actions that were learned from.
    pub n_actions: u64,
    /// The model that says it; `null` where there is none yet.
    pub model: Option<ModelSummary>,
    /// A row a decision, and one a decision in a situation that recurs: what is certain and large first.
    pub decisions: Vec<DecisionInsight>,
}

/// What one decision is worth, on average over the recorded actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionInsight {
    /// The decision's key.
    pub decision: String,
    /// The situation's key; `null` for all situations together.
    pub state: Option<String>,
    /// Mean advantage, in units of reward.
    pub advantage: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Actions that show it.
    pub n: u64,
    /// Of all rows with at most this value, a share of at most this value is there by chance.
    pub q: f64,
    /// False where nothing else was ever done in these situations: then nobody can know what it is worth.
    pub identifiable: bool,
    /// Two actions that show it.
    pub examples: Vec<ActionId>,
}

impl From<accredit_credit::Insight> for DecisionInsight {
    fn from(insight: accredit_credit::Insight) -> Self {
        let accredit_credit::Insight { decision, state, advantage, low, high, n, q, identifiable, examples } = insight;
        Self { decision, state, advantage, low, high, n, q, identifiable, examples }
    }
}

/// How an agent does: over its newest 2,000 actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentReport {
    /// The agent.
    pub agent_id: AgentId,
    /// Actions looked at.
    pub actions: u64,
    /// Of these, those that are closed.
    pub closed: u64,
    /// Of these, those with something to judge by.
    pub evaluated: u64,
    /// Mean success score of the evaluated ones; `null` of none.
    pub success_score: Option<f64>,
    /// Recorded steps of the closed ones.
    pub steps: u64,
    /// Sum of the advantages of all its steps, in units of reward: what its decisions added to what was to be expected.
    pub advantage: f64,
    /// Closed actions whose credit rests on a model.
    pub learned: u64,
    /// Tokens read and written, where steps tell.
    pub tokens: u64,
    /// Price in US dollars, where steps tell.
    pub cost_usd: f64,
    /// Advantage for each thousand tokens, of the steps that tell their tokens; `null` of none.
    pub advantage_per_1k_tokens: Option<f64>,
    /// Advantage for each US dollar, of the steps that tell their price; `null` of none.
    pub advantage_per_usd: Option<f64>,
    /// Stated confidence of its steps against what observations of the step, else the action's score, said; `null` where
    /// no evaluated step stated one.
    pub calibration: Option<AgentCalibration>,
}

/// How far an agent's stated confidence can be trusted. Means over the forecasts, without units, in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentCalibration {
    /// Steps with a stated confidence and something to hold it against.
    pub n: u64,
    /// Mean squared difference of confidence and outcome (Brier 1950); lower is better.
    pub brier: f64,
    /// What miscalibration costs (Murphy 1973); 0 is best.
    pub reliability: f64,
    /// What telling better from worse gains (Murphy 1973).
    pub resolution: f64,
    /// The score of one who always states the mean.
    pub uncertainty: f64,
    /// Mean distance of confidence and outcome over bins of equal mass.
    pub ece: f64,
    /// Mean stated confidence.
    pub mean_confidence: f64,
    /// Mean outcome.
    pub mean_outcome: f64,
    /// The reliability diagram, by rising confidence.
    pub bins: Vec<CalibrationBin>,
}

/// One bin of a reliability diagram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationBin {
    /// Steps in it.
    pub n: u64,
    /// Their mean stated confidence.
    pub mean_confidence: f64,
    /// Their mean outcome.
    pub mean_outcome: f64,
    /// Lower end of the 95 % interval of the mean outcome.
    pub outcome_low: f64,
    /// Upper end of it.
    pub outcome_high: f64,
}

impl From<&ReliabilityBin> for CalibrationBin {
    fn from(bin: &ReliabilityBin) -> Self {
        let ReliabilityBin { n, mean_confidence, mean_outcome, outcome_low, outcome_high } = *bin;
        Self { n: n as u64, mean_confidence, mean_outcome, outcome_low, outcome_high }
    }
}

impl Engine {
    /// What each decision of an action type is worth, by the model that stands. Empty where nothing was learned.
    ///
    /// # Errors
    /// When what was learned cannot be read.
    pub fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        let learner = self.learner(action_type)?;
        let model = self.model(action_type)?;
        let decisions = match (&learner, &model) {
            (Some(learner), Some(model)) => model.insights(learner).into_iter().map(DecisionInsight::from).collect(),
            _ => Vec::new(),
        };
        Ok(Insights {
            action_type: action_type.clone(),
            n_actions: learner.map_or(0, |learner| learner.n_actions()),
            model: self.newest_model(action_type)?,
            decisions,
        })
    }

    /// How an agent does; `None` where nothing of it is recorded.
    ///
    /// # Errors
    /// When its actions cannot be read.
    pub fn agent(&self, agent_id: &AgentId) -> Result<Option<AgentReport>, Error> {
        let filter = Filter { agent_id: Some(agent_id.clone()), ..Filter::default() };
        let mut tally = Tally::default();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.list(&filter, PAGE.min(ACTIONS_MAX - tally.actions), cursor.as_deref())?;
            for action in &page.actions {
                tally.actions += 1;
                if action.status != Status::Open {
                    let experience = self.experience(action.action_id, None)?;
                    tally.add(agent_id, &experience.attribution, &experience.chain);
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() || tally.actions >= ACTIONS_MAX {
                break;
            }
        }
        Ok((tally.actions > 0).then(|| tally.report(agent_id)))
    }
}

/// Sums over an agent's actions.
#[derive(Default)]
struct Tally {
    actions: usize,
    closed: u64,
    evaluated: u64,
    score: f64,
    steps: u64,
    advantage: f64,
    learned: u64,
    tokens: u64,
    advantage_of_tokens: f64,
    cost_usd: f64,
    advantage_of_cost: f64,
    forecasts: Vec<Forecast>,
}

impl Tally {
    fn add(&mut self, agent_id: &AgentId, attribution: &Attribution, chain: &[Entry]) {
        self.closed += 1;
        self.learned += u64::from(attribution.model_version.is_some());
        if attribution.evaluated {
            self.evaluated += 1;
            self.score += attribution.success_score;
        }
        let steps: Vec<_> = chain.iter().filter_map(Entry::step).collect();
        let observed = judgements(chain.iter().filter_map(Entry::observation), agent_id);
        self.steps += steps.len() as u64;
        for ((index, step), advantage) in steps.iter().enumerate().zip(&attribution.advantages) {
            self.advantage += advantage;
            if let Some(usage) = &step.usage {
                let tokens = usage.input_tokens.unwrap_or(0).saturating_add(usage.output_tokens.unwrap_or(0));
                if tokens > 0 {
                    self.tokens = self.tokens.saturating_add(tokens);
                    self.advantage_of_tokens += advantage;
                }
                if let Some(cost) = usage.cost_usd.filter(|cost| *cost > 0.0) {
                    self.cost_usd += cost;
                    self.advantage_of_cost += advantage;
                }
            }
            let observed = observed.get(&index).map(|judgement| judgement.score);
            let outcome = observed.or_else(|| attribution.evaluated.then_some(attribution.success_score));
            if let (Some(confidence), Some(outcome)) = (step.confidence, outcome) {
                self.forecasts.push(Forecast { confidence, outcome });
            }
        }
    }

    fn report(self, agent_id: &AgentId) -> AgentReport {
        let calibration = accredit_credit::calibration(&self.forecasts, BINS).map(|found| AgentCalibration {
            n: found.n as u64,
            brier: found.brier,
            reliability: found.reliability,
            resolution: found.resolution,
            uncertainty: found.uncertainty,
            ece: found.ece,
            mean_confidence: found.mean_confidence,
            mean_outcome: found.mean_outcome,
            bins: found.bins.iter().map(CalibrationBin::from).collect(),
        });
        AgentReport {
            agent_id: agent_id.clone(),
            actions: self.actions as u64,
            closed: self.closed,
            evaluated: self.evaluated,
            success_score: (self.evaluated > 0).then(|| self.score / self.evaluated as f64),
            steps: self.steps,
            advantage: self.advantage,
            learned: self.learned,
            tokens: self.tokens,
            cost_usd: self.cost_usd,
            advantage_per_1k_tokens: (self.tokens > 0).then(|| self.advantage_of_tokens * 1e3 / self.tokens as f64),
            advantage_per_usd: (self.cost_usd > 0.0).then(|| self.advantage_of_cost / self.cost_usd),
            calibration,
        }
    }
}
