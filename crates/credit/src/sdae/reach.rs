//! Which chosen columns the steps of one action can be part of.

use std::collections::HashMap;
use std::ops::Range;

use super::Sdae;
use super::columns::{ALWAYS, ANYWHERE, AT_END, aspects, bucket, first};
use super::policy::State;
use crate::Sample;
use crate::keys::combine;
use crate::mixed::BuildMixed;

/// A chosen column that a feature is part of at a position, with the feature's sign.
#[derive(Clone, Copy, Debug)]
struct Part {
    position: u64,
    column: usize,
    sign: f64,
}

/// What each feature of an action is part of, found out once, where [`contexts`](super::columns::contexts) asks again at
/// every step. Few columns are chosen, so that most features are part of none, and most steps need no policy.
///
/// O(distinct features · log(steps)) to find out, then O(features) a step.
pub(super) struct Reach<'a> {
    model: &'a Sdae,
    sample: &'a Sample,
    /// The positions that the action has, in the order in which a step's are said.
    positions: Vec<u64>,
    parts: Vec<Part>,
    of_features: HashMap<u64, Range<usize>, BuildMixed>,
    of_states: HashMap<u64, Range<usize>, BuildMixed>,
    /// What every step is part of.
    always: Range<usize>,
    /// What every step but the first is part of, by the first one.
    first: Range<usize>,
}

impl<'a> Reach<'a> {
    pub(super) fn of(model: &'a Sdae, sample: &'a Sample) -> Self {
        let buckets = sample.steps.last().map_or(0..0, |last| bucket(0)..bucket(last.index) + 1);
        let positions = std::iter::once(ANYWHERE).chain(buckets).chain(model.knows_end.then_some(AT_END)).collect();
        let mut reach = Self {
            model,
            sample,
            positions,
            parts: Vec::new(),
            of_features: HashMap::default(),
            of_states: HashMap::default(),
            always: 0..0,
            first: 0..0,
        };
        if model.columns.list.is_empty() {
            return reach;
        }
        reach.always = reach.parts_of([(ALWAYS, 1.0)]);
        if let Some(step) = sample.steps.first() {
            let features = step.features.iter().flat_map(|feature| aspects(*feature, &model.contrasts));
            let features = features.chain([(step.state, 1.0)]).map(|(feature, sign)| (first(feature), sign));
            reach.first = reach.parts_of(features);
        }
        reach
    }

    /// Finds out what these features are part of, one after the other.
    fn parts_of(&mut self, features: impl IntoIterator<Item = (u64, f64)>) -> Range<usize> {
        let before = self.parts.len();
        for (feature, sign) in features {
            for position in &self.positions {
                let columns = self.model.columns.by_context.get(&combine(&[feature, *position]));
                let parts = columns.into_iter().flatten();
                self.parts.extend(parts.map(|column| Part { position: *position, column: *column, sign }));
            }
        }
        before..self.parts.len()
    }

    fn of_feature(&mut self, feature: u64) -> Range<usize> {
        if let Some(known) = self.of_features.get(&feature) {
            return known.clone();
        }
        let parts = self.parts_of(aspects(feature, &self.model.contrasts));
        self.of_features.insert(feature, parts.clone());
        parts
    }

    fn of_state(&mut self, state: u64) -> Range<usize> {
        if let Some(known) = self.of_states.get(&state) {
            return known.clone();
        }
        let parts = self.parts_of([(state, 1.0)]);
        self.of_states.insert(state, parts.clone());
        parts
    }

    /// The chosen columns of one step, with their values; `name` is its state's.
    pub(super) fn hits(&mut self, at: usize, name: u64, hits: &mut Vec<(usize, f64)>) {
        if self.model.columns.list.is_empty() {
            return;
        }
        let step = &self.sample.steps[at];
        let place = (bucket(step.index), self.model.knows_end && at + 1 == self.sample.steps.len());
        let mut state: Option<Option<&'a State>> = None;
        self.values(self.always.clone(), at, name, place, &mut state, hits);
        for feature in &step.features {
            let parts = self.of_feature(*feature);
            self.values(parts, at, name, place, &mut state, hits);
        }
        let parts = self.of_state(step.state);
        if !parts.is_empty() {
            let known = *state.get_or_insert_with(|| self.model.policy.state(name));
            if known.is_some_and(|state| state.n_actions >= 3) {
                self.values(parts, at, name, place, &mut state, hits);
            }
        }
        if at > 0 {
            self.values(self.first.clone(), at, name, place, &mut state, hits);
        }
    }

    /// The values of those of the columns that hold here; the state is looked up at the first.
    fn values(
        &self,
        parts: Range<usize>,
        at: usize,
        name: u64,
        (bucket, is_end): (u64, bool),
        state: &mut Option<Option<&'a State>>,
        hits: &mut Vec<(usize, f64)>,
    ) {
        let holds =
            |part: &&Part| part.position == ANYWHERE || part.position == bucket || (is_end && part.position == AT_END);
        let step = &self.sample.steps[at];
        for part in self.parts[parts].iter().filter(holds) {
            let state = *state.get_or_insert_with(|| self.model.policy.state(name));
            let decision = self.model.columns.list[part.column].column.decision;
            let probability = self.model.policy.probability(step, decision, state);
            let x = part.sign * (f64::from(step.decision == decision) - probability);
            if x.abs() > 1e-9 {
                hits.push((part.column, x));
            }
        }
    }
}
