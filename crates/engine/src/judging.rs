//! Who may judge a step, and what several judges say together.

use std::collections::BTreeMap;

use accredit_model::{AgentId, Observation};

/// A source that says of itself that it is the one who acted.
const ITSELF: &str = "self";

/// What was said of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    /// In [0, 1].
    pub(crate) score: f64,
    /// How many said it.
    pub(crate) judges: u64,
}

/// The step that this observation judges, and its score: `None` where it judges none.
///
/// A score beside a step is a judgement of that step, by the rule that makes an observation with a score judged, unless
/// it is the score of a criterion. The agent that acted is no judge of its own steps: what comes from a source with its id,
/// or from `self`, is its confidence said twice. Who else is who is taken from `source` as it stands there: whoever lets an
/// agent write observations under other names has given it the judge's chair.
pub(crate) fn judgement(observation: &Observation, agent: &AgentId) -> Option<(usize, f64)> {
    let is_agent = |source: &str| {
        let source = source.trim();
        source.eq_ignore_ascii_case(agent.as_str().trim()) || source.eq_ignore_ascii_case(ITSELF)
    };
    if observation.criterion.is_some() || observation.source.as_deref().is_some_and(is_agent) {
        return None;
    }
    Some((usize::try_from(observation.step?).ok()?, observation.score?))
}

/// What was said of each step that was judged: of each source the latest score, of all sources the mean. Observations
/// without a source are one source.
pub(crate) fn judgements<'o>(
    observations: impl IntoIterator<Item = &'o Observation>,
    agent: &AgentId,
) -> BTreeMap<usize, Judgement> {
    let mut latest: BTreeMap<(usize, Option<&str>), f64> = BTreeMap::new();
    for observation in observations {
        if let Some((step, score)) = judgement(observation, agent) {
            let source = observation.source.as_deref().map(str::trim).filter(|source| !source.is_empty());
            latest.insert((step, source), score);
        }
    }
    let mut judgements: BTreeMap<usize, Judgement> = BTreeMap::new();
    for ((step, _), score) in latest {
        let all = judgements.entry(step).or_insert(Judgement { score: 0.0, judges: 0 });
        all.judges += 1;
        // The mean so far, moved: within [0, 1] whatever the rounding.
        all.score += (score - all.score) / all.judges as f64;
    }
    judgements
}

#[cfg(test)]
mod tests;
