//! Samples as rows of a sparse matrix.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::keys::combine;
use crate::{Sample, SampleStep};

/// Decisions of one action that count: the last ones.
const DETAILS_MAX: usize = 256;

/// What one action did, each once.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) details: Vec<DetailAt>,
    pub(super) names: Vec<NameAt>,
}

/// A decision with arguments.
#[derive(Debug)]
pub(super) struct DetailAt {
    pub(super) detail: u64,
    /// With the goal, where there is one.
    pub(super) path: Option<u64>,
    pub(super) name: u64,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The name of a decision.
#[derive(Debug)]
pub(super) struct NameAt {
    pub(super) name: u64,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// A key with a goal.
pub(super) fn at_goal(goal: u64, key: u64) -> u64 {
    combine(&[goal, key])
}

/// What an action did, in the order in which it began to.
pub(super) fn keys_of(sample: &Sample) -> Keys {
    let mut last_of: HashMap<u64, usize> = HashMap::new();
    for (index, step) in sample.steps.iter().enumerate() {
        last_of.insert(detail(step), index);
        last_of.insert(name(step), index);
    }
    let mut kept: Vec<usize> = sample.steps.iter().filter_map(|step| last_of.get(&detail(step)).copied()).collect();
    kept.sort_unstable();
    kept.dedup();
    let from = kept.len().checked_sub(DETAILS_MAX).map_or(0, |at| kept[at]);
    let mut keys = Keys::default();
    let mut seen = BTreeSet::new();
    for (first, step) in sample.steps.iter().enumerate() {
        let (detail, name) = (detail(step), name(step));
        let last = |key: u64| last_of.get(&key).copied().unwrap_or(first);
        if last(detail) >= from && seen.insert(detail) {
            let path = sample.goal.map(|goal| at_goal(goal, detail));
            keys.details.push(DetailAt { detail, path, name, first, last: last(detail) });
        }
        if last(name) >= from && seen.insert(name) {
            keys.names.push(NameAt { name, first, last: last(name) });
        }
    }
    keys
}

/// Whether a step changed the world makes it another decision.
const fn effect(step: &SampleStep) -> u64 {
    match step.effect {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

fn name(step: &SampleStep) -> u64 {
    combine(&[1, step.decision, effect(step)])
}

fn detail(step: &SampleStep) -> u64 {
    combine(&[2, step.decision, step.detail, effect(step)])
}

/// An indicator: the samples that have it, ascending.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) key: u64,
    pub(super) rows: Vec<usize>,
    /// Index of its name among the names, and of the detail that it belongs to among the details.
    pub(super) name: usize,
    pub(super) above: usize,
}

/// The samples of one goal.
#[derive(Clone, Debug, Default)]
pub(super) struct GoalRows {
    pub(super) key: u64,
    pub(super) rows: Vec<usize>,
    /// Indices among the paths.
    pub(super) paths: BTreeSet<usize>,
    /// Index of a name → how many samples use it.
    pub(super) names: BTreeMap<usize, u64>,
}

/// All columns of some samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    pub(super) n: usize,
    pub(super) names: Vec<Column>,
    pub(super) details: Vec<Column>,
    pub(super) paths: Vec<Column>,
    pub(super) goals: Vec<GoalRows>,
}

impl Runs {
    pub(super) fn of(samples: &[&Sample]) -> Self {
        let mut runs = Self { n: samples.len(), ..Self::default() };
        let (mut names, mut details, mut paths, mut goals) =
            (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        for (row, sample) in samples.iter().enumerate() {
            let keys = keys_of(sample);
            for at in &keys.names {
                add(&mut runs.names, &mut names, at.name, row, (0, 0));
            }
            let goal = sample.goal.map(|key| {
                *goals.entry(key).or_insert_with(|| {
                    runs.goals.push(GoalRows { key, ..GoalRows::default() });
                    runs.goals.len() - 1
                })
            });
            for at in &keys.details {
                // A name whose last use lies before the kept decisions is the name of none of them.
                let Some(name) = names.get(&at.name).copied() else { continue };
                let detail = add(&mut runs.details, &mut details, at.detail, row, (name, 0));
                if let (Some(path), Some(goal)) = (at.path, goal) {
                    let path = add(&mut runs.paths, &mut paths, path, row, (name, detail));
                    runs.goals[goal].paths.insert(path);
                }
            }
            if let Some(goal) = goal {
                runs.goals[goal].rows.push(row);
                for name in keys.names.iter().filter_map(|at| names.get(&at.name)) {
                    *runs.goals[goal].names.entry(*name).or_default() += 1;
                }
            }
        }
        runs
    }

    /// The first `n` samples; columns and goals keep their places.
    pub(super) fn prefix(&self, n: usize) -> Self {
        let cut = |rows: &[usize]| rows.iter().copied().take_while(|row| *row < n).collect::<Vec<usize>>();
        let columns = |columns: &[Column]| {
            columns.iter().map(|column| Column { rows: cut(&column.rows), ..*column }).collect::<Vec<Column>>()
        };
        let goals = self.goals.iter().map(|goal| GoalRows { rows: cut(&goal.rows), ..goal.clone() }).collect();
        Self { n, names: columns(&self.names), details: columns(&self.details), paths: columns(&self.paths), goals }
    }

    /// The share of all samples.
    pub(super) fn share(&self, n_rows: usize) -> f64 {
        n_rows as f64 / self.n.max(1) as f64
    }
}

fn add(
    columns: &mut Vec<Column>,
    index: &mut HashMap<u64, usize>,
    key: u64,
    row: usize,
    (name, above): (usize, usize),
) -> usize {
    let at = *index.entry(key).or_insert_with(|| {
        columns.push(Column { key, rows: Vec::new(), name, above });
        columns.len() - 1
    });
    columns[at].rows.push(row);
    at
}
