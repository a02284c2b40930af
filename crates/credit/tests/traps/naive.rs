//! The methods that fall into the traps, each in its plainest form.

use std::collections::BTreeMap;

use accredit_credit::{CreditMethod, Decay, Uniform, credit_shares};

use crate::support::{Run, mean_by_key};

pub(crate) fn decay(run: &Run) -> Vec<f64> {
    run.credit(&Decay as &dyn CreditMethod).credits
}

pub(crate) fn uniform(run: &Run) -> Vec<f64> {
    run.credit(&Uniform).credits
}

/// All credit to the step at this place, from the beginning or from the end.
pub(crate) fn all_to(run: &Run, at: usize) -> Vec<f64> {
    (0..run.steps.len()).map(|step| f64::from(step == at)).collect()
}

fn mean_reward(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.reward).sum::<f64>() / runs.len() as f64
}

/// Credits of a run by what each of its keys is held to be worth.
pub(crate) fn shares(runs: &[Run], run: &Run, worth: &BTreeMap<String, f64>) -> Vec<f64> {
    let advantages: Vec<f64> = run.keys().map(|key| worth.get(key).copied().unwrap_or(0.0)).collect();
    credit_shares(&advantages, run.reward, mean_reward(runs), &decay(run))
}

/// What a key is worth: how well actions that have it came out, against all.
pub(crate) fn outcome_per_key(runs: &[Run]) -> BTreeMap<String, f64> {
    let mean = mean_reward(runs);
    mean_by_key(runs, |run| vec![run.reward - mean; run.steps.len()])
}

/// The advantage of a step: the run's reward against the mean of all runs that have a step of this index.
pub(crate) fn per_index(runs: &[Run]) -> impl Fn(&Run) -> Vec<f64> {
    let longest = runs.iter().map(|run| run.steps.len()).max().unwrap_or(0);
    let mean_at = |at: usize| {
        let rewards: Vec<f64> = runs.iter().filter(|run| run.steps.len() > at).map(|run| run.reward).collect();
        rewards.iter().sum::<f64>() / rewards.len() as f64
    };
    let means: Vec<f64> = (0..longest).map(mean_at).collect();
    move |run| (0..run.steps.len()).map(|at| run.reward - means[at]).collect()
}

/// Least squares of the reward on how often each key comes at each index, not centred by what was likely there; a
/// hundredth of a row is added to the diagonal, since such columns hang together. By Gauss elimination.
pub(crate) fn uncentred_regression(runs: &[Run]) -> BTreeMap<(usize, String), f64> {
    let mean = mean_reward(runs);
    let mut names: Vec<(usize, String)> =
        runs.iter().flat_map(|run| run.keys().enumerate().map(|(at, key)| (at, key.to_owned()))).collect();
    names.sort();
    names.dedup();
    let n = names.len();
    let mut system = vec![vec![0.0; n + 1]; n];
    for run in runs {
        let here: Vec<usize> =
            run.keys().enumerate().filter_map(|(at, key)| names.binary_search(&(at, key.to_owned())).ok()).collect();
        for i in &here {
            here.iter().for_each(|j| system[*i][*j] += 1.0);
            system[*i][n] += run.reward - mean;
        }
    }
    (0..n).for_each(|i| system[i][i] += 0.01);
    for pivot in 0..n {
        let row = system[pivot].clone();
        for other in system.iter_mut().skip(pivot + 1) {
            let factor = other[pivot] / row[pivot];
            other.iter_mut().zip(&row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut weights = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| system[i][j] * weights[j]).sum();
        weights[i] = (system[i][n] - known) / system[i][i];
    }
    names.into_iter().zip(weights).collect()
}
