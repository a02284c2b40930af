//! `environments --seed S`: what the environments do, as JSON on standard output, for `python/compare_environments.py`
//! to hold against the packages that they are written after.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use accredit_testkit::Random;
use accredit_testkit::environments::{
    Environment, Ice, LakeMap, Mdp, cliff_walking, discounting_chain, door_key, frozen_lake, memory_len,
    noisy_umbrella, taxi, umbrella_distract, umbrella_length, unlock,
};
use serde_json::{Value, json};

/// Episodes of each grid under its own policy, and as many walks at random.
const EPISODES: usize = 100;
/// Steps of a walk at random, unless it ends before.
const WALK_STEPS: usize = 200;
/// Episodes of each setting of a chain.
const CHAIN_EPISODES: usize = 8;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A standard error that is gone has nobody to tell.
            drop(writeln!(std::io::stderr(), "environments: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let seed = match args {
        [] => 1,
        [option, seed] if option == "--seed" => seed.parse()?,
        _ => return Err("usage: environments [--seed S]".into()),
    };
    let mut random = Random::new(seed);
    let tables = [
        frozen_lake(LakeMap::Small, Ice::Deterministic),
        frozen_lake(LakeMap::Small, Ice::Slippery),
        frozen_lake(LakeMap::Large, Ice::Deterministic),
        frozen_lake(LakeMap::Large, Ice::Slippery),
        cliff_walking(),
        taxi(),
    ];
    let grids = [door_key(5), door_key(6), unlock()];
    let all = json!({
        "tables": tables.iter().map(table).collect::<Vec<_>>(),
        "grids": grids.iter().map(|grid| replays(grid, &mut random)).collect::<Vec<_>>(),
        "chains": {
            "umbrella_length": chains(&umbrella_length(), &mut random),
            "umbrella_distract": chains(&umbrella_distract(), &mut random),
            "noisy_umbrella": chains(&[noisy_umbrella(20)], &mut random),
            "memory_len": chains(&memory_len(), &mut random),
            "discounting_chain": chains(&discounting_chain(), &mut random),
        },
    });
    Ok(writeln!(std::io::stdout().lock(), "{all}")?)
}

/// What holds for the whole process, and the chances of its starts.
fn about(mdp: &Mdp) -> Value {
    let starts: BTreeMap<&str, f64> = mdp.starts().iter().map(|(state, share)| (mdp.key(*state), *share)).collect();
    json!({ "name": mdp.name(), "decisions": mdp.decisions(), "n_steps_max": mdp.n_steps_max(), "starts": starts })
}

/// Per state and decision, where it leads: probability, reward, next state, `null` at the end.
fn table(mdp: &Mdp) -> Value {
    let row = |state: usize| -> Vec<Vec<Value>> {
        let leads = |decision| {
            let to = mdp.transitions(state, decision).iter();
            to.map(|to| json!([to.probability, to.reward, to.next.map(|next| mdp.key(next))])).collect()
        };
        (0..mdp.decisions().len()).map(leads).collect()
    };
    let states: BTreeMap<&str, Vec<Vec<Value>>> =
        (0..mdp.n_states()).map(|state| (mdp.key(state), row(state))).collect();
    json!({ "about": about(mdp), "states": states })
}

/// Episodes as they are paid, and walks at random in which a reward is told before time takes its part.
fn replays(mdp: &Mdp, random: &mut Random) -> Value {
    let step = |(state, decision, reward): (usize, usize, f64)| json!([mdp.key(state), decision, reward]);
    let episodes: Vec<Vec<Value>> =
        (0..EPISODES).map(|_| mdp.episode(random).into_iter().map(step).collect()).collect();
    let walks: Vec<Vec<Value>> = (0..EPISODES).map(|_| walk(mdp, random).into_iter().map(step).collect()).collect();
    json!({ "about": about(mdp), "episodes": episodes, "walks": walks })
}

fn walk(mdp: &Mdp, random: &mut Random) -> Vec<(usize, usize, f64)> {
    let mut state = mdp.starts()[random.below(mdp.starts().len() as u64) as usize].0;
    let mut steps = Vec::new();
    for _ in 0..WALK_STEPS {
        let decision = random.below(mdp.decisions().len() as u64) as usize;
        // Grids leave nothing to chance: one transition a decision.
        let Some(to) = mdp.transitions(state, decision).first() else { break };
        steps.push((state, decision, to.reward));
        let Some(next) = to.next else { break };
        state = next;
    }
    steps
}

/// Per setting, episodes of what was seen, decided and paid.
fn chains<E: Environment>(settings: &[E], random: &mut Random) -> Value {
    let episode = |setting: &E, random: &mut Random| -> Vec<Value> {
        let steps = setting.rollout(random).steps.into_iter();
        steps.map(|step| json!([step.state, step.decision, step.reward])).collect()
    };
    let of_setting = |setting: &E| {
        let episodes: Vec<Vec<Value>> = (0..CHAIN_EPISODES).map(|_| episode(setting, random)).collect();
        json!({ "name": setting.name(), "episodes": episodes })
    };
    settings.iter().map(of_setting).collect()
}
