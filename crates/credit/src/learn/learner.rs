//! What is kept of all actions of one type: counts, and a sample of whole trajectories.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use accredit_model::ActionId;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::sample::Sample;
use super::{FitOptions, Model, auto};
use crate::keys::Wants;
use crate::{Counts, Trajectory};

/// Trajectories that the reservoir holds at most.
pub const RESERVOIR_SAMPLES_MAX: usize = 2_000;
/// Bytes of trajectories that the reservoir holds at most, about.
pub const RESERVOIR_BYTES_MAX: usize = 48 << 20;
/// Names of keys that are kept at most.
const LABELS_MAX: usize = 16_384;
/// Characters of a name.
const LABEL_CHARS_MAX: usize = 96;

/// What learning keeps of the closed actions of one action type. It merges with that of other stores in any order and
/// any number of times ([`Learner::merge`]), forgets ([`Learner::forget`]), and is bounded: 19 MiB of counts a writer
/// ([`Counts`]), 48 MiB of trajectories, 2 MiB of names.
///
/// The reservoir is the bottom-k sketch of the trajectories: those whose action ids have the smallest hashes, at most
/// 2,000 and 48 MiB of them. Which ones these are depends on nothing but the ids, so it is commutative, associative and
/// idempotent, and every action is as likely to be in it as any other (Cohen & Kaplan, "Summarizing Data using Bottom-k
/// Sketches", 2007).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "OnDisk")]
pub struct Learner {
    counts: Counts,
    #[serde(with = "samples")]
    reservoir: BTreeMap<(u64, ActionId), Sample>,
    reservoir_bytes: usize,
    labels: BTreeMap<u64, String>,
}

/// The same as it was read, which nobody has checked yet.
#[derive(Deserialize)]
struct OnDisk {
    counts: Counts,
    #[serde(deserialize_with = "samples::deserialize")]
    reservoir: BTreeMap<(u64, ActionId), Sample>,
    #[serde(rename = "reservoir_bytes")]
    _reservoir_bytes: usize,
    labels: BTreeMap<u64, String>,
}

impl From<OnDisk> for Learner {
    fn from(read: OnDisk) -> Self {
        let reservoir_bytes = read.reservoir.values().map(Sample::n_bytes).sum();
        let mut learner = Self { counts: read.counts, reservoir: read.reservoir, reservoir_bytes, labels: read.labels };
        learner.trim();
        learner
    }
}

impl Learner {
    /// Takes an action in under this writer's name. Of an action that the writer had counted before, call
    /// [`Learner::forget`] with what it had counted first.
    pub fn learn(&mut self, writer: u64, action: ActionId, version: u32, trajectory: &Trajectory<'_>) {
        if !trajectory.reward.is_finite() {
            return;
        }
        let labels = &mut self.labels;
        let sample =
            Sample::labelled(action, version, trajectory, Wants::ALL, &mut |key, text| name(labels, key, text));
        self.counts.add(writer, &sample.episode());
        self.keep(sample);
        self.trim();
    }

    /// Takes back an action that this writer had counted: one that was deleted, or whose outcome has changed.
    pub fn forget(&mut self, writer: u64, action: ActionId, trajectory: &Trajectory<'_>) {
        if !trajectory.reward.is_finite() {
            return;
        }
        let sample = Sample::of(action, 0, trajectory);
        self.counts.remove(writer, &sample.episode());
        self.drop_sample(action);
    }

    /// Takes an action out of the sample and leaves the counts: one that another writer counted, who takes it back there.
    pub fn drop_sample(&mut self, action: ActionId) {
        if let Some(sample) = self.reservoir.remove(&place(action)) {
            self.reservoir_bytes -= sample.n_bytes();
        }
    }

    /// Takes over what the other one knows. Commutative, associative and idempotent.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        other.reservoir.values().cloned().for_each(|sample| self.keep(sample));
        other.labels.iter().for_each(|(key, text)| name(&mut self.labels, *key, text));
        self.trim();
    }

    /// How many actions are counted, of all writers.
    #[must_use]
    pub fn n_actions(&self) -> u64 {
        self.counts.n_episodes()
    }

    /// The trajectories that are kept, in the order of their hashes.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = &Sample> {
        self.reservoir.values()
    }

    /// The trajectory of an action, where it is kept.
    #[must_use]
    pub fn sample(&self, action: ActionId) -> Option<&Sample> {
        self.reservoir.get(&place(action))
    }

    /// What is counted.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The name of a decision or situation, where it is kept.
    #[must_use]
    pub fn label(&self, key: u64) -> Option<&str> {
        self.labels.get(&key).map(String::as_str)
    }

    /// Fits a model. Pure: the same learner and options give the same model.
    #[must_use]
    pub fn fit(&self, options: &FitOptions) -> Model {
        auto::fit(self, options)
    }

    fn keep(&mut self, sample: Sample) {
        let place = place(sample.action);
        // Of two versions the later; of two that say they are the same version, always the same one.
        let rank = |sample: &Sample| (sample.version, sample.reward.to_bits());
        let stays = |kept: &Sample| match rank(kept).cmp(&rank(&sample)) {
            Ordering::Less => false,
            Ordering::Equal => *kept == sample || kept.fingerprint() >= sample.fingerprint(),
            Ordering::Greater => true,
        };
        if self.reservoir.get(&place).is_some_and(stays) {
            return;
        }
        self.reservoir_bytes += sample.n_bytes();
        if let Some(before) = self.reservoir.insert(place, sample) {
            self.reservoir_bytes -= before.n_bytes();
        }
    }

    /// Drops what lies behind the bounds: what stays is a prefix in the order of the hashes, so trimming parts before
    /// they are merged changes nothing.
    fn trim(&mut self) {
        let is_over = |learner: &Self| {
            learner.reservoir.len() > RESERVOIR_SAMPLES_MAX || learner.reservoir_bytes > RESERVOIR_BYTES_MAX
        };
        while is_over(self) && self.reservoir.len() > 1 {
            if let Some((_, sample)) = self.reservoir.pop_last() {
                self.reservoir_bytes -= sample.n_bytes();
            }
        }
        while self.labels.len() > LABELS_MAX {
            self.labels.pop_last();
        }
    }
}

fn place(action: ActionId) -> (u64, ActionId) {
    (xxh3_64(action.as_bytes()), action)
}

/// The smaller text where two have one hash, so that the order in which they come does not matter.
fn name(labels: &mut BTreeMap<u64, String>, key: u64, text: &str) {
    if labels.len() >= LABELS_MAX && labels.last_key_value().is_some_and(|(last, _)| *last < key) {
        return;
    }
    let text: String = text.chars().take(LABEL_CHARS_MAX).collect();
    match labels.get(&key) {
        Some(kept) if *kept <= text => {}
        _ => drop(labels.insert(key, text)),
    }
    if labels.len() > LABELS_MAX {
        labels.pop_last();
    }
}

/// A list on disk: the places follow from the ids.
mod samples {
    use std::collections::BTreeMap;

    use accredit_model::ActionId;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Sample, place};

    pub(super) fn serialize<S: Serializer>(
        reservoir: &BTreeMap<(u64, ActionId), Sample>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(reservoir.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<(u64, ActionId), Sample>, D::Error> {
        let samples = Vec::<Sample>::deserialize(deserializer)?;
        Ok(samples.into_iter().map(|sample| (place(sample.action), sample)).collect())
    }
}

#[cfg(test)]
mod tests;
