//! Unit tests.

use super::*;

fn compared(decision: u64, n: f64, differences: &[f64]) -> Vec<Compared> {
    differences.iter().map(|difference| Compared { decision, n, difference: *difference }).collect()
}

#[test]
fn the_mean_over_states_as_far_as_it_is_no_chance() {
    let differences = [-0.1, -0.2, -0.1, -0.2, -0.1, -0.2, -0.1, -0.2, -0.1, -0.2];
    let mut all = compared(7, 3.0, &differences);
    // Too few states; and a mean that may be 0.
    all.extend(compared(5, 3.0, &differences[..9]));
    all.extend(compared(9, 3.0, &[0.3, -0.3, 0.3, -0.3, 0.3, -0.3, 0.3, -0.3, 0.3, -0.2]));
    all.extend(compared(11, 3.0, &[0.0; 12]));
    let found = elsewhere(all);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [7]);
    // Equal weights: mean -0.15, deviations of 0.05, so the squared error of the mean is 0.0025/10.
    let of_mean = 0.05_f64.powi(2) / 10.0;
    let expected = -0.15 * (1.0 - 4.0 * of_mean / 0.15_f64.powi(2));
    assert!((found[&7].advantage - expected).abs() < 1e-15, "{found:?}");
    assert!((found[&7].std_error - (of_mean + 0.0025).sqrt()).abs() < 1e-15, "{found:?}");
    assert_eq!(found[&7].n, 30);
}

#[test]
fn states_weigh_as_much_as_they_are_believed() {
    let mut all = compared(1, 99.0, &[0.5; 9]);
    all.extend(compared(1, 2.0, &[0.2]));
    let weights = 9.0 * 0.99 + 2.0 / 3.0;
    let mean = (9.0 * 0.99 * 0.5 + 2.0 / 3.0 * 0.2) / weights;
    let of_mean =
        (9.0 * (0.99_f64 * (0.5 - mean)).powi(2) + (2.0 / 3.0_f64 * (0.2 - mean)).powi(2)) / (weights * weights);
    let expected = mean * (1.0 - 4.0 * of_mean / (mean * mean));
    assert!((elsewhere(all)[&1].advantage - expected).abs() < 1e-14);
}
