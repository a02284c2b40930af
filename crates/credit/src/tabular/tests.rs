//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::random::Random;

/// Steps as (state, decision).
pub(super) fn episode(reward: f64, steps: &[(u64, u64)]) -> Episode {
    let step =
        |(state, decision): &(u64, u64)| EpisodeStep { state: *state, decision: *decision, ..Default::default() };
    Episode { reward, steps: steps.iter().map(step).collect() }
}

pub(super) fn chance(random: &mut Random, percent: usize) -> bool {
    random.below(100) < percent
}

/// In 0, decision 1 leads to 1 in 80 % of cases, decision 0 in 30 %, else to 2. In 1, decision 1 brings 0.9 on average and
/// decision 0 brings 0.5; in 2 there is one decision, which brings 0.2. So V(1) = 0.7, V(2) = 0.2, V(0) = 0.475.
pub(super) fn known_process(n: usize, seed: u64) -> Vec<Episode> {
    let mut random = Random::new(seed);
    let run = |_| {
        let first = random.below(2);
        if chance(&mut random, [30, 80][first]) {
            let second = random.below(2);
            let reward = f64::from(u8::from(chance(&mut random, [50, 90][second])));
            episode(reward, &[(0, first as u64), (1, second as u64)])
        } else {
            episode(f64::from(u8::from(chance(&mut random, 20))), &[(0, first as u64), (2, 0)])
        }
    };
    (0..n).map(run).collect()
}

/// The exact advantages of that process, per (state, decision).
pub(super) const KNOWN: [((u64, u64), f64); 5] =
    [((0, 0), -0.125), ((0, 1), 0.125), ((1, 0), -0.2), ((1, 1), 0.2), ((2, 0), 0.0)];

fn models(episodes: &[Episode]) -> Vec<(&'static str, Box<dyn TabularModel>)> {
    vec![
        ("mc", Box::new(Mc::fit(episodes))),
        ("td_lambda", Box::new(TdLambda::fit(episodes, 0.7))),
        ("gae", Box::new(Gae::fit(episodes, 0.95))),
        ("gigpo", Box::new(Gigpo::fit(episodes, 1.0))),
        ("td_ce", Box::new(TdCe::fit(episodes))),
        ("hca", Box::new(Hca::fit(episodes))),
        ("ochiai", Box::new(Ochiai::fit(episodes))),
    ]
}

#[test]
fn credits_go_to_steps_that_worked_with_the_outcome() {
    let check = |advantages: &[f64], reward: f64, expected: &[f64]| {
        assert_eq!(credit_shares(advantages, reward, 0.5, &[0.1, 0.2, 0.7]), expected);
    };
    check(&[0.25, -0.5, 0.75], 1.0, &[0.25, 0.0, 0.75]);
    check(&[0.25, -0.5, 0.75], 0.0, &[0.0, 1.0, 0.0]);
    check(&[0.25, -0.5, 0.75], 0.5, &[0.1, 0.2, 0.7]);
    check(&[-0.25, -0.5, 0.0], 1.0, &[0.1, 0.2, 0.7]);
    check(&[0.0; 3], 1.0, &[0.1, 0.2, 0.7]);
    check(&[f64::NAN, f64::INFINITY, 2.0], 1.0, &[0.0, 0.0, 1.0]);
    check(&[1e308, 1e308, 0.0], 1.0, &[0.5, 0.5, 0.0]);
    check(&[1.0], 1.0, &[0.1, 0.2, 0.7]);
    check(&[0.25, 0.5, 0.75], f64::NAN, &[0.1, 0.2, 0.7]);
}

#[test]
fn constant_rewards_say_nothing() {
    let mut random = Random::new(4);
    let steps = |random: &mut Random| -> Vec<(u64, u64)> {
        (0..1 + random.below(9)).map(|_| (random.below(6) as u64, random.below(3) as u64)).collect()
    };
    for reward in [0.0, 0.7, 1.0, -3.3] {
        let episodes: Vec<Episode> = (0..60).map(|_| episode(reward, &steps(&mut random))).collect();
        for (name, model) in models(&episodes) {
            for episode in &episodes {
                let found = model.assess(episode);
                let n_steps = episode.steps.len();
                assert!(found.advantages.iter().all(|advantage| *advantage == 0.0), "{name} {reward}: {found:?}");
                let prior = vec![1.0 / n_steps as f64; n_steps];
                assert_eq!(credit_shares(&found.advantages, reward, found.baseline, &prior), prior);
            }
        }
    }
}

#[test]
fn a_step_that_only_follows_success_gets_credit_for_luck_from_mc_and_none_from_td_ce() {
    // Decision 1 in state 0 wins; in the state of having won, 10, one celebrates (9); then luck takes a fifth away.
    let mut random = Random::new(2);
    let mut episodes = vec![];
    for _ in 0..2_000 {
        let good = random.below(2) as u64;
        let lucky = f64::from(u8::from(chance(&mut random, 80)));
        episodes.push(episode(good as f64 * lucky, &[(0, good), (10 + good, 8 + good)]));
    }
    let won = episode(1.0, &[(0, 1), (11, 9)]);
    let credit = |model: &dyn TabularModel| {
        let found = model.assess(&won);
        credit_shares(&found.advantages, 1.0, found.baseline, &[0.5, 0.5])
    };
    assert!(credit(&Mc::fit(&episodes))[1] > 0.2);
    assert_eq!(credit(&TdCe::fit(&episodes)), [1.0, 0.0]);
}

#[test]
fn hindsight_credit_averages_to_the_advantage() {
    let episodes = known_process(40_000, 8);
    let model = Hca::fit(&episodes);
    for ((state, decision), advantage) in KNOWN {
        let (mut sum, mut n) = (0.0, 0.0);
        for episode in &episodes {
            let found = model.assess(episode);
            for (step, advantage) in episode.steps.iter().zip(found.advantages) {
                if (step.state, step.decision) == (state, decision) {
                    (sum, n) = (sum + advantage, n + 1.0);
                }
            }
        }
        assert!((sum / n - advantage).abs() < 0.02, "{state} {decision}: {} {advantage}", sum / n);
    }
}

#[test]
fn hindsight_credit_of_a_bandit_by_hand() {
    // Four pulls: decision 1 wins twice, decision 0 loses twice. h(1 | win) = (2 + 0.5)/3, V = 0.5.
    let episodes = [(1.0, 1), (1.0, 1), (0.0, 0), (0.0, 0)].map(|(reward, arm)| episode(reward, &[(3, arm)]));
    let model = Hca::fit(&episodes);
    let expected = (1.0 - 0.5 / (2.5 / 3.0)) * 0.5;
    assert!((model.assess(&episodes[0]).advantages[0] - expected).abs() < 1e-15);
    assert!((model.assess(&episodes[2]).advantages[0] + expected).abs() < 1e-15);
    // A stated propensity takes the place of the counted one.
    let mut stated = episodes[0].clone();
    stated.steps[0].propensity = Some(0.25);
    let expected = (1.0 - 0.25 / (2.25 / 3.0)) * 0.5;
    assert!((model.assess(&stated).advantages[0] - expected).abs() < 1e-15);
}

#[test]
fn ochiai_ranks_what_is_found_where_episodes_fail() {
    // Decision 7 is everywhere, 5 in all failures and one success, 6 in all successes.
    let episodes = [
        episode(0.0, &[(0, 7), (0, 5)]),
        episode(0.0, &[(0, 7), (0, 5), (0, 5)]),
        episode(1.0, &[(0, 7), (0, 5), (0, 6)]),
        episode(1.0, &[(0, 7), (0, 6)]),
    ];
    let model = Ochiai::fit(&episodes);
    let found = model.assess(&episode(0.0, &[(9, 7), (9, 5), (9, 6), (9, 1)]));
    let half = 0.5_f64.sqrt();
    let of_five = 0.5 * ((1.0 / 6.0_f64.sqrt() - half) - (2.0 / 6.0_f64.sqrt() - half));
    let expected = [0.0, of_five, 0.5, 0.0];
    for (found, expected) in found.advantages.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }
    assert_eq!((found.n, found.baseline), (vec![4, 3, 2, 0], 0.5));
}

#[test]
fn group_relative_advantages_by_hand() {
    // State 1 recurs: returns 1, 0 and 0. State 2 does not.
    let episodes = [episode(1.0, &[(1, 0), (2, 0)]), episode(0.0, &[(1, 1)]), episode(0.0, &[(1, 1)])];
    let found = Gigpo::fit(&episodes, 0.5).assess(&episodes[0]);
    let share = 2.0 / 3.0;
    for (found, expected) in found.advantages.iter().zip([share + 0.5 * share, share]) {
        assert!((found - expected).abs() < 1e-15);
    }
    // Without the state term it is the reward against its group, the same for all steps.
    let plain = Gigpo::fit(&episodes, 0.0).assess(&episodes[0]);
    assert!(plain.advantages.iter().all(|advantage| (advantage - share).abs() < 1e-15));
}

/// Up to 30 episodes over a few keys, some with rewards on the way.
fn any_episodes() -> impl Strategy<Value = Vec<Episode>> {
    let step = (0..5_u64, 0..3_u64, prop::option::of(-1.0..1.0_f64));
    let episode = (-2.0..2.0_f64, prop::collection::vec(step, 1..8)).prop_map(|(reward, steps)| {
        let step = |(state, decision, reward)| EpisodeStep { state, decision, reward, propensity: None };
        Episode { reward, steps: steps.into_iter().map(step).collect() }
    });
    prop::collection::vec(episode, 1..30)
}

/// Monte Carlo values and changes straight from the definition, for one episode.
fn changes(episodes: &[Episode], of: &Episode) -> Vec<f64> {
    let returns_from = |episode: &Episode, t: usize| {
        episode.reward - episode.steps[..t].iter().filter_map(|step| step.reward).sum::<f64>()
    };
    let value = |state: u64| {
        let visits = episodes.iter().flat_map(|e| (0..e.steps.len()).map(move |t| (e, t)));
        let returns: Vec<f64> =
            visits.filter(|(e, t)| e.steps[*t].state == state).map(|(e, t)| returns_from(e, t)).collect();
        returns.iter().sum::<f64>() / returns.len() as f64
    };
    let last = of.steps.len() - 1;
    (0..=last)
        .map(|t| {
            let before = value(of.steps[t].state);
            if t == last {
                returns_from(of, t) - before
            } else {
                of.steps[t].reward.unwrap_or(0.0) + value(of.steps[t + 1].state) - before
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn advantages_of_values_are_sums_of_changes(episodes in any_episodes(), lambda in 0.0..=1.0_f64) {
        let found = Gae::fit(&episodes, lambda).assess(&episodes[0]);
        let monte_carlo = Mc::fit(&episodes).assess(&episodes[0]);
        let changes = changes(&episodes, &episodes[0]);
        for t in 0..changes.len() {
            let sum: f64 = changes[t..].iter().enumerate().map(|(l, change)| lambda.powi(l as i32) * change).sum();
            prop_assert!((found.advantages[t] - sum).abs() < 1e-9);
            prop_assert!((monte_carlo.advantages[t] - changes[t..].iter().sum::<f64>()).abs() < 1e-9);
        }
    }

    #[test]
    fn td_lambda_ends_in_monte_carlo_and_in_certainty_equivalence(episodes in any_episodes()) {
        let (first, last) = (TdLambda::fit(&episodes, 0.0), TdLambda::fit(&episodes, 1.0));
        let (ce, mc) = (TdCe::fit(&episodes), Mc::fit(&episodes));
        for state in 0..5 {
            prop_assert_eq!(mc.value(state).is_some(), last.value(state).is_some());
            prop_assert!((mc.value(state).unwrap_or(0.0) - last.value(state).unwrap_or(0.0)).abs() < 1e-9);
            prop_assert!((ce.value(state).unwrap_or(0.0) - first.value(state).unwrap_or(0.0)).abs() < 1e-7);
        }
        // Advantages of one step telescope: nothing stays unexplained.
        let found = TdLambda::fit(&episodes, 0.4).assess(&episodes[0]);
        prop_assert!(found.residual(episodes[0].reward).abs() < 1e-9);
    }

    #[test]
    fn every_model_answers_for_every_step(episodes in any_episodes(), other in any_episodes(), shift in 0..9_u64) {
        for (name, model) in models(&episodes) {
            for mut episode in other.clone() {
                episode.steps.iter_mut().for_each(|step| step.state += shift);
                let found = model.assess(&episode);
                let n_steps = episode.steps.len();
                let lengths = [found.advantages.len(), found.std_errors.len(), found.n.len(), found.forecast.len()];
                prop_assert_eq!(lengths, [n_steps; 4], "{}", name);
                prop_assert!(found.advantages.iter().chain(&found.forecast).all(|x| x.is_finite()), "{} {:?}", name, found);
                prop_assert!(found.std_errors.iter().all(|error| *error >= 0.0), "{} {:?}", name, found);
                let sum = found.baseline + found.advantages.iter().sum::<f64>() + found.residual(episode.reward);
                prop_assert!((sum - episode.reward).abs() < 1e-9);
                // The forecast after a step knows nothing of the reward at the end.
                let first = episode.steps.len() - 1;
                let mut better = episode.clone();
                better.reward += 1.0;
                prop_assert_eq!(&model.assess(&better).forecast[..first], &found.forecast[..first]);
                prop_assert_eq!(model.assess(&better).forecast[first], found.forecast[first]);
            }
        }
    }
}

#[test]
fn nothing_learned_nothing_said() {
    let strange = [episode(f64::NAN, &[(1, 1)]), episode(1.0, &[])];
    for episodes in [&[][..], &strange] {
        for (name, model) in models(episodes) {
            for of in [episode(1.0, &[(1, 1), (2, 2)]), episode(f64::NAN, &[(1, 1)]), episode(1.0, &[])] {
                let found = model.assess(&of);
                assert_eq!(found.n, vec![0; of.steps.len()], "{name}");
                assert_eq!(found.baseline, 0.0, "{name}");
                assert!(found.forecast.iter().all(|forecast| *forecast == 0.0), "{name}");
            }
        }
    }
}
