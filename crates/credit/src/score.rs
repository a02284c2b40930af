//! The success score of an action.

use std::borrow::Cow;

use accredit_model::{
    Closing, CriterionResult, CriterionVerdict, ExpectationResult, Grounding, JsonObject, Observation, Source, Verdict,
};
use serde_json::{Value, json};

use crate::NEUTRAL_SCORE;
use crate::observed::Observed;
use crate::work::Budget;
use crate::{criterion, expectation};

/// The score of an action that the engine closed, or that reports a timeout, and of which nothing was expected.
const UNFINISHED_SCORE: f64 = 0.2;

/// What an action is judged by.
#[derive(Clone, Copy, Debug)]
pub struct ScoreInput<'a> {
    /// Metric → expected value or matcher.
    pub expected: &'a JsonObject,
    /// The acceptance criteria.
    pub criteria: &'a [String],
    /// What the agent says came out. Not looked at where the engine closed the action.
    pub outcome: &'a JsonObject,
    /// The reward that the user's own evaluator gave.
    pub reward: Option<f64>,
    /// How the action ended.
    pub closing: Closing,
    /// All observations, in the order of their `seq`.
    pub observations: &'a [&'a Observation],
    /// What criteria know as `action`.
    pub facts: ActionFacts<'a>,
}

/// What acceptance criteria can ask about the action itself: `action.step_count <= 20`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ActionFacts<'a> {
    /// Who acted.
    pub agent_id: &'a str,
    /// What kind of work it was.
    pub action_type: &'a str,
    /// The task attempted.
    pub goal_id: Option<&'a str>,
    /// Steps recorded.
    pub step_count: u64,
    /// Observations recorded.
    pub observation_count: u64,
    /// From beginning to closing, in seconds.
    pub duration_seconds: f64,
}

impl ActionFacts<'_> {
    pub(crate) fn to_value(self) -> Value {
        json!({
            "agent_id": self.agent_id,
            "action_type": self.action_type,
            "goal_id": self.goal_id,
            "step_count": self.step_count,
            "observation_count": self.observation_count,
            "duration_seconds": self.duration_seconds,
        })
    }
}

/// How well an action came out, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// In [0, 1].
    pub success_score: f64,
    /// Whether anything was there to judge by.
    pub evaluated: bool,
    /// The score in one word.
    pub verdict: Verdict,
    /// The strongest source of what decided.
    pub grounding: Grounding,
    /// The acceptance criteria, in order.
    pub criteria: Vec<CriterionResult>,
    /// The expected keys, in order.
    pub expectation: Vec<ExpectationResult>,
}

/// Scores an action.
///
/// 1. A failure signal (`status` in error, failed, failure; a truthy `error`; `success: false`) makes the score 0. The
///    lists of criteria and expectation are filled all the same.
/// 2. Else `matched items / evaluable items`, an item being an expected key or a criterion that can be evaluated.
/// 3. Where nothing is evaluable: `success: true` makes 1; else a reward in \[0, 1\] is the score; else nothing was
///    evaluated, and the score is 0.2 where the engine closed the action or its `status` is `timeout`, and 0.5
///    otherwise.
///
/// **Observed beats claimed.** A key's value is that of the latest observation whose data has the key, where the
/// outcome has it too; else the outcome's. For the three keys of failure signals an observation that grounds a step
/// does not count: it reports on that step. A key that the outcome lacks does not meet an expectation, whatever was
/// observed. Criteria see observed keys that the outcome lacks as well.
///
/// **Engine closings** are evaluated against an empty outcome.
#[must_use]
pub fn score(input: &ScoreInput<'_>) -> Score {
    let empty = JsonObject::new();
    let outcome = if input.closing == Closing::Completed { input.outcome } else { &empty };
    let case = Case { input, outcome, observed: Observed::of(input.observations), budget: Budget::default() };
    let expectation: Vec<ExpectationResult> =
        input.expected.iter().map(|(key, expected)| case.expectation(key, expected)).collect();
    let criteria: Vec<CriterionResult> =
        input.criteria.iter().map(|criterion| criterion::evaluate(criterion, &case)).collect();
    let (success_score, evaluated, source) =
        case.failure().or_else(|| by_items(&expectation, &criteria)).unwrap_or_else(|| case.by_word());
    Score {
        success_score,
        evaluated,
        verdict: verdict(success_score, evaluated),
        grounding: grounding(source),
        criteria,
        expectation,
    }
}

/// A score, whether something was evaluated, and the strongest source of what decided.
type Decided = (f64, bool, Source);

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 items")]
fn by_items(expectation: &[ExpectationResult], criteria: &[CriterionResult]) -> Option<Decided> {
    let criteria = criteria.iter().filter(|criterion| criterion.result != CriterionVerdict::Unevaluable);
    let items: Vec<(bool, Source)> = (expectation.iter().map(|item| (item.matched, item.source)))
        .chain(criteria.map(|item| (item.result == CriterionVerdict::Pass, item.source)))
        .collect();
    let source = items.iter().map(|(_, source)| *source).max()?;
    let n_matched = items.iter().filter(|(matched, _)| *matched).count();
    Some((n_matched as f64 / items.len() as f64, true, source))
}

fn verdict(success_score: f64, evaluated: bool) -> Verdict {
    if !evaluated {
        Verdict::Unknown
    } else if success_score >= 1.0 {
        Verdict::Success
    } else if success_score <= 0.0 {
        Verdict::Failure
    } else {
        Verdict::Partial
    }
}

const fn grounding(source: Source) -> Grounding {
    match source {
        Source::Missing | Source::Claimed => Grounding::Claimed,
        Source::Observed => Grounding::Observed,
        Source::Judged => Grounding::Judged,
    }
}

/// Everything that an item can be decided by.
pub(crate) struct Case<'a> {
    input: &'a ScoreInput<'a>,
    outcome: &'a JsonObject,
    pub(crate) observed: Observed<'a>,
    pub(crate) budget: Budget,
}

/// A value and what supplied it.
pub(crate) type Supplied<'a> = (Cow<'a, Value>, Source);

impl Case<'_> {
    fn expectation(&self, key: &str, expected: &Value) -> ExpectationResult {
        let (matched, source) = match self.effective(key) {
            Some((actual, source)) => (expectation::is_match(expected, &actual), source),
            None => (false, Source::Missing),
        };
        ExpectationResult { key: key.to_owned(), matched, source }
    }

    /// The value of a key of the outcome.
    fn effective(&self, key: &str) -> Option<Supplied<'_>> {
        let claimed = self.outcome.get(key)?;
        Some(supplied(claimed, self.observed.get(key)))
    }

    /// The value of a key that tells of failure.
    fn signal(&self, key: &str) -> Option<Supplied<'_>> {
        let claimed = self.outcome.get(key)?;
        Some(supplied(claimed, self.observed.signal(key)))
    }

    /// The value that a criterion knows under a bare name.
    pub(crate) fn name(&self, name: &str) -> Option<Supplied<'_>> {
        let object = |object: &JsonObject| (Cow::Owned(Value::Object(object.clone())), Source::Claimed);
        match name {
            "outcome" => Some(object(self.outcome)),
            "expected" => Some(object(self.input.expected)),
            "observed" => {
                let source = self.observed.source(None).unwrap_or(Source::Claimed);
                Some((Cow::Owned(self.observed.to_value()), source))
            }
            "action" => Some((Cow::Owned(self.input.facts.to_value()), Source::Claimed)),
            _ => self
                .effective(name)
                .or_else(|| self.observed.get(name).map(|(value, source)| (Cow::Owned(value), source))),
        }
    }

    fn failure(&self) -> Option<Decided> {
        let fails = |key: &str, value: &Value| match key {
            "status" => value.as_str().is_some_and(|status| ["error", "failed", "failure"].contains(&status)),
            "error" => criterion::is_truthy(value),
            _ => *value == Value::Bool(false),
        };
        let failing = crate::observed::SIGNALS.into_iter().filter_map(|key| {
            let (value, source) = self.signal(key)?;
            fails(key, &value).then_some(source)
        });
        failing.max().map(|source| (0.0, true, source))
    }

    /// The score where there are no items: what is said of the whole.
    fn by_word(&self) -> Decided {
        if let Some((success, source)) = self.signal("success")
            && *success == Value::Bool(true)
        {
            return (1.0, true, source);
        }
        if let Some(reward) = self.input.reward.filter(|reward| (0.0..=1.0).contains(reward)) {
            return (reward, true, Source::Claimed);
        }
        let timed_out = self.signal("status").is_some_and(|(status, _)| *status == "timeout");
        let is_unfinished = self.input.closing != Closing::Completed || timed_out;
        (if is_unfinished { UNFINISHED_SCORE } else { NEUTRAL_SCORE }, false, Source::Claimed)
    }
}

fn supplied(claimed: &Value, observed: Option<(Value, Source)>) -> Supplied<'_> {
    match observed {
        Some((value, source)) => (Cow::Owned(value), source),
        None => (Cow::Borrowed(claimed), Source::Claimed),
    }
}

#[cfg(test)]
mod tests;
