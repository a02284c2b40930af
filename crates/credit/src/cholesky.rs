//! Dense symmetric positive definite systems.

use std::cmp::Ordering;
use std::ops::Range;

/// A pivot below this part of the largest diagonal entry is taken for zero: what is left of it is rounding.
const PIVOT_MIN: f64 = 1e-11;

/// Rows that are worked on together, so that the rest of a large matrix is read a quarter as often.
const ROWS: usize = 4;

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
        for first in (0..n).step_by(ROWS) {
            let (above, rows) = matrix.split_at_mut(first * n);
            let n_rows = ROWS.min(n - first);
            for (column, pivot_row) in above.chunks_exact(n).enumerate() {
                let products = dots(rows, n, n_rows, 0..column, &pivot_row[..column]);
                for (row, product) in products.iter().enumerate().take(n_rows) {
                    let entry = &mut rows[row * n + column];
                    *entry = (*entry - product) / pivot_row[column];
                }
            }
            for row in 0..n_rows {
                for column in 0..=row {
                    let at = first + column;
                    let rest =
                        rows[row * n + at] - dot(&rows[row * n..row * n + at], &rows[column * n..column * n + at]);
                    rows[row * n + at] = if column < row {
                        rest / rows[column * n + at]
                    } else if rest > largest * PIVOT_MIN {
                        rest.sqrt()
                    } else {
                        return None;
                    };
                }
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
        for (group, rows) in columns.chunks_mut((n * ROWS).max(1)).enumerate() {
            let (first, n_rows) = (group * ROWS, rows.len() / n);
            for i in first..n {
                let lower = &self.lower[i * n..(i + 1) * n];
                let products = dots(rows, n, n_rows, first..i, &lower[first..i]);
                for (row, product) in products.iter().enumerate().take(n_rows) {
                    rows[row * n + i] = match i.cmp(&(first + row)) {
                        Ordering::Less => 0.0,
                        Ordering::Equal => 1.0 / lower[i],
                        Ordering::Greater => -product / lower[i],
                    };
                }
            }
        }
        let mut inverse = vec![0.0; n * n];
        for (group, rows) in columns.chunks((n * ROWS).max(1)).enumerate() {
            let (first, n_rows) = (group * ROWS, rows.len() / n);
            for column in first..n {
                let products = dots(rows, n, n_rows, column..n, &columns[column * n + column..(column + 1) * n]);
                for (row, product) in products.iter().enumerate().take(n_rows) {
                    inverse[(first + row) * n + column] = *product;
                    inverse[column * n + first + row] = *product;
                }
            }
        }
        inverse
    }
}

/// The products of up to [`ROWS`] rows of a matrix, at these places, with one vector: it is read once for all of them.
fn dots(rows: &[f64], n: usize, n_rows: usize, places: Range<usize>, right: &[f64]) -> [f64; ROWS] {
    let row = |row: usize| &rows[row * n + places.start..row * n + places.end];
    let mut products = [0.0; ROWS];
    if n_rows < ROWS {
        products.iter_mut().enumerate().take(n_rows).for_each(|(at, product)| *product = dot(row(at), right));
        return products;
    }
    let [a, b, c, d] = [row(0), row(1), row(2), row(3)].map(|row| row.as_chunks::<2>());
    let (right, right_rest) = right.as_chunks::<2>();
    let mut sums = [[0.0; 2]; ROWS];
    for ((((a, b), c), d), right) in a.0.iter().zip(b.0).zip(c.0).zip(d.0).zip(right) {
        for lane in 0..2 {
            sums[0][lane] += a[lane] * right[lane];
            sums[1][lane] += b[lane] * right[lane];
            sums[2][lane] += c[lane] * right[lane];
            sums[3][lane] += d[lane] * right[lane];
        }
    }
    for ((product, sums), rest) in products.iter_mut().zip(sums).zip([a.1, b.1, c.1, d.1]) {
        *product = sums[0] + sums[1] + dot(rest, right_rest);
    }
    products
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
