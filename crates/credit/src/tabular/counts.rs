//! What was seen to follow what, counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Episode, arrivals};

/// How many keys a writer's table holds unless another number is given.
pub const KEYS_MAX: usize = 131_072;

/// When a full table takes a new key, this part of its keys makes room, so that the search for rare ones is rare too.
const DROPPED_PART: usize = 8;

/// State, decision, and the next state; `None` is the end of the episode.
pub(super) type Key = (u64, u64, Option<u64>);

/// Counts and sums of rewards per state, decision and next state, and of lengths where episodes end, which merge.
///
/// Sums are not idempotent, so every writer keeps a shard of its own, which no one else changes and whose version counts
/// its changes; of two shards of one writer the later one stands for both. Merging is therefore commutative, associative
/// and idempotent: shards arrive in any order, and more than once (the construction of grow-only counters: Shapiro et
/// al., "A Comprehensive Study of Convergent and Commutative Replicated Data Types", 2011). It presumes that two
/// processes never write under one name.
///
/// A shard holds at most `n_keys_max` keys, at about 100 bytes each, half as much again where an episode ends: 13 MiB a
/// writer by default, 19 at most. When a new key meets a full shard, an eighth of the keys makes room, the rarest first, among equals the largest key first: a key that is
/// seen often stays, counts are never overestimated, and [`n_dropped`](Self::n_dropped) says how much was forgotten.
/// Merging never drops, so the bound is per writer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    n_keys_max: usize,
    shards: BTreeMap<u64, Shard>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shard {
    version: u64,
    rewards: Cell,
    n_dropped: u64,
    #[serde(with = "rows")]
    cells: BTreeMap<Key, Cell>,
    /// Of the cells that are ends, by state and decision.
    #[serde(with = "rows")]
    ends: BTreeMap<(u64, u64), Ends>,
}

/// How long the episodes were that a cell ended, beside what arrived: `x` is the number of steps before the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ends {
    /// `Σ x`
    pub(super) steps: u64,
    /// `Σ x²`
    pub(super) squares: u64,
    /// `Σ x·r`
    pub(super) products: f64,
}

impl Ends {
    fn of(n_steps_before: usize, arrival: f64) -> Self {
        let steps = n_steps_before as u64;
        Self { steps, squares: steps.saturating_mul(steps), products: steps as f64 * arrival }
    }

    fn plus(&mut self, other: Self) {
        self.steps = self.steps.saturating_add(other.steps);
        self.squares = self.squares.saturating_add(other.squares);
        self.products += other.products;
    }

    fn minus(&mut self, other: Self) {
        self.steps = self.steps.saturating_sub(other.steps);
        self.squares = self.squares.saturating_sub(other.squares);
        self.products -= other.products;
    }
}

/// How often, and what arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) n: u64,
    pub(super) sum: f64,
    pub(super) sum_of_squares: f64,
}

impl Cell {
    fn add(&mut self, reward: f64) {
        self.plus(Self { n: 1, sum: reward, sum_of_squares: reward * reward });
    }

    fn remove(&mut self, reward: f64) {
        self.n = self.n.saturating_sub(1);
        self.sum -= reward;
        self.sum_of_squares -= reward * reward;
        if self.n == 0 {
            *self = Self::default();
        }
    }

    pub(super) fn plus(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self::new(KEYS_MAX)
    }
}

impl Counts {
    /// Nothing seen; this many keys per writer, at least 8.
    #[must_use]
    pub fn new(n_keys_max: usize) -> Self {
        Self { n_keys_max: n_keys_max.max(DROPPED_PART), shards: BTreeMap::new() }
    }

    /// Counts an episode in this writer's shard. One whose reward is not finite, or without steps, is left out.
    pub fn add(&mut self, writer: u64, episode: &Episode) {
        if !episode.reward.is_finite() || episode.steps.is_empty() {
            return;
        }
        let n_keys_max = self.n_keys_max;
        let shard = self.shards.entry(writer).or_default();
        shard.version += 1;
        shard.rewards.add(episode.reward);
        for (key, arrival) in transitions(episode) {
            if shard.cells.len() >= n_keys_max && !shard.cells.contains_key(&key) {
                shard.drop_rarest(n_keys_max / DROPPED_PART);
            }
            shard.cells.entry(key).or_default().add(arrival);
            if key.2.is_none() {
                shard.ends.entry((key.0, key.1)).or_default().plus(Ends::of(episode.steps.len() - 1, arrival));
            }
        }
    }

    /// Takes back an episode that this writer counted, for one that was deleted. Keys that were dropped stay dropped.
    pub fn remove(&mut self, writer: u64, episode: &Episode) {
        let Some(shard) = self.shards.get_mut(&writer).filter(|_| episode.reward.is_finite()) else { return };
        shard.version += 1;
        if !episode.steps.is_empty() {
            shard.rewards.remove(episode.reward);
        }
        for (key, arrival) in transitions(episode) {
            if let Some(cell) = shard.cells.get_mut(&key) {
                cell.remove(arrival);
                let is_gone = cell.n == 0;
                if let (None, Some(ends)) = (key.2, shard.ends.get_mut(&(key.0, key.1))) {
                    ends.minus(Ends::of(episode.steps.len() - 1, arrival));
                }
                if is_gone {
                    shard.forget(&key);
                }
            }
        }
    }

    /// Takes over what the other table knows: of each writer the later shard.
    pub fn merge(&mut self, other: &Self) {
        for (writer, shard) in &other.shards {
            let own = self.shards.entry(*writer).or_default();
            if shard.version > own.version {
                own.clone_from(shard);
            }
        }
    }

    /// How many episodes are counted.
    #[must_use]
    pub fn n_episodes(&self) -> u64 {
        self.rewards().n
    }

    /// How many keys the largest shard holds.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.shards.values().map(|shard| shard.cells.len()).max().unwrap_or(0)
    }

    /// How many counted transitions were forgotten to make room.
    #[must_use]
    pub fn n_dropped(&self) -> u64 {
        self.shards.values().map(|shard| shard.n_dropped).sum()
    }

    pub(super) fn rewards(&self) -> Cell {
        let mut rewards = Cell::default();
        self.shards.values().for_each(|shard| rewards.plus(shard.rewards));
        rewards
    }

    /// All shards together, added in the order of the writers' names.
    pub(super) fn cells(&self) -> BTreeMap<Key, Cell> {
        let mut cells = BTreeMap::<Key, Cell>::new();
        for (key, cell) in self.shards.values().flat_map(|shard| &shard.cells) {
            cells.entry(*key).or_default().plus(*cell);
        }
        cells
    }

    /// The same of the lengths of episodes.
    pub(super) fn ends(&self) -> BTreeMap<(u64, u64), Ends> {
        let mut all = BTreeMap::<(u64, u64), Ends>::new();
        for (key, ends) in self.shards.values().flat_map(|shard| &shard.ends) {
            all.entry(*key).or_default().plus(*ends);
        }
        all
    }
}

impl Shard {
    fn forget(&mut self, key: &Key) {
        self.cells.remove(key);
        if key.2.is_none() {
            self.ends.remove(&(key.0, key.1));
        }
    }

    fn drop_rarest(&mut self, n_keys: usize) {
        let mut keys: Vec<(u64, Key)> = self.cells.iter().map(|(key, cell)| (cell.n, *key)).collect();
        keys.sort_unstable_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
        for (n, key) in keys.into_iter().take(n_keys) {
            self.n_dropped += n;
            self.forget(&key);
        }
    }
}

fn transitions(episode: &Episode) -> impl Iterator<Item = (Key, f64)> + '_ {
    let nexts = episode.steps.iter().skip(1).map(|step| Some(step.state)).chain([None]);
    let keys = episode.steps.iter().zip(nexts).map(|(step, next)| (step.state, step.decision, next));
    keys.zip(arrivals(episode))
}

/// Keys of JSON objects are texts, so cells are written as a list.
mod rows {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Ord + Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
