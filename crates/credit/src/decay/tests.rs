//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::{NEUTRAL_SCORE, StepFeatures};

fn decay(confidences: &[Option<f64>], reward: f64) -> Credit {
    let steps: Vec<StepFeatures<'_>> =
        confidences.iter().map(|confidence| StepFeatures { confidence: *confidence, ..Default::default() }).collect();
    Decay.assign(&Trajectory { steps: &steps, reward, ..Trajectory::default() })
}

/// The definition, word for word.
fn oracle(confidences: &[Option<f64>]) -> Vec<f64> {
    let n = confidences.len();
    let weight = |i: usize| 0.9_f64.powi((n - 1 - i) as i32) * (0.5 + 0.5 * confidences[i].unwrap_or(0.5));
    let total: f64 = (0..n).map(weight).sum();
    (0..n).map(|i| weight(i) / total).collect()
}

#[test]
fn small_chains_have_the_credits_of_the_definition() {
    let check = |confidences: &[Option<f64>], expected: &[f64]| {
        let credits = decay(confidences, 1.0).credits;
        assert_eq!(credits.len(), expected.len());
        assert!(credits.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{credits:?} {expected:?}");
    };
    check(&[], &[]);
    check(&[Some(0.0)], &[1.0]);
    check(&[Some(1.0), Some(1.0)], &[0.9 / 1.9, 1.0 / 1.9]);
    check(&[Some(0.0), Some(1.0)], &[0.45 / 1.45, 1.0 / 1.45]);
    // Not given weighs as 0.5; so does a NaN that came past the guard, and what is out of range is clamped.
    check(&[None, Some(0.5)], &[0.9 / 1.9, 1.0 / 1.9]);
    check(&[Some(f64::NAN), Some(0.5)], &[0.9 / 1.9, 1.0 / 1.9]);
    check(&[Some(-9.0), Some(9.0)], &[0.45 / 1.45, 1.0 / 1.45]);
}

#[test]
fn a_prior_explains_nothing_but_the_baseline() {
    let check = |confidences: &[Option<f64>], reward: f64| {
        let credit = decay(confidences, reward);
        assert_eq!(credit.baseline, NEUTRAL_SCORE);
        assert_eq!(credit.advantages, vec![0.0; confidences.len()]);
        assert_eq!(credit.residual, reward - NEUTRAL_SCORE);
        assert_eq!((credit.evidence, credit.model_version), (accredit_model::Evidence::None, None));
    };
    check(&[], 0.2);
    check(&[Some(0.3), None], -7.5);
}

#[test]
fn a_million_steps_sum_to_one() {
    let check = |n: usize| {
        let confidences: Vec<Option<f64>> = (0..n).map(|i| Some((i % 11) as f64 / 10.0)).collect();
        let credits = decay(&confidences, 1.0).credits;
        let sum: f64 = credits.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12, "{n}: {sum}");
        assert!(credits.iter().all(|credit| credit.is_finite() && *credit >= 0.0));
        assert_eq!(credits.len(), n);
    };
    check(6_700);
    check(7_500);
    check(1_000_000);
}

proptest! {
    #[test]
    fn credits_are_those_of_the_oracle_and_sum_to_one(
        confidences in prop::collection::vec(prop::option::of(0.0..=1.0_f64), 1..300),
        reward in -10.0..10.0_f64,
    ) {
        let credit = decay(&confidences, reward);
        prop_assert_eq!(credit.credits.len(), confidences.len());
        prop_assert_eq!(credit.advantages.len(), confidences.len());
        prop_assert!((credit.credits.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (credit, expected) in credit.credits.iter().zip(oracle(&confidences)) {
            prop_assert!(*credit >= 0.0);
            prop_assert!((credit - expected).abs() <= 1e-12 * expected, "{} {}", credit, expected);
        }
    }
}
