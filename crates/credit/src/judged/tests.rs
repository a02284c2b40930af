//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::{First, Last, StepFeatures, Uniform};

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-12), "{found:?}\n{expected:?}");
}

fn steps(judged: &[Option<f64>]) -> Vec<StepFeatures<'static>> {
    judged.iter().map(|judged| StepFeatures { judged: *judged, judges: 2, ..StepFeatures::default() }).collect()
}

fn of<'a>(steps: &'a [StepFeatures<'a>], reward: f64) -> Trajectory<'a> {
    Trajectory { steps, reward, ..Trajectory::default() }
}

/// What a model might have said.
fn learned(trajectory: &Trajectory<'_>, advantages: &[f64], baseline: f64) -> Credit {
    let prior = Decay.assign(trajectory).credits;
    let forecast = (0..advantages.len()).map(|step| baseline + advantages[..=step].iter().sum::<f64>()).collect();
    Credit {
        baseline,
        credits: credit_shares(advantages, trajectory.reward, baseline, &prior),
        advantages: advantages.to_vec(),
        residual: trajectory.reward - baseline - advantages.iter().sum::<f64>(),
        std_errors: vec![0.1; advantages.len()],
        n: vec![30; advantages.len()],
        forecast,
        evidence: Evidence::Learned,
        model_version: Some(4),
    }
}

/// The four steps of the page about credit: reading, reproducing, rewriting, submitting; reward 0.
#[test]
fn a_judge_overrules_a_model() {
    let steps = steps(&[None, Some(0.1), None, None]);
    let trajectory = of(&steps, 0.0);
    let mut credit = learned(&trajectory, &[0.0, 0.2, -1.0 / 6.0, 0.0], 0.5);
    assert_eq!(overlay_judgements(&mut credit, &trajectory, 0.5), [1]);
    // It was not right to reproduce after all: 0.8 of half the range of rewards.
    near(&credit.advantages, &[0.0, -0.4, -1.0 / 6.0, 0.0]);
    near(&credit.credits, &[0.0, 12.0 / 17.0, 5.0 / 17.0, 0.0]);
    near(&[credit.baseline, credit.residual], &[0.5, -0.5 + 0.4 + 1.0 / 6.0]);
    near(&credit.forecast, &[0.5, 0.1, 0.1 - 1.0 / 6.0, 0.1 - 1.0 / 6.0]);
    assert_eq!((credit.std_errors, credit.n), (vec![0.1, 0.0, 0.1, 0.1], vec![30, 2, 30, 30]));
    assert_eq!((credit.evidence, credit.model_version), (Evidence::Learned, Some(4)));
}

#[test]
fn a_judge_overrules_a_prior() {
    let check = |method: &dyn CreditMethod, judged: &[Option<f64>], reward: f64, weights: &[f64]| {
        let steps = steps(judged);
        let trajectory = of(&steps, reward);
        let mut credit = method.assign(&trajectory);
        let found = overlay_judgements(&mut credit, &trajectory, JUDGEMENT_UNIT);
        let expected: Vec<usize> = (0..judged.len()).filter(|step| judged[*step].is_some()).collect();
        assert_eq!(found, expected);
        let sum: f64 = weights.iter().sum();
        near(&credit.credits, &weights.iter().map(|weight| weight / sum).collect::<Vec<_>>());
        assert_eq!((credit.evidence, credit.model_version), (Evidence::None, None));
        near(&[credit.baseline + credit.advantages.iter().sum::<f64>() + credit.residual], &[reward]);
        for (step, judged) in judged.iter().enumerate() {
            let (advantage, error, n) = match judged {
                Some(judged) => (judged - 0.5, 0.0, 2),
                None => (0.0, f64::INFINITY, 0),
            };
            near(&[credit.advantages[step]], &[advantage]);
            assert_eq!((credit.std_errors[step], credit.n[step]), (error, n));
        }
    };
    // 1/n is 0.25: a perfect step weighs 0.5 where the action went well, nothing where it did not.
    check(&Uniform, &[None, Some(1.0), None, None], 1.0, &[0.25, 0.5, 0.25, 0.25]);
    check(&Uniform, &[None, Some(1.0), None, None], 0.0, &[0.25, 0.0, 0.25, 0.25]);
    check(&Uniform, &[None, Some(0.0), None, None], 0.0, &[0.25, 0.5, 0.25, 0.25]);
    check(&Uniform, &[None, Some(0.5), None, None], 0.5, &[0.25; 4]);
    check(&Uniform, &[Some(0.2), Some(0.9), None, None], 0.5, &[0.1, 0.45, 0.25, 0.25]);
    check(&First, &[None, Some(1.0)], 1.0, &[1.0, 1.0]);
    check(&Last, &[Some(0.0), Some(0.25)], 0.0, &[1.0, 0.75]);
    // Everything was judged and nothing goes with the outcome: the prior's shares.
    check(&Last, &[Some(0.0), Some(0.0)], 1.0, &[0.0, 1.0]);
    check(&Decay, &[Some(0.0)], 1.0, &[1.0]);
}

#[test]
fn without_a_judgement_nothing_changes() {
    for judged in [None, Some(f64::NAN)] {
        let steps = steps(&[judged; 3]);
        let trajectory = of(&steps, 1.0);
        for before in [Decay.assign(&trajectory), learned(&trajectory, &[0.1, -0.2, 0.3], 0.4)] {
            let mut credit = before.clone();
            assert_eq!(overlay_judgements(&mut credit, &trajectory, 0.5), [0_usize; 0]);
            assert_eq!(credit, before);
        }
    }
    let none = of(&[], 1.0);
    let mut credit = Decay.assign(&none);
    assert!(overlay_judgements(&mut credit, &none, 0.5).is_empty());
    // Beyond the range.
    let steps = steps(&[Some(7.0), Some(-7.0)]);
    let mut credit = Decay.assign(&of(&steps, 1.0));
    overlay_judgements(&mut credit, &of(&steps, 1.0), 0.5);
    assert_eq!((credit.advantages, credit.credits), (vec![0.5, -0.5], vec![1.0, 0.0]));
}

#[test]
fn a_good_step_is_not_blamed_where_no_advantage_goes_with_the_outcome() {
    let steps = steps(&[None, Some(1.0), None]);
    let trajectory = of(&steps, 0.0);
    let mut credit = learned(&trajectory, &[0.0, -0.2, 0.1], 0.5);
    overlay_judgements(&mut credit, &trajectory, 0.5);
    let (first, last) = (0.81, 1.0);
    near(&credit.credits, &[first / (first + last), 0.0, last / (first + last)]);
}

proptest! {
    /// By the definition, step by step, on any credit of a model.
    #[test]
    fn any_credit_adds_up_as_before(
        rows in prop::collection::vec((prop::option::of(0.0..=1.0_f64), -1.0..1.0_f64), 1..12),
        reward in -2.0..2.0_f64, baseline in -1.0..1.0_f64, unit in 0.0..3.0_f64,
    ) {
        let (judged, advantages): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let steps = steps(&judged);
        let trajectory = of(&steps, reward);
        let mut credit = learned(&trajectory, &advantages, baseline);
        overlay_judgements(&mut credit, &trajectory, unit);
        let expected: Vec<f64> =
            judged.iter().zip(&advantages).map(|(judged, said)| judged.map_or(*said, |j| unit * j - unit * (1.0 - j))).collect();
        near(&credit.advantages, &expected);
        near(&[baseline + expected.iter().sum::<f64>() + credit.residual], &[reward]);
        // The model's forecasts were baseline and advantages added up, and so they are still.
        let mut standing = baseline;
        for (forecast, advantage) in credit.forecast.iter().zip(&expected) {
            standing += advantage;
            near(&[*forecast], &[standing]);
        }
        near(&[credit.credits.iter().sum::<f64>()], &[1.0]);
        let with: Vec<f64> = expected.iter().map(|it| if reward < baseline { -it } else { *it }).map(|it| it.max(0.0)).collect();
        let sum: f64 = with.iter().sum();
        if sum > 1e-9 && reward != baseline {
            near(&credit.credits, &with.iter().map(|weight| weight / sum).collect::<Vec<_>>());
        }
    }
}
