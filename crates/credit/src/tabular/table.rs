//! The tables that are fitted by name, to the trajectories that a learner keeps.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Assessment, Episode, Gae, Gigpo, Hca, Mc, Ochiai, TabularModel, TdLambda};
use crate::{LearnedMethod, Sample};

/// Attempts at one goal from which on they are a group of their own.
const GROUP_MIN: usize = 2;

/// A fitted table. What it says of an action that it was fitted to has seen that action's outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Table {
    Mc(Mc),
    TdLambda(TdLambda),
    Gae(Gae),
    Gigpo(Groups),
    Hca(Hca),
    Ochiai(Ochiai),
}

/// [`Gigpo`] for each goal that is attempted at least twice, and for all actions together, which stands for the other
/// goals and for actions without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Groups {
    #[serde(with = "super::rows")]
    of_goal: HashMap<u64, Gigpo>,
    all: Gigpo,
}

impl Table {
    /// The table of this method; `None` where it is none of these.
    pub(crate) fn fit(method: LearnedMethod, samples: &[&Sample]) -> Option<Self> {
        let episodes = || samples.iter().map(|sample| sample.episode()).collect::<Vec<Episode>>();
        Some(match method {
            LearnedMethod::Mc => Self::Mc(Mc::fit(&episodes())),
            LearnedMethod::TdLambda { lambda } => Self::TdLambda(TdLambda::fit(&episodes(), lambda)),
            LearnedMethod::Gae { lambda } => Self::Gae(Gae::fit(&episodes(), lambda)),
            LearnedMethod::Gigpo { weight } => Self::Gigpo(Groups::fit(samples, weight)),
            LearnedMethod::Hca => Self::Hca(Hca::fit(&episodes())),
            LearnedMethod::Ochiai => Self::Ochiai(Ochiai::fit(&episodes())),
            LearnedMethod::Auto | LearnedMethod::TdCe | LearnedMethod::Sdae | LearnedMethod::RidgeRd => return None,
        })
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Mc(_) => LearnedMethod::Mc.name(),
            Self::TdLambda(_) => LearnedMethod::TdLambda { lambda: 0.0 }.name(),
            Self::Gae(_) => LearnedMethod::Gae { lambda: 0.0 }.name(),
            Self::Gigpo(_) => LearnedMethod::Gigpo { weight: 0.0 }.name(),
            Self::Hca(_) => LearnedMethod::Hca.name(),
            Self::Ochiai(_) => LearnedMethod::Ochiai.name(),
        }
    }

    pub(crate) fn assess(&self, sample: &Sample) -> Assessment {
        let episode = sample.episode();
        match self {
            Self::Mc(table) => table.assess(&episode),
            Self::TdLambda(table) => table.assess(&episode),
            Self::Gae(table) => table.assess(&episode),
            Self::Gigpo(groups) => groups.of(sample).assess(&episode),
            Self::Hca(table) => table.assess(&episode),
            Self::Ochiai(table) => table.assess(&episode),
        }
    }
}

impl Groups {
    fn fit(samples: &[&Sample], weight: f64) -> Self {
        let mut goals: HashMap<u64, Vec<Episode>> = HashMap::new();
        for sample in samples {
            if let Some(goal) = sample.goal {
                goals.entry(goal).or_default().push(sample.episode());
            }
        }
        goals.retain(|_, attempts| attempts.len() >= GROUP_MIN);
        let all: Vec<Episode> = samples.iter().map(|sample| sample.episode()).collect();
        Self {
            of_goal: goals.into_iter().map(|(goal, attempts)| (goal, Gigpo::fit(&attempts, weight))).collect(),
            all: Gigpo::fit(&all, weight),
        }
    }

    fn of(&self, sample: &Sample) -> &Gigpo {
        sample.goal.and_then(|goal| self.of_goal.get(&goal)).unwrap_or(&self.all)
    }
}

#[cfg(test)]
mod tests;
