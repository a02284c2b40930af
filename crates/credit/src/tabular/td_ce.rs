//! Certainty equivalence.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::counts::{Cell, Key};
use super::elsewhere::{Compared, Elsewhere, elsewhere};
use super::policy::{Choice, factors};
use super::solve::Chain;
use super::time::{repaid, step_reward};
use super::{Assessment, Counts, Episode, EpisodeStep, TabularModel, arrivals};

/// An advantage below this part of the largest value is rounding.
const ADVANTAGE_MIN: f64 = 1e-10;

/// Certainty equivalence, or batch TD: values that are exact for the process the counts describe.
///
/// `(diag(n) - T)·V = b`, `Q(s,a) = (1/n(s,a)) Σ_{s'} [ρ(s,a,s') + n(s,a,s')·V(s')]`,
/// `A_t = n(s,a)/(n(s,a)+1) · (Q(s_t,a_t) - V(s_t))`
///
/// with `n(s)` how often state `s` was left, `T(s,s')` how often for `s'`, `ρ` what arrived on the way (in units of
/// reward; on the last transition all that is left of `R`), `b(s) = Σ ρ(s,·,·)`, and `V` 0 after the end. It is what batch
/// TD(0) converges to (Sutton, "Learning to Predict by the Methods of Temporal Differences", 1988) and least-squares TD
/// on indicators (Bradtke & Barto, "Linear Least-Squares Algorithms for Temporal Difference Learning", 1996). With one
/// state it is a bandit: a decision's mean reward minus that of all. Luck after a decision is not put to its account,
/// and what only follows success has none: its state's value has risen already.
///
/// The factor is one pseudo-count of `V` in `Q`, outside the solve: a key seen twice gets two thirds of what it seems to earn.
/// Inside, it would act as a discount in every state and nothing would be left of a long chain. All that is known of a key
/// seen once may be the outcome of its own action, which no comparison stands behind: like one never seen it gets what the
/// decision is worth elsewhere, where that is known (`elsewhere`), and else nothing.
///
/// `Q - V` is that of the same system with `n(s,a)` multiplied by how often the policy is thought to make the decision over
/// how often it did, where ten states or more say something of that (`policy`); baseline and forecast keep the counts. Where rewards at the end count the steps,
/// every step but the last pays a constant, which the last one takes back (`time`).
///
/// The variance of what comes after a state solves the same system (Sobel, "The variance of discounted Markov decision
/// processes", 1982): `(diag(n) - T)·U = Σ (r + V(s') - V(s))²`. The standard error is that of a Monte Carlo comparison of
/// `a` with the state's other decisions at frequencies that are counted too, with one pseudo-observation of the variance
/// of all rewards for each of the two; it bounds the error of this estimate from above where the states are Markov, and at some tens of observations of
/// rewards near 0 or 1 an interval of ±1.96 of it covers nearer 91 % than 95 %. A decision that never varies in its
/// state has advantage 0 and an infinite error. `n` is `n(s,a)`.
///
/// The forecast is what has arrived plus `V(s)` plus the advantage; for a state never seen it is built on what it
/// was before. A state that is known as a next state only, its own transitions having been dropped or taken back, is
/// worth the mean reward. O(transitions · sweeps) to fit, where a chain without returns takes one sweep; O(steps) to
/// assess. [`residual`](Self::residual) says how well the equations hold; the error of `V` is at most that times the
/// number of steps an episode takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TdCe {
    states: HashMap<u64, State>,
    #[serde(with = "super::rows")]
    decisions: HashMap<(u64, u64), Decision>,
    /// By decision alone, where its situation says nothing.
    #[serde(with = "super::rows")]
    elsewhere: HashMap<u64, Decision>,
    mean: f64,
    residual: f64,
    /// What every step but the last pays.
    step_reward: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    value: f64,
    variance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Decision {
    advantage: f64,
    /// `None` on disk where it is infinite, which JSON has no word for.
    #[serde(with = "or_infinite")]
    std_error: f64,
    n: u64,
}

mod or_infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(error: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        error.is_finite().then_some(*error).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

impl TdCe {
    /// The model of these episodes.
    #[must_use]
    pub fn fit(episodes: &[Episode]) -> Self {
        let mut counts = Counts::new(usize::MAX);
        episodes.iter().for_each(|episode| counts.add(0, episode));
        Self::from_counts(&counts, None)
    }

    /// The model of a table; starting from the values of an earlier model saves sweeps where states recur.
    #[must_use]
    pub fn from_counts(counts: &Counts, warm: Option<&Self>) -> Self {
        let (mut cells, ends) = (counts.cells(), counts.ends());
        let step_reward = step_reward(&cells, &ends);
        if step_reward != 0.0 {
            for ((state, decision, next), cell) in &mut cells {
                let end = next.is_none().then(|| ends.get(&(*state, *decision))).flatten();
                *cell = repaid(cell, end, step_reward);
            }
        }
        let rewards = counts.rewards();
        let n_episodes = (rewards.n as f64).max(1.0);
        let mean = rewards.sum / n_episodes;
        let spread = (rewards.sum_of_squares / n_episodes - mean * mean).max(0.0);
        let mut table = Table::of(&cells);
        let mut guess = table.guess(warm, |state| state.value, mean);
        // Nothing moves the value of a state that was never left, so it must not come from an earlier model.
        table.chain.n.iter().zip(&mut guess).filter(|(n, _)| **n <= 0.0).for_each(|(_, value)| *value = mean);
        let values = table.chain.solve(&table.sums(|_, cell| cell.sum), guess);
        let mut model = Self { mean, residual: values.residual, step_reward, ..Self::default() };
        // Decisions are compared under the policy as it is best known; what is expected stays what the counts say.
        let compared = match table.weigh() {
            false => values.values.clone(),
            true => table.chain.solve(&table.sums(|_, cell| cell.sum), values.values.clone()).values,
        };
        let after = |next: Option<usize>| next.map_or(0.0, |next| compared[next]);
        let local = table.sums(|row, cell| squares(cell, after(row.next) - compared[row.state]));
        let mut guess = table.guess(warm, |state| state.variance, spread);
        table.chain.n.iter().zip(&mut guess).filter(|(n, _)| **n <= 0.0).for_each(|(_, value)| *value = spread);
        let variances = table.chain.solve(&local, guess);
        for (index, name) in table.names.iter().enumerate() {
            let state = State { value: values.values[index], variance: variances.values[index].max(0.0) };
            model.states.insert(*name, state);
        }
        model.decide(&table, &compared, &variances.values, spread);
        model
    }

    fn decide(&mut self, table: &Table<'_>, values: &[f64], variances: &[f64], spread: f64) {
        let scale = values.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
        let value_after = |row: &Row<'_>| row.next.map_or(0.0, |next| values[next]);
        // Per decision: count, Q, and count times the variance of what comes after it.
        let mut outcomes = Vec::new();
        let mut of_state = vec![0.0; values.len()];
        // What it adds that the behaviour policy is counted too and not known.
        let mut of_policy = vec![0.0; values.len()];
        for rows in table.rows.chunk_by(is_same_decision) {
            let n: f64 = rows.iter().map(|row| row.cell.n as f64).sum();
            let q = rows.iter().map(|row| row.cell.sum + row.cell.n as f64 * value_after(row)).sum::<f64>() / n;
            let spread_after = |row: &Row<'_>| row.next.map_or(0.0, |next| row.cell.n as f64 * variances[next]);
            let total = rows.iter().map(|row| squares(row.cell, value_after(row) - q) + spread_after(row)).sum::<f64>();
            let factor = rows[0].factor;
            of_state[rows[0].state] += factor * factor * total.max(0.0);
            of_policy[rows[0].state] += factor * n * (q - values[rows[0].state]).powi(2);
            outcomes.push((&rows[0], n, q, total.max(0.0)));
        }
        let mut compared = Vec::new();
        for (row, n, q, total) in outcomes {
            let Row { state, decision, factor, .. } = *row;
            let n_state = table.chain.n[state];
            let n_others = (n_state - factor * n).max(0.0);
            let shrunk = n / (n + 1.0);
            let is_known = n_others > 0.0 && n > 1.0;
            let difference = if is_known { q - values[state] } else { 0.0 };
            if is_known {
                compared.push(Compared { decision, n, difference });
            }
            let advantage = if difference.abs() > ADVANTAGE_MIN * scale { shrunk * difference } else { 0.0 };
            // Q - V is the part of the others times the difference of the two means.
            let others = (of_state[state] - factor * factor * total).max(0.0);
            let variance = (n_others / n).powi(2) * (total + spread) + others + spread + of_policy[state];
            let std_error = if is_known { shrunk * variance.sqrt() / n_state } else { f64::INFINITY };
            self.decisions.insert((table.names[state], decision), Decision { advantage, std_error, n: n as u64 });
        }
        let is_more = |of: &f64| of.abs() > ADVANTAGE_MIN * scale;
        let of_decision = |of: Elsewhere| Decision { advantage: of.advantage, std_error: of.std_error, n: of.n };
        let known = elsewhere(compared).into_iter().filter(|(_, of)| is_more(&of.advantage));
        self.elsewhere = known.map(|(decision, of)| (decision, of_decision(of))).collect();
    }

    /// What is known of a decision in its situation; where it was made there at most once, what it is worth elsewhere.
    fn decision(&self, step: &EpisodeStep) -> Option<&Decision> {
        let here = self.decisions.get(&(step.state, step.decision));
        if here.is_some_and(|here| here.n >= 2) {
            return here;
        }
        self.elsewhere.get(&step.decision).or(here)
    }

    /// The expected return from a state, where it was seen.
    #[must_use]
    pub fn value(&self, state: u64) -> Option<f64> {
        self.states.get(&state).map(|state| state.value)
    }

    /// By how much the worst equation fails to hold, in units of reward per visit.
    #[must_use]
    pub const fn residual(&self) -> f64 {
        self.residual
    }
}

/// `Σ (r + gain)²` over what was counted in a cell.
fn squares(cell: &Cell, gain: f64) -> f64 {
    (cell.sum_of_squares + 2.0 * gain * cell.sum + cell.n as f64 * gain * gain).max(0.0)
}

/// The counts with states numbered.
struct Table<'a> {
    names: Vec<u64>,
    rows: Vec<Row<'a>>,
    chain: Chain,
}

struct Row<'a> {
    state: usize,
    decision: u64,
    next: Option<usize>,
    cell: &'a Cell,
    /// By what the decision's counts are multiplied for the policy's sake.
    factor: f64,
}

impl<'a> Table<'a> {
    fn of(cells: &'a BTreeMap<Key, Cell>) -> Self {
        let mut names: Vec<u64> = cells.keys().flat_map(|(state, _, next)| [Some(*state), *next]).flatten().collect();
        names.sort_unstable();
        names.dedup();
        // Every name is there, so the place where it would be inserted is the place where it is.
        let index = |name: u64| names.partition_point(|other| *other < name);
        let row = |((state, decision, next), cell): (&Key, &'a Cell)| Row {
            state: index(*state),
            decision: *decision,
            next: next.map(index),
            cell,
            factor: 1.0,
        };
        let rows: Vec<Row<'a>> = cells.iter().map(row).collect();
        let chain = chain(&rows, names.len());
        Self { names, rows, chain }
    }

    /// Gives every decision its factor; `false` where none is other than 1.
    fn weigh(&mut self) -> bool {
        let choice = |of: &[Row<'_>]| Choice { state: of[0].state, n: of.iter().map(|row| row.cell.n as f64).sum() };
        let choices: Vec<Choice> = self.rows.chunk_by(is_same_decision).map(choice).collect();
        let mut decisions: Vec<u64> = self.rows.iter().map(|row| row.decision).collect();
        decisions.sort_unstable();
        decisions.dedup();
        let factors = factors(&choices, decisions.len());
        if factors.iter().all(|factor| *factor == 1.0) {
            return false;
        }
        for (of, factor) in self.rows.chunk_by_mut(is_same_decision).zip(factors) {
            of.iter_mut().for_each(|row| row.factor = factor);
        }
        self.chain = chain(&self.rows, self.names.len());
        true
    }

    /// Per state what an earlier model knew.
    fn guess(&self, warm: Option<&TdCe>, of: fn(&State) -> f64, otherwise: f64) -> Vec<f64> {
        let known = |name: &u64| warm.and_then(|warm| warm.states.get(name)).map(of);
        self.names.iter().map(|name| known(name).unwrap_or(otherwise)).collect()
    }

    fn sums(&self, term: impl Fn(&Row<'_>, &Cell) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.names.len()];
        self.rows.iter().for_each(|row| sums[row.state] += row.factor * term(row, row.cell));
        sums
    }
}

fn is_same_decision(left: &Row<'_>, right: &Row<'_>) -> bool {
    (left.state, left.decision) == (right.state, right.decision)
}

/// The transitions of these rows, which are in the order of their states.
fn chain(rows: &[Row<'_>], n_states: usize) -> Chain {
    let mut chain = Chain { n: vec![0.0; n_states], ..Chain::default() };
    for row in rows {
        while chain.first.len() <= row.state {
            chain.first.push(chain.next.len());
        }
        let n = row.factor * row.cell.n as f64;
        chain.n[row.state] += n;
        chain.next.extend(row.next.map(|next| (next, n)));
    }
    chain.first.resize(n_states + 1, chain.next.len());
    chain
}

impl TabularModel for TdCe {
    fn assess(&self, episode: &Episode) -> Assessment {
        let n_steps = episode.steps.len();
        let first = episode.steps.first().and_then(|step| self.states.get(&step.state));
        let mut result = Assessment {
            baseline: first.map_or(self.mean, |state| state.value),
            advantages: vec![0.0; n_steps],
            std_errors: vec![f64::INFINITY; n_steps],
            n: vec![0; n_steps],
            forecast: Vec::with_capacity(n_steps),
        };
        let mut expected = result.baseline;
        let mut arrived = 0.0;
        for ((index, step), arrival) in episode.steps.iter().enumerate().zip(arrivals(episode)) {
            if let Some(state) = self.states.get(&step.state) {
                expected = arrived + state.value;
            }
            if let Some(decision) = self.decision(step) {
                expected += decision.advantage;
                result.advantages[index] = decision.advantage;
                result.std_errors[index] = decision.std_error;
                result.n[index] = decision.n;
            }
            result.forecast.push(expected);
            arrived += arrival + self.step_reward;
        }
        result
    }
}

#[cfg(test)]
mod tests;
