//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::random::Random;

fn forecasts(pairs: &[(f64, f64)]) -> Vec<Forecast> {
    pairs.iter().map(|(confidence, outcome)| Forecast { confidence: *confidence, outcome: *outcome }).collect()
}

#[test]
fn small_tables() {
    let check = |pairs: &[(f64, f64)], n_bins: usize, expected: [f64; 5]| {
        let found = calibration(&forecasts(pairs), n_bins).unwrap();
        let found = [found.brier, found.reliability, found.resolution, found.uncertainty, found.ece];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?} {expected:?}");
    };
    // One who knows, one who knows it the wrong way round, one who always states the mean.
    check(&[(0.0, 0.0), (1.0, 1.0)], 10, [0.0, 0.0, 0.25, 0.25, 0.0]);
    check(&[(1.0, 0.0), (0.0, 1.0)], 10, [1.0, 1.0, 0.25, 0.25, 1.0]);
    check(&[(0.5, 0.0), (0.5, 1.0)], 10, [0.25, 0.0, 0.0, 0.25, 0.0]);
    // Overconfident by a quarter.
    check(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 0.0)], 4, [0.25, 0.0625, 0.0, 0.1875, 0.25]);
    // Out of range is moved to the ends, NaN left out.
    check(&[(-3.0, 0.0), (9.0, 2.0), (f64::NAN, 1.0), (1.0, f64::NAN)], 0, [0.0, 0.0, 0.0, 0.25, 0.0]);
}

#[test]
fn bins_hold_equal_masses_and_never_part_equals() {
    let check = |confidences: &[f64], n_bins: usize, expected: &[usize]| {
        let pairs: Vec<(f64, f64)> = confidences.iter().map(|confidence| (*confidence, 1.0)).collect();
        let found = calibration(&forecasts(&pairs), n_bins).unwrap();
        assert_eq!(found.bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), expected);
    };
    check(&[0.1, 0.2, 0.3, 0.4], 2, &[2, 2]);
    check(&[0.1, 0.2, 0.2, 0.2], 2, &[4]);
    check(&[0.1, 0.1, 0.1, 0.4], 2, &[3, 1]);
    check(&[0.1, 0.9], 10, &[1, 1]);
    check(&[0.5; 100], 10, &[100]);
    let thousand: Vec<f64> = (0..1_000).map(|i| f64::from(i) / 1_000.0).collect();
    check(&thousand, 10, &[100; 10]);
    assert_eq!(calibration(&[], 10), None);
    assert_eq!(calibration(&forecasts(&[(f64::NAN, 0.5)]), 10), None);
}

#[test]
fn intervals_are_those_of_wilson_and_cover() {
    // Known to five digits: 8 of 10, and none of 10.
    let (low, high) = wilson(0.8, 10.0);
    assert!((low - 0.490_16).abs() < 1e-5 && (high - 0.943_32).abs() < 1e-5, "{low} {high}");
    let (low, high) = wilson(0.0, 10.0);
    assert!(low == 0.0 && (high - 0.277_53).abs() < 1e-5, "{high}");
    let mut random = Random::new(3);
    let n_covered = (0..1_000)
        .filter(|_| {
            let n_good = (0..50).filter(|_| random.below(10) < 3).count();
            let (low, high) = wilson(n_good as f64 / 50.0, 50.0);
            low <= 0.3 && 0.3 <= high
        })
        .count();
    assert!((930..=975).contains(&n_covered), "{n_covered}");
}

#[test]
fn calibrated_forecasts_have_no_reliability_term() {
    // Each stated confidence k/10 comes true exactly k times of ten.
    let pairs: Vec<(f64, f64)> =
        (0..=10).flat_map(|k| (0..10).map(move |i| (f64::from(k) / 10.0, f64::from(u8::from(i < k))))).collect();
    let found = calibration(&forecasts(&pairs), 20).unwrap();
    assert!(found.reliability < 1e-30 && found.ece < 1e-15, "{found:?}");
    assert_eq!(found.bins.len(), 11);
}

proptest! {
    #[test]
    fn the_terms_add_up_to_the_score(
        pairs in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 1..200), n_bins in 1..30_usize, coarse: bool,
    ) {
        let pairs: Vec<(f64, f64)> = pairs
            .into_iter()
            .map(|(f, o)| if coarse { ((f * 10.0).round() / 10.0, o.round()) } else { (f, o) })
            .collect();
        let found = calibration(&forecasts(&pairs), n_bins).unwrap();
        let sum = found.reliability - found.resolution + found.uncertainty + found.within_bin_variance
            - found.within_bin_covariance;
        prop_assert!((sum - found.brier).abs() < 1e-12);
        let direct = pairs.iter().map(|(f, o)| (f - o) * (f - o)).sum::<f64>() / pairs.len() as f64;
        prop_assert!((found.brier - direct).abs() < 1e-12);
        prop_assert!(found.ece * found.ece <= found.reliability + 1e-12);
        prop_assert_eq!(found.bins.iter().map(|bin| bin.n).sum::<usize>(), found.n);
        for bin in &found.bins {
            prop_assert!(bin.outcome_low <= bin.mean_outcome && bin.mean_outcome <= bin.outcome_high);
        }
        if coarse {
            let variance = found.mean_outcome * (1.0 - found.mean_outcome);
            prop_assert!((found.uncertainty - variance).abs() < 1e-12);
        }
        let reversed: Vec<(f64, f64)> = pairs.into_iter().rev().collect();
        prop_assert_eq!(calibration(&forecasts(&reversed), n_bins).unwrap(), found);
    }
}
