use super::{Ice, LakeMap, cliff_walking, frozen_lake, taxi};
use crate::environments::{Environment, Mdp, Transition};

/// A decision in the state of a key: `(probability, reward, key after it, "end" where the episode ends)`.
#[track_caller]
fn check(mdp: &Mdp, key: &str, decision: &str, rows: &[(f64, f64, &str)]) {
    let state = mdp.state(key).unwrap();
    let decision = mdp.decisions().iter().position(|&name| name == decision).unwrap();
    let expected: Vec<Transition> = rows
        .iter()
        .map(|&(probability, reward, key)| Transition { probability, reward, next: mdp.state(key) })
        .collect();
    assert!(rows.iter().all(|&(_, _, key)| key == "end" || mdp.state(key).is_some()));
    assert_eq!(mdp.transitions(state, decision), expected, "{}, {key}", mdp.name());
}

#[test]
fn the_lake() {
    const THIRD: f64 = 1.0 / 3.0;
    let slippery = frozen_lake(LakeMap::Small, Ice::Slippery);
    assert_eq!(slippery.name(), "frozen_lake/4x4_slippery");
    assert_eq!(slippery.n_steps_max(), 100);
    assert_eq!(slippery.starts(), [(slippery.state("0").unwrap(), 1.0)]);
    // 16 cells, 4 holes, 1 goal.
    assert_eq!(slippery.n_states(), 11);
    check(&slippery, "0", "left", &[(THIRD, 0.0, "0"), (THIRD, 0.0, "0"), (THIRD, 0.0, "4")]);
    check(&slippery, "14", "down", &[(THIRD, 0.0, "13"), (THIRD, 0.0, "14"), (THIRD, 1.0, "end")]);
    check(&slippery, "14", "right", &[(THIRD, 0.0, "14"), (THIRD, 1.0, "end"), (THIRD, 0.0, "10")]);
    check(&slippery, "6", "up", &[(THIRD, 0.0, "end"), (THIRD, 0.0, "2"), (THIRD, 0.0, "end")]);

    let firm = frozen_lake(LakeMap::Large, Ice::Deterministic);
    assert_eq!(firm.name(), "frozen_lake/8x8_deterministic");
    assert_eq!(firm.n_steps_max(), 200);
    // 64 cells, 10 holes, 1 goal.
    assert_eq!(firm.n_states(), 53);
    check(&firm, "0", "right", &[(1.0, 0.0, "1")]);
    check(&firm, "0", "up", &[(1.0, 0.0, "0")]);
    check(&firm, "55", "down", &[(1.0, 1.0, "end")]);
    check(&firm, "18", "right", &[(1.0, 0.0, "end")]);
    check(&firm, "7", "right", &[(1.0, 0.0, "7")]);
}

#[test]
fn the_cliff() {
    let cliff = cliff_walking();
    assert_eq!(cliff.starts(), [(cliff.state("36").unwrap(), 1.0)]);
    // Three rows and the start.
    assert_eq!(cliff.n_states(), 37);
    check(&cliff, "36", "right", &[(1.0, -100.0, "36")]);
    check(&cliff, "36", "up", &[(1.0, -1.0, "24")]);
    check(&cliff, "36", "left", &[(1.0, -1.0, "36")]);
    check(&cliff, "25", "down", &[(1.0, -100.0, "36")]);
    check(&cliff, "24", "down", &[(1.0, -1.0, "36")]);
    check(&cliff, "35", "down", &[(1.0, -1.0, "end")]);
    check(&cliff, "35", "right", &[(1.0, -1.0, "35")]);
    // Thirteen steps when nothing goes wrong; the policy walks them along the edge.
    for (key, decision) in [("36", 0), ("24", 1), ("34", 1), ("35", 2)] {
        assert!(cliff.policy(cliff.state(key).unwrap())[decision] > 0.8, "{key}");
    }
}

#[test]
fn the_taxi() {
    let taxi = taxi();
    assert_eq!(taxi.n_steps_max(), 200);
    assert_eq!(taxi.starts().len(), 300);
    // 404 with the four that end an episode.
    assert_eq!(taxi.n_states(), 400);
    let key = |row: usize, column: usize, passenger: usize, destination: usize| {
        (((row * 5 + column) * 5 + passenger) * 4 + destination).to_string()
    };
    let rows = [
        ((2, 2, 0, 1), "south", -1.0, Some((3, 2, 0, 1))),
        ((4, 2, 0, 1), "south", -1.0, Some((4, 2, 0, 1))),
        ((0, 2, 0, 1), "north", -1.0, Some((0, 2, 0, 1))),
        ((2, 2, 0, 1), "east", -1.0, Some((2, 3, 0, 1))),
        ((2, 4, 0, 1), "east", -1.0, Some((2, 4, 0, 1))),
        // Walls: right of column 1 in the two upper rows, right of columns 0 and 2 in the two lower ones.
        ((0, 1, 0, 1), "east", -1.0, Some((0, 1, 0, 1))),
        ((1, 2, 0, 1), "west", -1.0, Some((1, 2, 0, 1))),
        ((3, 0, 0, 1), "east", -1.0, Some((3, 0, 0, 1))),
        ((4, 3, 0, 1), "west", -1.0, Some((4, 3, 0, 1))),
        ((3, 1, 0, 1), "east", -1.0, Some((3, 2, 0, 1))),
        ((2, 0, 0, 1), "west", -1.0, Some((2, 0, 0, 1))),
        ((0, 0, 0, 1), "pick up", -1.0, Some((0, 0, 4, 1))),
        ((0, 0, 2, 1), "pick up", -10.0, Some((0, 0, 2, 1))),
        ((2, 2, 0, 1), "pick up", -10.0, Some((2, 2, 0, 1))),
        ((0, 4, 4, 1), "set down", 20.0, None),
        ((4, 0, 4, 1), "set down", -1.0, Some((4, 0, 2, 1))),
        ((2, 2, 4, 1), "set down", -10.0, Some((2, 2, 4, 1))),
        ((0, 4, 0, 1), "set down", -10.0, Some((0, 4, 0, 1))),
        ((0, 0, 4, 1), "pick up", -10.0, Some((0, 0, 4, 1))),
    ];
    for ((row, column, passenger, destination), decision, reward, next) in rows {
        let after = next.map_or_else(|| "end".to_owned(), |(r, c, p, d)| key(r, c, p, d));
        check(&taxi, &key(row, column, passenger, destination), decision, &[(1.0, reward, &after)]);
    }
}
