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
