//! Unit tests.

use super::*;
use crate::StepFeatures;

#[test]
fn every_step_has_the_same_credit() {
    let check = |n: usize| {
        let steps = vec![StepFeatures::default(); n];
        let credit = Uniform.assign(&Trajectory { steps: &steps, reward: 1.0, ..Trajectory::default() });
        assert_eq!((credit.credits.len(), credit.advantages.len()), (n, n));
        assert!(credit.credits.iter().all(|share| *share == 1.0 / n as f64));
        let sum: f64 = credit.credits.iter().sum();
        assert!(n == 0 || (sum - 1.0).abs() < 1e-9, "{n}: {sum}");
        assert_eq!(credit.residual, 0.5);
    };
    check(0);
    check(1);
    check(3);
    check(1_000_000);
}
