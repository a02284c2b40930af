//! The columns of the regression: decisions in contexts, centred by the policy.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::policy::{Policy, State, visits};
use super::prior::{KINDS, Prior};
use crate::cholesky::dot;
use crate::keys::{PATH, combine};
use crate::mixed::BuildMixed;
use crate::{Sample, SampleStep};

/// Decisions that get columns at most: the most frequent ones.
const DECISIONS_MAX: usize = 64;
/// Actions that must show a column.
const SHOWN_MIN: usize = 3;
/// A column that varies less is constant but for rounding.
const DEVIATION_MIN: f64 = 1e-6;

/// Where an action's steps cancel down to this part of what they would sum to if each chose on its own (in squares),
/// there was no choice but of their order: what is left is how little is known of the policy, and scaling it up would
/// make a feature of the situation of it.
const REMAINDER_MAX: f64 = 0.01;

/// The feature that always holds.
pub(super) const ALWAYS: u64 = 0;
/// What sets the first step's features apart from those of the step.
const FIRST: u64 = 0x9ae1_6a3b_2f90_404f;
/// What sets a path's two values, compared, apart from each of them.
const CONTRAST: u64 = 0xc949_d7c7_509e_6557;
/// Positions: none, the end, and from 2 on the powers of two.
pub(super) const ANYWHERE: u64 = 0;
pub(super) const AT_END: u64 = 1;

/// A decision in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) decision: u64,
    context: u64,
}

impl Column {
    #[cfg(test)]
    pub(super) const fn of(decision: u64, context: u64) -> Self {
        Self { decision, context }
    }

    pub(super) const fn context(self) -> u64 {
        self.context
    }
}

/// Where a step is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) index: u32,
    pub(super) is_end: bool,
}

/// The two values of each path that has just two: they are also compared in one column, in which the first counts +1 and
/// the other -1. Where a decision is right in the one and wrong in the other, that column says all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Contrasts(BTreeMap<u64, (u64, u64)>);

impl Contrasts {
    pub(super) fn of(samples: &[&Sample]) -> Self {
        let mut values: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for feature in samples.iter().flat_map(|sample| &sample.features) {
            let values = values.entry(feature & PATH).or_default();
            if values.len() < 3 {
                values.insert(*feature);
            }
        }
        let pair = |values: BTreeSet<u64>| match Vec::from_iter(values)[..] {
            [one, other] => Some((one, other)),
            _ => None,
        };
        Self(values.into_iter().filter_map(|(path, values)| Some((path, pair(values)?))).collect())
    }

    fn sign(&self, feature: u64) -> Option<f64> {
        let (one, other) = self.0.get(&(feature & PATH))?;
        if feature == *one { Some(1.0) } else { (feature == *other).then_some(-1.0) }
    }
}

/// The position of a step in powers of two.
pub(super) fn bucket(index: u32) -> u64 {
    2 + u64::from((index.saturating_add(1)).ilog2())
}

/// What a feature of a state stands for, with signs: where its path has two values their contrast, and itself.
pub(super) fn aspects(feature: u64, contrasts: &Contrasts) -> impl Iterator<Item = (u64, f64)> {
    let contrast = contrasts.sign(feature).map(|sign| ((feature & PATH) ^ CONTRAST, sign));
    contrast.into_iter().chain([(feature, 1.0)])
}

/// The same of the first step, at a later one.
pub(super) const fn first(feature: u64) -> u64 {
    feature ^ FIRST
}

/// Says each context that holds at a step: a feature, a position, and the feature's sign.
pub(super) fn contexts(
    sample: &Sample,
    at: usize,
    place: Place,
    knows_state: bool,
    contrasts: &Contrasts,
    say: &mut dyn FnMut(u64, u64, f64),
) {
    let positions = [ANYWHERE, bucket(place.index), AT_END];
    let positions = if place.is_end { &positions[..] } else { &positions[..2] };
    let mut say_all = |feature: u64, sign: f64| positions.iter().for_each(|position| say(feature, *position, sign));
    let step = &sample.steps[at];
    say_all(ALWAYS, 1.0);
    for (feature, sign) in sample.features_of(step).iter().flat_map(|feature| aspects(*feature, contrasts)) {
        say_all(feature, sign);
    }
    if knows_state {
        say_all(step.state, 1.0);
    }
    if at > 0 {
        let step = &sample.steps[0];
        for (feature, sign) in sample.features_of(step).iter().flat_map(|feature| aspects(*feature, contrasts)) {
            say_all(first(feature), sign);
        }
        say_all(first(step.state), 1.0);
    }
}

/// The columns that were screened in, each with its values.
#[derive(Debug, Default)]
pub(super) struct Design {
    pub(super) columns: Vec<DesignColumn>,
    /// How many there were to choose from.
    pub(super) n_candidates: usize,
    /// How many of each kind, where that was asked.
    pub(super) n_of_kind: Option<[usize; KINDS]>,
}

#[derive(Debug)]
pub(super) struct DesignColumn {
    pub(super) column: Column,
    /// Mean over the samples.
    pub(super) mean: f64,
    /// Standard deviation over the samples.
    pub(super) deviation: f64,
    /// Samples in which the decision was made in the context.
    pub(super) n_shown: u64,
    /// What is expected of it, where that was asked.
    pub(super) kind: usize,
    /// Per sample, centred and divided by the deviation.
    pub(super) values: Vec<f64>,
}

impl Candidates {
    /// Screens the columns by their correlation with the centred rewards: the `max` best, in order.
    pub(super) fn design(&self, rewards: &[f64], max: usize) -> Design {
        let spread = rewards.iter().map(|reward| reward * reward).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        let mut found: Vec<(f64, usize, DesignColumn)> = Vec::new();
        let mut least = 0.0;
        let mut n_candidates = 0;
        let mut n_of_kind = [0; KINDS];
        self.each(&mut |column| {
            n_candidates += 1;
            n_of_kind[column.kind] += 1;
            let correlation = dot(&column.values, rewards).abs() / (spread * (rewards.len() as f64).sqrt());
            if correlation > least || found.len() < max {
                found.push((correlation, n_candidates, column));
            }
            if found.len() >= max * 4 {
                best(&mut found, max);
                least = found.last().map_or(0.0, |(correlation, ..)| *correlation);
            }
        });
        best(&mut found, max);
        let n_of_kind = self.prior.is_some().then_some(n_of_kind);
        Design { columns: found.into_iter().map(|(_, _, column)| column).collect(), n_candidates, n_of_kind }
    }

    /// For each list of rewards the largest product of it with any column of each kind, and how many columns are of each.
    pub(super) fn strongest(&self, rewards: &[Vec<f64>]) -> (Vec<[f64; KINDS]>, [usize; KINDS]) {
        let mut strongest = vec![[0.0_f64; KINDS]; rewards.len()];
        let mut n_of_kind = [0; KINDS];
        self.each(&mut |column| {
            n_of_kind[column.kind] += 1;
            for (rewards, strongest) in rewards.iter().zip(&mut strongest) {
                strongest[column.kind] = strongest[column.kind].max(dot(&column.values, rewards).abs());
            }
        });
        (strongest, n_of_kind)
    }

    /// Says each column that enough actions show, the earliest of those that are equal or each other's negative.
    fn each(&self, say: &mut dyn FnMut(DesignColumn)) {
        let n = self.n;
        let mut seen: HashSet<u64> = HashSet::new();
        let mut values = vec![0.0; n];
        for (context, done) in self.shown() {
            let (cells, (context, feature, position)) = (&self.cells[context], self.contexts[context]);
            let Some((decision, share)) = self.decisions.get(done[0].decision as usize) else { continue };
            let n_shown = done.iter().filter(|done| done.n > 0).count();
            // What was done, less what the policy would have done.
            values.iter_mut().for_each(|value| *value = 0.0);
            cells.iter().for_each(|cell| values[cell.sample as usize] -= share * cell.unknown);
            done.iter().for_each(|done| values[done.sample as usize] += done.value);
            let mean = values.iter().sum::<f64>() / n as f64;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            let squares = share * share * cells.iter().map(|cell| cell.squares).sum::<f64>()
                + done.iter().map(|done| done.squares).sum::<f64>();
            if deviation < DEVIATION_MIN || deviation.powi(2) * n as f64 <= REMAINDER_MAX * squares {
                continue;
            }
            let values: Vec<f64> = values.iter().map(|value| (value - mean) / deviation).collect();
            let sign = values.iter().find(|value| value.abs() > 1e-6).map_or(1.0, |value| value.signum());
            let rounded: Vec<u64> = values.iter().map(|value| ((sign * value * 1e6).round() as i64) as u64).collect();
            if seen.insert(combine(&rounded)) {
                let column = Column { decision: *decision, context };
                let kind = self.prior.as_ref().map_or(0, |prior| prior.kind(*decision, feature, position));
                say(DesignColumn { column, mean, deviation, n_shown: n_shown as u64, kind, values });
            }
        }
    }

    /// What was done of each decision in each context, where enough actions show it, the earliest first: of two columns that
    /// are equal, the one of the later steps may follow from the earlier one, and not the other way round.
    fn shown(&self) -> Vec<(usize, &[Done])> {
        let mut shown = Vec::new();
        for (context, done) in self.done.iter().enumerate() {
            for done in done.chunk_by(|left, right| left.decision == right.decision) {
                let firsts = done.iter().filter(|done| done.n > 0).map(|done| f64::from(done.first));
                let n_shown = firsts.clone().count();
                if n_shown >= SHOWN_MIN {
                    shown.push((firsts.sum::<f64>() / n_shown as f64, context, done));
                }
            }
        }
        shown.sort_by(|left, right| left.0.total_cmp(&right.0));
        shown.into_iter().map(|(_, context, done)| (context, done)).collect()
    }
}

/// Keeps the best, in order; among equals those that came first.
fn best(found: &mut Vec<(f64, usize, DesignColumn)>, max: usize) {
    found.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    found.truncate(max);
}

/// What happened in each context, sparse: all columns that there are to choose from.
pub(super) struct Candidates {
    /// How many samples.
    n: usize,
    /// With the share of all decisions that each is.
    decisions: Vec<(u64, f64)>,
    /// Each with its feature and its position.
    contexts: Vec<(u64, u64, u64)>,
    /// Per context and sample: how much of the policy is the decisions' shares.
    cells: Vec<Vec<Cell>>,
    /// Per context, sample and decision: what was done, less what the state's own counts expect.
    done: Vec<Vec<Done>>,
    prior: Option<Prior>,
}

#[derive(Clone, Copy)]
struct Cell {
    sample: u32,
    unknown: f64,
    /// Sum over the steps of the squares.
    squares: f64,
}

#[derive(Clone, Copy)]
struct Done {
    sample: u32,
    decision: u32,
    n: u32,
    /// Index of the first step that made the decision.
    first: u32,
    value: f64,
    /// Sum over the steps of the squares, less what the cell says.
    squares: f64,
}

impl Candidates {
    pub(super) fn of(samples: &[&Sample], policy: &Policy, contrasts: &Contrasts, knows_end: bool) -> Self {
        let mut decisions: Vec<(u64, f64)> = policy.decisions().collect();
        decisions.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        decisions.truncate(DECISIONS_MAX);
        let number: HashMap<u64, u32> =
            decisions.iter().enumerate().map(|(at, (decision, _))| (*decision, at as u32)).collect();
        let mut table = Self {
            n: samples.len(),
            decisions,
            contexts: Vec::new(),
            cells: Vec::new(),
            done: Vec::new(),
            prior: None,
        };
        let mut index: HashMap<u64, usize, BuildMixed> = HashMap::default();
        for (sample_at, sample) in samples.iter().enumerate() {
            let last = sample.steps.len() - 1;
            for ((at, step), name) in sample.steps.iter().enumerate().zip(visits(sample)) {
                let state = policy.state(name);
                let (unknown, here) = table.step(sample_at as u32, step, state, policy, &number);
                let place = Place { index: step.index, is_end: knows_end && at == last };
                let knows_state = state.is_some_and(|state| state.n_actions >= 3);
                contexts(sample, at, place, knows_state, contrasts, &mut |feature, position, sign| {
                    let context = combine(&[feature, position]);
                    let context = *index.entry(context).or_insert_with(|| {
                        table.contexts.push((context, feature, position));
                        table.cells.push(Vec::new());
                        table.done.push(Vec::new());
                        table.contexts.len() - 1
                    });
                    let cells = &mut table.cells[context];
                    let squares = unknown * unknown;
                    match cells.last_mut() {
                        Some(cell) if cell.sample == sample_at as u32 => {
                            cell.unknown += sign * unknown;
                            cell.squares += squares;
                        }
                        _ => cells.push(Cell { sample: sample_at as u32, unknown: sign * unknown, squares }),
                    }
                    here.iter().for_each(|done| add(&mut table.done[context], *done, sign));
                });
            }
        }
        table.done.iter_mut().for_each(|done| done.sort_by_key(|done| (done.decision, done.sample)));
        table
    }

    /// The same, with what is expected of each column before any reward is looked at.
    pub(super) fn with_prior(mut self, samples: &[&Sample], contrasts: &Contrasts) -> Self {
        let decisions: Vec<u64> = self.decisions.iter().map(|(decision, _)| *decision).collect();
        self.prior = Some(Prior::of(samples, &decisions, contrasts));
        self
    }

    /// One step: how much of the policy is the decisions' shares, and what was done, less what the policy expects of single
    /// decisions beyond that.
    fn step(
        &self,
        sample: u32,
        step: &SampleStep,
        state: Option<&State>,
        policy: &Policy,
        number: &HashMap<u64, u32>,
    ) -> (f64, Vec<Done>) {
        let unknown = policy.unseen(step, state);
        let mut here = Vec::new();
        let mut say = |decision: u64, probability: f64| {
            let Some(at) = number.get(&decision) else { return };
            let is_taken = step.decision == decision;
            let shared = unknown * self.decisions[*at as usize].1;
            let value = f64::from(is_taken) - probability;
            here.push(Done {
                sample,
                decision: *at,
                n: u32::from(is_taken),
                first: if is_taken { step.index } else { u32::MAX },
                value: value + shared,
                squares: value * value - shared * shared,
            });
        };
        match state {
            Some(state) => state.decisions().for_each(|decision| {
                // What was given stands for what was counted.
                let counted = || policy.within(step, decision, state, true);
                say(decision, policy.given(step, decision).unwrap_or_else(counted));
            }),
            None => say(step.decision, policy.probability(step, step.decision, None)),
        }
        (unknown, here)
    }
}

fn add(done: &mut Vec<Done>, more: Done, sign: f64) {
    let recent = done.iter_mut().rev().take_while(|done| done.sample == more.sample);
    match recent.into_iter().find(|done| done.decision == more.decision) {
        Some(found) => {
            found.n += more.n;
            found.first = found.first.min(more.first);
            found.value += sign * more.value;
            found.squares += more.squares;
        }
        None => done.push(Done { value: sign * more.value, ..more }),
    }
}
