use std::collections::BTreeMap;

use super::{door_key, unlock};
use crate::Random;
use crate::environments::{Environment, Mdp, Truth};

/// Plays decisions from a state and answers the key after them and what the last paid.
#[track_caller]
fn check(mdp: &Mdp, from: &str, decisions: &[&str], to: &str, reward: f64) {
    let mut state = mdp.state(from);
    let mut paid = 0.0;
    for decision in decisions {
        let decision = mdp.decisions().iter().position(|name| name == decision).unwrap();
        let [only] = mdp.transitions(state.unwrap(), decision) else { panic!("chance in {from}") };
        (state, paid) = (only.next, only.reward);
    }
    assert_eq!(state, mdp.state(to), "{from}: {decisions:?}");
    assert!((to == "end") == state.is_none());
    assert!((paid - reward).abs() < 1e-15, "{from}: {decisions:?} paid {paid}");
}

#[test]
fn a_key_opens_the_door() {
    let mdp = door_key(5);
    assert_eq!((mdp.name().as_str(), mdp.n_steps_max()), ("door_key/5x5", 250));
    // 2 doors, 3 places of the agent, 2 of the key, 4 directions.
    assert_eq!(mdp.starts().len(), 48);
    let start = "door=2,2,locked key=1,3 agent=1,1,right";
    check(&mdp, start, &["left"], "door=2,2,locked key=1,3 agent=1,1,up", 0.0);
    check(&mdp, start, &["right"], "door=2,2,locked key=1,3 agent=1,1,down", 0.0);
    check(&mdp, start, &["forward"], start, 0.0);
    check(&mdp, start, &["done"], start, 0.0);
    check(&mdp, start, &["pickup"], start, 0.0);
    check(&mdp, start, &["toggle"], start, 0.0);
    let at_key = "door=2,2,locked key=1,3 agent=1,2,down";
    check(&mdp, start, &["right", "forward"], at_key, 0.0);
    check(&mdp, at_key, &["forward"], at_key, 0.0);
    check(&mdp, at_key, &["left", "toggle"], "door=2,2,locked key=1,3 agent=1,2,right", 0.0);
    let carried = "door=2,2,locked key=carried agent=1,2,down";
    check(&mdp, at_key, &["pickup"], carried, 0.0);
    check(&mdp, carried, &["drop"], at_key, 0.0);
    check(&mdp, carried, &["left", "forward"], "door=2,2,locked key=carried agent=1,2,right", 0.0);
    let open = "door=2,2,open key=carried agent=1,2,right";
    check(&mdp, carried, &["left", "toggle"], open, 0.0);
    check(&mdp, open, &["drop"], open, 0.0);
    check(&mdp, open, &["toggle"], "door=2,2,closed key=carried agent=1,2,right", 0.0);
    check(&mdp, open, &["toggle", "forward"], "door=2,2,closed key=carried agent=1,2,right", 0.0);
    check(&mdp, open, &["toggle", "toggle"], open, 0.0);
    check(&mdp, open, &["forward", "forward"], "door=2,2,open key=carried agent=3,2,right", 0.0);
    check(&mdp, open, &["forward", "drop"], "door=2,2,open key=3,2 agent=2,2,right", 0.0);
    check(&mdp, open, &["forward", "forward", "right", "drop"], "door=2,2,open key=carried agent=3,2,down", 0.0);
    check(&mdp, open, &["forward", "forward", "right", "forward"], "end", 1.0);
}

#[test]
fn layouts_of_the_larger_grid() {
    let mdp = door_key(6);
    assert_eq!((mdp.name().as_str(), mdp.n_steps_max()), ("door_key/6x6", 360));
    // 3 doors each: a wall after one column leaves 4 cells, after two columns 8.
    assert_eq!(mdp.starts().len(), 3 * (4 * 3 + 8 * 7) * 4);
    // The narrow room's starts are fewer, so each is likelier: 1 / 288 against 1 / 1344.
    let narrow: f64 = mdp.starts().iter().map(|&(_, share)| share).filter(|&share| share > 1.0 / 600.0).sum();
    assert!((narrow - 0.5).abs() < 1e-12, "both walls are equally likely: {narrow}");
}

#[test]
fn an_open_door_is_enough_to_unlock() {
    let mdp = unlock();
    assert_eq!((mdp.name().as_str(), mdp.n_steps_max()), ("unlock", 288));
    let start = "door=5,2,locked key=4,3 agent=4,2,left";
    assert!(mdp.starts().iter().any(|&(at, _)| Some(at) == mdp.state(start)));
    for in_front in ["door=5,2,locked key=4,3 agent=4,2,down", "door=5,2,locked key=4,3 agent=4,2,right"] {
        assert!(mdp.state(in_front).is_some());
        assert!(mdp.starts().iter().all(|&(at, _)| Some(at) != mdp.state(in_front)), "{in_front}");
    }
    check(&mdp, start, &["left", "pickup"], "door=5,2,locked key=carried agent=4,2,down", 0.0);
    check(&mdp, start, &["left", "left", "toggle"], "door=5,2,locked key=4,3 agent=4,2,right", 0.0);
    check(&mdp, start, &["left", "pickup", "left", "toggle"], "end", 1.0);
}

/// The package lays the key first and seeks a place for the agent then: a key with fewer such places is no rarer.
#[test]
fn each_place_of_the_key_is_equally_likely() {
    for (mdp, n_keys) in [(unlock(), 16), (door_key(5), 3)] {
        let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
        for &(state, share) in mdp.starts() {
            let key = mdp.key(state).split(' ').find(|word| word.starts_with("key=")).unwrap();
            *shares.entry(key).or_default() += share;
        }
        assert_eq!(shares.len(), n_keys);
        assert!(shares.values().all(|share| (share - 1.0 / n_keys as f64).abs() < 1e-12), "{shares:?}");
    }
}

#[test]
fn early_success_pays_more() {
    let mdp = door_key(5);
    let mut random = Random::new(31);
    for _ in 0..200 {
        let rollout = mdp.rollout(&mut random);
        assert!(matches!(rollout.truth, Truth::Advantages(_)));
        let expected = 1.0 - 0.9 * rollout.steps.len() as f64 / 250.0;
        assert!(rollout.steps.len() == 250 || (rollout.reward - expected).abs() < 1e-12);
    }
}
