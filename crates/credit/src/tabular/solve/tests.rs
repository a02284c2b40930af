//! Unit tests.

use super::*;
use crate::random::Random;

/// A random chain of this many states in which every state reaches the end, with its dense matrix.
fn random_chain(n: usize, seed: u64) -> (Chain, Vec<Vec<f64>>, Vec<f64>) {
    let mut random = Random::new(seed);
    let mut chain = Chain::default();
    let mut dense = vec![vec![0.0; n]; n];
    for (state, row) in dense.iter_mut().enumerate() {
        chain.first.push(chain.next.len());
        let mut total = 1.0 + random.below(3) as f64;
        for _ in 0..random.below(4) {
            let (next, count) = (random.below(n), 1.0 + random.below(5) as f64);
            chain.next.push((next, count));
            row[next] -= count;
            total += count;
        }
        row[state] += total;
        chain.n.push(total);
    }
    chain.first.push(chain.next.len());
    let b = (0..n).map(|_| random.below(100) as f64 / 10.0 - 5.0).collect();
    (chain, dense, b)
}

/// Gauss–Jordan elimination with pivoting.
pub(crate) fn dense_solve(mut matrix: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|i, j| matrix[*i][column].abs().total_cmp(&matrix[*j][column].abs())).unwrap();
        matrix.swap(column, pivot);
        b.swap(column, pivot);
        for row in (0..n).filter(|row| *row != column) {
            let factor = matrix[row][column] / matrix[column][column];
            let pivot = matrix[column].clone();
            matrix[row].iter_mut().zip(pivot).for_each(|(entry, pivot)| *entry -= factor * pivot);
            b[row] -= factor * b[column];
        }
    }
    (0..n).map(|i| b[i] / matrix[i][i]).collect()
}

#[test]
fn solutions_are_those_of_elimination() {
    for seed in 0..200 {
        let (chain, dense, b) = random_chain(1 + (seed as usize) % 40, seed);
        let found = chain.solve(&b, vec![0.0; b.len()]);
        let expected = dense_solve(dense, b);
        assert!(found.residual < 1e-10, "seed {seed}: {found:?}");
        for (found, expected) in found.values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-8 * (1.0 + expected.abs()), "seed {seed}: {found} {expected}");
        }
    }
}

#[test]
fn a_chain_without_returns_takes_no_stack_and_one_pass() {
    let n = 200_000;
    let chain = Chain {
        first: (0..=n).map(|state| state.min(n - 1)).collect(),
        next: (1..n).map(|next| (next, 2.0)).collect(),
        n: vec![2.0; n],
    };
    let mut b = vec![0.0; n];
    b[n - 1] = 1.0;
    let found = chain.solve(&b, vec![7.0; n]);
    assert!(found.values.iter().all(|value| *value == 0.5) && found.residual == 0.0);
}

#[test]
fn where_no_end_is_reached_the_guess_stands() {
    // 0 → 0 for ever; 1 was never left; 2 goes to 1 or ends.
    let chain = Chain { first: vec![0, 1, 1, 2], next: vec![(0, 3.0), (1, 1.0)], n: vec![3.0, 0.0, 2.0] };
    assert_eq!(chain.solve(&[0.0, 0.0, 1.0], vec![0.25, 0.5, 0.0]).values, [0.25, 0.5, 0.75]);
}
