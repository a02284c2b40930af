//! Unit tests.

use proptest::prelude::*;

use super::*;

const NONE: &[f64] = &[];

/// Shares of all steps of all actions, in order.
fn shares(nodes: &[TreeInput<'_>]) -> Vec<Vec<f64>> {
    tree_credit(nodes).into_iter().map(|share| share.credits).collect()
}

fn node(parent: usize, parent_step: Option<usize>, credits: &[f64]) -> TreeInput<'_> {
    TreeInput { parent: Some(parent), parent_step, credits }
}

fn root(credits: &[f64]) -> TreeInput<'_> {
    TreeInput { parent: None, parent_step: None, credits }
}

#[test]
fn credit_of_a_step_goes_to_what_was_begun_during_it() {
    let check = |nodes: &[TreeInput<'_>], credit: &[f64], expected: &[&[f64]]| {
        let shares = tree_credit(nodes);
        assert_eq!(shares.iter().map(|share| share.credit).collect::<Vec<_>>(), credit);
        assert_eq!(shares.iter().map(|share| share.credits.as_slice()).collect::<Vec<_>>(), expected);
    };
    check(&[], &[], &[]);
    check(&[root(NONE)], &[0.0], &[NONE]);
    check(&[root(&[0.25, 0.75])], &[1.0], &[&[0.25, 0.75]]);
    // One child, then two of one step.
    check(&[root(&[0.25, 0.75]), node(0, Some(1), &[0.5, 0.5])], &[1.0, 0.75], &[&[0.25, 0.0], &[0.375, 0.375]]);
    check(
        &[root(&[0.5, 0.5]), node(0, Some(0), &[1.0]), node(0, Some(0), &[0.5, 0.5])],
        &[1.0, 0.25, 0.25],
        &[&[0.0, 0.5], &[0.25], &[0.125, 0.125]],
    );
    // Not known is the first step, beyond the end the last.
    check(&[root(&[0.25, 0.75]), node(0, None, &[1.0])], &[1.0, 0.25], &[&[0.0, 0.75], &[0.25]]);
    check(&[root(&[0.25, 0.75]), node(0, Some(9), &[1.0])], &[1.0, 0.75], &[&[0.25, 0.0], &[0.75]]);
    // A child without steps takes nothing: the other child, or the step itself, keeps its part.
    check(&[root(&[1.0]), node(0, Some(0), NONE)], &[1.0, 0.0], &[&[1.0], NONE]);
    check(&[root(&[1.0]), node(0, Some(0), NONE), node(0, Some(0), &[1.0])], &[1.0, 0.0, 1.0], &[&[0.0], NONE, &[1.0]]);
    // An action without steps of its own hands on what it has.
    check(
        &[root(NONE), node(0, Some(3), &[1.0]), node(0, None, NONE), node(2, None, &[0.5, 0.5])],
        &[1.0, 0.5, 0.5, 0.5],
        &[NONE, &[0.5], NONE, &[0.25, 0.25]],
    );
    // No part of the tree: no parent, or one that does not stand before it.
    check(&[root(&[1.0]), root(&[1.0]), node(1, None, &[1.0])], &[1.0, 0.0, 0.0], &[&[1.0], &[0.0], &[0.0]]);
    check(&[root(&[1.0]), node(1, None, &[1.0]), node(7, None, &[1.0])], &[1.0, 0.0, 0.0], &[&[1.0], &[0.0], &[0.0]]);
    check(&[node(0, Some(0), &[1.0])], &[1.0], &[&[1.0]]);
}

fn sum(shares: &[Vec<f64>]) -> f64 {
    shares.iter().flatten().sum()
}

#[test]
fn deep_and_wide_trees_sum_to_one() {
    let check = |nodes: &[TreeInput<'_>]| {
        let sum = sum(&shares(nodes));
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    };
    let deep: Vec<TreeInput<'_>> =
        (0..10_000).map(|i: usize| node(i.saturating_sub(1), Some(1), &[0.001, 0.999])).collect();
    check(&deep);
    let wide: Vec<TreeInput<'_>> = (0..100_001).map(|_| node(0, Some(0), &[0.3, 0.7])).collect();
    check(&wide);
}

proptest! {
    #[test]
    fn all_steps_of_any_tree_sum_to_one(
        nodes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::option::of(0..6_usize), prop::collection::vec(0.01..1.0_f64, 0..5)),
            1..60,
        ),
    ) {
        let credits: Vec<Vec<f64>> = nodes
            .iter()
            .map(|(_, _, weights)| weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect())
            .collect();
        let inputs: Vec<TreeInput<'_>> = nodes
            .iter()
            .zip(&credits)
            .enumerate()
            .map(|(i, ((parent, parent_step, _), credits))| TreeInput {
                parent: (i > 0).then(|| parent.index(i)),
                parent_step: *parent_step,
                credits,
            })
            .collect();
        let result = tree_credit(&inputs);
        prop_assert_eq!(result.len(), inputs.len());
        let total: f64 = result.iter().flat_map(|share| &share.credits).sum();
        let expected = if credits.iter().all(Vec::is_empty) { 0.0 } else { 1.0 };
        prop_assert!((total - expected).abs() < 1e-9, "{}", total);
        // A subtree's share is what its steps and the subtrees below it hold: summed from the leaves, another way.
        let mut below: Vec<f64> = result.iter().map(|share| share.credits.iter().sum()).collect();
        for i in (1..inputs.len()).rev() {
            below[inputs[i].parent.unwrap()] += below[i];
        }
        for (share, below) in result.iter().zip(below) {
            prop_assert!((share.credit - below).abs() < 1e-9);
            prop_assert!(share.credits.iter().all(|credit| *credit >= 0.0));
        }
    }
}
