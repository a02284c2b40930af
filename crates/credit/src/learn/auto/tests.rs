//! Unit tests.

use accredit_model::ActionId;

use super::*;
use crate::{CreditMethod, StepFeatures, Trajectory};

fn candidate(z: f64, z_final: f64, gain: f64, gain_explained: f64) -> Candidate {
    Candidate { z, z_final, gain, gain_explained, ..Candidate::default() }
}

#[test]
fn the_rule_chooses_by_evidence() {
    let check = |coverage: f64, td_ce: &Candidate, sdae: &Candidate, expected: LearnedMethod, reason: &str| {
        let (method, said) = decide(coverage, td_ce, sdae);
        assert_eq!(method, expected, "{coverage} {td_ce:?} {sdae:?}: {said}");
        assert!(said.contains(reason), "{said}");
    };
    let none = candidate(0.0, 0.0, 0.0, 0.0);
    let good = candidate(5.0, 5.0, 0.4, 0.4);
    let (td_ce, sdae, auto) = (LearnedMethod::TdCe, LearnedMethod::Sdae, LearnedMethod::Auto);
    check(0.9, &good, &none, td_ce, "situations recur (90 % of held-out steps)");
    check(0.5, &good, &none, td_ce, "situations recur");
    check(0.9, &candidate(1.0, 0.0, 0.1, 0.1), &none, td_ce, "beat the base rate (z = 1.0)");
    // Known situations of which nothing follows yet; unknown ones.
    check(0.9, &none, &none, td_ce, "no method forecasts better");
    check(0.49, &none, &none, auto, "so the prior stands");
    check(0.49, &good, &none, auto, "z = 5.0 at best");
    // One z of the two suffices, on the last forecast or on all.
    check(0.0, &none, &candidate(2.0, 0.0, 0.1, 0.1), sdae, "beat the base rate on held-out actions (z = 2.0)");
    check(0.0, &none, &candidate(-9.0, 2.0, 0.1, 0.1), sdae, "z = 2.0");
    check(0.0, &none, &candidate(1.9, 1.9, 0.1, 0.1), auto, "z = 1.9");
    // Of two that hold, the one that explains more; tables where they explain as much.
    check(0.9, &good, &good, td_ce, "");
    check(0.9, &candidate(5.0, 5.0, 0.4, 0.3), &good, sdae, "explain 40 %");
    check(0.9, &candidate(5.0, 5.0, 0.6, 0.21), &good, sdae, "explain 40 %");
    // The better its forecasts, the less suffices.
    check(0.9, &candidate(5.0, 5.0, 0.6, 0.22), &good, td_ce, "explain 22 %");
    check(0.9, &candidate(5.0, 5.0, 0.41, 0.31), &good, sdae, "explain 40 %");
    check(0.9, &candidate(5.0, 5.0, 0.41, 0.32), &good, td_ce, "explain 32 %");
    check(0.9, &candidate(5.0, 5.0, 0.6, 0.39), &good, td_ce, "explain 39 %");
    // Not where decisions alone explain nearly all.
    let whole = candidate(5.0, 5.0, 0.5, 0.96);
    check(0.9, &candidate(5.0, 5.0, 0.6, 0.945), &whole, sdae, "explain 96 %");
    check(0.9, &candidate(5.0, 5.0, 0.6, 0.955), &whole, td_ce, "explain 96 %");
    // Of two that explain as much, the one that foresees it.
    check(0.9, &candidate(5.0, 5.0, 0.2, 0.4), &good, sdae, "");
    check(0.9, &candidate(5.0, 5.0, 0.2, 0.6), &good, td_ce, "");
    check(0.9, &candidate(5.0, 5.0, 0.2, 0.4), &candidate(1.0, 1.0, 0.4, 0.4), td_ce, "");
    let nan = candidate(f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    check(0.9, &nan, &nan, td_ce, "no method");
    check(0.1, &nan, &nan, auto, "the prior stands");
}

#[test]
fn where_situations_tell_of_luck_decisions_are_compared_within_them() {
    let with_end = |gain_final: f64, candidate: Candidate| Candidate { gain_final, ..candidate };
    let method = |td_ce: &Candidate, sdae: &Candidate| decide(0.9, td_ce, sdae).0;
    let sdae = with_end(0.2, candidate(2.0, 4.0, 0.05, 0.2));
    let td_ce = with_end(0.5, candidate(0.5, 5.0, 0.02, 0.05));
    assert_eq!(method(&td_ce, &sdae), LearnedMethod::TdCe);
    assert!(decide(0.9, &td_ce, &sdae).1.contains("(z = 5.0)"));
    // Not where the last situations tell as much as decisions do, what tables say of decisions does not hold, or decisions
    // explain half.
    assert_eq!(method(&with_end(0.28, td_ce.clone()), &sdae), LearnedMethod::Sdae);
    assert_eq!(method(&Candidate { z_final: 1.9, ..td_ce.clone() }, &sdae), LearnedMethod::Sdae);
    assert_eq!(method(&Candidate { gain_explained: -0.05, ..td_ce.clone() }, &sdae), LearnedMethod::Sdae);
    assert_eq!(method(&td_ce, &Candidate { gain_explained: 0.5, ..sdae }), LearnedMethod::Sdae);
}

#[test]
fn the_test_is_asked_where_forecasts_leave_it_open() {
    let check = |method: LearnedMethod, td_ce: &Candidate, sdae: &Candidate, expected: bool| {
        assert_eq!(is_undecided(method, td_ce, sdae), expected, "{method:?} {td_ce:?} {sdae:?}");
    };
    let (td_ce, sdae, auto) = (LearnedMethod::TdCe, LearnedMethod::Sdae, LearnedMethod::Auto);
    let none = candidate(0.0, 0.0, 0.0, 0.0);
    let good = candidate(5.0, 5.0, 0.4, 0.4);
    for found in [&none, &good] {
        check(auto, found, found, true);
        check(sdae, found, found, false);
    }
    check(td_ce, &none, &none, true);
    // Advantages that hold, and better than those of the other one, leave nothing to ask.
    let holds = Candidate { z_explained: 1.0, ..candidate(0.7, 0.7, 0.02, 0.3) };
    check(td_ce, &holds, &candidate(-1.0, -1.0, -0.05, -0.03), false);
    check(td_ce, &holds, &candidate(1.0, 1.0, 0.1, 0.5), true);
    check(td_ce, &candidate(0.7, 0.7, 0.02, 0.3), &none, true);
    check(td_ce, &candidate(1.5, 1.5, 0.1, 0.3), &candidate(1.0, 1.0, 0.1, 0.5), true);
    check(td_ce, &candidate(1.5, 1.5, 0.1, 0.4), &candidate(1.0, 1.0, 0.1, 0.5), false);
    check(td_ce, &candidate(2.5, 1.5, 0.1, 0.3), &candidate(1.0, 1.0, 0.1, 0.5), false);
    // Nor do tables that foresee the end.
    check(td_ce, &candidate(1.5, 2.0, 0.1, 0.3), &candidate(1.0, 1.0, 0.1, 0.5), false);
}

/// Actions of two steps, of which the first decides.
fn learner(n: u8, reward: impl Fn(bool, u8) -> f64) -> Learner {
    let mut learner = Learner::default();
    for at in 0..n {
        // Every other one is good, in pairs, so that each fold has both.
        let good = at / 3 % 2 == 0;
        let steps = [if good { "good" } else { "bad" }, "then"]
            .map(|key| StepFeatures { key: Some(key), ..Default::default() });
        let trajectory = Trajectory { steps: &steps, reward: reward(good, at), ..Trajectory::default() };
        learner.learn(1, ActionId::from_bytes([at; 16]), 1, &trajectory);
    }
    learner
}

fn options(method: LearnedMethod) -> FitOptions {
    FitOptions { method, version: 3 }
}

#[test]
fn too_few_actions_leave_the_prior() {
    for n in 0..ACTIONS_MIN as u8 {
        let model = learner(n, |good, _| f64::from(u8::from(good))).fit(&options(LearnedMethod::Auto));
        assert_eq!((model.name(), model.selection.method.as_str(), model.n_actions), ("decay", "decay", u64::from(n)));
        let is_constant = n < 4;
        let reason = if is_constant { "no signal" } else { "too few" };
        assert!(model.selection.reason.contains(reason), "{n}: {:?}", model.selection);
        assert!(model.selection.candidates.is_empty());
    }
    // What is asked for is fitted on what there is.
    let model = learner(4, |good, _| f64::from(u8::from(good))).fit(&options(LearnedMethod::TdCe));
    assert_eq!((model.name(), model.selection.reason.as_str()), ("td_ce", "it was asked for"));
}

#[test]
fn constant_rewards_are_no_signal_for_any_method() {
    for method in [LearnedMethod::Auto, LearnedMethod::TdCe, LearnedMethod::Sdae] {
        for reward in [0.0, 0.1, 1e300, -7.0] {
            let model = learner(60, |_, _| reward).fit(&options(method));
            assert_eq!(model.name(), "decay", "{method:?} {reward}");
            assert!(model.selection.reason.contains("no signal"), "{:?}", model.selection);
        }
    }
}

#[test]
fn the_selection_says_what_it_rests_on() {
    let model = learner(60, |good, at| f64::from(u8::from(good != (at % 10 == 0)))).fit(&options(LearnedMethod::Auto));
    let selection = &model.selection;
    assert_eq!((model.version, selection.n, selection.method.as_str()), (3, 60, model.name()));
    assert!(model.name() != "decay", "{selection:?}");
    assert!(selection.coverage > 0.9, "{selection:?}");
    let methods: Vec<&str> = selection.candidates.iter().map(|candidate| candidate.method.as_str()).collect();
    assert_eq!(methods, ["td_ce", "sdae"]);
    assert!(selection.candidates.iter().all(|candidate| candidate.z.max(candidate.z_final) > 2.0), "{selection:?}");
    let again: Selection = serde_json::from_str(&serde_json::to_string(selection).unwrap()).unwrap();
    assert_eq!(&again, selection);
}

/// A task and sixteen coins are seen at each of eight steps, and what was done first stays; `reward` hears whether that was
/// right.
fn faint(n: u64, seed: u64, reward: impl Fn(bool, &mut crate::random::Random) -> f64) -> Model {
    let mut random = crate::random::Random::new(seed);
    let mut learner = Learner::default();
    for at in 0..n {
        let needed = random.below(2) == 0;
        let mut there = random.below(2) == 0;
        let mut told = Vec::new();
        let mut is_right = false;
        for index in 0..8 {
            let coins: Vec<bool> = (0..16).map(|_| random.below(2) == 0).collect();
            let takes = random.below(2) == 0;
            told.push((format!(r#"{{"needed":{needed},"there":{there},"coins":{coins:?}}}"#), takes));
            if index == 0 {
                there = takes;
                is_right = takes == needed;
            }
        }
        fn step((state, takes): &(String, bool)) -> StepFeatures<'_> {
            let key = Some(if *takes { "take" } else { "leave" });
            StepFeatures { key, state: Some(state), ..Default::default() }
        }
        let steps: Vec<StepFeatures<'_>> = told.iter().map(step).collect();
        let reward = reward(is_right, &mut random);
        let id = ActionId::from_bytes((u128::from(at) * 7_919 + 1).to_le_bytes());
        learner.learn(1, id, 1, &Trajectory { steps: &steps, reward, ..Trajectory::default() });
    }
    learner.fit(&options(LearnedMethod::Auto))
}

fn coins(n: u32, random: &mut crate::random::Random) -> f64 {
    (0..n).map(|_| if random.below(2) == 0 { 1.0 } else { -1.0 }).sum()
}

#[test]
fn where_nothing_matters_the_prior_stands() {
    let mut n_learned = 0;
    for seed in 0..12 {
        let model = faint([30, 60, 100, 200][seed as usize % 4], seed, |_, random| coins(8, random));
        n_learned += usize::from(model.name() != "decay");
    }
    assert!(n_learned <= 2, "{n_learned} of 12");
}

#[test]
fn a_signal_of_a_twentieth_of_the_variance_is_found() {
    let mut n_found = 0;
    for seed in 0..6 {
        let right = |is_right: bool| if is_right { 1.0 } else { -1.0 };
        let model = faint(300, 100 + seed, |is_right, random| right(is_right) + coins(19, random));
        n_found += usize::from(model.name() == "sdae");
    }
    assert!(n_found >= 4, "{n_found} of 6");
}
