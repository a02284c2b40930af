//! Unit tests.

use accredit_model::ActionId;
use proptest::prelude::*;

use super::*;
use crate::SampleStep;
use crate::random::Random;

/// `(name, arguments)` of each step; the action's id is its number.
fn sample(number: u32, goal: Option<u64>, reward: f64, steps: &[(u64, u64)]) -> Sample {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let step = |(index, (decision, detail)): (usize, &(u64, u64))| SampleStep {
        index: u32::try_from(index).unwrap(),
        decision: *decision,
        detail: *detail,
        ..SampleStep::default()
    };
    let steps = steps.iter().enumerate().map(step).collect();
    Sample { action: ActionId::from_bytes(id), version: 0, goal, agent: 0, reward, steps, features: Vec::new() }
}

fn fit(samples: &[Sample]) -> RidgeRd {
    RidgeRd::fit(&samples.iter().collect::<Vec<_>>())
}

fn random_samples(n: u32, seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    (0..n)
        .map(|number| {
            let goal = (random.below(8) > 0).then(|| random.below(6) as u64);
            let steps: Vec<(u64, u64)> = (0..2 + random.below(6))
                .map(|_| {
                    let name = random.below(4) as u64;
                    (name, name * 10 + random.below(5) as u64)
                })
                .collect();
            let luck = random.below(100) as f64 / 200.0;
            let reward = f64::from(u8::from(steps.contains(&(1, 12)))) - luck;
            sample(number, goal, reward, &steps)
        })
        .collect()
}

/// Gauss elimination with pivots, of the matrix and one right-hand side.
fn gauss(mut matrix: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|i, j| matrix[*i][column].abs().total_cmp(&matrix[*j][column].abs())).unwrap();
        matrix.swap(column, pivot);
        b.swap(column, pivot);
        for row in 0..n {
            if row != column {
                let factor = matrix[row][column] / matrix[column][column];
                let pivot = matrix[column].clone();
                matrix[row].iter_mut().zip(&pivot).for_each(|(entry, pivot)| *entry -= factor * pivot);
                b[row] -= factor * b[column];
            }
        }
    }
    (0..n).map(|row| b[row] / matrix[row][row]).collect()
}

/// Every column as a list of zeros and ones with its prior variance: names, details, paths, goals.
fn dense(runs: &Runs, prior: &Prior) -> (Vec<Vec<f64>>, Vec<f64>) {
    let of_names = runs.names.iter().enumerate().map(|(name, column)| (&column.rows, prior.names[name]));
    let others = runs.details.iter().chain(&runs.paths).map(|column| (&column.rows, prior.names[column.name]));
    let goals = runs.goals.iter().map(|goal| (&goal.rows, prior.goal));
    let all: Vec<(&Vec<usize>, f64)> = of_names.chain(others).chain(goals).collect();
    let indicator = |rows: &[usize]| (0..runs.n).map(|row| f64::from(u8::from(rows.contains(&row)))).collect();
    all.into_iter().map(|(rows, variance)| (indicator(rows), variance)).unzip()
}

/// `(XᵀX/σ² + Λ⁻¹)⁻¹ b`, of the samples without one.
fn normal_equations(columns: &[Vec<f64>], variances: &[f64], noise: f64, b: &[f64], left_out: usize) -> Vec<f64> {
    let product = |left: &[f64], right: &[f64]| {
        (0..left.len()).filter(|row| *row != left_out).map(|row| left[row] * right[row]).sum::<f64>() / noise
    };
    let matrix = (0..columns.len())
        .map(|i| {
            let diagonal = |j: usize| if i == j { 1.0 / variances[i] } else { 0.0 };
            (0..columns.len()).map(|j| product(&columns[i], &columns[j]) + diagonal(j)).collect()
        })
        .collect();
    gauss(matrix, b.to_vec())
}

fn correlations(columns: &[Vec<f64>], rewards: &[f64], noise: f64, left_out: usize) -> Vec<f64> {
    let kept = |row: &usize| *row != left_out;
    let of = |column: &Vec<f64>| (0..rewards.len()).filter(kept).map(|row| column[row] * rewards[row]).sum::<f64>();
    columns.iter().map(|column| of(column) / noise).collect()
}

struct Problem {
    runs: Runs,
    prior: Prior,
    rewards: Vec<f64>,
}

fn problem() -> Problem {
    let samples = random_samples(40, 5);
    let runs = Runs::of(&samples.iter().collect::<Vec<_>>());
    let rewards: Vec<f64> = samples.iter().map(|sample| sample.reward).collect();
    let names = (0..runs.names.len()).map(|name| 0.1 + 0.1 * name as f64).collect();
    Problem { runs, prior: Prior { noise: 0.3, goal: 0.2, names }, rewards }
}

#[test]
fn the_dual_solves_the_normal_equations() {
    let Problem { runs, prior, rewards } = problem();
    let dual = Dual::of(&runs, &prior, &rewards).unwrap();
    let (columns, variances) = dense(&runs, &prior);
    let b = correlations(&columns, &rewards, prior.noise, usize::MAX);
    let slow = normal_equations(&columns, &variances, prior.noise, &b, usize::MAX);
    for ((column, variance), slow) in columns.iter().zip(&variances).zip(&slow) {
        let rows: Vec<usize> = (0..runs.n).filter(|row| column[*row] > 0.0).collect();
        assert!((variance * dual.explain(&rows) - slow).abs() < 1e-9);
    }
}

#[test]
fn posterior_variances_are_the_inverse_of_the_normal_equations() {
    let Problem { runs, prior, rewards } = problem();
    let dual = Dual::of(&runs, &prior, &rewards).unwrap();
    let (columns, variances) = dense(&runs, &prior);
    let mut model = RidgeRd { n_samples: runs.n as u64, ..RidgeRd::default() };
    model.take(&runs, &prior, &dual, 1.0);
    let (n_names, n_details) = (runs.names.len(), runs.details.len());
    for (index, path) in runs.paths.iter().enumerate() {
        let at = [n_names + path.above, n_names + n_details + index];
        let mut unit = vec![0.0; columns.len()];
        at.iter().for_each(|at| unit[*at] = 1.0);
        let solved = normal_equations(&columns, &variances, prior.noise, &unit, usize::MAX);
        let found = model.paths[&path.key];
        assert!((found.variance - solved[at[0]] - solved[at[1]]).abs() < 1e-9);
        assert!((found.with_name - solved[path.name]).abs() < 1e-9);
    }
}

#[test]
fn leaving_one_out_in_closed_form_is_fitting_without_it() {
    let Problem { runs, prior, rewards } = problem();
    let dual = Dual::of(&runs, &prior, &rewards).unwrap();
    let (columns, variances) = dense(&runs, &prior);
    for (row, error) in dual.leave_one_out().iter().enumerate() {
        let b = correlations(&columns, &rewards, prior.noise, row);
        let weights = normal_equations(&columns, &variances, prior.noise, &b, row);
        let predicted: f64 = columns.iter().zip(&weights).map(|(column, weight)| column[row] * weight).sum();
        assert!((rewards[row] - predicted - error).abs() < 1e-9, "{row}");
    }
}

#[test]
fn the_decision_that_matters_is_found() {
    let samples = random_samples(300, 9);
    let found = fit(&samples).assess(&sample(9_999, Some(2), 1.0, &[(0, 3), (1, 12), (2, 24)]));
    assert!(found.advantages[1] > 0.4, "{found:?}");
    assert!(found.advantages[0].abs() < 0.1 && found.advantages[2].abs() < 0.1, "{found:?}");
    assert!(found.std_errors[1] < 0.2 && found.n[1] > 1, "{found:?}");
    assert!((found.forecast[2] - 0.75).abs() < 0.2, "{found:?}");
    let (press, variance) = fit(&samples).press();
    assert!(press < 0.4 * variance);
}

#[test]
fn no_signal_no_advantage() {
    let mut samples = random_samples(60, 1);
    samples.iter_mut().for_each(|sample| sample.reward = 0.7);
    let found = fit(&samples).assess(&samples[0]);
    assert!(found.advantages.iter().all(|advantage| *advantage == 0.0));
    assert!((found.baseline - 0.7).abs() < 1e-12 && found.std_errors.iter().all(|error| error.is_infinite()));
}

#[test]
fn a_decision_seen_once_takes_little_unless_its_goal_shows_what_it_does() {
    // Rewards are luck, and every action does something that no other does.
    let mut random = Random::new(3);
    let noise = |random: &mut Random| random.below(2) as f64;
    let samples: Vec<Sample> =
        (0..200).map(|i| sample(i, None, noise(&mut random), &[(0, 0), (1, 1_000 + u64::from(i))])).collect();
    let model = fit(&samples);
    assert!(samples.iter().all(|sample| model.assess(sample).advantages[1].abs() < 0.15));
    // Thirty goals that are always reached, but for the one attempt that also does what the others do not.
    let mut samples = Vec::new();
    for goal in 0..30 {
        for attempt in 0..4 {
            let odd = attempt == 3;
            let steps = [(0, 0), (1, 50), (1, 100 + goal), (2, 2)];
            let steps: Vec<(u64, u64)> = steps.into_iter().filter(|(_, detail)| odd || *detail < 100).collect();
            samples.push(sample((goal * 4 + attempt) as u32, Some(goal), f64::from(u8::from(!odd)), &steps));
        }
    }
    let model = fit(&samples);
    for sample in samples.iter().skip(3).step_by(4) {
        let found = model.assess(sample);
        assert!(found.advantages[2] < -0.3 && found.advantages[1].abs() < 0.05, "{found:?}");
    }
}

#[test]
fn fillers_and_repeats_move_nothing() {
    let with = |samples: &[Sample], extra: &[(u64, u64)]| {
        let mut samples = samples.to_vec();
        for sample in &mut samples {
            let step = |(decision, detail): &(u64, u64)| SampleStep {
                decision: *decision,
                detail: *detail,
                ..SampleStep::default()
            };
            sample.steps.splice(0..0, extra.iter().map(step));
        }
        samples
    };
    let samples = random_samples(120, 4);
    let (one, eight) = (with(&samples, &[(9, 99)]), with(&samples, &[(9, 99); 8]));
    let (of_one, of_eight) = (fit(&one), fit(&eight));
    for (one, eight) in one.iter().zip(&eight) {
        let (one, eight) = (of_one.assess(one), of_eight.assess(eight));
        assert_eq!(one.advantages[0], 0.0);
        assert!(eight.advantages[..8].iter().all(|advantage| *advantage == 0.0));
        assert_eq!(one.advantages[1..], eight.advantages[8..]);
        assert!(one.std_errors[0].is_infinite());
    }
}

#[test]
fn steps_that_changed_nothing_take_nothing() {
    let mut samples = random_samples(80, 6);
    for sample in &mut samples {
        sample.steps.iter_mut().for_each(|step| step.effect = Some(step.decision == 1));
    }
    let model = fit(&samples);
    for sample in &samples {
        let found = model.assess(sample);
        let quiet = sample.steps.iter().zip(&found.advantages).filter(|(step, _)| step.decision != 1);
        assert!(quiet.into_iter().all(|(_, advantage)| *advantage == 0.0));
    }
}

#[test]
fn an_outcome_moves_what_it_leaves_open() {
    let samples = random_samples(100, 2);
    let model = fit(&samples);
    let known = &samples[7];
    assert!(model.contains(known));
    assert_eq!(model.assess_with_outcome(known), model.assess(known));
    let failed = sample(5_000, Some(1), -2.0, &[(0, 1), (3, 777)]);
    let (before, after) = (model.assess(&failed), model.assess_with_outcome(&failed));
    assert!(after.advantages[1] < before.advantages[1] - 0.02, "{before:?} {after:?}");
    assert!(after.advantages[1] < after.advantages[0]);
    assert_eq!(before.forecast, after.forecast);
}

#[test]
fn the_order_of_samples_does_not_matter_and_models_can_be_kept() {
    let mut samples = random_samples(90, 8);
    let model = fit(&samples);
    Random::new(1).shuffle(&mut samples);
    assert_eq!(fit(&samples), model);
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<RidgeRd>(&text).unwrap(), model);
}

#[test]
fn variances_are_learned_on_whole_goals() {
    let samples: Vec<Sample> =
        (0..500).map(|i| sample(i, Some(u64::from(i / 30)), f64::from(i % 3), &[(0, u64::from(i % 7))])).collect();
    let samples: Vec<&Sample> = samples.iter().collect();
    let n = whole_goals(&samples, 320);
    let small = Runs::of(&samples).prefix(n);
    assert_eq!((n, small.n), (300, 300));
    assert!(small.details.iter().chain(&small.paths).all(|column| column.rows.iter().all(|row| *row < 300)));
    assert_eq!(whole_goals(&samples[..30], 20), 20);
    assert_eq!(RidgeRd::fit(&samples).goals.len(), 17);
}

#[test]
fn nothing_in_gives_nothing_out() {
    let model = RidgeRd::fit(&[]);
    let found = model.assess(&sample(1, Some(1), f64::NAN, &[(0, 0)]));
    assert_eq!((found.baseline, found.advantages), (0.0, vec![0.0]));
    assert!(model.assess(&sample(1, None, 0.0, &[])).forecast.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_comes_numbers_come_out(
        rows in prop::collection::vec(
            (prop::option::of(0..3_u64), prop::num::f64::ANY, prop::collection::vec((0..3_u64, 0..4_u64), 0..6)),
            0..12,
        ),
    ) {
        let samples: Vec<Sample> = rows
            .iter()
            .enumerate()
            .map(|(i, (goal, reward, steps))| sample(u32::try_from(i).unwrap(), *goal, *reward, steps))
            .collect();
        let model = fit(&samples);
        for sample in &samples {
            for found in [model.assess(sample), model.assess_with_outcome(sample)] {
                prop_assert_eq!(found.advantages.len(), sample.steps.len());
                prop_assert_eq!(found.forecast.len(), sample.steps.len());
                prop_assert!(!found.std_errors.iter().any(|error| error.is_nan() || *error < 0.0));
            }
        }
    }
}
