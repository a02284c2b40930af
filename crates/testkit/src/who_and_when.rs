//! Failed runs of agent teams whose decisive step people marked, and how often methods find it.
//!
//! The data is in the crate's folder `data/who_and_when`, which says where it comes from. What is learned is learned from
//! nine tenths of the runs and asked about the last: supervised, and in domain.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use accredit_credit::{LabelledAction, RankedAction, RankedStep, Ranker};
use serde::Deserialize;

use crate::Random;

/// The files of the folder, which are the types of action too.
pub const FILES: [&str; 2] = ["generated", "hand_crafted"];

/// How many parts each file is split into.
const N_FOLDS: usize = 10;

/// How many equal parts of a run the position prior tells apart.
const PRIOR_BINS: usize = 10;

/// Which runs the ranker learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Training {
    /// Those of both files, which are two types of action.
    Jointly,
    /// Those of the file that it is asked about.
    Separately,
}

/// One failed run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct FailedRun {
    /// Names the run.
    pub id: String,
    /// What was done, in order.
    pub steps: Vec<RunStep>,
    /// Who made the decisive error.
    pub decisive_agent: String,
    /// In which step, from 0.
    #[serde(rename = "decisive_step")]
    pub decisive_idx: usize,
}

/// What is known of one step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RunStep {
    /// Name, and a role in brackets where the agent has several.
    pub agent: String,
    /// Length of its text in characters.
    pub n_chars: u64,
    /// Words that were found in it.
    pub cues: Vec<String>,
    /// Share of words that did not occur before.
    pub novelty: f64,
    /// Overlap with the words of the question.
    pub question_overlap: f64,
    /// Overlap with the agent's step before.
    pub repeats_self: f64,
}

/// How often the methods were right on one file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileReport {
    /// One of [`FILES`].
    pub file: &'static str,
    /// How many runs it has.
    pub n: usize,
    /// `random`, `first`, `last`, `prior` and `ranker`, in this order.
    pub methods: Vec<MethodReport>,
}

/// How often one method was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodReport {
    /// Names the method.
    pub method: &'static str,
    /// The step with the highest credit is the decisive one, exactly.
    pub step: Accuracy,
    /// The agent with the highest sum of credits is the decisive one.
    pub agent: Accuracy,
}

/// A share of runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// In [0, 1]. Where several answers are tied, each counts its part.
    pub share: f64,
    /// The 95 % interval (Wilson: "Probable inference, the law of succession, and statistical inference", 1927).
    pub interval: (f64, f64),
}

impl Accuracy {
    /// Of `n` runs, `n_right` were right.
    #[must_use]
    pub fn of(n_right: f64, n: usize) -> Self {
        const Z: f64 = 1.959_963_984_540_054;
        if n == 0 {
            return Self { share: 0.0, interval: (0.0, 1.0) };
        }
        let (n, share) = (n as f64, n_right / n as f64);
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Self { share, interval: ((middle - half).max(0.0), (middle + half).min(1.0)) }
    }
}

/// How often each method finds the decisive step and agent of the runs in a folder: 10-fold cross-validation, its parts
/// drawn from the seed.
///
/// `random` is what a step drawn at random is right in expectation. `prior` is a histogram of relative positions of the
/// file's other nine parts, one count added to each of its ten bins and a bin's chance shared by the steps in it.
///
/// # Errors
/// Where a file cannot be read or a line is not a run.
pub fn evaluate(folder: &Path, training: Training, seed: u64) -> Result<Vec<FileReport>> {
    let mut files = Vec::new();
    for file in FILES {
        files.push(read(&folder.join(format!("{file}.jsonl")))?);
    }
    Ok(evaluate_runs(&files, training, seed))
}

/// The same for runs that were read already, those of a file each in the order of [`FILES`].
#[must_use]
pub fn evaluate_runs(files: &[Vec<FailedRun>], training: Training, seed: u64) -> Vec<FileReport> {
    let labels: Vec<Vec<LabelledAction>> = FILES.iter().zip(files).map(|(file, runs)| labels(file, runs)).collect();
    let folds: Vec<Vec<usize>> = files.iter().map(|runs| folds(runs.len(), seed)).collect();
    let others = |file: usize, fold: usize| {
        labels[file].iter().zip(&folds[file]).filter(move |(_, own)| **own != fold).map(|(label, _)| label)
    };
    let mut tallies: Vec<[Tally; 5]> = vec![Default::default(); files.len()];
    for fold in 0..N_FOLDS {
        let joint: Vec<LabelledAction> = (0..files.len()).flat_map(|file| others(file, fold)).cloned().collect();
        let joint = (training == Training::Jointly).then(|| Ranker::fit(&joint, seed));
        for (file, runs) in files.iter().enumerate() {
            let own: Vec<LabelledAction> = others(file, fold).cloned().collect();
            let ranker = joint.clone().unwrap_or_else(|| Ranker::fit(&own, seed));
            let prior =
                position_prior(runs.iter().zip(&folds[file]).filter(|(_, of)| **of != fold).map(|(run, _)| run));
            for (idx, run) in runs.iter().enumerate().filter(|(idx, _)| folds[file][*idx] == fold) {
                let [random, first, last, by_prior, by_ranker] = &mut tallies[file];
                let n_steps = run.steps.len();
                random.add_expected(run);
                first.add(run, &indicator(n_steps, 0));
                last.add(run, &indicator(n_steps, n_steps.saturating_sub(1)));
                by_prior.add(run, &prior_credits(&prior, n_steps));
                by_ranker.add(run, &ranker.credits(&labels[file][idx].action));
            }
        }
    }
    let names = ["random", "first", "last", "prior", "ranker"];
    let report = |((file, runs), tallies): ((&&'static str, &Vec<FailedRun>), &[Tally; 5])| FileReport {
        file,
        n: runs.len(),
        methods: names.iter().zip(tallies).map(|(method, tally)| tally.report(method, runs.len())).collect(),
    };
    FILES.iter().zip(files).zip(&tallies).map(report).collect()
}

/// The runs of a file.
///
/// # Errors
/// Where it cannot be read, a line is not a run, or a decisive step lies beyond its run.
pub fn read(path: &Path) -> Result<Vec<FailedRun>> {
    let run = |(idx, line): (usize, &str)| {
        let wrong = |what: String| Error::new(ErrorKind::InvalidData, format!("line {}: {what}", idx + 1));
        let run: FailedRun = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        if run.decisive_idx < run.steps.len() { Ok(run) } else { Err(wrong("no such decisive step".to_owned())) }
    };
    std::fs::read_to_string(path)?.lines().enumerate().map(run).collect()
}

/// What the ranker sees of runs.
fn labels(file: &str, runs: &[FailedRun]) -> Vec<LabelledAction> {
    let label = |run: &FailedRun| {
        let steps: Vec<RankedStep<'_>> = run.steps.iter().map(ranked).collect();
        LabelledAction { action: RankedAction::new(file, &steps), decisive_idx: run.decisive_idx }
    };
    runs.iter().map(label).collect()
}

fn ranked(step: &RunStep) -> RankedStep<'_> {
    RankedStep {
        agent: name(&step.agent),
        role: &step.agent,
        n_chars: step.n_chars,
        cues: step.cues.iter().map(String::as_str).collect(),
        numbers: vec![
            ("novelty", step.novelty),
            ("question_overlap", step.question_overlap),
            ("repeats_self", step.repeats_self),
        ],
    }
}

/// An agent's name without its role.
fn name(agent: &str) -> &str {
    agent.split_once(" (").map_or(agent, |(name, _)| name)
}

/// Per run its fold; all as large as one another, to one run.
fn folds(n: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed);
    let mut folds: Vec<usize> = (0..n).map(|place| place % N_FOLDS).collect();
    for last in (1..n).rev() {
        folds.swap(last, random.below(last as u64 + 1) as usize);
    }
    folds
}

fn indicator(n_steps: usize, at: usize) -> Vec<f64> {
    (0..n_steps).map(|idx| f64::from(u8::from(idx == at))).collect()
}

fn bin(idx: usize, n_steps: usize) -> usize {
    (idx * PRIOR_BINS / n_steps.max(1)).min(PRIOR_BINS - 1)
}

fn position_prior<'a>(runs: impl Iterator<Item = &'a FailedRun>) -> [f64; PRIOR_BINS] {
    let mut counts = [1.0; PRIOR_BINS];
    runs.for_each(|run| counts[bin(run.decisive_idx, run.steps.len())] += 1.0);
    counts
}

fn prior_credits(prior: &[f64; PRIOR_BINS], n_steps: usize) -> Vec<f64> {
    let mut sharing = [0.0; PRIOR_BINS];
    (0..n_steps).for_each(|idx| sharing[bin(idx, n_steps)] += 1.0);
    (0..n_steps).map(|idx| prior[bin(idx, n_steps)] / sharing[bin(idx, n_steps)]).collect()
}

/// How many runs a method was right about.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    step: f64,
    agent: f64,
}

impl Tally {
    fn add(&mut self, run: &FailedRun, credits: &[f64]) {
        let mut agents: BTreeMap<&str, f64> = BTreeMap::new();
        run.steps
            .iter()
            .zip(credits)
            .for_each(|(step, credit)| *agents.entry(name(&step.agent)).or_default() += credit);
        self.step += hit(credits.iter().copied().enumerate(), &run.decisive_idx);
        self.agent += hit(agents.iter().map(|(agent, sum)| (*agent, *sum)), &name(&run.decisive_agent));
    }

    fn add_expected(&mut self, run: &FailedRun) {
        let decisive = name(&run.decisive_agent);
        let n_own = run.steps.iter().filter(|step| name(&step.agent) == decisive).count();
        self.step += 1.0 / run.steps.len() as f64;
        self.agent += n_own as f64 / run.steps.len() as f64;
    }

    fn report(self, method: &'static str, n: usize) -> MethodReport {
        MethodReport { method, step: Accuracy::of(self.step, n), agent: Accuracy::of(self.agent, n) }
    }
}

/// 1 where the wanted answer alone has the highest credit, its part where it shares that with others, else 0.
fn hit<T: PartialEq>(answers: impl Iterator<Item = (T, f64)> + Clone, wanted: &T) -> f64 {
    let highest = answers.clone().map(|(_, credit)| credit).fold(f64::NEG_INFINITY, f64::max);
    let best = answers.filter(|(_, credit)| *credit == highest).map(|(answer, _)| answer);
    let (n, found) = best.fold((0, false), |(n, found), answer| (n + 1, found || answer == *wanted));
    if found { 1.0 / f64::from(n) } else { 0.0 }
}

#[cfg(test)]
mod tests;
