//! `accredit bench credit`: how well credit is assigned where the truth is known, and how fast.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use accredit::Error;
use accredit_credit::{
    Coalition, CreditMethod, Decay, FitOptions, LearnedMethod, Learner, Sampling, StepFeatures, TdCe,
};
use accredit_credit::{Counts, Episode, EpisodeStep, Sdae, Trajectory, shapley};
use accredit_testkit::credit_table::{CreditPlan, CreditRow, credit_table};
use accredit_testkit::games::known_games;
use accredit_testkit::tau_bench::{tau_runs, tau_table};
use accredit_testkit::who_and_when::{self, Training};
use serde::Serialize;

use crate::text;

/// How much to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreditBench {
    pub(crate) seed: u64,
    pub(crate) quick: bool,
    pub(crate) speed: bool,
    pub(crate) memory: bool,
    /// Folder with `tau_bench` and `who_and_when`, each as the project keeps them.
    pub(crate) data: Option<PathBuf>,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CreditReport {
    /// Of everything random; with the version of the program it makes the same numbers again.
    pub(crate) seed: u64,
    pub(crate) rows: Vec<CreditRow>,
}

/// Measures; `progress` hears each suite as it is done.
pub(crate) fn credit(bench: &CreditBench, progress: &mut dyn FnMut(&str)) -> Result<CreditReport, Error> {
    let mut rows = Vec::new();
    if bench.speed || bench.memory {
        if bench.speed {
            speed(&mut rows, progress);
        }
        if bench.memory {
            super::learning::memory(&mut rows, progress);
        }
        return Ok(CreditReport { seed: bench.seed, rows });
    }
    let plan = CreditPlan { seed: bench.seed, quick: bench.quick, method: LearnedMethod::Auto };
    let mut last = String::new();
    credit_table(plan, &mut |row| {
        let suite = format!("{}, {} actions", row.suite, row.n);
        if suite != last {
            progress(&suite);
            last = suite;
        }
        rows.push(row);
    });
    games(bench.seed, &mut rows);
    let data = bench.data.clone().unwrap_or_else(bundled);
    tau_bench(&data, &mut rows, progress)?;
    who_and_when(bench, &data, &mut rows, progress)?;
    Ok(CreditReport { seed: bench.seed, rows })
}

/// The data that the project keeps for its tests, where the program was built from a checkout.
fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data")
}

fn row(suite: &str, n: usize, method: &str, metric: &str, value: f64, goal: Option<f64>) -> CreditRow {
    CreditRow {
        suite: suite.to_owned(),
        n: n as u64,
        method: method.to_owned(),
        metric: metric.to_owned(),
        value,
        goal,
        at_most: false,
    }
}

/// Shapley values of games with closed forms: the exact ones, and sampled ones by the value of all players.
fn games(seed: u64, rows: &mut Vec<CreditRow>) {
    for game in known_games() {
        let n = game.players();
        let truth = game.known_shapley();
        let value = |coalition: &Coalition| {
            game.value((0..n).filter(|player| coalition.contains(*player)).fold(0, |bits, player| bits | 1 << player))
        };
        let sampling = Sampling { seed, n_permutations: 10_000 };
        let shares = shapley(n, value, sampling).shares;
        let error = shares.iter().zip(&truth).map(|(said, truth)| (said - truth).abs()).fold(0.0, f64::max);
        let all = truth.iter().sum::<f64>().abs();
        let goal = if n <= accredit_credit::EXACT_PLAYERS_MAX { 1e-12 } else { 0.01 * all };
        rows.push(CreditRow {
            at_most: true,
            ..row(&game.name().replace([' ', '-'], "_").to_lowercase(), n, "shapley", "error", error, Some(goal))
        });
    }
}

/// Whether the step with the most blame in a failed run is a write that did harm, told by replaying the writes.
fn tau_bench(data: &Path, rows: &mut Vec<CreditRow>, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let folder = data.join("tau_bench");
    if !folder.is_dir() {
        progress(&format!("no folder {}: tau_bench is left out; name its parent with --data", folder.display()));
        return Ok(());
    }
    progress("tau_bench");
    let runs = tau_runs(&folder).map_err(|error| super::report::io_failed(std::io::Error::other(error)))?;
    for found in tau_table(&runs) {
        let (low, high) = found.interval();
        let goal = match (found.method, found.measure) {
            ("ridge_rd", "leave_one_out") => Some(0.60),
            ("ridge_rd", "own_outcome") => Some(0.80),
            ("ridge_rd", "goal_solved") => Some(0.95),
            ("ridge_rd", "effect") => Some(0.85),
            _ => None,
        };
        let mut say = |metric: String, value: f64, goal: Option<f64>| {
            rows.push(row("tau_bench", found.n, found.method, &metric, value, goal));
        };
        say(found.measure.to_owned(), found.share(), goal);
        say(format!("{}_low", found.measure), low, None);
        say(format!("{}_high", found.measure), high, None);
    }
    Ok(())
}

/// Which step and which agent made a run fail, told by people: supervised, in the domain, cross-validated.
fn who_and_when(
    bench: &CreditBench,
    data: &Path,
    rows: &mut Vec<CreditRow>,
    progress: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let folder = data.join("who_and_when");
    if !folder.is_dir() {
        progress(&format!("no folder {}: who_and_when is left out; name its parent with --data", folder.display()));
        return Ok(());
    }
    progress("who_and_when, 10 folds");
    let seeds = if bench.quick { 1 } else { 5 };
    let mut sums: Vec<CreditRow> = Vec::new();
    for seed in 0..seeds {
        let reports = who_and_when::evaluate(&folder, Training::Jointly, bench.seed.wrapping_add(seed))
            .map_err(|source| super::report::io_failed(std::io::Error::other(source)))?;
        let mut at = 0;
        for report in &reports {
            let suite = "who_and_when";
            let file = report.file.trim_end_matches(".jsonl");
            for method in &report.methods {
                for (what, accuracy) in [("step", &method.step), ("agent", &method.agent)] {
                    let goal = match (method.method, file, what) {
                        ("ranker", "generated", "step") => Some(0.47),
                        ("ranker", "hand_crafted", "step") => Some(0.25),
                        ("ranker", "generated", "agent") => Some(0.65),
                        ("ranker", "hand_crafted", "agent") => Some(0.62),
                        _ => None,
                    };
                    let (low, high) = accuracy.interval;
                    for (metric, value, goal) in [
                        (format!("{file}_{what}"), accuracy.share, goal),
                        (format!("{file}_{what}_low"), low, None),
                        (format!("{file}_{what}_high"), high, None),
                    ] {
                        if seed == 0 {
                            sums.push(row(suite, report.n, method.method, &metric, 0.0, goal));
                        }
                        sums[at].value += value / seeds as f64;
                        at += 1;
                    }
                }
            }
        }
    }
    rows.extend(sums);
    Ok(())
}

/// The goals of speed.
fn speed(rows: &mut Vec<CreditRow>, progress: &mut dyn FnMut(&str)) {
    let mut learner = Learner::default();
    for n in 0..2_000_u64 {
        let chain = Chain::new(n, 100);
        let reward = chain.n_hits() + (n % 3) as f64;
        let id = accredit::ActionId::from_bytes(u128::from(n).to_le_bytes());
        chain.with(reward, |trajectory| learner.learn(1, id, 1, trajectory));
    }
    let long = Chain::new(1, 1_000);
    let mut time = |name: &str, n: usize, unit: f64, goal: f64, run: &mut dyn FnMut()| {
        progress(name);
        let value = best(run) * unit;
        let method = name.split(',').next().unwrap_or(name);
        rows.push(CreditRow { at_most: true, ..row("speed", n, method, name, value, Some(goal)) });
    };
    long.with(1.0, |trajectory| {
        time("decay, ns a step", 1_000, 1e9 / 1e6, 5.0, &mut || {
            (0..1_000).for_each(|_| drop(black_box(Decay.assign(black_box(trajectory)))));
        });
        for method in [LearnedMethod::TdCe, LearnedMethod::Sdae] {
            let model = learner.fit(&FitOptions { method, version: 1 });
            time(&format!("{}, µs to score 1,000 steps", model.name()), 1_000, 1e6 / 100.0, 200.0, &mut || {
                (0..100).for_each(|_| drop(black_box(model.assign(black_box(trajectory)))));
            });
        }
    });
    let samples: Vec<_> = learner.samples().collect();
    time("sdae, s to fit 2,000 chains of 100 steps", samples.len(), 1.0, 1.0, &mut || {
        drop(black_box(Sdae::fit(black_box(&samples))));
    });
    let counts = many_states();
    time("td_ce, s to solve 10,000 states", 10_000, 1.0, 1.0, &mut || {
        drop(black_box(TdCe::from_counts(black_box(&counts), None)));
    });
}

/// Seconds of the best of six calls; the first one warms up.
fn best(run: &mut dyn FnMut()) -> f64 {
    let times = (0..6).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn many_states() -> Counts {
    let mut counts = Counts::default();
    for n in 0..5_000_u64 {
        let step = |at: u64| EpisodeStep {
            state: (n * 31 + at * at * 7 + at) % 10_000,
            decision: (n + at) % 3,
            ..EpisodeStep::default()
        };
        counts.add(1, &Episode { reward: (n % 7) as f64, steps: (0..40).map(step).collect() });
    }
    counts
}

/// A chain as an agent with a few tools would record it: 50 situations, 4 decisions.
struct Chain(Vec<(String, String, String)>);

impl Chain {
    fn new(seed: u64, n: usize) -> Self {
        let step = |at: u64| {
            let mixed = (seed * 1_000_003 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let state = format!(r#"{{"phase":"p{}","open":{},"tool":"t{}"}}"#, mixed % 5, mixed & 8 == 0, mixed % 7);
            (format!("s{}", mixed % 50), format!("d{}", mixed % 4), state)
        };
        Self((0..n as u64).map(step).collect())
    }

    /// What the reward counts: one decision in five of the situations.
    fn n_hits(&self) -> f64 {
        self.0.iter().filter(|(state, decision, _)| state.ends_with('7') && decision == "d1").count() as f64
    }

    fn with<T>(&self, reward: f64, run: impl FnOnce(&Trajectory<'_>) -> T) -> T {
        let steps: Vec<StepFeatures<'_>> = self
            .0
            .iter()
            .map(|(state_key, decision, state)| StepFeatures {
                state_key: Some(state_key),
                decision: Some(decision),
                state: Some(state),
                confidence: Some(0.5),
                ..StepFeatures::default()
            })
            .collect();
        run(&Trajectory { agent_id: "agent", goal_id: None, action_id: None, steps: &steps, reward })
    }
}

impl CreditReport {
    /// The table: a line a number, the prior beside each method.
    pub(crate) fn table(&self) -> String {
        let heads = ["suite", "n", "metric", "prior", "accredit", "goal"].map(str::to_owned);
        let mut lines = vec![heads];
        for row in self.rows.iter().filter(|row| row.method != "decay" || row.suite == "speed") {
            let same = |other: &&CreditRow| {
                other.method == "decay" && other.suite == row.suite && other.n == row.n && other.metric == row.metric
            };
            let prior = self.rows.iter().find(same).map_or_else(String::new, |prior| number(prior.value));
            let goal = row.goal.map_or_else(String::new, |goal| {
                let reached = if row.at_most { row.value <= goal } else { row.value >= goal };
                let sign = if row.at_most { "≤" } else { "≥" };
                format!("{sign} {} {}", number(goal), if reached { "reached" } else { "missed" })
            });
            let metric = match row.method.as_str() {
                "auto" | "shapley" | "learner" => row.metric.clone(),
                method if row.suite == "speed" => row.metric.replace(&format!("{method}, "), &format!("{method}: ")),
                method => format!("{} ({method})", row.metric),
            };
            lines.push([row.suite.clone(), row.n.to_string(), metric, prior, number(row.value), goal]);
        }
        let widths: [usize; 6] =
            std::array::from_fn(|column| lines.iter().map(|line| text::width(&line[column])).max().unwrap_or_default());
        let mut table = String::new();
        for (index, line) in lines.iter().enumerate() {
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                let pad = " ".repeat(width - text::width(cell));
                let is_text = column == 0 || column == 2;
                table.push_str(&if is_text { format!("| {cell}{pad} ") } else { format!("| {pad}{cell} ") });
            }
            table.push_str("|\n");
            if index == 0 {
                for (column, width) in widths.into_iter().enumerate() {
                    let rule = "-".repeat(width.saturating_sub(usize::from(column != 0 && column != 2)));
                    table.push_str(&if column == 0 || column == 2 {
                        format!("| {rule} ")
                    } else {
                        format!("| {rule}: ")
                    });
                }
                table.push_str("|\n");
            }
        }
        table
    }
}

fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.1e}") } else { format!("{value:.3}") }
}
