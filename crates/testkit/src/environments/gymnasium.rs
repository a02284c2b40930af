//! Toy text environments of Gymnasium (Towers et al.: "Gymnasium: A Standard Interface for Reinforcement Learning
//! Environments", 2024; package `gymnasium` 1.0): frozen lake, cliff walking, taxi.
//!
//! `cargo xtask environments` holds their whole tables against those of version 1.4, which has the same dynamics under
//! the names `CliffWalking-v1` and `Taxi-v4`.
//!
//! State keys are the package's observations, its decisions keep their order and are named.
//!
//! Cliff and taxi pay at every step, so an outcome holds what was paid before a state, which says nothing of what
//! follows: whoever fell off the cliff is at the start again. A method that values states by outcomes alone takes the
//! one for the other; it needs what each step paid.

use serde_json::{Value, json};

use super::mdp::{Dynamics, Rules};
use super::{Mdp, Transition};

/// The maps of the lake that the package brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LakeMap {
    /// 4x4, at most 100 steps.
    Small,
    /// 8x8, at most 200 steps.
    Large,
}

/// How the lake answers a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ice {
    /// The way that was chosen and each of the two across it, one third each.
    Slippery,
    /// Always the way that was chosen.
    Deterministic,
}

/// Cross the ice from the upper left corner to the goal in the lower right one (`frozen_lake.py`, `FrozenLake-v1`).
///
/// A step onto the goal pays 1 and ends the episode, one into a hole pays nothing and ends it, any other pays nothing;
/// a step off the map stays. State: the cell. Behaviour: ε = 0.2.
#[must_use]
pub fn frozen_lake(map: LakeMap, ice: Ice) -> Mdp {
    Mdp::new(&Lake { map, ice })
}

/// Walk along the cliff to the goal at its other end (`cliffwalking.py`, `CliffWalking-v0`; Sutton and Barto:
/// "Reinforcement Learning: An Introduction", 2018, example 6.6).
///
/// 4 rows of 12; start in the lower left corner, goal in the lower right one, the cliff between them. A step pays −1, one
/// over the cliff −100 and leads back to the start. State: the cell. Behaviour: ε = 0.2. The package sets no step
/// limit; ours is 200 on purpose, so that values are finite sums, and is all but never met.
#[must_use]
pub fn cliff_walking() -> Mdp {
    Mdp::new(&Cliff)
}

/// Drive to a passenger, pick them up, set them down where they want to go (`taxi.py`, `Taxi-v3`; Dietterich:
/// "Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition", 2000).
///
/// 5x5 cells with walls, four stands; taxi, passenger and destination at random, the last two at different stands. A
/// step pays −1, setting down at the destination 20 and ends the episode, any other attempt to pick up or set down
/// where there is nothing to do −10. A passenger may be set down at a wrong stand, for −1. At most 200 steps. State:
/// the taxi's cell, where the passenger is, the destination. Behaviour: ε = 0.2.
#[must_use]
pub fn taxi() -> Mdp {
    Mdp::new(&Taxi)
}

/// ε of the behaviour policies here: the lakes are crossed in a quarter to three
/// fifths of the episodes, and every decision is seen.
const EXPLORATION: f64 = 0.2;

/// What surely happens.
fn surely<S>(reward: f64, next: Option<S>) -> Vec<Transition<S>> {
    vec![Transition { probability: 1.0, reward, next }]
}

const SMALL_LAKE: [&[u8]; 4] = [b"SFFF", b"FHFH", b"FFFH", b"HFFG"];
const LARGE_LAKE: [&[u8]; 8] =
    [b"SFFFFFFF", b"FFFFFFFF", b"FFFHFFFF", b"FFFFFHFF", b"FFFHFFFF", b"FHHFFFHF", b"FHFFHFHF", b"FFFHFFFG"];

struct Lake {
    map: LakeMap,
    ice: Ice,
}

impl Lake {
    const fn cells(&self) -> &'static [&'static [u8]] {
        match self.map {
            LakeMap::Small => &SMALL_LAKE,
            LakeMap::Large => &LARGE_LAKE,
        }
    }
}

impl Dynamics for Lake {
    /// Row, column.
    type State = (usize, usize);

    fn rules(&self) -> Rules {
        let (size, n_steps_max) = match self.map {
            LakeMap::Small => ("4x4", 100),
            LakeMap::Large => ("8x8", 200),
        };
        let ice = match self.ice {
            Ice::Slippery => "slippery",
            Ice::Deterministic => "deterministic",
        };
        Rules {
            name: format!("frozen_lake/{size}_{ice}"),
            decisions: &["left", "down", "right", "up"],
            n_steps_max,
            exploration: EXPLORATION,
            time_penalty: 0.0,
        }
    }

    fn starts(&self) -> Vec<(Self::State, f64)> {
        vec![((0, 0), 1.0)]
    }

    fn transitions(&self, &(row, column): &Self::State, decision: usize) -> Vec<Transition<Self::State>> {
        let cells = self.cells();
        let last = cells.len() - 1;
        let go = |way: usize, probability: f64| {
            let next = match way {
                0 => (row, column.saturating_sub(1)),
                1 => ((row + 1).min(last), column),
                2 => (row, (column + 1).min(last)),
                _ => (row.saturating_sub(1), column),
            };
            let cell = cells[next.0][next.1];
            Transition {
                probability,
                reward: f64::from(u8::from(cell == b'G')),
                next: (cell != b'G' && cell != b'H').then_some(next),
            }
        };
        match self.ice {
            Ice::Deterministic => vec![go(decision, 1.0)],
            Ice::Slippery => [decision + 3, decision, decision + 1].map(|way| go(way % 4, 1.0 / 3.0)).into(),
        }
    }

    fn describe(&self, &(row, column): &Self::State) -> (String, Value) {
        ((row * self.cells().len() + column).to_string(), json!({ "row": row, "column": column }))
    }
}

struct Cliff;

impl Dynamics for Cliff {
    /// Row, column.
    type State = (usize, usize);

    fn rules(&self) -> Rules {
        Rules {
            name: "cliff_walking".to_owned(),
            decisions: &["up", "right", "down", "left"],
            n_steps_max: 200,
            exploration: EXPLORATION,
            time_penalty: 0.0,
        }
    }

    fn starts(&self) -> Vec<(Self::State, f64)> {
        vec![((3, 0), 1.0)]
    }

    fn transitions(&self, &(row, column): &Self::State, decision: usize) -> Vec<Transition<Self::State>> {
        let next = match decision {
            0 => (row.saturating_sub(1), column),
            1 => (row, (column + 1).min(11)),
            2 => ((row + 1).min(3), column),
            _ => (row, column.saturating_sub(1)),
        };
        match next {
            (3, 11) => surely(-1.0, None),
            (3, 1..=10) => surely(-100.0, Some((3, 0))),
            _ => surely(-1.0, Some(next)),
        }
    }

    fn describe(&self, &(row, column): &Self::State) -> (String, Value) {
        ((row * 12 + column).to_string(), json!({ "row": row, "column": column }))
    }
}

/// The stands: red, green, yellow, blue.
const STANDS: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];
const PLACES: [&str; 5] = ["red", "green", "yellow", "blue", "taxi"];

/// The passenger's place while they ride.
const RIDING: usize = 4;

/// Per row the columns whose right border is a wall, besides the last.
const WALLS: [&[usize]; 5] = [&[1], &[1], &[], &[0, 2], &[0, 2]];

struct Taxi;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ride {
    row: usize,
    column: usize,
    /// A stand, or [`RIDING`].
    passenger: usize,
    destination: usize,
}

impl Dynamics for Taxi {
    type State = Ride;

    fn rules(&self) -> Rules {
        Rules {
            name: "taxi".to_owned(),
            decisions: &["south", "north", "east", "west", "pick up", "set down"],
            n_steps_max: 200,
            exploration: EXPLORATION,
            time_penalty: 0.0,
        }
    }

    fn starts(&self) -> Vec<(Self::State, f64)> {
        // 25 cells, 4 stands, 3 other stands.
        let ride = |n: usize| {
            let (cell, passenger) = (n / 12, n / 3 % 4);
            let destination = (passenger + 1 + n % 3) % 4;
            Ride { row: cell / 5, column: cell % 5, passenger, destination }
        };
        (0..300).map(|n| (ride(n), 1.0 / 300.0)).collect()
    }

    fn transitions(&self, ride: &Self::State, decision: usize) -> Vec<Transition<Self::State>> {
        let Ride { row, column, passenger, destination } = *ride;
        let stand = STANDS.iter().position(|&stand| stand == (row, column));
        match (decision, stand) {
            (0, _) => surely(-1.0, Some(Ride { row: (row + 1).min(4), ..*ride })),
            (1, _) => surely(-1.0, Some(Ride { row: row.saturating_sub(1), ..*ride })),
            (2, _) if column < 4 && !WALLS[row].contains(&column) => {
                surely(-1.0, Some(Ride { column: column + 1, ..*ride }))
            }
            (3, _) if column > 0 && !WALLS[row].contains(&(column - 1)) => {
                surely(-1.0, Some(Ride { column: column - 1, ..*ride }))
            }
            (2 | 3, _) => surely(-1.0, Some(*ride)),
            (4, Some(stand)) if passenger == stand => surely(-1.0, Some(Ride { passenger: RIDING, ..*ride })),
            (5, Some(stand)) if passenger == RIDING && stand == destination => surely(20.0, None),
            (5, Some(stand)) if passenger == RIDING => surely(-1.0, Some(Ride { passenger: stand, ..*ride })),
            _ => surely(-10.0, Some(*ride)),
        }
    }

    fn describe(&self, ride: &Self::State) -> (String, Value) {
        let Ride { row, column, passenger, destination } = *ride;
        let state = json!({
            "row": row,
            "column": column,
            "passenger": PLACES[passenger],
            "destination": PLACES[destination],
        });
        ((((row * 5 + column) * 5 + passenger) * 4 + destination).to_string(), state)
    }
}

#[cfg(test)]
mod tests;
