//! How often what is done in a situation: what other situations say of it.

/// Fewer situations with a choice say nothing of one another.
const STATES_MIN: usize = 10;
/// What states have in common counts for fewer visits than this.
const STRENGTH_MAX: f64 = 10_000.0;

/// A decision in a state, and how often it was made there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) state: usize,
    pub(super) n: f64,
}

/// By what to multiply the counts of each decision in a state, so that the policy is better known than from them alone.
///
/// `π(top | s) = (n_top + m·p) / (n(s) + m)`, `π(b | s) = (1 - π(top | s)) · (n(s,b) + m'/k) / (n(s) - n_top + m')`
///
/// with `n_top` the count of the decision made most in `s`, `p` how often that one is made in all states together, and `b`
/// the `k` others that were made in `s`: a beta-binomial and a Dirichlet-multinomial, both as empirical Bayes. How much
/// states have in common, `m = 1/ρ - 1` and `m' = 1/ρ' - 1`, is said by how much more their counts vary than those of one
/// policy would: by moments (Kleinman, "Proportions with Extraneous Variance", 1973),
///
/// `ρ = Σ_s [Σ_j (n_j - N·q_j)² - N·(1 - Σ_j q_j²)] / Σ_s N·(N - 1)·(1 - Σ_j q_j²)`
///
/// with `N` the count of the state and `q` = `(p, 1 - p)`; for `ρ'` `N` that of its other decisions and `q` equal for all
/// decisions made anywhere but one. A standard error is added to each, so that little evidence changes little. Where states
/// have policies of their own, ρ is large and nothing changes; where an agent tries something else now and then, a handful
/// of visits no longer says how often.
///
/// 1 for all where fewer than ten states have a choice, and in states where two decisions were made most often. `choices` in the order of
/// their states; `n_decisions` made anywhere. O(choices).
pub(super) fn factors(choices: &[Choice], n_decisions: usize) -> Vec<f64> {
    let mut factors = vec![1.0; choices.len()];
    let mut states = Vec::new();
    let mut begin = 0;
    for of in choices.chunk_by(|left, right| left.state == right.state) {
        states.extend((of.len() >= 2).then(|| Split::of(of, begin)));
        begin += of.len();
    }
    if states.len() < STATES_MIN {
        return factors;
    }
    let (n_top, n): (f64, f64) = states.iter().fold((0.0, 0.0), |(top, n), split| (top + split.n_top, n + split.n));
    let share = n_top / n;
    let of_top = strength(states.iter().map(|split| {
        let deviation = split.n_top - split.n * share;
        let spread = 2.0 * share * (1.0 - share);
        (2.0 * deviation * deviation, split.n, [spread, spread * spread])
    }));
    let n_others = (n_decisions.max(2) - 1) as f64;
    let of_others = strength(states.iter().map(|split| {
        // Σ_j (n_j - N/k)² = Σ_j n_j² - N²/k
        let n = split.n - split.n_top;
        (split.squares - n * n / n_others, n, [1.0 - 1.0 / n_others, (n_others - 1.0) / (n_others * n_others)])
    }));
    for split in states.iter().filter(|split| split.is_clear) {
        let top = (split.n_top + of_top * share) / (split.n + of_top);
        let n_rest = split.n - split.n_top;
        let n_kinds = (split.len - 1) as f64;
        for at in split.begin..split.begin + split.len {
            let n = choices[at].n;
            let expected =
                if at == split.top { top } else { (1.0 - top) * (n + of_others / n_kinds) / (n_rest + of_others) };
            factors[at] = expected * split.n / n;
        }
    }
    factors
}

/// The counts of one state.
struct Split {
    begin: usize,
    len: usize,
    /// The decision that was made most often.
    top: usize,
    is_clear: bool,
    n: f64,
    n_top: f64,
    /// Σ n² of the others.
    squares: f64,
}

impl Split {
    fn of(choices: &[Choice], begin: usize) -> Self {
        let mut split =
            Self { begin, len: choices.len(), top: begin, is_clear: true, n: 0.0, n_top: 0.0, squares: 0.0 };
        for (at, choice) in choices.iter().enumerate() {
            split.n += choice.n;
            split.squares += choice.n * choice.n;
            if choice.n > split.n_top {
                (split.top, split.n_top, split.is_clear) = (begin + at, choice.n, true);
            } else if choice.n >= split.n_top {
                split.is_clear = false;
            }
        }
        split.squares -= split.n_top * split.n_top;
        split
    }
}

/// `m = 1/ρ - 1` from per state `Σ_j (n_j - N·q_j)²`, `N`, and the traces of `C = diag(q) - q·qᵀ` and of `C²`; ρ by moments, one
/// standard error above. Of one policy the squares are `N·tr C` on average, with variance `2·N²·tr C²` where counts are
/// large.
fn strength(states: impl Iterator<Item = (f64, f64, [f64; 2])>) -> f64 {
    let (mut excess, mut scale, mut variance) = (0.0, 0.0, 0.0);
    for (squares, n, [trace, trace_of_square]) in states {
        excess += squares - n * trace;
        scale += n * (n - 1.0) * trace;
        variance += 2.0 * n * n * trace_of_square;
    }
    if scale <= 0.0 {
        return 0.0;
    }
    let overdispersion = ((excess + variance.sqrt()) / scale).clamp(1.0 / STRENGTH_MAX, 1.0);
    1.0 / overdispersion - 1.0
}

#[cfg(test)]
mod tests;
