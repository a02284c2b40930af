//! The table of credit on environments where the truth is known: a method learns from recorded rollouts and is measured
//! on further ones.

use accredit_credit::{
    Credit, CreditMethod, Decay, FitOptions, LearnedMethod, Learner, Model, StepFeatures, Trajectory,
};
use accredit_model::ActionId;
use serde::Serialize;

use crate::Random;
use crate::environments::{
    Environment, Ice, LakeMap, Rollout, Truth, cliff_walking, discounting_chain, door_key, frozen_lake, memory_len,
    noisy_umbrella, taxi, umbrella_distract, umbrella_length, unlock,
};
use crate::measures::{credit_mass, spearman, top_1};

/// One number of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CreditRow {
    /// The suite, without the setting.
    pub suite: String,
    /// Actions that were learned from.
    pub n: u64,
    /// The method: `decay` is the prior.
    pub method: String,
    /// What is measured: `top_1_mean`, `top_1_worst`, `mass_mean`, `mass_worst`, `spearman`…
    pub metric: String,
    /// The value.
    pub value: f64,
    /// What it is to reach: at least, unless it is an error or a time.
    pub goal: Option<f64>,
    /// The goal is not to be exceeded.
    #[serde(skip)]
    pub at_most: bool,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreditPlan {
    /// The same seed gives the same table.
    pub seed: u64,
    /// Fewer settings and rollouts.
    pub quick: bool,
    /// The method to put beside the prior.
    pub method: LearnedMethod,
}

/// A suite: its settings, how many actions to learn from, and the goals of its metrics.
struct Suite {
    name: &'static str,
    settings: Vec<Box<dyn Environment>>,
    n: usize,
    goals: &'static [(&'static str, f64)],
}

fn boxed<E: Environment + 'static>(settings: Vec<E>) -> Vec<Box<dyn Environment>> {
    settings.into_iter().map(|setting| Box::new(setting) as Box<dyn Environment>).collect()
}

fn suites(quick: bool) -> Vec<Suite> {
    let suite = |name, settings: Vec<Box<dyn Environment>>, n, goals| {
        // Every sixth setting, and always the longest.
        let last = settings.len() - 1;
        let settings = settings.into_iter().enumerate().filter(|(at, _)| !quick || at % 6 == 4 || *at == last);
        Suite { name, settings: settings.map(|(_, setting)| setting).collect(), n, goals }
    };
    const LENGTH: &[(&str, f64)] = &[("top_1_worst", 0.99), ("mass_mean", 0.95)];
    const DISTRACT: &[(&str, f64)] = &[("top_1_worst", 0.98)];
    const MEMORY: &[(&str, f64)] = &[("top_1_mean", 0.99), ("mass_mean", 0.95)];
    const CHAIN: &[(&str, f64)] = &[("top_1_mean", 0.99)];
    const FEW: &[(&str, f64)] = &[("top_1_mean", 0.97)];
    let mut suites = vec![
        suite("umbrella_length", boxed(umbrella_length()), 100, LENGTH),
        suite("umbrella_distract", boxed(umbrella_distract()), 100, DISTRACT),
        suite("memory_len", boxed(memory_len()), 100, MEMORY),
        suite("discounting_chain", boxed(discounting_chain()), 100, CHAIN),
        suite("umbrella_length", boxed(umbrella_length()), 30, FEW),
        suite("umbrella_distract", boxed(umbrella_distract()), 30, FEW),
        suite("memory_len", boxed(memory_len()), 30, FEW),
        suite("discounting_chain", boxed(discounting_chain()), 30, FEW),
        suite("noisy_umbrella", boxed(vec![noisy_umbrella(20); 12]), 300, &[("top_1_mean", 0.80)]),
        suite("noisy_umbrella", boxed(vec![noisy_umbrella(20); 3]), 1000, &[("top_1_mean", 0.99)]),
    ];
    type Process = (&'static str, fn() -> Box<dyn Environment>, &'static [(usize, &'static [(&'static str, f64)])]);
    let processes: [Process; 8] = [
        (
            "frozen_lake_8x8_slippery",
            || Box::new(frozen_lake(LakeMap::Large, Ice::Slippery)),
            &[(100, &[("spearman", 0.90)]), (1000, &[("spearman", 0.975)])],
        ),
        (
            "frozen_lake_8x8",
            || Box::new(frozen_lake(LakeMap::Large, Ice::Deterministic)),
            &[(100, &[("spearman", 0.90)]), (1000, &[("spearman", 0.975)])],
        ),
        (
            "cliff_walking",
            || Box::new(cliff_walking()),
            &[(100, &[("spearman", 0.90)]), (1000, &[("spearman", 0.975)])],
        ),
        (
            "frozen_lake_4x4_slippery",
            || Box::new(frozen_lake(LakeMap::Small, Ice::Slippery)),
            &[(1000, &[("spearman", 0.82)])],
        ),
        ("taxi", || Box::new(taxi()), &[(1000, &[("spearman", 0.70)])]),
        ("door_key_5x5", || Box::new(door_key(5)), &[(1000, &[("spearman", 0.80)])]),
        ("door_key_6x6", || Box::new(door_key(6)), &[(1000, &[("spearman", 0.78)])]),
        ("unlock", || Box::new(unlock()), &[(1000, &[("spearman", 0.68)])]),
    ];
    for (name, make, sizes) in processes {
        for (n, goals) in sizes {
            if !quick || *n < 1000 {
                suites.push(Suite { name, settings: vec![make()], n: *n, goals });
            }
        }
    }
    suites
}

/// Measures every suite; `row` hears each number as it is known.
pub fn credit_table(plan: CreditPlan, row: &mut dyn FnMut(CreditRow)) {
    for suite in suites(plan.quick) {
        let results: Vec<(&str, Vec<Measured>)> = {
            let measured: Vec<[Measured; 2]> = suite
                .settings
                .iter()
                .enumerate()
                .map(|(at, setting)| measure(plan, setting.as_ref(), at, suite.n))
                .collect();
            let (priors, learned) = measured.into_iter().map(|[prior, learned]| (prior, learned)).unzip();
            vec![("decay", priors), (plan.method.name(), learned)]
        };
        for (method, measured) in results {
            for (metric, value) in metrics(&measured) {
                let goal = suite.goals.iter().find(|(name, _)| *name == metric && method != "decay");
                row(CreditRow {
                    suite: suite.name.to_owned(),
                    n: suite.n as u64,
                    method: method.to_owned(),
                    metric: metric.to_owned(),
                    value,
                    goal: goal.map(|(_, goal)| *goal),
                    at_most: false,
                });
            }
        }
    }
}

/// What one method did in one setting.
#[derive(Clone, Copy, Debug)]
enum Measured {
    Decisive { top_1: f64, mass: f64 },
    Advantages { spearman: f64 },
}

fn metrics(measured: &[Measured]) -> Vec<(&'static str, f64)> {
    let decisive: Vec<(f64, f64)> = measured
        .iter()
        .filter_map(|measured| match measured {
            Measured::Decisive { top_1, mass } => Some((*top_1, *mass)),
            Measured::Advantages { .. } => None,
        })
        .collect();
    if decisive.is_empty() {
        let of = |measured: &Measured| match measured {
            Measured::Advantages { spearman } => *spearman,
            Measured::Decisive { .. } => f64::NAN,
        };
        return vec![("spearman", measured.iter().map(of).sum::<f64>() / measured.len().max(1) as f64)];
    }
    let mean = |of: fn(&(f64, f64)) -> f64| decisive.iter().map(of).sum::<f64>() / decisive.len() as f64;
    let worst = |of: fn(&(f64, f64)) -> f64| decisive.iter().map(of).fold(f64::INFINITY, f64::min);
    vec![
        ("top_1_mean", mean(|of| of.0)),
        ("top_1_worst", worst(|of| of.0)),
        ("mass_mean", mean(|of| of.1)),
        ("mass_worst", worst(|of| of.1)),
    ]
}

/// Learns from `n` rollouts and measures on others: the prior and the method.
fn measure(plan: CreditPlan, environment: &dyn Environment, at: usize, n: usize) -> [Measured; 2] {
    let mut random = Random::new(seed(plan.seed ^ (at as u64) << 32, &environment.name(), n));
    let model = learn(environment, n, plan.method, &mut random);
    let held_out: Vec<Rollout> =
        (0..if plan.quick { 60 } else { 200 }).map(|_| environment.rollout(&mut random)).collect();
    [score(&held_out, &Decay), score(&held_out, &model)]
}

fn learn(environment: &dyn Environment, n: usize, method: LearnedMethod, random: &mut Random) -> Model {
    let mut learner = Learner::default();
    for _ in 0..n {
        let rollout = environment.rollout(random);
        let id = ActionId::from_bytes(std::array::from_fn(|_| random.bits() as u8));
        with_trajectory(&rollout, |trajectory| learner.learn(1, id, 1, trajectory));
    }
    learner.fit(&FitOptions { method, version: 1 })
}

/// The rollout as it would be recorded: situation and decision by their keys, the outcome as one reward.
fn with_trajectory<T>(rollout: &Rollout, with: impl FnOnce(&Trajectory<'_>) -> T) -> T {
    // Where the truth is one decision, the outcome alone is told; elsewhere what each step paid.
    let tells_rewards = matches!(rollout.truth, Truth::Advantages(_));
    let states: Vec<String> = rollout.steps.iter().map(|step| step.state.to_string()).collect();
    let steps: Vec<StepFeatures<'_>> = rollout
        .steps
        .iter()
        .zip(&states)
        .map(|(step, state)| StepFeatures {
            description: &step.decision,
            decision: Some(&step.decision),
            state_key: Some(&step.state_key),
            state: Some(state),
            reward: tells_rewards.then_some(step.reward),
            ..StepFeatures::default()
        })
        .collect();
    with(&Trajectory { agent_id: "agent", goal_id: None, action_id: None, steps: &steps, reward: rollout.reward })
}

fn score(rollouts: &[Rollout], method: &dyn CreditMethod) -> Measured {
    let (mut hits, mut mass, mut n) = (0.0, 0.0, 0.0);
    let (mut said, mut truth) = (Vec::new(), Vec::new());
    for rollout in rollouts {
        let credit = with_trajectory(rollout, |trajectory| method.assign(trajectory));
        n += 1.0;
        match &rollout.truth {
            Truth::DecisiveStep(decisive) => {
                hits += f64::from(top_1(&blame(&credit), *decisive));
                mass += credit_mass(&credit.credits, *decisive);
            }
            Truth::Advantages(advantages) => {
                truth.extend_from_slice(advantages);
                // A prior has no advantages; its credits are what it says.
                said.extend(if credit.model_version.is_some() { credit.advantages } else { credit.credits });
            }
        }
    }
    if truth.is_empty() {
        Measured::Decisive { top_1: hits / n, mass: mass / n }
    } else {
        Measured::Advantages { spearman: spearman(&said, &truth).unwrap_or(0.0) }
    }
}

/// What points at the decisive step: the size of its advantage. Credits follow the outcome, so where luck outweighs the
/// decision, the step that was decisive for the better has none of a bad outcome's. A prior has credits alone.
fn blame(credit: &Credit) -> Vec<f64> {
    match credit.model_version {
        Some(_) => credit.advantages.iter().map(|advantage| advantage.abs()).collect(),
        None => credit.credits.clone(),
    }
}

/// Every setting has rollouts of its own.
fn seed(seed: u64, name: &str, n: usize) -> u64 {
    name.bytes()
        .chain(n.to_le_bytes())
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
