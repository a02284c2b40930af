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

    /// The inverse, row by row.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let mut inverse = Vec::with_capacity(self.n * self.n);
        for row in 0..self.n {
            let mut unit = vec![0.0; self.n];
            unit[row] = 1.0;
            // Symmetric, so its columns are its rows.
            inverse.extend(self.solve(&unit));
        }
        inverse
    }
}

pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests;
