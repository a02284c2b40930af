//! Unit tests.

use proptest::prelude::*;

use super::*;

#[test]
fn singular_and_indefinite_matrices_are_refused() {
    let check = |matrix: &[f64], n: usize| assert!(Cholesky::of(matrix.to_vec(), n).is_none(), "{matrix:?}");
    check(&[0.0], 1);
    check(&[-1.0], 1);
    check(&[1.0, 1.0, 1.0, 1.0], 2);
    check(&[1.0, 2.0, 2.0, 1.0], 2);
    check(&[f64::NAN], 1);
}

#[test]
fn an_inverse_in_parts_is_one() {
    for n in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
        let mut random = crate::random::Random::new(n as u64);
        let mut entry = || random.below(1_000) as f64 / 1_000.0 - 0.5;
        let rows: Vec<Vec<f64>> = (0..n).map(|_| (0..n).map(|_| entry()).collect()).collect();
        let mut matrix: Vec<f64> = rows.iter().flat_map(|left| rows.iter().map(|right| dot(left, right))).collect();
        (0..n).for_each(|i| matrix[i * n + i] += 1.0);
        let inverse = Cholesky::of(matrix.clone(), n).unwrap().inverse();
        for (i, row) in matrix.chunks(n.max(1)).enumerate() {
            for (j, column) in inverse.chunks(n.max(1)).enumerate() {
                let one = if i == j { 1.0 } else { 0.0 };
                assert!((dot(row, column) - one).abs() < 1e-9, "n = {n}: {i}, {j}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_solution_solves(rows in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 10), 10), b in prop::collection::vec(-1.0..1.0_f64, 10), n in 1..=10_usize) {
        let (rows, b) = (&rows[..n], &b[..n]);
        let mut matrix: Vec<f64> = rows.iter().flat_map(|left| rows.iter().map(|right| dot(left, right))).collect();
        (0..n).for_each(|i| matrix[i * n + i] += 0.1);
        let x = Cholesky::of(matrix.clone(), n).unwrap().solve(b);
        for (row, b) in matrix.chunks(n).zip(b) {
            prop_assert!((dot(row, &x) - b).abs() < 1e-10);
        }
        let inverse = Cholesky::of(matrix, n).unwrap().inverse();
        for (row, x) in inverse.chunks(n).zip(&x) {
            prop_assert!((dot(row, b) - x).abs() < 1e-10);
        }
    }
}
