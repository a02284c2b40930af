use serde_json::{Value, json};

use super::{Dynamics, Mdp, Rules, Transition};
use crate::Random;
use crate::environments::{Environment, Ice, LakeMap, Truth, cliff_walking, door_key, frozen_lake, taxi, unlock};

/// Two states in a row. `go` moves on, from the second to the end for 1; `stay` stays for nothing.
struct Corridor {
    n_steps_max: usize,
    time_penalty: f64,
}

impl Dynamics for Corridor {
    type State = u8;

    fn rules(&self) -> Rules {
        Rules {
            name: "corridor".to_owned(),
            decisions: &["stay", "go"],
            n_steps_max: self.n_steps_max,
            exploration: 0.5,
            time_penalty: self.time_penalty,
        }
    }

    fn starts(&self) -> Vec<(u8, f64)> {
        vec![(0, 1.0)]
    }

    fn transitions(&self, &state: &u8, decision: usize) -> Vec<Transition<u8>> {
        let (reward, next) = match (decision, state) {
            (0, _) => (0.0, Some(state)),
            (_, 0) => (0.0, Some(1)),
            _ => (1.0, None),
        };
        vec![Transition { probability: 1.0, reward, next }]
    }

    fn describe(&self, &state: &u8) -> (String, Value) {
        (state.to_string(), json!({ "at": state }))
    }
}

fn processes() -> Vec<Mdp> {
    vec![
        Mdp::new(&Corridor { n_steps_max: 5, time_penalty: 0.0 }),
        frozen_lake(LakeMap::Small, Ice::Slippery),
        frozen_lake(LakeMap::Small, Ice::Deterministic),
        frozen_lake(LakeMap::Large, Ice::Slippery),
        frozen_lake(LakeMap::Large, Ice::Deterministic),
        cliff_walking(),
        taxi(),
        door_key(5),
        unlock(),
    ]
}

#[test]
fn values_by_hand() {
    // ε = 1/2 over two decisions: `go` with 3/4.
    let corridor = Mdp::new(&Corridor { n_steps_max: 3, time_penalty: 0.0 });
    assert_eq!(corridor.policy(0), [0.25, 0.75]);
    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }
    // One step left: only the second state can still arrive. Two left: 1 − 1/16 there, 9/16 from the first. Three left:
    // 3/4 · 15/16 + 1/4 · 9/16 from the first.
    check(corridor.state_value(0, 1), 0.0);
    check(corridor.state_value(1, 1), 0.75);
    check(corridor.state_value(1, 2), 15.0 / 16.0);
    check(corridor.state_value(0, 2), 9.0 / 16.0);
    check(corridor.state_value(0, 3), 54.0 / 64.0);
    check(corridor.decision_value(0, 1, 3), 15.0 / 16.0);
    check(corridor.decision_value(0, 0, 3), 9.0 / 16.0);
    // 60/64 − 54/64, on the grid of 1e-9.
    assert!((corridor.advantage(0, 1, 3) - 0.093_75).abs() < 1e-9);

    // A penalty of 0.9: arriving with the last of two steps pays 0.1.
    let corridor = Mdp::new(&Corridor { n_steps_max: 2, time_penalty: 0.9 });
    check(corridor.decision_value(1, 1, 1), 0.1);
    check(corridor.decision_value(1, 1, 2), 0.55);
    check(corridor.state_value(0, 2), 0.75 * 0.75 * 0.1);
}

#[test]
fn probabilities_sum_to_1() {
    for mdp in processes() {
        let starts: f64 = mdp.starts().iter().map(|&(_, share)| share).sum();
        assert!((starts - 1.0).abs() < 1e-9, "{}: {starts}", mdp.name());
        for state in 0..mdp.n_states() {
            assert!((mdp.policy(state).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(mdp.policy(state).iter().all(|&share| share > 0.0));
            for decision in 0..mdp.decisions().len() {
                let to = mdp.transitions(state, decision);
                assert!((to.iter().map(|to| to.probability).sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn advantages_of_a_state_are_0_on_average() {
    for mdp in processes() {
        for n_left in [1, 2, mdp.n_steps_max() / 2 + 1, mdp.n_steps_max()] {
            for state in 0..mdp.n_states() {
                let share = mdp.policy(state).iter().enumerate();
                let mean: f64 = share.map(|(decision, share)| share * mdp.advantage(state, decision, n_left)).sum();
                assert!(mean.abs() < 2e-9, "{}, state {state}, {n_left} left: {mean}", mdp.name());
            }
        }
    }
}

#[test]
fn rewards_and_advantages_agree_with_many_episodes() {
    for mdp in processes() {
        let (n, mut random) = (4_000, Random::new(21));
        let expected: f64 =
            mdp.starts().iter().map(|&(at, share)| share * mdp.state_value(at, mdp.n_steps_max())).sum();
        let mut rewards = Sample::default();
        let mut sums = Sample::default();
        for _ in 0..n {
            let rollout = mdp.rollout(&mut random);
            let Truth::Advantages(advantages) = rollout.truth else { panic!("{}", mdp.name()) };
            rewards.add(rollout.reward);
            sums.add(advantages.iter().sum());
        }
        rewards.check(expected, &mdp.name());
        sums.check(0.0, &mdp.name());
    }
}

#[test]
fn where_decisions_decide_all_the_sum_is_exact() {
    // Without chance in the transitions R = V(s_0) + Σ A_t, episode by episode: nothing is left to luck.
    // The short corridor is often cut off, so its values depend on the steps left.
    let corridor = Mdp::new(&Corridor { n_steps_max: 3, time_penalty: 0.9 });
    let lake = frozen_lake(LakeMap::Large, Ice::Deterministic);
    for mdp in [corridor, lake, cliff_walking(), taxi(), door_key(5), unlock()] {
        let mut random = Random::new(22);
        for _ in 0..200 {
            let rollout = mdp.rollout(&mut random);
            let start = mdp.state(&rollout.steps[0].state_key).unwrap();
            let Truth::Advantages(advantages) = rollout.truth else { panic!("{}", mdp.name()) };
            let explained = mdp.state_value(start, mdp.n_steps_max()) + advantages.iter().sum::<f64>();
            // Each of up to 360 advantages is rounded by up to half of 1e-9.
            assert!((rollout.reward - explained).abs() < 2e-7, "{}: {} {explained}", mdp.name(), rollout.reward);
        }
    }
}

#[test]
fn decision_values_agree_with_many_episodes() {
    for mdp in processes() {
        let mut random = Random::new(23);
        let visited = mdp.episode(&mut random);
        for (step_idx, decision) in [(0, 0), (visited.len() / 2, 1), (visited.len() - 1, 1)] {
            let (state, n_left) = (visited[step_idx].0, mdp.n_steps_max() - step_idx);
            let mut found = Sample::default();
            for _ in 0..4_000 {
                found.add(play(&mdp, state, decision, n_left, &mut random));
            }
            let value = mdp.decision_value(state, decision, n_left);
            found.check(value, &format!("{}, state {state}, {n_left} left", mdp.name()));
        }
    }
}

#[test]
fn a_far_limit_is_no_limit() {
    // Stationary values by iterating V = Σ π (r + V'), without a limit, for the slippery lake.
    let mdp = frozen_lake(LakeMap::Small, Ice::Slippery);
    let mut values = vec![0.0; mdp.n_states()];
    for _ in 0..20_000 {
        for state in 0..values.len() {
            let worth = |decision: usize| {
                let to = mdp.transitions(state, decision).iter();
                to.map(|to| to.probability * (to.reward + to.next.map_or(0.0, |next| values[next]))).sum::<f64>()
            };
            values[state] = mdp.policy(state).iter().enumerate().map(|(decision, share)| share * worth(decision)).sum();
        }
    }
    for (state, value) in values.iter().enumerate() {
        let limited = mdp.state_value(state, mdp.n_steps_max());
        assert!(limited <= value + 1e-12 && value - limited < 0.02, "state {state}: {limited}, {value} without limit");
    }
}

/// The reward of going on from a state, this decision first, by the transitions alone.
fn play(mdp: &Mdp, state: usize, decision: usize, n_left: usize, random: &mut Random) -> f64 {
    let (mut state, mut decision, mut reward) = (state, decision, 0.0);
    for n_left in (1..=n_left).rev() {
        let transitions = mdp.transitions(state, decision);
        let to = transitions[random.weighted(transitions.iter().map(|to| to.probability))];
        let t = (mdp.n_steps_max() - n_left + 1) as f64;
        reward += to.reward * (1.0 - mdp.rules.time_penalty * t / mdp.n_steps_max() as f64);
        match to.next {
            Some(next) => state = next,
            None => break,
        }
        decision = random.weighted(mdp.policy(state).iter().copied());
    }
    reward
}

#[derive(Default)]
struct Sample {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    /// The mean lies within five standard errors.
    #[track_caller]
    fn check(&self, expected: f64, what: &str) {
        let mean = self.sum / self.n;
        let variance = (self.squares / self.n - mean * mean).max(0.0);
        let tolerance = 5.0 * (variance / self.n).sqrt() + 1e-6;
        assert!((mean - expected).abs() <= tolerance, "{what}: {mean} ± {tolerance}, not {expected}");
    }
}
