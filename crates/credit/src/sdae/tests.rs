//! Unit tests.

use accredit_model::ActionId;

use super::columns::{ALWAYS, ANYWHERE, Candidates, Design, DesignColumn, Place, bucket, contexts, first};
use super::lasso::{fit, solve};
use super::prior::Prior;
use super::*;
use crate::SampleStep;
use crate::cholesky::dot;
use crate::keys::{PATH, combine};

fn uniform(random: &mut Random) -> f64 {
    random.below(1 << 30) as f64 / f64::from(1 << 30)
}

fn sample(at: u64, reward: f64, steps: Vec<SampleStep>) -> Sample {
    let action = ActionId::from_bytes((u128::from(at) + 1).to_be_bytes());
    let number = |(index, step)| SampleStep { index: index as u32, ..step };
    let steps = steps.into_iter().enumerate().map(number).collect();
    Sample { action, version: 1, goal: None, agent: 0, reward, steps, features: Vec::new() }
}

/// The same, each step with the features of its situation.
fn featured<const N: usize>(at: u64, reward: f64, steps: Vec<(SampleStep, [u64; N])>) -> Sample {
    let features = steps.iter().flat_map(|(_, features)| *features).collect();
    let (n, firsts) = (N as u32, (0_u32..).step_by(N));
    let placed = firsts.zip(steps).map(|(first, (step, _))| SampleStep { features: first..first + n, ..step });
    Sample { features, ..sample(at, reward, placed.collect()) }
}

/// Actions over states that recur, states with a single decision, states of one action and decisions of one action, with
/// features of two and of three values, and some propensities. Decision 11 is worth `effect`, as often as it is made.
fn samples(n: usize, effect: f64, lengths: (usize, usize), seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    let one = |at: usize| {
        let n_steps = lengths.0 + random.below(lengths.1 - lengths.0 + 1);
        let steps: Vec<(SampleStep, [u64; 2])> = (0..n_steps)
            .map(|_| {
                let random = &mut random;
                let state = match random.below(8) {
                    0 => 1_000 + random.next() % (1 << 40),
                    state => state as u64,
                };
                let decision = match (state, random.below(20)) {
                    (7, _) => 17,
                    (_, 0) => 1_000 + random.next() % (1 << 40),
                    (_, decision) => 10 + (decision % 4) as u64,
                };
                let features = [(5 << 40) + random.below(2) as u64, (6 << 40) + random.below(3) as u64];
                let propensity = (random.below(4) == 0).then(|| uniform(random));
                (SampleStep { state, decision, propensity, ..SampleStep::default() }, features)
            })
            .collect();
        let n_good = steps.iter().filter(|(step, _)| step.decision == 11).count();
        featured(at as u64, n_good as f64 * effect + uniform(&mut random), steps)
    };
    (0..n).map(one).collect()
}

/// A design of random columns that hang together, and rewards that five of them explain.
fn design(n: usize, p: usize, seed: u64) -> (Design, Vec<f64>) {
    let mut random = Random::new(seed);
    let common: Vec<f64> = (0..n).map(|_| uniform(&mut random)).collect();
    let mut columns = Vec::new();
    for j in 0..p {
        let mut values: Vec<f64> =
            common.iter().map(|common| uniform(&mut random) + common * (j % 3) as f64 / 2.0).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        values.iter_mut().for_each(|value| *value -= mean);
        let scale = (dot(&values, &values) / n as f64).sqrt();
        values.iter_mut().for_each(|value| *value /= scale);
        let column = Column::of(1, j as u64);
        columns.push(DesignColumn { column, mean: 0.0, deviation: 0.5 + j as f64, n_shown: 3, kind: 0, values });
    }
    let signal = |i: usize| (0..5).map(|j| columns[j].values[i] * (j as f64 - 1.5)).sum::<f64>();
    let mut rewards: Vec<f64> = (0..n).map(|i| signal(i) + 2.0 * uniform(&mut random)).collect();
    let mean = rewards.iter().sum::<f64>() / n as f64;
    rewards.iter_mut().for_each(|reward| *reward -= mean);
    (Design { columns, n_candidates: p * 3, n_of_kind: None }, rewards)
}

fn residual(design: &Design, rewards: &[f64], weights: &[f64]) -> Vec<f64> {
    let of = |(i, reward): (usize, &f64)| {
        reward - design.columns.iter().zip(weights).map(|(column, weight)| column.values[i] * weight).sum::<f64>()
    };
    rewards.iter().enumerate().map(of).collect()
}

#[test]
fn the_lasso_meets_its_optimality_conditions() {
    for seed in 0..10 {
        let (design, rewards) = design(80, 40, seed);
        let n = rewards.len() as f64;
        let (weights, penalty) = solve(&design, &rewards);
        let residual = residual(&design, &rewards, &weights);
        for (column, weight) in design.columns.iter().zip(&weights) {
            let slope = dot(&column.values, &residual) / n;
            assert!(slope.abs() <= penalty + 1e-6, "seed {seed}: {slope} {penalty}");
            assert!(
                *weight == 0.0 || (slope - penalty * weight.signum()).abs() < 1e-6,
                "seed {seed}: {slope} {weight}"
            );
        }
        // The penalty is that of its own residuals' deviation.
        let noise = (dot(&residual, &residual) / n).sqrt();
        let expected = 0.8 * noise * (2.0 * 120.0_f64.ln() / n).sqrt();
        assert!((penalty / expected - 1.0).abs() < 1e-4, "seed {seed}: {penalty} {expected}");
        assert!(weights.contains(&0.0) && weights.iter().any(|weight| *weight != 0.0));
    }
}

/// Gauss elimination with pivots.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for at in 0..n {
        let pivot = (at..n).max_by(|i, j| rows[*i][at].abs().total_cmp(&rows[*j][at].abs())).unwrap();
        rows.swap(at, pivot);
        let row = rows[at].clone();
        for other in rows.iter_mut().enumerate().filter(|(i, _)| *i != at).map(|(_, other)| other) {
            let factor = other[at] / row[at];
            other.iter_mut().zip(&row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    rows.iter().enumerate().map(|(at, row)| row[n] / row[at]).collect()
}

#[test]
fn weights_are_half_way_to_least_squares() {
    for seed in 0..10 {
        let (design, rewards) = design(80, 40, seed);
        let (lasso, _) = solve(&design, &rewards);
        let fit = fit(&design, &rewards);
        let values = |j: &usize| design.columns[*j].values.as_slice();
        let rows = fit.chosen.iter().map(|i| {
            let row = fit.chosen.iter().map(|j| dot(values(i), values(j)));
            row.chain([dot(values(i), &rewards)]).collect::<Vec<f64>>()
        });
        let squares = eliminate(rows.collect());
        for ((j, weight), square) in fit.chosen.iter().zip(&fit.weights).zip(&squares) {
            let expected = (lasso[*j] + square) / 2.0 / design.columns[*j].deviation;
            assert!((weight - expected).abs() < 1e-6 * (1.0 + expected.abs()), "seed {seed}: {weight} {expected}");
        }
        // Covariance of least squares: its inverse times the normal matrix is the noise's variance.
        let mut all = vec![0.0; design.columns.len()];
        fit.chosen.iter().zip(&squares).for_each(|(j, square)| all[*j] = *square);
        let residual = residual(&design, &rewards, &all);
        let k = fit.chosen.len();
        let noise = dot(&residual, &residual) / (rewards.len() - k - 1) as f64;
        for a in 0..k {
            for b in 0..k {
                let product: f64 = (0..k)
                    .map(|c| {
                        let scale = design.columns[fit.chosen[a]].deviation * design.columns[fit.chosen[c]].deviation;
                        fit.covariance[a * k + c] * scale * dot(values(&fit.chosen[c]), values(&fit.chosen[b]))
                    })
                    .sum();
                assert!((product - if a == b { noise } else { 0.0 }).abs() < 1e-5 * noise, "seed {seed}");
            }
        }
    }
}

/// The definition, by loops over all steps of all actions.
struct Slow<'a> {
    samples: &'a [Sample],
    knows_end: bool,
}

impl Slow<'_> {
    /// How many steps before this one the action has been in the state without a break.
    fn visit(sample: &Sample, t: usize) -> usize {
        sample.steps[..t].iter().rev().take_while(|before| before.state == sample.steps[t].state).count()
    }

    /// The decisions of other steps in the state of this one, and by how many actions.
    fn there(&self, sample: &Sample, t: usize) -> (Vec<u64>, usize) {
        let mut decisions = Vec::new();
        let mut n_actions = 0;
        for other in self.samples {
            let is_there = |at: &usize| {
                other.steps[*at].state == sample.steps[t].state && Self::visit(other, *at) == Self::visit(sample, t)
            };
            let here: Vec<u64> = (0..other.steps.len()).filter(is_there).map(|at| other.steps[at].decision).collect();
            n_actions += usize::from(!here.is_empty());
            decisions.extend(here);
        }
        (decisions, n_actions)
    }

    fn n_actions_with(&self, decision: u64) -> usize {
        self.samples.iter().filter(|sample| sample.steps.iter().any(|step| step.decision == decision)).count()
    }

    fn share(&self, decision: u64) -> f64 {
        if self.n_actions_with(decision) < 2 {
            return 0.0;
        }
        let all: Vec<u64> = self.samples.iter().flat_map(|sample| &sample.steps).map(|step| step.decision).collect();
        all.iter().filter(|other| **other == decision).count() as f64 / all.len() as f64
    }

    fn policy(&self, sample: &Sample, t: usize, decision: u64, is_own: bool) -> f64 {
        let step = &sample.steps[t];
        if let Some(given) = step.propensity.filter(|_| step.decision == decision) {
            return given;
        }
        let (there, n_actions) = self.there(sample, t);
        if n_actions < 2 {
            return if self.n_actions_with(step.decision) < 2 { 0.0 } else { self.share(decision) };
        }
        let mut names = there.clone();
        names.sort_unstable();
        names.dedup();
        let all: f64 = names.iter().map(|name| self.share(*name)).sum();
        let mut share = self.share(decision);
        if all.min(1.0).powf(there.len() as f64) <= 0.05 {
            share = if names.contains(&decision) { share / all } else { 0.0 };
        }
        let own = f64::from(is_own);
        let count = there.iter().filter(|name| **name == decision).count() as f64;
        let count = count - if step.decision == decision { own } else { 0.0 };
        (count + 8.0 * share) / (there.len() as f64 - own + 8.0)
    }

    /// Contexts with their signs.
    fn contexts(&self, sample: &Sample, t: usize) -> Vec<(u64, f64)> {
        const FIRST: u64 = 0x9ae1_6a3b_2f90_404f;
        const CONTRAST: u64 = 0xc949_d7c7_509e_6557;
        let mut found = vec![(0, 1.0)];
        let of_features = |sample: &Sample, step: &SampleStep, mark: u64| {
            let mut found = Vec::new();
            for feature in sample.features_of(step) {
                found.push((feature ^ mark, 1.0));
                let all = self.samples.iter().flat_map(|sample| {
                    sample.steps.iter().flat_map(|step| sample.features_of(step).to_vec()).collect::<Vec<u64>>()
                });
                let mut values: Vec<u64> = all.filter(|other| other & PATH == feature & PATH).collect();
                values.sort_unstable();
                values.dedup();
                if values.len() == 2 {
                    let sign = if *feature == values[0] { 1.0 } else { -1.0 };
                    found.push(((feature & PATH) ^ CONTRAST ^ mark, sign));
                }
            }
            found
        };
        found.extend(of_features(sample, &sample.steps[t], 0));
        if self.there(sample, t).1 >= 3 {
            found.push((sample.steps[t].state, 1.0));
        }
        if t > 0 {
            found.extend(of_features(sample, &sample.steps[0], FIRST));
            found.push((sample.steps[0].state ^ FIRST, 1.0));
        }
        let bucket = 2 + ((t + 1) as f64).log2().floor() as u64;
        let mut positions = vec![0, bucket];
        if self.knows_end && t + 1 == sample.steps.len() {
            positions.push(1);
        }
        let crossed = |(feature, sign): (u64, f64)| {
            positions.iter().map(move |at| (combine(&[feature, *at]), sign)).collect::<Vec<_>>()
        };
        found.into_iter().flat_map(crossed).collect()
    }

    /// `Σ_t φ(t)` of a column, how often it is shown, and the sum of the squares.
    fn column(&self, sample: &Sample, decision: u64, context: u64, is_own: bool) -> (f64, usize, f64) {
        let (mut sum, mut n, mut squares) = (0.0, 0, 0.0);
        for t in 0..sample.steps.len() {
            for (_, sign) in self.contexts(sample, t).into_iter().filter(|(name, _)| *name == context) {
                let is_made = sample.steps[t].decision == decision;
                let phi = f64::from(is_made) - self.policy(sample, t, decision, is_own);
                sum += sign * phi;
                n += usize::from(is_made);
                squares += phi * phi;
            }
        }
        (sum, n, squares)
    }
}

fn check_columns(samples: &[Sample], seed: u64) {
    let refs: Vec<&Sample> = samples.iter().collect();
    let (policy, contrasts, knows_end) = (Policy::of(&refs), Contrasts::of(&refs), lengths_agree(&refs));
    let slow = Slow { samples, knows_end };
    let rewards: Vec<f64> = samples.iter().map(|sample| sample.reward).collect();
    let design = Candidates::of(&refs, &policy, &contrasts, knows_end).design(&rewards, 100_000);
    let mut contexts: Vec<u64> = samples
        .iter()
        .flat_map(|sample| (0..sample.steps.len()).map(move |t| (sample, t)))
        .flat_map(|(sample, t)| slow.contexts(sample, t))
        .map(|(context, _)| context)
        .collect();
    contexts.sort_unstable();
    contexts.dedup();
    let n = samples.len() as f64;
    for decision in [10, 11, 12, 13, 17] {
        for context in &contexts {
            let cells: Vec<(f64, usize, f64)> =
                samples.iter().map(|sample| slow.column(sample, decision, *context, true)).collect();
            let mean = cells.iter().map(|cell| cell.0).sum::<f64>() / n;
            let variance = cells.iter().map(|cell| (cell.0 - mean).powi(2)).sum::<f64>() / n;
            let n_shown = cells.iter().filter(|cell| cell.1 > 0).count();
            let squares: f64 = cells.iter().map(|cell| cell.2).sum();
            let is_it = |column: &&DesignColumn| column.column == Column::of(decision, *context);
            let found = design.columns.iter().find(is_it);
            if n_shown < 3 || variance.sqrt() < 1e-7 || variance * n < 0.0099 * squares {
                assert!(found.is_none(), "seed {seed}: {decision} {context}");
                continue;
            }
            let values: Vec<f64> = cells.iter().map(|cell| (cell.0 - mean) / variance.sqrt()).collect();
            let distance = |other: &DesignColumn, sign: f64| {
                values.iter().zip(&other.values).map(|(x, y)| (x - sign * y).abs()).fold(0.0, f64::max)
            };
            match found {
                Some(found) => {
                    assert!(distance(found, 1.0) < 1e-7, "seed {seed}: {decision} {context}");
                    assert!((found.mean - mean).abs() < 1e-9 && (found.deviation - variance.sqrt()).abs() < 1e-9);
                    assert_eq!(found.n_shown, n_shown as u64);
                }
                // Another column says the same.
                None => assert!(
                    variance * n < 0.0101 * squares
                        || design.columns.iter().any(|other| distance(other, 1.0).min(distance(other, -1.0)) < 1e-5),
                    "seed {seed}: {decision} {context}"
                ),
            }
        }
    }
}

#[test]
fn columns_are_those_of_the_definition() {
    check_columns(&samples(24, 0.3, (2, 6), 1), 1);
    check_columns(&samples(16, 0.3, (4, 4), 2), 2);
}

#[test]
fn advantages_are_the_product_of_columns_and_weights() {
    for (seed, lengths) in [(3, (2, 6)), (4, (4, 4))] {
        let samples = samples(60, 1.0, lengths, seed);
        let refs: Vec<&Sample> = samples.iter().collect();
        let model = Sdae::fit(&refs);
        assert!(model.n_columns() > 0);
        let slow = Slow { samples: &samples, knows_end: lengths_agree(&refs) };
        for sample in samples.iter().take(10) {
            let columns = model.columns.list.iter();
            let product: f64 = columns
                .map(|chosen| {
                    chosen.weight * slow.column(sample, chosen.column.decision, chosen.column.context(), false).0
                })
                .sum();
            let found = model.assess(sample);
            let sum: f64 = found.advantages.iter().sum();
            assert!((sum - product).abs() < 1e-9, "seed {seed}: {sum} {product}");
            assert!((found.forecast.last().unwrap() - model.baseline - sum).abs() < 1e-9);
        }
    }
}

#[test]
fn a_model_that_was_read_back_says_the_same() {
    // Once what was read back found no column for any context, and so gave every step an advantage of 0.
    let samples = samples(60, 1.0, (2, 6), 5);
    let model = Sdae::fit(&samples.iter().collect::<Vec<&Sample>>());
    let read: Sdae = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    assert_eq!(read, model);
    let largest = samples.iter().flat_map(|sample| read.assess(sample).advantages).fold(0.0, f64::max);
    assert!(largest > 0.2, "{largest}");
    samples.iter().for_each(|sample| assert_eq!(read.assess(sample), model.assess(sample)));
}

#[test]
fn a_p_value_is_small_by_chance_as_seldom_as_it_says() {
    let p_value = |effect: f64, seed: u64| {
        let samples = samples(40, effect, (3, 5), 100 + seed);
        Sdae::p_value(&samples.iter().collect::<Vec<&Sample>>()).unwrap()
    };
    let by_chance: Vec<f64> = (0..40).map(|seed| p_value(0.0, seed)).collect();
    let share = by_chance.iter().filter(|p| **p <= 0.1).count() as f64 / 40.0;
    assert!(share <= 0.25, "{by_chance:?}");
    assert!(by_chance.iter().any(|p| *p > 0.5), "{by_chance:?}");
    for seed in 0..3 {
        assert!(p_value(1.0, seed) <= 0.02, "seed {seed}");
    }
}

#[test]
fn little_or_nothing_is_said_of_little_or_nothing() {
    let strange = [sample(0, f64::NAN, vec![SampleStep::default()]), sample(1, 1.0, vec![])];
    for samples in [&[][..], &strange, &samples(3, 1.0, (2, 3), 6)] {
        let refs: Vec<&Sample> = samples.iter().collect();
        let model = Sdae::fit(&refs);
        assert_eq!(model.n_columns(), 0);
        assert_eq!(Sdae::p_value(&refs), None);
        let found = model.assess(&sample(9, 0.0, vec![SampleStep::default(); 3]));
        assert_eq!((found.advantages, found.n), (vec![0.0; 3], vec![0; 3]));
        assert!(found.std_errors.iter().all(|error| error.is_infinite()));
    }
}

/// The chosen columns of one step with their values, by all contexts that hold there.
fn slow_hits(model: &Sdae, sample: &Sample, at: usize, name: u64) -> Vec<(usize, f64)> {
    let step = &sample.steps[at];
    let place = Place { index: step.index, is_end: model.knows_end && at + 1 == sample.steps.len() };
    let state = model.policy.state(name);
    let mut hits = Vec::new();
    let knows_state = state.is_some_and(|state| state.n_actions >= 3);
    contexts(sample, at, place, knows_state, &model.contrasts, &mut |feature, position, sign| {
        let context = combine(&[feature, position]);
        for (at, chosen) in
            model.columns.list.iter().enumerate().filter(|(_, chosen)| chosen.column.context() == context)
        {
            let decision = chosen.column.decision;
            let x = sign * (f64::from(step.decision == decision) - model.policy.probability(step, decision, state));
            if x.abs() > 1e-9 {
                hits.push((at, x));
            }
        }
    });
    hits
}

#[test]
fn the_columns_within_reach_are_those_of_all_contexts() {
    let mut n_hits = 0;
    for (seed, lengths) in [(3, (2, 6)), (4, (4, 4)), (7, (1, 40))] {
        let samples = samples(60, 1.0, lengths, seed);
        let mut model = Sdae::fit(&samples.iter().collect::<Vec<&Sample>>());
        // All columns that there are, not just the few that were chosen.
        let refs: Vec<&Sample> = samples.iter().collect();
        let rewards: Vec<f64> = samples.iter().map(|sample| sample.reward).collect();
        let design = Candidates::of(&refs, &model.policy, &model.contrasts, model.knows_end).design(&rewards, 400);
        let columns = design.columns.iter().map(|column| column.column);
        let chosen = columns.enumerate().map(|(at, column)| Chosen { column, weight: 1.0 + at as f64, n: 3 });
        model.columns = chosen.collect::<Vec<Chosen>>().into();
        for sample in &samples {
            let mut reach = Reach::of(&model, sample);
            for (at, name) in visits(sample).enumerate() {
                let mut hits = Vec::new();
                reach.hits(at, name, &mut hits);
                // The order too, for sums are taken in it.
                assert_eq!(hits, slow_hits(&model, sample, at, name), "seed {seed}, step {at}");
                n_hits += hits.len();
            }
        }
    }
    assert!(n_hits > 10_000, "{n_hits}");
}

#[test]
fn kinds_say_what_is_whole_what_has_consequences_and_what_lasts() {
    const GOAL: u64 = 1 << 32;
    const COIN: u64 = 2 << 32;
    const THERE: u64 = 3 << 32;
    let mut random = Random::new(8);
    let samples: Vec<Sample> = (0..200)
        .map(|at| {
            let mut coin = || random.below(2) as u64;
            let (goal, mut there) = (coin(), coin());
            let step = |index: u32| {
                let decision = 10 + coin();
                let features = [GOAL + goal, COIN + coin(), THERE + there];
                if index == 0 {
                    there = decision - 10;
                }
                (SampleStep { index, decision, state: at * 100 + u64::from(index), ..SampleStep::default() }, features)
            };
            featured(at, 0.0, (0..12).map(step).collect())
        })
        .collect();
    let refs: Vec<&Sample> = samples.iter().collect();
    let contrasts = Contrasts::of(&refs);
    let prior = Prior::of(&refs, &[10, 11], &contrasts);
    let contrast = |feature: u64| super::columns::aspects(feature, &contrasts).next().unwrap().0;
    let check = |feature: u64, position: u64, kind: usize| {
        for decision in [10, 11] {
            assert_eq!(prior.kind(decision, feature, position), kind, "{feature} {position}");
        }
    };
    for feature in [ALWAYS, contrast(GOAL), contrast(THERE)] {
        check(feature, bucket(0), 7);
        check(feature, bucket(1), 5);
        check(feature, ANYWHERE, 5);
    }
    for feature in [GOAL, GOAL + 1, THERE, first(GOAL)] {
        check(feature, bucket(0), 3);
        check(feature, bucket(6), 1);
    }
    check(contrast(COIN), bucket(0), 6);
    check(contrast(COIN), bucket(3), 4);
    check(COIN, bucket(0), 2);
    check(first(COIN + 1), bucket(3), 0);
    let all: f64 = (0..KINDS).map(|kind| share(kind, 1)).sum();
    assert!((all - 1.0).abs() < 1e-12);
}

#[test]
fn tails_are_those_of_the_normal_distribution() {
    // Simpson's rule on the density, to where nothing is left.
    let slow = |z: f64| {
        let n = 20_000;
        let width = 14.0 / f64::from(n);
        let at = |i: i32| (-0.5 * (z + f64::from(i) * width).powi(2)).exp();
        let sum: f64 = (0..=n).map(|i| at(i) * if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) }).sum();
        (2.0 * sum * width / 3.0 / std::f64::consts::TAU.sqrt()).ln()
    };
    for z in [0.0, 0.5, 1.96, 4.0, 5.99, 6.0, 6.5, 9.0, 12.0] {
        assert!((ln_tail(z) - slow(z)).abs() < 2e-3, "{z}: {} {}", ln_tail(z), slow(z));
    }
}
