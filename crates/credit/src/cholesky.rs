//! Dense symmetric positive definite systems.

/// A pivot below this part of the largest diagonal entry is taken for zero: what is left of it is rounding.
const PIVOT_MIN: f64 = 1e-11;

/// The factor `L` of `A = L Lᵀ`, where `A` is symmetric and positive definite.
///
/// Factoring takes `n³/3` operations and a solve `2n²` (Golub & Van Loan, "Matrix Computations", 2013, section 4.2).
/// Without pivoting: a singular matrix is recognised by a pivot that is zero next to the largest diagonal entry.
#[derive(Debug)]
pub(crate) struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// `None` where the row-major matrix is not positive definite to working precision.
    pub(crate) fn of(mut matrix: Vec<f64>, n: usize) -> Option<Self> {
        debug_assert_eq!(matrix.len(), n * n);
        let largest = (0..n).map(|i| matrix[i * n + i]).fold(0.0, f64::max);
        for row in 0..n {
            for column in 0..=row {
                let (left, right) = (&matrix[row * n..row * n + column], &matrix[column * n..column * n + column]);
                let rest = matrix[row * n + column] - dot(left, right);
                matrix[row * n + column] = if column < row {
                    rest / matrix[column * n + column]
                } else if rest > largest * PIVOT_MIN {
                    rest.sqrt()
                } else {
                    return None;
                };
            }
        }
        Some(Self { n, lower: matrix })
    }

    /// `x` with `A x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut x = b.to_vec();
        for row in 0..n {
            x[row] = (x[row] - dot(&self.lower[row * n..row * n + row], &x[..row])) / self.lower[row * n + row];
        }
        for row in (0..n).rev() {
            x[row] /= self.lower[row * n + row];
            for column in 0..row {
                x[column] -= self.lower[row * n + column] * x[row];
            }
        }
        x
    }

    /// `A⁻¹`, row-major and symmetric: `n³/3` operations for `L⁻¹` and as many for `L⁻ᵀ L⁻¹`, all on rows.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        // Row `j` holds column `j` of L⁻¹, which is zero before its place `j`.
        let mut columns = vec![0.0; n * n];
        for (j, column) in columns.chunks_exact_mut(n.max(1)).enumerate() {
            column[j] = 1.0 / self.lower[j * n + j];
            for i in j + 1..n {
                column[i] = -dot(&self.lower[i * n + j..i * n + i], &column[j..i]) / self.lower[i * n + i];
            }
        }
        let mut inverse = vec![0.0; n * n];
        for row in 0..n {
            for column in row..n {
                let value =
                    dot(&columns[row * n + column..(row + 1) * n], &columns[column * n + column..(column + 1) * n]);
                inverse[row * n + column] = value;
                inverse[column * n + row] = value;
            }
        }
        inverse
    }
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
