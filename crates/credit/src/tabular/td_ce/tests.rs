//! Unit tests.

use super::super::solve::tests::dense_solve;
use super::super::tests::{KNOWN, chance, episode, known_process};
use super::*;
use crate::random::Random;
use crate::{EpisodeStep, Mc};

/// Episodes that wander over a few states until chance ends them.
fn wandering(n_states: usize, n_episodes: usize, seed: u64) -> Vec<Episode> {
    let mut random = Random::new(seed);
    (0..n_episodes)
        .map(|_| {
            let mut steps = vec![];
            while steps.is_empty() || chance(&mut random, 80) {
                let on_the_way = chance(&mut random, 20).then(|| random.below(10) as f64 / 10.0);
                steps.push(EpisodeStep {
                    state: random.below(n_states) as u64,
                    decision: random.below(3) as u64,
                    reward: on_the_way,
                    propensity: None,
                });
            }
            Episode { reward: random.below(100) as f64 / 50.0 - 1.0, steps }
        })
        .collect()
}

#[test]
fn values_are_those_of_a_dense_solve() {
    for seed in 0..50 {
        let n_states = 2 + seed as usize % 7;
        let episodes = wandering(n_states, 20, seed);
        let mut matrix = vec![vec![0.0; n_states]; n_states];
        let mut b = vec![0.0; n_states];
        for episode in &episodes {
            let mut rest = episode.reward;
            for (t, step) in episode.steps.iter().enumerate() {
                let state = step.state as usize;
                matrix[state][state] += 1.0;
                let next = episode.steps.get(t + 1);
                let arrival = next.map_or(rest, |_| step.reward.unwrap_or(0.0));
                b[state] += arrival;
                rest -= arrival;
                if let Some(next) = next {
                    matrix[state][next.state as usize] -= 1.0;
                }
            }
        }
        (0..n_states).filter(|i| matrix[*i].iter().all(|x| *x == 0.0)).collect::<Vec<_>>().into_iter().for_each(|i| {
            matrix[i][i] = 1.0;
        });
        let expected = dense_solve(matrix, b);
        let model = TdCe::fit(&episodes);
        assert!(model.residual() < 1e-11, "seed {seed}");
        for (state, expected) in expected.iter().enumerate() {
            if let Some(value) = model.value(state as u64) {
                assert!((value - expected).abs() < 1e-9, "seed {seed}: {value} {expected}");
            }
        }
    }
}

#[test]
fn advantages_of_a_known_process_are_recovered() {
    let model = TdCe::fit(&known_process(40_000, 11));
    for ((state, decision), advantage) in KNOWN {
        let found = model.assess(&episode(1.0, &[(state, decision)]));
        assert!((found.advantages[0] - advantage).abs() < 0.01, "{state} {decision}: {found:?}");
        assert!((found.advantages[0] - advantage).abs() < 4.5 * found.std_errors[0]);
        assert!(state == 2 || found.std_errors[0] < 0.01, "{found:?}");
    }
}

#[test]
fn standard_errors_cover() {
    let check = |at: usize, least: usize| {
        let ((state, decision), advantage) = KNOWN[at];
        let n_covered = (0..300)
            .filter(|seed| {
                let found = TdCe::fit(&known_process(2_000, 1_000 + seed)).assess(&episode(1.0, &[(state, decision)]));
                (found.advantages[0] - advantage).abs() < 1.96 * found.std_errors[0]
            })
            .count();
        assert!(n_covered >= least, "{state} {decision}: {n_covered} of 300");
    };
    // 95 % is 285, with a standard deviation of 4.
    check(1, 274);
    check(3, 274);
}

#[test]
fn one_state_is_a_bandit() {
    let pulls = [(1.0, 0), (1.0, 0), (0.0, 0), (0.0, 1), (0.5, 2)];
    let model = TdCe::fit(&pulls.map(|(reward, arm)| episode(reward, &[(4, arm)])));
    let check = |arm: u64, n: u64, mean: f64| {
        let found = model.assess(&episode(0.0, &[(4, arm)]));
        let shrunk = if n > 1 { n as f64 / (n + 1) as f64 } else { 0.0 };
        assert!((found.baseline - 0.5).abs() < 1e-15);
        assert!((found.advantages[0] - shrunk * (mean - 0.5)).abs() < 1e-15, "{found:?}");
        assert!((found.forecast[0] - 0.5 - shrunk * (mean - 0.5)).abs() < 1e-15);
        assert_eq!(found.n, [n]);
    };
    check(0, 3, 2.0 / 3.0);
    // Seen once: nothing.
    check(1, 1, 0.0);
    check(2, 1, 0.5);
    check(9, 0, 0.0);
}

#[test]
fn a_decision_that_never_varies_is_not_identifiable() {
    let (won, lost) = (episode(1.0, &[(1, 1), (2, 5)]), episode(0.0, &[(1, 2), (3, 5)]));
    let model = TdCe::fit(&[won.clone(), lost.clone()]);
    let found = model.assess(&won);
    assert_eq!((found.advantages, found.std_errors), (vec![0.0; 2], vec![f64::INFINITY; 2]));
    let model = TdCe::fit(&[won.clone(), won, lost]);
    let found = model.assess(&episode(1.0, &[(1, 1), (2, 5)]));
    assert_eq!((found.advantages[1], found.std_errors[1]), (0.0, f64::INFINITY));
    assert!(found.advantages[0] > 0.0 && found.std_errors[0].is_finite());
}

#[test]
fn long_chains_carry_the_reward_to_the_decision() {
    // The first of a hundred decisions makes the reward; the two ways are told apart by state all along. Each key is seen
    // a few times only, where a pseudo-count inside the solve would leave (5/6)^99 of it: nothing.
    let episodes: Vec<Episode> = (0..10_u64)
        .map(|i| {
            let way = i % 2;
            let steps: Vec<(u64, u64)> = (0..100)
                .map(|t| (if t == 0 { 0 } else { 1_000 * (way + 1) + t }, if t == 0 { way } else { 0 }))
                .collect();
            episode(way as f64, &steps)
        })
        .collect();
    let model = TdCe::fit(&episodes);
    let found = model.assess(&episodes[1]);
    assert!((found.advantages[0] - 5.0 / 6.0 * 0.5).abs() < 1e-12, "{:?}", found.advantages[0]);
    assert!(found.advantages[1..].iter().all(|advantage| *advantage == 0.0));
    assert!((found.forecast[99] - 1.0).abs() < 1e-12);
}

#[test]
fn luck_is_averaged_where_ways_meet() {
    // Two ways meet in state 5, so what is known of it serves both: Monte Carlo knows one return per first state.
    let episodes = [episode(1.0, &[(1, 0), (5, 0)]), episode(0.0, &[(2, 0), (5, 0)])];
    let (model, monte_carlo) = (TdCe::fit(&episodes), Mc::fit(&episodes));
    assert_eq!((model.value(1), model.value(2)), (Some(0.5), Some(0.5)));
    assert_eq!((monte_carlo.value(1), monte_carlo.value(2)), (Some(1.0), Some(0.0)));
}

#[test]
fn warm_and_cold_starts_agree_and_shards_are_one_table() {
    let episodes = wandering(6, 200, 3);
    let (mut early, mut late, mut other) = (Counts::default(), Counts::default(), Counts::default());
    for (i, episode) in episodes.iter().enumerate() {
        if i < 100 {
            early.add(1, episode);
        }
        if i % 2 == 0 { late.add(1, episode) } else { other.add(2, episode) }
    }
    late.merge(&other);
    let warm = TdCe::from_counts(&early, None);
    let (cold, warm) = (TdCe::from_counts(&late, None), TdCe::from_counts(&late, Some(&warm)));
    let whole = TdCe::fit(&episodes);
    for episode in &episodes {
        let expected = whole.assess(episode);
        for model in [&cold, &warm] {
            let found = model.assess(episode);
            let pairs =
                found.advantages.iter().zip(&expected.advantages).chain(found.forecast.iter().zip(&expected.forecast));
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
            assert_eq!(found.n, expected.n);
        }
    }
}

#[test]
fn dropped_states_are_worth_the_mean() {
    let mut counts = Counts::new(8);
    for i in 0..200_u64 {
        counts.add(1, &episode((i % 2) as f64, &[(1, i % 2), (100 + i, 0)]));
    }
    let model = TdCe::from_counts(&counts, None);
    assert!(counts.n_dropped() > 0 && model.residual().is_finite());
    assert!(model.value(1).is_none_or(|value| (0.0..=1.0).contains(&value)));
}

/// A corridor of twelve places: decision 1 goes on with 0.8, decision 0 stays. At its end the reward is 1, less 0.01 for every step.
fn corridor(n: usize, seed: u64) -> Vec<Episode> {
    let mut random = Random::new(seed);
    let run = |_| {
        let mut steps = vec![];
        let mut place = random.below(12) as u64;
        while place < 12 {
            let goes = chance(&mut random, 80);
            steps.push((place, u64::from(goes)));
            place += u64::from(goes);
        }
        episode(1.0 - 0.01 * steps.len() as f64, &steps)
    };
    (0..n).map(run).collect()
}

#[test]
fn time_that_a_decision_costs_is_put_to_its_account() {
    let episodes = corridor(600, 5);
    let model = TdCe::fit(&episodes);
    for place in 0..11 {
        // To stay costs a step, and one goes on in 0.8 of cases.
        for (decision, advantage) in [(0, -0.01), (1, 0.0025)] {
            let found = model.assess(&episode(0.9, &[(place, decision), (place, 1)]));
            let n = found.n[0] as f64;
            assert!((found.advantages[0] - n / (n + 1.0) * advantage).abs() < 3e-4, "{place} {decision}: {found:?}");
        }
    }
    // Nothing is luck: what was expected and what was decided make the reward, and the forecast ends at it.
    for episode in &episodes[..50] {
        let found = model.assess(episode);
        assert!(found.residual(episode.reward).abs() < 0.03, "{found:?}");
        assert!((found.forecast.last().unwrap() - episode.reward).abs() < 0.02, "{found:?} {}", episode.reward);
    }
    // Steps whose rewards were told leave nothing to find out, and it is the same process.
    let told: Vec<Episode> = episodes
        .iter()
        .cloned()
        .map(|mut episode| {
            episode.steps.iter_mut().for_each(|step| step.reward = Some(-0.01));
            episode
        })
        .collect();
    let other = TdCe::fit(&told);
    for (told, episode) in told.iter().zip(&episodes).take(50) {
        let (found, expected) = (other.assess(told), model.assess(episode));
        let pairs = found.advantages.iter().zip(&expected.advantages);
        assert!(pairs.into_iter().all(|(found, expected)| (found - expected).abs() < 1e-9));
        assert!((found.baseline - expected.baseline).abs() < 1e-9);
    }
}

#[test]
fn a_decision_made_once_is_worth_what_it_is_elsewhere() {
    let mut episodes = corridor(600, 6);
    // In a place of its own, and with a reward that would say the opposite.
    episodes.push(episode(1.5, &[(77, 0)]));
    let model = TdCe::fit(&episodes);
    let known = model.assess(&episode(0.9, &[(3, 0)])).advantages[0];
    for state in [77, 88] {
        let found = model.assess(&episode(0.9, &[(state, 0)]));
        assert!((found.advantages[0] - known).abs() < 1e-3 && found.n[0] > 100, "{found:?}");
        assert!(found.std_errors[0].is_finite());
        // A decision that nobody knows.
        assert_eq!(model.assess(&episode(0.9, &[(state, 5)])).advantages, [0.0]);
    }
}
