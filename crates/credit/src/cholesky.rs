//! Dense symmetric positive definite systems.

use nalgebra::{DMatrix, DVector, Dyn};

/// A pivot below this part of the largest diagonal entry is taken for zero: what is left of it is rounding.
const PIVOT_MIN: f64 = 1e-11;

/// Triangles up to this size are inverted by substitution; larger ones in parts, by products of matrices.
const BLOCK: usize = 64;

/// The factor `L` of `A = L Lᵀ`, where `A` is symmetric and positive definite.
///
/// Factoring takes `n³/3` operations and a solve `2n²` (Golub & Van Loan, "Matrix Computations", 2013, section 4.2).
/// Without pivoting: a singular matrix is recognised by a pivot that is zero next to the largest diagonal entry.
#[derive(Debug)]
pub(crate) struct Cholesky {
    factor: nalgebra::Cholesky<f64, Dyn>,
}

impl Cholesky {
    /// `None` where the row-major matrix is not positive definite to working precision.
    pub(crate) fn of(matrix: Vec<f64>, n: usize) -> Option<Self> {
        let matrix = DMatrix::from_vec(n, n, matrix);
        let largest = matrix.diagonal().iter().copied().fold(0.0, f64::max);
        let factor = nalgebra::Cholesky::new(matrix)?;
        let is_definite = factor.l_dirty().diagonal().iter().all(|pivot| pivot * pivot > largest * PIVOT_MIN);
        is_definite.then_some(Self { factor })
    }

    /// `x` with `A x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        self.factor.solve(&DVector::from_column_slice(b)).data.into()
    }

    /// `A⁻¹ = L⁻ᵀ L⁻¹`, row-major and symmetric.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let mut lower = self.factor.l();
        let n = lower.nrows();
        invert_lower(&mut lower, 0, n);
        (lower.transpose() * lower).data.into()
    }
}

/// Inverts a lower triangle that starts at this place of the diagonal:
///
/// `[A 0; B C]⁻¹ = [A⁻¹ 0; -C⁻¹ B A⁻¹ C⁻¹]`
///
/// (Golub & Van Loan, section 3.1): nearly all of it is products of matrices, which keep to what is in the cache.
fn invert_lower(matrix: &mut DMatrix<f64>, start: usize, n: usize) {
    if n <= BLOCK {
        let triangle = matrix.view((start, start), (n, n)).into_owned();
        let mut place = matrix.view_mut((start, start), (n, n));
        place.fill_with_identity();
        triangle.solve_lower_triangular_mut(&mut place);
        return;
    }
    let (above, below) = (n / 2, n - n / 2);
    let middle = start + above;
    invert_lower(matrix, start, above);
    invert_lower(matrix, middle, below);
    let left = matrix.view((middle, start), (below, above)) * matrix.view((start, start), (above, above));
    let left = matrix.view((middle, middle), (below, below)) * left;
    matrix.view_mut((middle, start), (below, above)).copy_from(&-left);
}

/// Four sums side by side: one would wait for each addition before the next.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let n = left.len().min(right.len());
    let (left, left_rest) = left[..n].as_chunks::<4>();
    let (right, right_rest) = right[..n].as_chunks::<4>();
    let (mut s0, mut s1, mut s2, mut s3) = (0.0, 0.0, 0.0, 0.0);
    for ([a0, a1, a2, a3], [b0, b1, b2, b3]) in left.iter().zip(right) {
        s0 += a0 * b0;
        s1 += a1 * b1;
        s2 += a2 * b2;
        s3 += a3 * b3;
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    (s0 + s2) + (s1 + s3) + rest
}

#[cfg(test)]
mod tests;
