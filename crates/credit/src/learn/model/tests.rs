//! Unit tests.

use accredit_model::{ActionId, Evidence};

use super::*;
use crate::keys::STEPS_MAX;
use crate::random::Random;
use crate::{Learner, StepFeatures};

const METHODS: [LearnedMethod; 2] = [LearnedMethod::TdCe, LearnedMethod::Sdae];

fn step(key: &str) -> StepFeatures<'_> {
    StepFeatures { key: Some(key), ..StepFeatures::default() }
}

/// The first decides, and its situation tells the others what it decided; the second one chooses for nothing.
fn steps(keys: [&'static str; 3]) -> [StepFeatures<'static>; 3] {
    let then = if keys[0] == "good" { "well" } else { "badly" };
    let [first, second, third] = keys.map(step);
    [("start", first), (then, second), (then, third)]
        .map(|(state, step)| StepFeatures { state_key: Some(state), ..step })
}

fn of<'a>(steps: &'a [StepFeatures<'a>], reward: f64) -> Trajectory<'a> {
    Trajectory { steps, reward, ..Trajectory::default() }
}

/// A good first step is worth 0.5 more than a bad one; the rest is luck.
fn learner() -> Learner {
    let mut random = Random::new(3);
    let mut learner = Learner::default();
    for at in 0..120_u8 {
        let good = random.below(2);
        let keys = [["bad", "good"][good], ["left", "right"][random.below(2)], "stop"];
        let reward = good as f64 / 2.0 + random.below(100) as f64 / 200.0;
        learner.learn(1, ActionId::from_bytes([at; 16]), 1, &of(&steps(keys), reward));
    }
    learner
}

fn model(method: LearnedMethod) -> Model {
    learner().fit(&FitOptions { method, version: 7 })
}

fn check(credit: &Credit, trajectory: &Trajectory<'_>) {
    let n = trajectory.steps.len();
    let lengths = [credit.credits.len(), credit.advantages.len(), credit.std_errors.len(), credit.n.len()];
    assert_eq!((lengths, credit.forecast.len()), ([n; 4], n));
    let sum: f64 = credit.credits.iter().sum();
    assert!(n == 0 || (sum - 1.0).abs() < 1e-12, "{sum}");
    assert!(credit.credits.iter().all(|credit| *credit >= 0.0));
    let total = credit.baseline + credit.advantages.iter().sum::<f64>() + credit.residual;
    assert!((total - trajectory.reward).abs() < 1e-9 * (1.0 + trajectory.reward.abs()), "{total}");
    assert!(credit.std_errors.iter().all(|error| *error >= 0.0));
    assert_eq!((credit.evidence, credit.model_version), (Evidence::Learned, Some(7)));
}

#[test]
fn credits_are_shares_and_advantages_add_up() {
    for method in METHODS {
        let model = model(method);
        for keys in [["good", "left", "stop"], ["bad", "right", "stop"], ["good", "else", "stop"]] {
            let steps = steps(keys);
            for reward in [0.0, 0.4, 1.0, -3.0, 1e12] {
                check(&model.assign(&of(&steps, reward)), &of(&steps, reward));
            }
        }
        let steps = steps(["good", "left", "stop"]);
        let credit = model.assign(&of(&steps, 1.0));
        assert!(credit.credits[0] > 0.8 && credit.advantages[0] > 0.15, "{method:?}: {credit:?}");
        assert_eq!(model.name(), if method == LearnedMethod::TdCe { "td_ce" } else { "sdae" });
    }
}

#[test]
fn of_unknown_keys_nothing_is_said() {
    let steps = ["never", "seen", "before"].map(|key| StepFeatures { state_key: Some(key), ..step(key) });
    for method in METHODS {
        let trajectory = of(&steps, 1.0);
        let credit = model(method).assign(&trajectory);
        check(&credit, &trajectory);
        assert_eq!((credit.advantages, credit.n), (vec![0.0; 3], vec![0; 3]));
        assert!(credit.std_errors.iter().all(|error| error.is_infinite()));
        // The prior's shares stand.
        assert_eq!(credit.credits, Decay.assign(&trajectory).credits);
    }
}

#[test]
fn of_an_action_without_steps_the_baseline_is_all() {
    for method in METHODS {
        let trajectory = of(&[], 1.0);
        let credit = model(method).assign(&trajectory);
        check(&credit, &trajectory);
        assert!(credit.credits.is_empty() && credit.baseline > 0.2);
    }
}

#[test]
fn steps_beyond_the_window_change_nothing() {
    let n = STEPS_MAX * 3;
    let mut steps = vec![step("idle"); n];
    steps[0] = StepFeatures { state_key: Some("start"), ..step("good") };
    steps[n - 1] = step("good");
    for method in METHODS {
        let model = model(method);
        let credit = model.assign(&of(&steps, 1.0));
        check(&credit, &of(&steps, 1.0));
        let window = STEPS_MAX / 2..n - STEPS_MAX / 2;
        assert!(credit.advantages[window.clone()].iter().all(|advantage| *advantage == 0.0));
        assert!(credit.credits[window.clone()].iter().all(|credit| *credit == 0.0));
        assert!(credit.std_errors[window.clone()].iter().all(|error| error.is_infinite()));
        let before = credit.forecast[window.start - 1];
        assert!(credit.forecast[window].iter().all(|forecast| *forecast == before));
        assert!(credit.advantages[0] > 0.0, "{method:?}");
    }
    let steps = vec![step("good"); STEPS_MAX];
    for method in METHODS {
        check(&model(method).assign(&of(&steps, 1.0)), &of(&steps, 1.0));
    }
}

#[test]
fn the_prior_knows_of_no_version() {
    let model = Learner::default().fit(&FitOptions { version: 7, ..FitOptions::default() });
    let steps = ["a", "b"].map(step);
    let credit = model.assign(&of(&steps, 1.0));
    assert_eq!(credit, Decay.assign(&of(&steps, 1.0)));
    assert_eq!((credit.evidence, credit.model_version), (Evidence::None, None));
}

#[test]
fn models_are_written_and_read_back() {
    let steps = steps(["good", "left", "other"]);
    for method in METHODS {
        let model = model(method);
        let text = serde_json::to_string(&model).unwrap();
        let read: Model = serde_json::from_str(&text).unwrap();
        assert_eq!(read, model);
        assert_eq!(read.assign(&of(&steps, 1.0)), model.assign(&of(&steps, 1.0)));
        assert!(read.assign(&of(&steps, 1.0)).advantages[0] > 0.1, "{method:?}");
    }
}
