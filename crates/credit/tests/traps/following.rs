//! Steps that follow what they did not bring about, and keys that nobody else has.

use crate::naive;
use crate::support::{Random, Run, learned, mass_of, mean_by_key, only, within};

/// Of the runs that began well and went well: the part of the credit that the first step takes, and the steps of this key.
/// (Where only luck was good, no decision is to be praised and the prior's shares stand.)
fn first_and(key: &str, runs: &[Run], credit: impl Fn(&Run) -> Vec<f64>) -> (f64, f64) {
    let is_good = |run: &&Run| run.reward > 0.5 && run.steps[0].key == "good";
    let good: Vec<Run> = runs.iter().filter(is_good).cloned().collect();
    (mass_of(&good, |at, _| at == 0, &credit), mass_of(&good, |_, other| other.starts_with(key), &credit))
}

fn check_celebrating(name: &str, told: impl Fn(&mut Random) -> Run) {
    for seed in 0..4 {
        let mut random = Random(seed);
        let runs: Vec<Run> = (0..200).map(|_| told(&mut random)).collect();
        let worth = naive::outcome_per_key(&runs);
        let (_, naive) = first_and("celebrate", &runs, |run| naive::shares(&runs, run, &worth));
        assert!(naive > 0.45, "{name}, seed {seed}: {naive}");
        let model = learned(&runs);
        let (first, celebrated) = first_and("celebrate", &runs, |run| run.credit(&model).credits);
        let why = &model.selection;
        assert!(first > 0.95 && celebrated < 0.05, "{name}, seed {seed}: {first} {celebrated} {why:?}");
        let worth = mean_by_key(&runs, |run| run.credit(&model).advantages);
        assert!(
            worth["celebrate"].abs() < 0.01 && worth["sigh"].abs() < 0.01,
            "{name}, seed {seed}: {worth:?} {why:?}"
        );
    }
}

#[test]
fn celebrating_takes_no_credit() {
    // The situation says what came of the first step, luck included.
    check_celebrating("situations that recur", |random| {
        let first = random.of(&["good", "bad"]);
        let won = random.chance(if first == "good" { 0.8 } else { 0.2 });
        let (state, then) = if won { ("won", "celebrate") } else { ("lost", "sigh") };
        let steps = vec![within("start", first), within(state, then), within(state, "leave")];
        Run { steps, reward: f64::from(u8::from(won)) }
    });
    // Nothing is told but decisions; luck comes after all of them.
    check_celebrating("the previous decision", |random| {
        let first = random.of(&["good", "bad"]);
        let (then, wins) = if first == "good" { ("celebrate", 0.9) } else { ("sigh", 0.1) };
        Run { steps: vec![only(first), only(then), only("leave")], reward: random.reward(wins) }
    });
    // The step in between hides what was decided before it.
    check_celebrating("a step in between", |random| {
        let first = random.of(&["good", "bad"]);
        let (then, wins) = if first == "good" { ("celebrate", 0.9) } else { ("sigh", 0.1) };
        Run { steps: vec![only(first), only("wait"), only(then), only("leave")], reward: random.reward(wins) }
    });
}

#[test]
fn keys_seen_once_take_no_credit() {
    let check = |name: &str, told: fn(&mut Random, usize) -> Vec<crate::support::Told>| {
        for seed in 0..4 {
            let mut random = Random(seed);
            let runs: Vec<Run> = (0..200)
                .map(|at| {
                    let steps = told(&mut random, at);
                    let reward = random.reward(if steps[0].key == "good" { 0.8 } else { 0.2 });
                    Run { steps, reward }
                })
                .collect();
            let worth = naive::outcome_per_key(&runs);
            let (_, naive) = first_and("once", &runs, |run| naive::shares(&runs, run, &worth));
            assert!(naive > 0.5, "{name}, seed {seed}: {naive}");
            let model = learned(&runs);
            let (first, once) = first_and("once", &runs, |run| run.credit(&model).credits);
            let why = &model.selection;
            assert!(first > 0.98, "{name}, seed {seed}: {first} {once} {why:?}");
            // Neither for nor against.
            for run in &runs {
                let advantages = run.credit(&model).advantages;
                let (decisive, largest) =
                    (advantages[0].abs(), advantages[1..].iter().fold(0.0_f64, |max, a| max.max(a.abs())));
                assert!(largest < 0.02 * decisive, "{name}, seed {seed}: {advantages:?} {why:?}");
            }
        }
    };
    check("nothing told", |random, at| {
        vec![only(random.of(&["good", "bad"])), only(&format!("once {at} a")), only(&format!("once {at} b"))]
    });
    check("situations that recur", |random, at| {
        let first = random.of(&["good", "bad"]);
        vec![within("start", first), within("then", &format!("once {at} a")), within("end", &format!("once {at} b"))]
    });
    check("situations seen once", |random, at| {
        let first = random.of(&["good", "bad"]);
        let once = |letter: &str| within(&format!("once {at} {letter}"), &format!("once {at} {letter}"));
        vec![within("start", first), once("a"), once("b"), once("c")]
    });
}
