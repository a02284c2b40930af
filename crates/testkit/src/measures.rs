//! How well credit agrees with the truth of an environment.
//!
//! Every measure is answered against the method in doubt: a tie for the highest credit is a miss, and what is not a
//! number is a miss or no answer, never a success.

/// Whether the decisive step has the highest credit of all, alone: a step that is merely as high as another was not
/// found, so that a method that says the same of every step finds nothing. A step beyond the chain is a miss.
#[must_use]
pub fn top_1(credits: &[f64], decisive_idx: usize) -> bool {
    credits.get(decisive_idx).is_some_and(|found| {
        !found.is_nan() && credits.iter().enumerate().all(|(idx, other)| idx == decisive_idx || other < found)
    })
}

/// The share of all credit that lies on the decisive step, in [0, 1] where no credit is negative. No credit at all, or
/// a step beyond the chain, is 0.
#[must_use]
pub fn credit_mass(credits: &[f64], decisive_idx: usize) -> f64 {
    let total: f64 = credits.iter().sum();
    match credits.get(decisive_idx) {
        Some(found) if total > 0.0 => found / total,
        _ => 0.0,
    }
}

/// The share of chains whose decisive step was found, of `(credits, index of the decisive step)`. `None` of no chains.
#[must_use]
pub fn top_1_accuracy<'a>(chains: impl IntoIterator<Item = (&'a [f64], usize)>) -> Option<f64> {
    mean(chains.into_iter().map(|(credits, decisive_idx)| f64::from(u8::from(top_1(credits, decisive_idx)))))
}

/// The mean of [`credit_mass`] over chains. `None` of no chains.
#[must_use]
pub fn mean_credit_mass<'a>(chains: impl IntoIterator<Item = (&'a [f64], usize)>) -> Option<f64> {
    mean(chains.into_iter().map(|(credits, decisive_idx)| credit_mass(credits, decisive_idx)))
}

/// Spearman's rank correlation: Pearson's correlation of the ranks, equal values sharing the mean of theirs
/// (Spearman: "The proof and measurement of association between two things", 1904).
///
/// `None` where there is none: lengths differ, fewer than two values, a value that is not a number, or all values of a
/// side equal. Costs a sort of each side.
#[must_use]
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.len() < 2 || left.iter().chain(right).any(|value| value.is_nan()) {
        return None;
    }
    // Ranks 1…n have the mean (n + 1) / 2 whatever is tied, and are exact in an f64, as are their products.
    let middle = (left.len() + 1) as f64 / 2.0;
    let (mut across, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (a, b) in average_ranks(left).into_iter().zip(average_ranks(right)) {
        across += (a - middle) * (b - middle);
        of_left += (a - middle) * (a - middle);
        of_right += (b - middle) * (b - middle);
    }
    (of_left > 0.0 && of_right > 0.0).then(|| across / (of_left.sqrt() * of_right.sqrt()))
}

/// The ranks of values, from 1 for the lowest; equal values share the mean of the ranks that they take together.
#[must_use]
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // The ranks first + 1 … first + n have this mean.
        let shared = first as f64 + (group.len() + 1) as f64 / 2.0;
        for &index in group {
            ranks[index] = shared;
        }
        first += group.len();
    }
    ranks
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0_usize, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests;
