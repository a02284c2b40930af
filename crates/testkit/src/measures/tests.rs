use super::{average_ranks, credit_mass, mean_credit_mass, spearman, top_1, top_1_accuracy};

#[test]
fn the_decisive_step_must_stand_alone_at_the_top() {
    #[track_caller]
    fn check(credits: &[f64], decisive_idx: usize, found: bool) {
        assert_eq!(top_1(credits, decisive_idx), found, "{credits:?} at {decisive_idx}");
    }
    check(&[0.2, 0.5, 0.3], 1, true);
    check(&[0.2, 0.5, 0.3], 0, false);
    check(&[0.4, 0.4, 0.2], 0, false);
    check(&[0.4, 0.4, 0.2], 1, false);
    check(&[0.25, 0.25, 0.25, 0.25], 2, false);
    check(&[1.0], 0, true);
    check(&[0.0], 0, true);
    check(&[], 0, false);
    check(&[1.0], 1, false);
    check(&[f64::NAN], 0, false);
    check(&[1.0, f64::NAN], 0, false);
    check(&[f64::NAN, 1.0], 0, false);
    // The order of zeros by sign is no order.
    check(&[0.0, -0.0], 0, false);
}

#[test]
fn mass_is_a_share_of_all_credit() {
    #[track_caller]
    fn check(credits: &[f64], decisive_idx: usize, mass: f64) {
        assert!((credit_mass(credits, decisive_idx) - mass).abs() < 1e-15, "{credits:?} at {decisive_idx}");
    }
    check(&[0.2, 0.5, 0.3], 1, 0.5);
    check(&[1.0, 3.0], 1, 0.75);
    check(&[0.0, 0.0], 0, 0.0);
    check(&[], 0, 0.0);
    check(&[1.0], 1, 0.0);
    check(&[f64::NAN, 1.0], 1, 0.0);
}

#[test]
fn means_over_chains() {
    let chains: [(&[f64], usize); 4] = [(&[0.9, 0.1], 0), (&[0.5, 0.5], 0), (&[0.2, 0.8], 0), (&[0.2, 0.8], 1)];
    assert_eq!(top_1_accuracy(chains), Some(0.5));
    // (0.9 + 0.5 + 0.2 + 0.8) / 4
    assert!((mean_credit_mass(chains).unwrap() - 0.6).abs() < 1e-15);
    assert_eq!(top_1_accuracy([]), None);
    assert_eq!(mean_credit_mass([]), None);
}

#[test]
fn ties_share_the_mean_of_their_ranks() {
    assert_eq!(average_ranks(&[10.0, 30.0, 20.0]), [1.0, 3.0, 2.0]);
    assert_eq!(average_ranks(&[1.0, 2.0, 2.0, 3.0]), [1.0, 2.5, 2.5, 4.0]);
    assert_eq!(average_ranks(&[5.0, 5.0, 5.0]), [2.0, 2.0, 2.0]);
    assert_eq!(average_ranks(&[0.0, -0.0, -1.0]), [2.5, 2.5, 1.0]);
    assert!(average_ranks(&[]).is_empty());
}

#[test]
fn rank_correlation() {
    #[track_caller]
    fn check(left: &[f64], right: &[f64], expected: Option<f64>) {
        match (spearman(left, right), expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12, "{found}, not {expected}"),
            (found, expected) => assert_eq!(found, expected),
        }
    }
    check(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0], Some(1.0));
    check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], Some(-1.0));
    // Without ties 1 - 6 Σ d² / n (n² - 1): d = 0, -1, 1, -1, 1, so 1 - 6 * 4 / (5 * 24).
    check(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.0, 3.0, 2.0, 5.0, 4.0], Some(0.8));
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
    check(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0], Some(4.5 / 22.5_f64.sqrt()));
    // Hours of television a week against intelligence, the usual textbook example: -29 / 165.
    check(
        &[106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0],
        &[7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0],
        Some(-29.0 / 165.0),
    );
    check(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], None);
    check(&[1.0, 2.0], &[1.0, 2.0, 3.0], None);
    check(&[1.0], &[1.0], None);
    check(&[], &[], None);
    check(&[1.0, f64::NAN], &[1.0, 2.0], None);
}
