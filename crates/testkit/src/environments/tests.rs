use super::{
    Environment, Ice, LakeMap, Truth, cliff_walking, discounting_chain, door_key, frozen_lake, memory_len,
    noisy_umbrella, taxi, umbrella_distract, umbrella_length, unlock,
};
use crate::Random;

fn all() -> Vec<Box<dyn Environment>> {
    let mut all: Vec<Box<dyn Environment>> = vec![
        Box::new(noisy_umbrella(20)),
        Box::new(frozen_lake(LakeMap::Small, Ice::Slippery)),
        Box::new(frozen_lake(LakeMap::Large, Ice::Deterministic)),
        Box::new(cliff_walking()),
        Box::new(taxi()),
        Box::new(door_key(5)),
        Box::new(unlock()),
    ];
    all.extend(umbrella_length().into_iter().map(|chain| Box::new(chain) as Box<dyn Environment>));
    all.extend(umbrella_distract().into_iter().map(|chain| Box::new(chain) as Box<dyn Environment>));
    all.extend(memory_len().into_iter().map(|chain| Box::new(chain) as Box<dyn Environment>));
    all.extend(discounting_chain().into_iter().map(|chain| Box::new(chain) as Box<dyn Environment>));
    all
}

#[test]
fn a_seed_gives_an_episode_and_another_seed_another() {
    for environment in all() {
        let name = environment.name();
        let rollout = environment.rollout(&mut Random::new(11));
        assert_eq!(rollout, environment.rollout(&mut Random::new(11)), "{name}");
        assert!((12..40).any(|seed| environment.rollout(&mut Random::new(seed)) != rollout), "{name}");
    }
}

#[test]
fn truth_belongs_to_the_steps() {
    for environment in all() {
        let rollout = environment.rollout(&mut Random::new(12));
        assert!(!rollout.steps.is_empty(), "{}", environment.name());
        let paid: f64 = rollout.steps.iter().map(|step| step.reward).sum();
        assert!((paid - rollout.reward).abs() < 1e-9, "{}", environment.name());
        match rollout.truth {
            Truth::DecisiveStep(step_idx) => assert!(step_idx < rollout.steps.len(), "{}", environment.name()),
            Truth::Advantages(advantages) => {
                assert_eq!(advantages.len(), rollout.steps.len(), "{}", environment.name());
                assert!(advantages.iter().all(|advantage| advantage.is_finite()), "{}", environment.name());
            }
        }
    }
}
