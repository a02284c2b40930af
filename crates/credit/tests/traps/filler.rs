//! Steps that change nothing, and steps that are told as many.

use crate::naive;
use crate::support::{Random, Run, Told, learned, only, within};

/// Part of the credit that may move.
const MOVED_MAX: f64 = 0.02;
/// Steps of the chain, of which two decide: the second and the fifth.
const STEPS: usize = 7;

type Name = fn(usize, &str) -> Told;

/// Seven steps with a choice of two each. The second and the fifth matter, 0.6 and 0.4, and nothing else
/// does: in every run one of the two worked with the outcome, so that the prior never has to stand.
fn chain(n: usize, seed: u64, told: Name) -> Vec<Run> {
    let mut random = Random(seed);
    let run = |_| {
        let choices: Vec<bool> = (0..STEPS).map(|_| random.chance(0.5)).collect();
        let wins = 0.6 * f64::from(choices[1]) + 0.4 * f64::from(choices[4]);
        let step = |(at, choice): (usize, &bool)| {
            told(at, &format!("{} {}", ["no", "yes"][usize::from(*choice)], LETTERS[at]))
        };
        Run { steps: choices.iter().enumerate().map(step).collect(), reward: random.reward(wins) }
    };
    (0..n).map(run).collect()
}

const LETTERS: [&str; STEPS] = ["a", "b", "c", "d", "e", "f", "g"];

/// The runs told in another way, with the step of the chain that each step belongs to, if any.
fn retold(runs: &[Run], tell: &dyn Fn(usize, &Told) -> Vec<(Option<usize>, Told)>) -> Vec<(Run, Vec<Option<usize>>)> {
    let again = |run: &Run| {
        let steps = run.steps.iter().enumerate().flat_map(|(at, step)| tell(at, step));
        let (places, steps) = steps.unzip();
        (Run { steps, reward: run.reward }, places)
    };
    runs.iter().map(again).collect()
}

/// Half the distance of two ways to split the credit, mean over the runs; and the same of the step where it moves most.
fn moved(before: &[Vec<f64>], after: &[Vec<f64>], places: &[Vec<Option<usize>>]) -> f64 {
    let distance = |((before, after), places): ((&Vec<f64>, &Vec<f64>), &Vec<Option<usize>>)| {
        let mut change = before.clone();
        let mut to_nobody = 0.0;
        for (credit, place) in after.iter().zip(places) {
            match place {
                Some(place) => change[*place] -= credit,
                None => to_nobody += credit,
            }
        }
        (change.iter().map(|change| change.abs()).sum::<f64>() + to_nobody) / 2.0
    };
    before.iter().zip(after).zip(places).map(distance).sum::<f64>() / before.len() as f64
}

fn check(name: &str, runs: &[Run], tell: &dyn Fn(usize, &Told) -> Vec<(Option<usize>, Told)>) {
    let (other, places): (Vec<Run>, Vec<Vec<Option<usize>>>) = retold(runs, tell).into_iter().unzip();
    for method in [naive::decay, naive::uniform] {
        let credits = |runs: &[Run]| runs.iter().map(method).collect::<Vec<Vec<f64>>>();
        let naive = moved(&credits(runs), &credits(&other), &places);
        assert!(naive > 0.3, "{name}: {naive}");
    }
    let (model, then) = (learned(runs), learned(&other));
    let credits = |runs: &[Run], model| runs.iter().map(|run| run.credit(model).credits).collect::<Vec<Vec<f64>>>();
    let (before, after) = (credits(runs, &model), credits(&other, &then));
    let ours = moved(&before, &after, &places);
    let mean = |credits: &[Vec<f64>]| {
        let of = |at: usize| credits.iter().map(|credits| credits[at]).sum::<f64>() / credits.len() as f64;
        (0..credits[0].len()).map(of).collect::<Vec<f64>>()
    };
    let (before, after) = (mean(&before), mean(&after));
    let why = (&model.selection, &then.selection);
    assert!(ours <= MOVED_MAX, "{name}: {ours} {before:.3?} {after:.3?} {why:?}");
    // It is no answer to give all runs the same.
    assert!(before[1] + before[4] > 0.9, "{name}: {before:.3?} {why:?}");
}

const NAMED: Name = |at, key| within(LETTERS[at], key);
const UNNAMED: Name = |_, key| only(key);

#[test]
fn ten_filler_steps_move_no_credit() {
    for (name, told) in [("named situations", NAMED), ("no situations", UNNAMED)] {
        for seed in 0..2 {
            let runs = chain(300, seed, told);
            for place in [0, 3, 6] {
                check(&format!("ten steps after {place}, {name}, seed {seed}"), &runs, &|at, step| {
                    let filler = if step.state_key.is_some() { within("idle", "note") } else { only("note") };
                    let n = if at == place { 10 } else { 0 };
                    let fillers = std::iter::repeat_n((None, filler), n);
                    std::iter::once((Some(at), step.clone())).chain(fillers).collect()
                });
            }
        }
    }
}

#[test]
fn a_step_told_as_eight_takes_what_one_takes() {
    // The reference: the last of seven steps has 19 %, its eight copies have 74 %.
    let [run] = &chain(1, 0, UNNAMED)[..] else { return };
    let split =
        retold(std::slice::from_ref(run), &|at, step| vec![(Some(at), step.clone()); if at == 6 { 8 } else { 1 }]);
    assert!((naive::decay(run)[6] - 0.19).abs() < 0.005);
    assert!((naive::decay(&split[0].0)[6..].iter().sum::<f64>() - 0.74).abs() < 0.005);
    for (name, told) in [("named situations", NAMED), ("no situations", UNNAMED)] {
        for seed in 0..2 {
            let runs = chain(300, seed, told);
            for place in [1, 3, 6] {
                check(&format!("eight copies of {place}, {name}, seed {seed}"), &runs, &|at, step| {
                    vec![(Some(at), step.clone()); if at == place { 8 } else { 1 }]
                });
            }
        }
    }
}
