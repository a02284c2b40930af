//! Unit tests.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn moments_are_those_of_two_passes(xs in prop::collection::vec(-5.0..5.0_f64, 2..60), offset in -1e6..1e6_f64) {
        let mut moments = Moments::default();
        xs.iter().for_each(|x| moments.add(x + offset));
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (xs.len() - 1) as f64;
        prop_assert!((moments.mean - mean - offset).abs() < 1e-8);
        prop_assert!((moments.variance() - variance).abs() < 1e-6);
        prop_assert_eq!(moments.n, xs.len() as u64);
    }
}

#[test]
fn equal_numbers_have_no_spread() {
    let mut moments = Moments::default();
    assert_eq!(moments.variance(), 0.0);
    (0..1_000).for_each(|_| moments.add(0.7));
    assert_eq!((moments.mean, moments.m2, moments.variance()), (0.7, 0.0, 0.0));
}

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

#[test]
fn normal_distribution_has_known_points() {
    let check = |x: f64, share: f64| {
        assert!((normal_cdf(x) - share).abs() < 1e-14, "{x}");
        assert!((normal_quantile(share) - x).abs() < 1e-9, "{share}");
    };
    check(0.0, 0.5);
    check(1.0, 0.841_344_746_068_542_9);
    check(-1.959_963_984_540_054, 0.025);
    check(3.0, 0.998_650_101_968_369_9);
    assert_eq!((normal_cdf(-9.0), normal_cdf(9.0)), (0.0, 1.0));
}

#[test]
fn bootstrap_intervals_cover() {
    let check = |kind: BootstrapKind, skewed: bool, least: usize| {
        let mut random = Random::new(9);
        let mut unit = || (random.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30);
        let n_covered = (0..400)
            .filter(|seed| {
                let sample: Vec<f64> = (0..40).map(|_| if skewed { -unit().ln() } else { 2.0 * unit() }).collect();
                let bootstrap = Bootstrap { n_resamples: 400, level: 0.9, seed: *seed, kind };
                let (low, high) = bootstrap_interval(&sample, mean, bootstrap).unwrap();
                low <= 1.0 && 1.0 <= high
            })
            .count();
        // 90 % is 360, with a standard deviation of 6; a skewed sample of 40 covers a little less.
        assert!((least..=378).contains(&n_covered), "{kind:?} {skewed}: {n_covered}");
    };
    check(BootstrapKind::Percentile, false, 342);
    check(BootstrapKind::BiasCorrectedAccelerated, false, 342);
    check(BootstrapKind::Percentile, true, 330);
    check(BootstrapKind::BiasCorrectedAccelerated, true, 336);
}

#[test]
fn a_percentile_interval_is_near_that_of_the_normal_approximation() {
    let sample: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
    let mut moments = Moments::default();
    sample.iter().for_each(|x| moments.add(*x));
    let half = 1.959_964 * (moments.variance() / 400.0).sqrt();
    for kind in [BootstrapKind::Percentile, BootstrapKind::BiasCorrectedAccelerated] {
        let bootstrap = Bootstrap { n_resamples: 20_000, kind, ..Bootstrap::default() };
        let (low, high) = bootstrap_interval(&sample, mean, bootstrap).unwrap();
        assert!((low - (moments.mean - half)).abs() < 0.02 && (high - (moments.mean + half)).abs() < 0.02);
        assert_eq!(bootstrap_interval(&sample, mean, bootstrap), Some((low, high)));
        // Moving and stretching the sample moves and stretches the interval.
        let moved: Vec<f64> = sample.iter().map(|x| 3.0 * x + 7.0).collect();
        let (moved_low, moved_high) = bootstrap_interval(&moved, mean, bootstrap).unwrap();
        assert!((moved_low - 3.0 * low - 7.0).abs() < 1e-6 && (moved_high - 3.0 * high - 7.0).abs() < 1e-6);
    }
    assert_eq!(bootstrap_interval(&[], mean, Bootstrap::default()), None);
    assert_eq!(bootstrap_interval(&[1.0, f64::NAN], mean, Bootstrap::default()), None);
    assert_eq!(bootstrap_interval(&[2.0; 5], mean, Bootstrap::default()), Some((2.0, 2.0)));
}

#[test]
fn false_discoveries_of_the_paper() {
    // Benjamini and Hochberg's own example: four rejections at 0.05.
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.000,
    ];
    assert_eq!(benjamini_hochberg(&p).iter().filter(|q| **q <= 0.05).count(), 4);
    assert!(benjamini_hochberg(&[]).is_empty());
    assert_eq!(benjamini_hochberg(&[f64::NAN, -1.0]), [1.0, 0.0]);
}

#[test]
fn spearman_of_small_lists() {
    let check = |left: &[f64], right: &[f64], expected: Option<f64>| {
        let found = spearman(left, right);
        assert_eq!(found.is_some(), expected.is_some());
        assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-15, "{found:?} {expected:?}");
    };
    check(&[1.0, 2.0, 3.0], &[10.0, 20.0, 1e9], Some(1.0));
    check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], Some(-1.0));
    check(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0], Some(4.5 / 22.5_f64.sqrt()));
    check(&[1.0, 1.0], &[1.0, 2.0], None);
    check(&[1.0], &[1.0], None);
    check(&[], &[], None);
    check(&[1.0, 2.0], &[1.0], None);
    check(&[1.0, f64::NAN], &[1.0, 2.0], None);
}

proptest! {
    #[test]
    fn discoveries_are_those_of_the_step_up_procedure(p in prop::collection::vec(0.0..0.3_f64, 1..30), q in 0.01..0.5_f64) {
        let mut sorted = p.clone();
        sorted.sort_by(f64::total_cmp);
        let n = p.len();
        let last = (1..=n).rev().find(|k| sorted[k - 1] <= *k as f64 * q / n as f64);
        let expected = last.map_or(-1.0, |k| sorted[k - 1]);
        for (p, adjusted) in p.iter().zip(benjamini_hochberg(&p)) {
            prop_assert!((adjusted - q).abs() < 1e-12 || (adjusted <= q) == (*p <= expected));
        }
    }

    #[test]
    fn spearman_without_ties_is_the_sum_of_squared_differences(order in Just((0..12_u8).collect::<Vec<_>>()).prop_shuffle()) {
        let left: Vec<f64> = (0..12).map(f64::from).collect();
        let right: Vec<f64> = order.iter().map(|rank| f64::from(*rank)).collect();
        let squares: f64 = left.iter().zip(&right).map(|(a, b)| (a - b).powi(2)).sum();
        let expected = 1.0 - 6.0 * squares / (12.0 * (144.0 - 1.0));
        prop_assert!((spearman(&left, &right).unwrap() - expected).abs() < 1e-12);
    }
}
