//! What is expected of a column before any reward is looked at.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::{ALWAYS, ANYWHERE, Contrasts, aspects, bucket, first};
use crate::Sample;
use crate::keys::PATH;
use crate::mixed::BuildMixed;

/// Kappa from which on the values of a path last.
const KAPPA_MIN: f64 = 0.5;
/// Correlation, and its z, from which on a decision has consequences at a position.
const PHI_MIN: f64 = 0.2;
const PHI_Z_MIN: f64 = 5.0;
/// Kinds of columns, by whether the column is no half of a contrast (4), whether the decision has consequences at the
/// position (2), and whether the feature lasts (1): what part of the chance of an error each kind gets, all its columns
/// together.
const SHARES: [f64; 8] = [0.05, 0.05, 0.05, 0.1, 0.05, 0.05, 0.05, 0.6];

/// What decisions and situations alone say of columns: rewards are not looked at, so that a test may spend its chance of an
/// error where something is to be expected, and stays exact (Genovese, Roeder & Wasserman, "False Discovery Control with
/// p-Value Weighting", 2006).
///
/// A decision that has *consequences* at a position goes with what is new in the next situation: what is credited at the end
/// of an action must get there. A feature *lasts* where its path has the same value at the next step more often than by
/// chance, `κ = (agreed - expected) / (1 - expected) ≥ 0.5` (Cohen, "A Coefficient of Agreement for Nominal Scales", 1960):
/// what is drawn anew at every step says nothing of what is to come. A value of a path that has two is *half* of their
/// contrast, which knows twice as many actions. O(steps · features).
#[derive(Debug, Default)]
pub(super) struct Prior {
    lasting: HashSet<u64, BuildMixed>,
    /// Values of a path that has two.
    halves: HashSet<u64, BuildMixed>,
    /// Position and decision.
    consequences: HashSet<(u64, u64)>,
}

/// Kinds of columns.
pub(super) const KINDS: usize = SHARES.len();

/// The part of the chance of an error that one of `n` columns of a kind gets.
pub(super) fn share(kind: usize, n: usize) -> f64 {
    SHARES[kind] / n.max(1) as f64
}

impl Prior {
    /// Of these decisions' columns.
    pub(super) fn of(samples: &[&Sample], decisions: &[u64], contrasts: &Contrasts) -> Self {
        let paths = lasting_paths(samples);
        let mut lasting = HashSet::default();
        lasting.extend([ALWAYS]);
        let mut halves = HashSet::default();
        let mut seen: HashSet<u64, BuildMixed> = HashSet::default();
        for feature in samples.iter().flat_map(|sample| &sample.features) {
            if !seen.insert(*feature) {
                continue;
            }
            if paths.contains(&(feature & PATH)) {
                lasting.extend(aspects(*feature, contrasts).flat_map(|(feature, _)| [feature, first(feature)]));
            }
            if aspects(*feature, contrasts).count() > 1 {
                halves.extend([*feature, first(*feature)]);
            }
        }
        Self { consequences: consequences(samples, decisions, &paths), lasting, halves }
    }

    /// The kind of a column: a decision, with a feature as it is named in contexts, at a position.
    pub(super) fn kind(&self, decision: u64, feature: u64, position: u64) -> usize {
        let has_consequences = self.consequences.contains(&(position, decision));
        let is_whole = !self.halves.contains(&feature);
        4 * usize::from(is_whole) + 2 * usize::from(has_consequences) + usize::from(self.lasting.contains(&feature))
    }
}

/// The paths whose values last.
fn lasting_paths(samples: &[&Sample]) -> HashSet<u64, BuildMixed> {
    #[derive(Default)]
    struct Path {
        values: BTreeMap<u64, f64>,
        n: f64,
        agreed: f64,
        pairs: f64,
    }
    let mut paths: HashMap<u64, Path, BuildMixed> = HashMap::default();
    for sample in samples {
        for (at, step) in sample.steps.iter().enumerate() {
            let before = at.checked_sub(1).map_or(&[][..], |before| sample.features_of(&sample.steps[before]));
            for (place, feature) in sample.features_of(step).iter().enumerate() {
                let path = paths.entry(feature & PATH).or_default();
                *path.values.entry(*feature).or_default() += 1.0;
                path.n += 1.0;
                // Mostly where it was.
                let same = |other: &&u64| **other & PATH == feature & PATH;
                let other = before.get(place).filter(same).or_else(|| before.iter().find(same));
                path.pairs += f64::from(u8::from(other.is_some()));
                path.agreed += f64::from(u8::from(other == Some(feature)));
            }
        }
    }
    let lasts = |path: &Path| {
        let expected: f64 = path.values.values().map(|n| (n / path.n).powi(2)).sum();
        path.pairs > 0.0 && path.agreed / path.pairs - expected >= KAPPA_MIN * (1.0 - expected)
    };
    paths.iter().filter(|(_, path)| lasts(path)).map(|(path, _)| *path).collect()
}

/// The positions and decisions with consequences: those that go with a feature, of a path that lasts, which holds in
/// the next situation and did not in theirs.
fn consequences(samples: &[&Sample], decisions: &[u64], paths: &HashSet<u64, BuildMixed>) -> HashSet<(u64, u64)> {
    let mut n: HashMap<u64, f64> = HashMap::new();
    let mut made: HashMap<(u64, u64), f64> = HashMap::new();
    let mut news: HashMap<(u64, u64), f64> = HashMap::new();
    let mut both: HashMap<(u64, u64, u64), f64> = HashMap::new();
    for sample in samples {
        for pair in sample.steps.windows(2) {
            let [step, next] = pair else { continue };
            for position in [ANYWHERE, bucket(step.index)] {
                *n.entry(position).or_default() += 1.0;
                *made.entry((position, step.decision)).or_default() += 1.0;
                let before = sample.features_of(step);
                let is_new = |feature: &&u64| paths.contains(&(**feature & PATH)) && !before.contains(feature);
                for feature in sample.features_of(next).iter().filter(is_new) {
                    *news.entry((position, *feature)).or_default() += 1.0;
                    if decisions.contains(&step.decision) {
                        *both.entry((position, step.decision, *feature)).or_default() += 1.0;
                    }
                }
            }
        }
    }
    let mut found = HashSet::new();
    for ((position, feature), new) in &news {
        for decision in decisions {
            let Some(made) = made.get(&(*position, *decision)) else { continue };
            let n = n[position];
            let both = both.get(&(*position, *decision, *feature)).copied().unwrap_or(0.0);
            let spread = (made * (n - made) * new * (n - new)).sqrt();
            let phi = if spread > 0.0 { (n * both - made * new).abs() / spread } else { 0.0 };
            if phi >= PHI_MIN && phi * n.sqrt() >= PHI_Z_MIN {
                found.insert((*position, *decision));
            }
        }
    }
    found
}
