//! Recorded runs, what was learned from them, and random numbers from a seed.

use std::collections::BTreeMap;

use accredit_credit::{Credit, CreditMethod, FitOptions, Learner, Model, StepFeatures, Trajectory};
use accredit_model::ActionId;

/// One step as an agent would tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) state_key: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) key: String,
}

impl Told {
    fn features(&self) -> StepFeatures<'_> {
        StepFeatures {
            key: Some(&self.key),
            state_key: self.state_key.as_deref(),
            state: self.state.as_deref(),
            ..StepFeatures::default()
        }
    }
}

/// A step of which nothing but the decision is told.
pub(crate) fn only(key: &str) -> Told {
    Told { key: key.to_owned(), ..Told::default() }
}

/// A step whose situation has a name.
pub(crate) fn within(state: &str, key: &str) -> Told {
    Told { state_key: Some(state.to_owned()), ..only(key) }
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) steps: Vec<Told>,
    pub(crate) reward: f64,
}

impl Run {
    fn with<T>(&self, then: impl FnOnce(&Trajectory<'_>) -> T) -> T {
        let steps: Vec<StepFeatures<'_>> = self.steps.iter().map(Told::features).collect();
        then(&Trajectory { agent_id: "agent", goal_id: None, action_id: None, steps: &steps, reward: self.reward })
    }

    pub(crate) fn credit(&self, method: &dyn CreditMethod) -> Credit {
        self.with(|trajectory| method.assign(trajectory))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.key.as_str())
    }
}

/// The model that `auto` makes of these runs.
pub(crate) fn learned(runs: &[Run]) -> Model {
    let mut learner = Learner::default();
    for (at, run) in runs.iter().enumerate() {
        let action = ActionId::from_bytes((at as u128 + 1).to_be_bytes());
        run.with(|trajectory| learner.learn(1, action, 1, trajectory));
    }
    learner.fit(&FitOptions { version: 1, ..FitOptions::default() })
}

/// Mean over the steps that have the key, of all runs.
pub(crate) fn mean_by_key(runs: &[Run], value: impl Fn(&Run) -> Vec<f64>) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for run in runs {
        for (key, value) in run.keys().zip(value(run)) {
            let (sum, n) = sums.entry(key.to_owned()).or_default();
            *sum += value;
            *n += 1.0;
        }
    }
    sums.into_iter().map(|(key, (sum, n))| (key, sum / n)).collect()
}

/// Mean over the runs in which the key was chosen, of the part of the credit that goes to it.
pub(crate) fn mass_of(runs: &[Run], is_it: impl Fn(usize, &str) -> bool, credit: impl Fn(&Run) -> Vec<f64>) -> f64 {
    let mass = |run: &Run| {
        let credits = credit(run);
        let its = run.keys().zip(credits).enumerate().filter(|(at, (key, _))| is_it(*at, key));
        its.map(|(_, (_, credit))| credit).sum::<f64>()
    };
    runs.iter().map(mass).sum::<f64>() / runs.len() as f64
}

/// splitmix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64) < share * 9_007_199_254_740_992.0
    }

    pub(crate) fn of<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[(self.next() % names.len() as u64) as usize]
    }

    /// 1 in this share of cases, else 0.
    pub(crate) fn reward(&mut self, share: f64) -> f64 {
        f64::from(u8::from(self.chance(share)))
    }
}
