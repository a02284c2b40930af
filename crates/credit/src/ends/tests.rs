//! Unit tests.

use accredit_model::Evidence;

use super::*;
use crate::StepFeatures;

#[test]
fn one_end_gets_everything() {
    let check = |n: usize, first: &[f64], last: &[f64]| {
        let steps = vec![StepFeatures::default(); n];
        let trajectory = Trajectory { steps: &steps, reward: 0.25, ..Trajectory::default() };
        for (credit, expected) in [(First.assign(&trajectory), first), (Last.assign(&trajectory), last)] {
            assert_eq!(credit.credits, expected);
            assert_eq!((credit.advantages, credit.baseline, credit.residual), (vec![0.0; n], 0.5, -0.25));
            assert_eq!((credit.evidence, credit.model_version), (Evidence::None, None));
        }
    };
    check(0, &[], &[]);
    check(1, &[1.0], &[1.0]);
    check(4, &[1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0]);
}
