//! From a chain to its attribution: what the pure functions of `accredit-credit` are given.

use std::borrow::Cow;

use accredit_credit::{ActionFacts, ScoreInput, StepFeatures, Trajectory};
use accredit_model::{Action, AgentId, Attribution, Closing, EntryKind, JsonObject, Observation, Timestamp, Version};
use accredit_store::{Chain, NewAttribution, StoreError};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Error;
use crate::engine::Inner;
use crate::giver::Giver;
use crate::judging::{Judgement, judgements};

/// Everything that decides about one version of an attribution.
pub(crate) struct Judged<'a> {
    pub(crate) action: &'a Action,
    pub(crate) chain: &'a Chain,
    /// A late observation that is not in the chain yet.
    pub(crate) late: Option<&'a Observation>,
    pub(crate) closing: Closing,
    pub(crate) duration_micros: i64,
    pub(crate) outcome: JsonObject,
    pub(crate) reward: Option<f64>,
    pub(crate) version: Version,
    pub(crate) attributed_at: Timestamp,
    pub(crate) reason: Option<String>,
    /// What shares out, where it is not what stands: for one answer alone.
    pub(crate) what_if: Option<Giver>,
}

impl<'a> Judged<'a> {
    /// The next version of an attribution: judged as the standing one was, until the caller says what is otherwise.
    pub(crate) fn again(
        action: &'a Action,
        chain: &'a Chain,
        standing: &Attribution,
        attributed_at: Timestamp,
    ) -> Self {
        Self {
            action,
            chain,
            late: None,
            closing: standing.closing,
            duration_micros: duration_micros(action),
            outcome: standing.outcome.clone(),
            reward: standing.reward,
            version: standing.version + 1,
            attributed_at,
            reason: None,
            what_if: None,
        }
    }
}

/// How long a closed action took; 0 while it is open.
pub(crate) fn duration_micros(action: &Action) -> i64 {
    action.duration_seconds.and_then(Timestamp::from_seconds).unwrap_or_default().micros()
}

/// A stored step, borrowed from its line: a chain of a million steps is looked at without copying it.
#[derive(Deserialize)]
struct StepLine<'a> {
    kind: EntryKind,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
    #[serde(borrow, default)]
    decision: Option<Text<'a>>,
    #[serde(borrow, default)]
    key: Option<Text<'a>>,
    #[serde(borrow, default)]
    state_key: Option<Text<'a>>,
    confidence: Option<f64>,
    effect: Option<bool>,
    propensity: Option<f64>,
    reward: Option<f64>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

/// A string that is borrowed where it has no escapes; serde borrows a bare `Cow` alone, not one in an option.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn of<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
        text.map(|Text(text)| &**text)
    }
}

/// What attribution needs of a chain.
pub(crate) struct Parsed<'a> {
    steps: Vec<StepLine<'a>>,
    observations: Vec<Observation>,
}

impl<'a> Parsed<'a> {
    pub(crate) fn of(chain: &'a Chain) -> Result<Self, Error> {
        let (mut steps, mut observations) = (Vec::new(), Vec::new());
        for (seq, line) in chain.lines() {
            let damaged = |error: serde_json::Error| {
                Error::from(StoreError::Corrupt { what: format!("entry {seq} of a chain ({error})") })
            };
            let step: StepLine<'_> = serde_json::from_str(line).map_err(damaged)?;
            match step.kind {
                EntryKind::Step => steps.push(step),
                EntryKind::Observation => {
                    let entry = accredit_model::Entry::from_line(line, seq).map_err(damaged)?;
                    observations.extend(entry.observation().cloned());
                }
            }
        }
        Ok(Self { steps, observations })
    }

    pub(crate) fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// What a method may look at; `late` is an observation that is not in the chain yet.
    ///
    /// `agent` is who acted, and no judge of its own steps.
    pub(crate) fn features(&self, late: Option<&Observation>, agent: &AgentId) -> Vec<StepFeatures<'_>> {
        fn feature<'s>(step: &'s StepLine<'_>) -> StepFeatures<'s> {
            StepFeatures {
                description: &step.description,
                decision: Text::of(step.decision.as_ref()),
                key: Text::of(step.key.as_ref()),
                state_key: Text::of(step.state_key.as_ref()),
                confidence: step.confidence,
                effect: step.effect,
                propensity: step.propensity,
                state: step.state.map(RawValue::get),
                reward: step.reward,
                judged: None,
                judges: 0,
            }
        }
        let mut features: Vec<StepFeatures<'_>> = self.steps.iter().map(feature).collect();
        for (step, Judgement { score, judges }) in judgements(self.observations.iter().chain(late), agent) {
            if let Some(step) = features.get_mut(step) {
                (step.judged, step.judges) = (Some(score), judges);
            }
        }
        features
    }
}

impl Inner {
    /// Scores the action and credits its steps.
    pub(crate) fn attribute(&self, judged: Judged<'_>) -> Result<Attribution, Error> {
        let Judged { action, chain, late, closing, duration_micros, outcome, reward, .. } = judged;
        let parsed = Parsed::of(chain)?;
        let observations: Vec<&Observation> = parsed.observations.iter().chain(late).collect();
        let score = accredit_credit::score(&ScoreInput {
            expected: &action.expected_outcome,
            criteria: &action.acceptance_criteria,
            outcome: &outcome,
            reward,
            closing,
            observations: &observations,
            facts: ActionFacts {
                agent_id: action.agent_id.as_str(),
                action_type: action.action_type.as_str(),
                goal_id: action.goal_id.as_ref().map(accredit_model::GoalId::as_str),
                step_count: parsed.steps.len() as u64,
                observation_count: observations.len() as u64,
                duration_seconds: Timestamp::from_micros(duration_micros).seconds(),
            },
        });
        let mut steps = parsed.features(late, &action.agent_id);
        if self.config.compat {
            steps.iter_mut().for_each(|step| step.judged = None);
        }
        let what_if = judged.what_if.is_some();
        let giver = judged.what_if.unwrap_or_else(|| self.giver(&action.action_type));
        let given = giver.give(&trajectory(action, &steps, reward.unwrap_or(score.success_score)));
        let credit = given.credit;
        Ok(Attribution {
            action_id: action.action_id,
            version: judged.version,
            method: given.method.to_owned(),
            model_version: credit.model_version,
            evidence: credit.evidence,
            selection_reason: given.selection_reason,
            success_score: score.success_score,
            evaluated: score.evaluated,
            verdict: score.verdict,
            closing,
            grounding: score.grounding,
            reward,
            baseline: credit.baseline,
            residual: credit.residual,
            credits: credit.credits,
            advantages: credit.advantages,
            judged: given.judged,
            // JSON has no infinity.
            std_errors: credit.std_errors.into_iter().map(|error| Some(error).filter(|it| it.is_finite())).collect(),
            n: credit.n,
            forecast: credit.forecast,
            criteria: score.criteria,
            expectation: score.expectation,
            outcome,
            attributed_at: judged.attributed_at,
            reason: judged.reason,
            repeat: false,
            what_if,
        })
    }

    /// The credits that the steps of an open action would have if nothing else came: those of the prior, because there
    /// is no reward yet.
    pub(crate) fn credits_so_far(&self, action: &Action, chain: &Chain) -> Result<Vec<f64>, Error> {
        let parsed = Parsed::of(chain)?;
        let steps = parsed.features(None, &action.agent_id);
        let prior = self.config.method_of(&action.action_type).prior();
        Ok(prior.assign(&trajectory(action, &steps, accredit_credit::NEUTRAL_SCORE)).credits)
    }
}

/// The action as a credit method sees it.
pub(crate) fn trajectory<'a>(action: &'a Action, steps: &'a [StepFeatures<'a>], reward: f64) -> Trajectory<'a> {
    Trajectory {
        action_id: Some(action.action_id),
        agent_id: action.agent_id.as_str(),
        goal_id: action.goal_id.as_ref().map(accredit_model::GoalId::as_str),
        steps,
        reward,
    }
}

/// The attribution as the store keeps it.
pub(crate) fn stored(attribution: &Attribution) -> Result<NewAttribution, Error> {
    let not_json = |_| Error::Bug("EN-6: an attribution is JSON");
    Ok(NewAttribution {
        version: attribution.version,
        body: serde_json::to_vec(attribution).map_err(not_json)?,
        outcome: serde_json::to_string(&attribution.outcome).map_err(not_json)?,
        reward: attribution.reward,
        score: attribution.success_score,
        verdict: attribution.verdict,
    })
}

/// Reads an attribution back.
pub(crate) fn read(stored: &accredit_store::StoredAttribution) -> Result<Attribution, Error> {
    serde_json::from_slice(&stored.body)
        .map_err(|error| StoreError::Corrupt { what: format!("attribution {} ({error})", stored.cursor) }.into())
}

/// What is wrong with a stored attribution; for `verify`.
pub(crate) fn complaint(action: &Action, chain: &Chain, stored: &accredit_store::StoredAttribution) -> Option<String> {
    let attribution = match read(stored) {
        Ok(attribution) => attribution,
        Err(error) => return Some(error.to_string()),
    };
    let n_steps = action.step_count;
    let n_credits = attribution.credits.len() as u64;
    let sum: f64 = attribution.credits.iter().sum();
    let explained = attribution.baseline + attribution.advantages.iter().sum::<f64>() + attribution.residual;
    if attribution.action_id != action.action_id || attribution.version != stored.version {
        return Some("names another action or version".to_owned());
    }
    if n_credits != n_steps || attribution.advantages.len() as u64 != n_steps {
        return Some(format!("credits {n_credits} steps of {n_steps}"));
    }
    let said = [attribution.std_errors.len(), attribution.n.len(), attribution.forecast.len()];
    if said.iter().any(|n| ![0, n_steps].contains(&(*n as u64))) {
        return Some(format!("says something of {said:?} steps of {n_steps}"));
    }
    if n_steps > 0 && (sum - 1.0).abs() > 1e-9 {
        return Some(format!("has credits that sum to {sum}"));
    }
    if (explained - attribution.effective_reward()).abs() > 1e-9 * (1.0 + explained.abs()) {
        return Some(format!("explains {explained} of a reward of {}", attribution.effective_reward()));
    }
    if chain.n_entries() < n_steps {
        return Some("has more credits than the chain has entries".to_owned());
    }
    None
}
