//! Where the decisive step is, and whether there is one.

use accredit_credit::CreditMethod;

use crate::naive;
use crate::support::{Random, Run, Told, learned, mass_of, only};

const STEPS: usize = 12;

fn told(state: &str, key: &str) -> Told {
    Told { state: Some(state.to_owned()), ..only(key) }
}

/// The first step sees what is needed and decides; eleven choices that change nothing follow.
fn umbrella(random: &mut Random) -> Run {
    let (need, first) = (random.of(&["rain", "sun"]), random.of(&["take", "leave"]));
    let mut steps = vec![told(&format!(r#"{{"sky":"{need}"}}"#), first)];
    for _ in 1..STEPS {
        steps.push(told(&format!(r#"{{"sky":"{need}"}}"#), random.of(&["take", "leave"])));
    }
    Run { steps, reward: f64::from(u8::from((need == "rain") == (first == "take"))) }
}

/// The first step sees a cue, and the last one has to know it.
fn memory(random: &mut Random) -> Run {
    let cue = random.of(&["red", "blue"]);
    let mut steps = vec![told(&format!(r#"{{"cue":"{cue}"}}"#), random.of(&["take", "leave"]))];
    for _ in 1..STEPS {
        steps.push(told(r#"{"cue":null}"#, random.of(&["take", "leave"])));
    }
    let is_right = (cue == "red") == (steps[STEPS - 1].key == "take");
    Run { steps, reward: f64::from(u8::from(is_right)) }
}

#[test]
fn one_configuration_finds_what_decides_first_and_what_decides_last() {
    for seed in 0..3 {
        let mut random = Random(seed);
        for (decisive, other, environment) in
            [(0, STEPS - 1, umbrella as fn(&mut Random) -> Run), (STEPS - 1, 0, memory as fn(&mut Random) -> Run)]
        {
            let runs: Vec<Run> = (0..100).map(|_| environment(&mut random)).collect();
            let held_out: Vec<Run> = (0..100).map(|_| environment(&mut random)).collect();
            let mass = |credit: &dyn Fn(&Run) -> Vec<f64>| mass_of(&held_out, |at, _| at == decisive, credit);
            // Each rule is right in one of the two, which is why neither alone says anything.
            assert!(mass(&|run| naive::all_to(run, decisive)) > 0.999);
            assert!(mass(&|run| naive::all_to(run, other)) < 0.001);
            assert!(mass(&naive::decay) < 0.2 && mass(&naive::uniform) < 0.1);
            let model = learned(&runs);
            let ours = mass(&|run| run.credit(&model).credits);
            assert!(ours > 0.95, "step {decisive}, seed {seed}: {ours} {:?}", model.selection);
        }
    }
}

#[test]
fn rewards_that_are_all_equal_say_nothing() {
    for reward in [0.0, 0.3, 1.0, -2.0] {
        let mut random = Random(7);
        let runs: Vec<Run> = (0..50).map(|_| Run { reward, ..umbrella(&mut random) }).collect();
        // Whoever does not look at the others still names a step.
        assert!(naive::all_to(&runs[0], 0)[0] > 0.999);
        let model = learned(&runs);
        assert_eq!(model.name(), "decay");
        assert!(model.selection.reason.contains("no signal"), "{:?}", model.selection);
        for run in &runs {
            let credit = run.credit(&model);
            assert_eq!(credit.credits, naive::decay(run));
            assert!(credit.advantages.iter().all(|advantage| *advantage == 0.0));
            assert_eq!(credit.evidence, accredit_model::Evidence::None);
        }
    }
}
