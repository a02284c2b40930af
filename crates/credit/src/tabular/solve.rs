//! Sparse linear systems of chains that end.

/// Sweeps over one strongly connected part end here at the latest.
const SWEEPS_MAX: usize = 10_000;

/// And earlier where every equation holds to this part of the largest value.
const RESIDUAL_MAX: f64 = 1e-13;

/// `(diag(n) - T)`: per state how often it was left, and where to; what is missing from `n` ended there.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Per state, and one more: where its transitions begin.
    pub(super) first: Vec<usize>,
    /// Next state and count.
    pub(super) next: Vec<(usize, f64)>,
    /// Per state: how often it was left.
    pub(super) n: Vec<f64>,
}

/// A solution, and how far its worst equation is from holding, per visit and in units of `b`.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) values: Vec<f64>,
    pub(super) residual: f64,
}

impl Chain {
    /// `V` with `(diag(n) - T)·V = b`, from a first guess that keeps standing for states that were never left and for
    /// those from which no end is reached.
    ///
    /// Strongly connected parts are solved one after another (Tarjan, "Depth-First Search and Linear Graph Algorithms",
    /// 1972), those that others lead to first, so a chain without returns takes one pass whatever its length. Inside a
    /// part Gauss–Seidel sweeps to and fro: O(transitions) each, and about as many as a visit to the part has steps.
    pub(super) fn solve(&self, b: &[f64], guess: Vec<f64>) -> Solution {
        let mut values = guess;
        for part in self.parts() {
            let alone = part.len() == 1;
            for sweep in 0..if alone { 1 } else { SWEEPS_MAX } {
                let mut worst = 0.0_f64;
                let mut scale = 0.0_f64;
                let mut update = |state: usize| {
                    let (value, change) = self.updated(b, &values, state);
                    values[state] = value;
                    worst = worst.max(change);
                    scale = scale.max(value.abs());
                };
                if sweep % 2 == 0 {
                    part.iter().copied().for_each(&mut update);
                } else {
                    part.iter().rev().copied().for_each(&mut update);
                }
                if worst <= RESIDUAL_MAX * scale {
                    break;
                }
            }
        }
        let residual = (0..values.len()).map(|state| self.updated(b, &values, state).1).fold(0.0, f64::max);
        Solution { values, residual }
    }

    /// The value that makes a state's equation hold, and by how much per visit it did not.
    fn updated(&self, b: &[f64], values: &[f64], state: usize) -> (f64, f64) {
        let (mut sum, mut leaving) = (b[state], self.n[state]);
        for (next, count) in self.transitions(state) {
            if *next == state {
                leaving -= count;
            } else {
                sum += count * values[*next];
            }
        }
        if leaving <= 0.0 {
            return (values[state], 0.0);
        }
        let value = sum / leaving;
        (value, (value - values[state]).abs() * leaving / self.n[state])
    }

    fn transitions(&self, state: usize) -> &[(usize, f64)] {
        &self.next[self.first[state]..self.first[state + 1]]
    }

    /// Strongly connected parts, each after all that it leads to; without recursion.
    fn parts(&self) -> Vec<Vec<usize>> {
        let n_states = self.n.len();
        const NEW: usize = usize::MAX;
        let (mut order, mut low) = (vec![NEW; n_states], vec![0; n_states]);
        let (mut open, mut is_open) = (Vec::new(), vec![false; n_states]);
        let (mut parts, mut path, mut n_seen) = (Vec::new(), Vec::new(), 0);
        for root in 0..n_states {
            if order[root] == NEW {
                path.push((root, self.first[root]));
            }
            while let Some((state, at)) = path.last_mut() {
                let state = *state;
                if order[state] == NEW {
                    (order[state], low[state]) = (n_seen, n_seen);
                    n_seen += 1;
                    open.push(state);
                    is_open[state] = true;
                }
                if *at < self.first[state + 1] {
                    let next = self.next[*at].0;
                    *at += 1;
                    if order[next] == NEW {
                        path.push((next, self.first[next]));
                    } else if is_open[next] {
                        low[state] = low[state].min(order[next]);
                    }
                    continue;
                }
                path.pop();
                if let Some((parent, _)) = path.last() {
                    low[*parent] = low[*parent].min(low[state]);
                }
                if low[state] == order[state] {
                    let begin = open.iter().rposition(|open| *open == state).unwrap_or(0);
                    let mut part = open.split_off(begin);
                    part.iter().for_each(|state| is_open[*state] = false);
                    part.reverse();
                    parts.push(part);
                }
            }
        }
        parts
    }
}

#[cfg(test)]
pub(super) mod tests;
