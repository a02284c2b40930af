//! Environments of MiniGrid with a locked door (Chevalier-Boisvert et al.: "Minigrid & Miniworld: Modular &
//! Customizable Reinforcement Learning Environments for Goal-Oriented Tasks", 2023; package `minigrid` 3).
//!
//! A wall parts the grid; it has one locked door, and its key lies on the agent's side. The agent faces one of four
//! directions and has the package's seven decisions: `left` and `right` turn; `forward` moves unless a wall, the key or a
//! door that is not open is in front; `pickup` takes the key in front; `drop` puts it onto the empty cell in front;
//! `toggle` unlocks and opens the door in front with the key in hand, and closes and opens one that is unlocked;
//! `done` does nothing. Success at step t, counted from 1, pays `1 − 0.9 t / limit`; nothing else pays.
//!
//! `cargo xtask environments` replays episodes and random walks of these in the package, the same to the last reward.
//!
//! State: all of it (walls and door, key, agent), where the package's agent sees seven by seven cells in front of it.
//! Behaviour: ε = 0.4, which arrives nearly always, sooner or later.

use serde_json::{Value, json};

use super::mdp::{Dynamics, Rules};
use super::{Mdp, Transition};

/// Take the key, open the door, go to the goal in the lower right corner (`doorkey.py`, `MiniGrid-DoorKey-5x5-v0` and
/// its relatives): a square of `size` with its walls, 5 to 8, at most `10 size²` steps. Walls, door, key and agent are
/// at random.
#[must_use]
pub fn door_key(size: u8) -> Mdp {
    let size = size.clamp(5, 8);
    Mdp::new(&Rooms { width: size, height: size, task: Task::ReachGoal })
}

/// Take the key and open the door (`unlock.py`, `MiniGrid-Unlock-v0`): two rooms of four by four cells, at most 288
/// steps. Door, key and agent are at random, in this order; the agent does not start in front of one of the others.
#[must_use]
pub fn unlock() -> Mdp {
    Mdp::new(&Rooms { width: 11, height: 6, task: Task::OpenDoor })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    ReachGoal,
    OpenDoor,
}

/// The grid and its outer walls.
struct Rooms {
    width: u8,
    height: u8,
    task: Task,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Door {
    Locked,
    Closed,
    Open,
}

/// Column, row, from the upper left corner.
type Place = (u8, u8);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    /// The door's place; its column is the wall's.
    door_at: Place,
    door: Door,
    /// Where the key lies; `None` in the agent's hand.
    key: Option<Place>,
    agent: Place,
    /// 0…3: right, down, left, up.
    facing: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Empty,
    Wall,
    Key,
    Door(Door),
    Goal,
}

impl World {
    /// The agent never stands on an outer wall, so there is always a cell in front of it.
    const fn front(&self) -> Place {
        let (column, row) = self.agent;
        match self.facing {
            0 => (column + 1, row),
            1 => (column, row + 1),
            2 => (column - 1, row),
            _ => (column, row - 1),
        }
    }
}

impl Rooms {
    fn cell(&self, world: &World, at: Place) -> Cell {
        let (column, row) = at;
        if at == world.door_at {
            Cell::Door(world.door)
        } else if [0, self.width - 1, world.door_at.0].contains(&column) || [0, self.height - 1].contains(&row) {
            Cell::Wall
        } else if world.key == Some(at) {
            Cell::Key
        } else if self.task == Task::ReachGoal && at == (self.width - 2, self.height - 2) {
            Cell::Goal
        } else {
            Cell::Empty
        }
    }

    /// The columns that the inner wall may stand in.
    const fn wall_columns(&self) -> std::ops::Range<u8> {
        match self.task {
            Task::ReachGoal => 2..self.width - 2,
            Task::OpenDoor => 5..6,
        }
    }

    /// The rows that the door may be in: in the package the lowest is left out where there is a goal.
    const fn door_rows(&self) -> std::ops::Range<u8> {
        match self.task {
            Task::ReachGoal => 1..self.height - 2,
            Task::OpenDoor => 1..self.height - 1,
        }
    }

    /// The starts with this door, by the key's place: every place and direction of the agent, each equally likely.
    fn starts_with(&self, door_at: Place) -> Vec<Vec<World>> {
        let places: Vec<Place> = (1..door_at.0).flat_map(|x| (1..self.height - 1).map(move |y| (x, y))).collect();
        let with_key = |&key: &Place| {
            let agents = places.iter().filter(|&&agent| agent != key);
            let world = |agent, facing| World { door_at, door: Door::Locked, key: Some(key), agent, facing };
            let mut worlds: Vec<World> =
                agents.flat_map(|&agent| (0..4).map(move |facing| world(agent, facing))).collect();
            if self.task == Task::OpenDoor {
                worlds.retain(|world| matches!(self.cell(world, world.front()), Cell::Empty | Cell::Wall));
            }
            worlds
        };
        places.iter().map(with_key).collect()
    }
}

impl Dynamics for Rooms {
    type State = World;

    fn rules(&self) -> Rules {
        let (name, n_steps_max) = match self.task {
            Task::ReachGoal => {
                (format!("door_key/{0}x{0}", self.width), 10 * usize::from(self.width) * usize::from(self.width))
            }
            Task::OpenDoor => ("unlock".to_owned(), 288),
        };
        Rules {
            name,
            decisions: &["left", "right", "forward", "pickup", "drop", "toggle", "done"],
            n_steps_max,
            exploration: 0.4,
            time_penalty: 0.9,
        }
    }

    fn starts(&self) -> Vec<(Self::State, f64)> {
        let n_doors = self.wall_columns().len() * self.door_rows().len();
        let mut starts = Vec::new();
        for column in self.wall_columns() {
            for row in self.door_rows() {
                let of_keys = self.starts_with((column, row));
                for worlds in &of_keys {
                    let share = 1.0 / (n_doors * of_keys.len() * worlds.len()) as f64;
                    starts.extend(worlds.iter().map(|world| (*world, share)));
                }
            }
        }
        starts
    }

    fn transitions(&self, world: &Self::State, decision: usize) -> Vec<Transition<Self::State>> {
        let front = world.front();
        let (mut reward, mut next) = (0.0, Some(*world));
        match (decision, self.cell(world, front)) {
            (0, _) => next = Some(World { facing: (world.facing + 3) % 4, ..*world }),
            (1, _) => next = Some(World { facing: (world.facing + 1) % 4, ..*world }),
            (2, Cell::Goal) => (reward, next) = (1.0, None),
            (2, Cell::Empty | Cell::Door(Door::Open)) => next = Some(World { agent: front, ..*world }),
            (3, Cell::Key) => next = Some(World { key: None, ..*world }),
            (4, Cell::Empty) if world.key.is_none() => next = Some(World { key: Some(front), ..*world }),
            (5, Cell::Door(Door::Locked)) if world.key.is_none() => match self.task {
                Task::OpenDoor => (reward, next) = (1.0, None),
                Task::ReachGoal => next = Some(World { door: Door::Open, ..*world }),
            },
            (5, Cell::Door(Door::Open)) => next = Some(World { door: Door::Closed, ..*world }),
            (5, Cell::Door(Door::Closed)) => next = Some(World { door: Door::Open, ..*world }),
            _ => {}
        }
        vec![Transition { probability: 1.0, reward, next }]
    }

    fn describe(&self, world: &Self::State) -> (String, Value) {
        let door = match world.door {
            Door::Locked => "locked",
            Door::Closed => "closed",
            Door::Open => "open",
        };
        let front = match self.cell(world, world.front()) {
            Cell::Empty => "empty",
            Cell::Wall => "wall",
            Cell::Key => "key",
            Cell::Door(_) => "door",
            Cell::Goal => "goal",
        };
        let facing = ["right", "down", "left", "up"][usize::from(world.facing)];
        let key = world.key.map_or_else(|| "carried".to_owned(), |(column, row)| format!("{column},{row}"));
        let ((column, row), (door_column, door_row)) = (world.agent, world.door_at);
        let state_key = format!("door={door_column},{door_row},{door} key={key} agent={column},{row},{facing}");
        let state = json!({
            "door_at": format!("{door_column},{door_row}"),
            "door": door,
            "key": key,
            "column": column,
            "row": row,
            "facing": facing,
            "front": front,
        });
        (state_key, state)
    }
}

#[cfg(test)]
mod tests;
