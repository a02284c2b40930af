//! Unit tests.

use accredit_model::ActionId;

use super::*;
use crate::{METHOD_NAMES, Method, StepFeatures, Trajectory};

/// An attempt at a goal: two steps, of which the second decides.
fn sample(at: u8, goal: Option<&str>, good: bool, reward: f64) -> Sample {
    let steps = [("begun", "look"), ("seen", if good { "good" } else { "bad" })].map(|(state, key)| StepFeatures {
        key: Some(key),
        state_key: Some(state),
        ..StepFeatures::default()
    });
    let trajectory = Trajectory { goal_id: goal, steps: &steps, reward, ..Trajectory::default() };
    Sample::of(ActionId::from_bytes([at; 16]), 1, &trajectory)
}

fn samples() -> Vec<Sample> {
    // Goal `a` pays 0 or 2, goal `b` 10 or 12; `c` is attempted once.
    let mut samples = Vec::new();
    for at in 0..8_u8 {
        let good = at % 2 == 0;
        let (goal, level) = if at < 4 { ("a", 0.0) } else { ("b", 10.0) };
        samples.push(sample(at, Some(goal), good, level + if good { 2.0 } else { 0.0 }));
    }
    samples.push(sample(8, Some("c"), true, 6.0));
    samples.push(sample(9, None, false, 6.0));
    samples
}

#[test]
fn each_is_what_its_own_fit_is() {
    let samples = samples();
    let kept: Vec<&Sample> = samples.iter().collect();
    let episodes: Vec<Episode> = samples.iter().map(Sample::episode).collect();
    let oracle = |method: LearnedMethod, episode: &Episode| match method {
        LearnedMethod::Mc => Some(Mc::fit(&episodes).assess(episode)),
        LearnedMethod::TdLambda { lambda } => Some(TdLambda::fit(&episodes, lambda).assess(episode)),
        LearnedMethod::Gae { lambda } => Some(Gae::fit(&episodes, lambda).assess(episode)),
        LearnedMethod::Hca => Some(Hca::fit(&episodes).assess(episode)),
        LearnedMethod::Ochiai => Some(Ochiai::fit(&episodes).assess(episode)),
        _ => None,
    };
    let mut n_tables = 0;
    for method in METHOD_NAMES.into_iter().filter_map(|name| Method::new(name, []).unwrap().learned()) {
        let Some(table) = Table::fit(method, &kept) else { continue };
        n_tables += 1;
        assert_eq!(table.name(), method.name());
        for sample in &samples {
            if let Some(expected) = oracle(method, &sample.episode()) {
                assert_eq!(table.assess(sample), expected, "{method:?}");
            }
        }
        let text = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table);
    }
    assert_eq!(n_tables, 6);
}

#[test]
fn attempts_at_one_goal_are_a_group() {
    let samples = samples();
    let kept: Vec<&Sample> = samples.iter().collect();
    let table = Table::fit(LearnedMethod::Gigpo { weight: 0.0 }, &kept).unwrap();
    let check = |sample: &Sample, baseline: f64| {
        let found = table.assess(sample);
        assert!((found.baseline - baseline).abs() < 1e-12, "{found:?}");
        // Without the second term every step has what the action has above its group.
        assert!(found.advantages.iter().all(|it| (it - (sample.reward - baseline)).abs() < 1e-12), "{found:?}");
    };
    check(&samples[0], 1.0);
    check(&samples[5], 11.0);
    // A goal that is attempted once, none, and one that is new: all actions are the group.
    let all = samples.iter().map(|sample| sample.reward).sum::<f64>() / 10.0;
    check(&samples[8], all);
    check(&samples[9], all);
    check(&sample(77, Some("new"), true, 3.0), all);
    // The second term compares with visits of the same situation by the group.
    let table = Table::fit(LearnedMethod::Gigpo { weight: 0.5 }, &kept).unwrap();
    let found = table.assess(&samples[0]);
    assert!((found.advantages[1] - (1.0 + 0.5)).abs() < 1e-12, "{found:?}");
}
