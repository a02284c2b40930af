//! Traps of runs that end when somebody decides so, or when something happens.

use crate::naive;
use crate::support::{Random, Run, learned, mean_by_key, within};

/// To plan makes the task easy more often than to rush: 0.8 against 0.3, so they are worth ±0.175. An easy task comes
/// out well in 0.9 of cases, a hard one in 0.2, whatever is done then; who has an easy one stops sooner.
fn stopping(n: usize, seed: u64) -> Vec<Run> {
    let mut random = Random(seed);
    let run = |_| {
        let first = random.of(&["plan", "rush"]);
        let is_easy = random.chance(if first == "plan" { 0.8 } else { 0.3 });
        let (state, stops, wins) = if is_easy { ("easy", 0.7, 0.9) } else { ("hard", 0.2, 0.2) };
        let mut steps = vec![within("start", first)];
        while steps.len() < 8 {
            let stop = random.chance(stops);
            steps.push(within(state, if stop { "stop" } else { "check" }));
            if stop {
                break;
            }
        }
        Run { steps, reward: random.reward(wins) }
    };
    (0..n).map(run).collect()
}

#[test]
fn stopping_is_worth_nothing_though_runs_that_stop_early_went_well() {
    for seed in 0..3 {
        let runs = stopping(400, seed);
        let naive = mean_by_key(&runs, naive::per_index(&runs));
        assert!(naive["stop"] > 0.1 && naive["check"] < -0.05, "seed {seed}: {naive:?}");
        let model = learned(&runs);
        let ours = mean_by_key(&runs, |run| run.credit(&model).advantages);
        assert!((ours["plan"] - 0.175).abs() < 0.06, "seed {seed}: {ours:?} {:?}", model.selection);
        assert!((ours["rush"] + 0.175).abs() < 0.06, "seed {seed}: {ours:?} {:?}", model.selection);
        assert!(ours["stop"].abs() < 0.03 && ours["check"].abs() < 0.03, "seed {seed}: {ours:?} {:?}", model.selection);
    }
}

/// Eight times along an edge: the left side breaks away in 0.2 of cases, the right side in 0.04, and that is the end. Who
/// gets across has won.
fn edge(n: usize, seed: u64) -> Vec<Run> {
    let mut random = Random(seed);
    let run = |_| {
        let mut steps = Vec::new();
        let mut is_across = true;
        for _ in 0..8 {
            let side = random.of(&["left", "right"]);
            steps.push(within("edge", side));
            if random.chance(if side == "left" { 0.2 } else { 0.04 }) {
                is_across = false;
                break;
            }
        }
        Run { steps, reward: f64::from(u8::from(is_across)) }
    };
    (0..n).map(run).collect()
}

#[test]
fn coming_to_the_end_is_no_merit_of_the_step_that_was_made_there() {
    for seed in 0..3 {
        let runs = edge(400, seed);
        // Who is at the eighth step has nearly won, so both sides look good there, and best of all steps.
        let weights = naive::uncentred_regression(&runs);
        let weight = |at: usize, key: &str| weights[&(at, key.to_owned())];
        let best_before = (0..7).map(|at| weight(at, "right")).fold(f64::MIN, f64::max);
        assert!(weight(7, "left") > 0.2 && weight(7, "left") > best_before, "seed {seed}: {weights:?}");
        let model = learned(&runs);
        for run in &runs {
            let credit = run.credit(&model);
            for (key, advantage) in run.keys().zip(&credit.advantages) {
                let is_right = key == "right";
                assert!(
                    if is_right { *advantage >= 0.0 } else { *advantage <= 0.0 },
                    "seed {seed}: {key} {advantage} {:?}",
                    model.selection
                );
            }
        }
        let ours = mean_by_key(&runs, |run| run.credit(&model).advantages);
        assert!(ours["left"] < -0.02 && ours["right"] > 0.02, "seed {seed}: {ours:?} {:?}", model.selection);
    }
}
