use std::collections::HashSet;

use super::{
    DiscountingChain, LOG_SPACED, MemoryChain, UmbrellaChain, UmbrellaReward, discounting_chain, memory_len,
    noisy_umbrella, umbrella_distract, umbrella_length,
};
use crate::Random;
use crate::environments::{Environment, Truth};

#[test]
fn settings_are_the_published_ones() {
    assert_eq!(umbrella_length().len(), 23);
    assert_eq!(umbrella_distract().len(), 23);
    assert_eq!(memory_len().len(), 23);
    assert_eq!(discounting_chain().len(), 5);
    assert!(LOG_SPACED.is_sorted());
    let mut names: Vec<String> = umbrella_length().iter().chain(&umbrella_distract()).map(Environment::name).collect();
    names.extend(memory_len().iter().map(Environment::name));
    names.extend(discounting_chain().iter().map(Environment::name));
    names.push(noisy_umbrella(20).name());
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), 23 * 3 + 5 + 1);
}

#[test]
fn an_umbrella_chain_is_decided_in_the_morning() {
    for (chain, n_steps) in umbrella_length().iter().zip(LOG_SPACED) {
        let mut random = Random::new(n_steps as u64);
        let mut seen = HashSet::new();
        for _ in 0..150 {
            let rollout = chain.rollout(&mut random);
            assert_eq!(rollout.steps.len(), n_steps);
            assert_eq!(rollout.truth, Truth::DecisiveStep(0));
            assert!(rollout.steps[..n_steps - 1].iter().all(|step| step.reward.abs() < f64::EPSILON));
            let first = &rollout.steps[0];
            let dry = (first.decision == "take") == first.state["needed"].as_bool().unwrap();
            assert_eq!(rollout.reward.to_bits(), if dry { 1.0_f64 } else { -1.0 }.to_bits());
            for later in &rollout.steps[1..] {
                assert_eq!(later.state["there"].as_bool().unwrap(), first.decision == "take");
                assert_eq!(later.state["needed"], first.state["needed"]);
            }
            assert_eq!(first.state["distractors"].as_array().unwrap().len(), 20);
            assert!((first.state["left"].as_f64().unwrap() - 1.0).abs() < 1e-15);
            seen.insert((first.state["needed"].to_string(), first.state["there"].to_string(), first.decision.clone()));
        }
        assert_eq!(seen.len(), 8, "every start, every decision");
    }
}

#[test]
fn distractors_are_as_many_as_the_setting_says() {
    for (chain, n_distractors) in umbrella_distract().iter().zip(LOG_SPACED) {
        let rollout = chain.rollout(&mut Random::new(5));
        assert_eq!(rollout.steps.len(), 20);
        assert!(rollout.steps.iter().all(|step| step.state["distractors"].as_array().unwrap().len() == n_distractors));
    }
}

#[test]
fn noise_is_a_coin_at_every_step_but_the_last() {
    let chain = noisy_umbrella(20);
    let quiet = UmbrellaChain::new("quiet", 20, 20, 20, UmbrellaReward::Last);
    let n = 20_000;
    let (mut sum, mut square) = (0.0, 0.0);
    for seed in 0..n {
        let noise = chain.rollout(&mut Random::new(seed)).reward - quiet.rollout(&mut Random::new(seed)).reward;
        assert!(noise.abs() <= 19.0 && (noise as i64).rem_euclid(2) == 1, "{noise}");
        sum += noise;
        square += noise * noise;
    }
    // Variance 19; its standard error is sqrt(2 · 19² / n) = 0.19 at most.
    assert!((sum / n as f64).abs() < 5.0 * (19.0 / n as f64).sqrt());
    assert!((square / n as f64 - 19.0).abs() < 0.95);
}

#[test]
fn a_memory_chain_is_decided_at_its_end() {
    for (chain, length) in memory_len().iter().zip(LOG_SPACED) {
        let mut random = Random::new(length as u64);
        let mut rewards = HashSet::new();
        for _ in 0..50 {
            let rollout = chain.rollout(&mut random);
            assert_eq!(rollout.steps.len(), length + 1);
            assert_eq!(rollout.truth, Truth::DecisiveStep(length));
            let bit = rollout.steps[0].state["bit"].as_str().unwrap();
            assert!(bit == "0" || bit == "1");
            assert_eq!(rollout.steps[0].state_key, rollout.steps[1].state_key, "the start is shown twice");
            assert!(rollout.steps[2..].iter().all(|step| step.state["bit"] == "-"));
            let right = rollout.steps[length].decision == bit;
            assert_eq!(rollout.reward.to_bits(), if right { 1.0_f64 } else { -1.0 }.to_bits());
            rewards.insert(rollout.reward.to_bits());
        }
        assert_eq!(rewards.len(), 2);
    }
    let last = MemoryChain { length: 5 }.rollout(&mut Random::new(1)).steps.pop().unwrap();
    assert_eq!(last.state_key, "bit=- time=4");
    assert!((last.state["left"].as_f64().unwrap() - 0.2).abs() < 1e-15);
}

#[test]
fn a_discounting_chain_pays_what_was_chosen_first() {
    for bonus in 0..5 {
        let mut random = Random::new(bonus as u64);
        let mut chosen = HashSet::new();
        for _ in 0..100 {
            let rollout = DiscountingChain { bonus }.rollout(&mut random);
            assert_eq!(rollout.steps.len(), 100);
            assert_eq!(rollout.truth, Truth::DecisiveStep(0));
            assert_eq!(rollout.steps[0].state_key, "chain=- step=0");
            let chain = rollout.steps[0].decision.strip_prefix("chain ").unwrap();
            assert!(rollout.steps[1..].iter().all(|step| step.state["chain"] == chain));
            let paid = if chain == bonus.to_string() { 1.1_f64 } else { 1.0 };
            assert_eq!(rollout.reward.to_bits(), paid.to_bits());
            let at = rollout.steps.iter().position(|step| step.reward > 0.0);
            assert_eq!(at, chain.parse().ok().map(|chain: usize| [0, 2, 9, 29, 99][chain]));
            chosen.insert(chain.to_owned());
        }
        assert_eq!(chosen.len(), 5);
    }
}
